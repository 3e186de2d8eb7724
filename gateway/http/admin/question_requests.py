"""What is sent about the questions of the review queue."""

import datetime as dt
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.http.ids import plain_id
from store.content import Key, Line, Name
from store.review.actions import (
    AddCounterexample,
    AddPhrasing,
    AnyAction,
    Discard,
    Merge,
    NewPrompt,
    OutOfScope,
    Snooze,
)
from store.review.types import Target

_Id = Annotated[str, Meta(min_length=1, max_length=64)]
_Rev = Annotated[int, Meta(ge=1, le=2147483647)]
_Moment = Annotated[dt.datetime, Meta(tz=True)]


class TargetRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question or a cluster, and its `rev` as it was read."""

    id: _Id
    rev: _Rev


class _Action(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", kw_only=True):
    pass


class AddPhrasingRequest(_Action, frozen=True, tag="add_phrasing", kw_only=True):
    """The questions become phrasings of the prompt."""

    prompt: Key
    wording: Line | None = None
    change: _Id | None = None


class AddCounterexampleRequest(_Action, frozen=True, tag="add_counterexample", kw_only=True):
    """The questions become sentences that must not lead to the prompt."""

    prompt: Key
    wording: Line | None = None
    change: _Id | None = None


class NewPromptRequest(_Action, frozen=True, tag="new_prompt", kw_only=True):
    """The questions become the phrasings of a new prompt."""

    key: Key
    title: Line
    area: Name
    owner: Line
    language: Annotated[str, Meta(pattern=r"^[a-z]{2}\Z")]
    review_by: dt.date
    answer: Annotated[str, Meta(max_length=4000)] = ""
    change: _Id | None = None


class OutOfScopeRequest(_Action, frozen=True, tag="out_of_scope", kw_only=True):
    """The questions become cases of a test set that must be refused."""

    suite: Name | None = None
    change: _Id | None = None


class SnoozeRequest(_Action, frozen=True, tag="snooze", kw_only=True):
    """The questions are hidden until then."""

    until: _Moment


class DiscardRequest(_Action, frozen=True, tag="discard", kw_only=True):
    """Nothing is to be done."""


class MergeRequest(_Action, frozen=True, tag="merge", kw_only=True):
    """The targets, which are clusters, are put into this one."""

    into: TargetRequest


AnyActionRequest = (
    AddPhrasingRequest
    | AddCounterexampleRequest
    | NewPromptRequest
    | OutOfScopeRequest
    | SnoozeRequest
    | DiscardRequest
    | MergeRequest
)


class QuestionActionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do to all of the targets, or to none."""

    action: AnyActionRequest
    targets: Annotated[tuple[TargetRequest, ...], Meta(min_length=1, max_length=500)]


def action_of(sent: AnyActionRequest) -> AnyAction:  # noqa: PLR0911 - one for each kind
    """Returns an action as the service takes it."""
    match sent:
        case AddPhrasingRequest():
            return AddPhrasing(sent.prompt, sent.wording, sent.change)
        case AddCounterexampleRequest():
            return AddCounterexample(sent.prompt, sent.wording, sent.change)
        case NewPromptRequest():
            return NewPrompt(**msgspec.structs.asdict(sent))
        case OutOfScopeRequest():
            return OutOfScope(sent.suite, sent.change)
        case SnoozeRequest():
            return Snooze(sent.until)
        case DiscardRequest():
            return Discard()
        case MergeRequest():
            return Merge(target_of(sent.into))


def target_of(sent: TargetRequest) -> Target:
    """Returns a target as the service takes it."""
    return Target(plain_id(sent.id), sent.rev)
