"""The wire forms of the review queue."""

import datetime as dt
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.reviewing.prospects import Prospects
from gateway.reviewing.service import ClusterDetail, QueueFigures
from store.content import Key, Line, Name
from store.review.actions import (
    AddCounterexample,
    AddPhrasing,
    AnyAction,
    Discard,
    Done,
    Merge,
    NewPrompt,
    OutOfScope,
    Snooze,
)
from store.review.collisions import Addition
from store.review.reading import Page
from store.review.types import Cluster, StoredQuestion, Target

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


class QuestionReply(msgspec.Struct, frozen=True):
    """A message without a good answer, redacted."""

    id: str
    assistant: str
    text: str
    state: str
    snoozed_until: dt.datetime | None
    action: str | None
    count: int
    reasons: dict[str, int]
    first_seen: dt.datetime
    last_seen: dt.datetime
    last_decision: str
    gate: str | None
    score: float | None
    prompt: str | None
    cluster: str | None
    rev: int


class QuestionsReply(msgspec.Struct, frozen=True):
    """A page of questions."""

    items: tuple[QuestionReply, ...]
    next: str | None


class QuestionClusterReply(msgspec.Struct, frozen=True):
    """Questions that mean about the same; counts are over those in the wanted state."""

    id: str
    assistant: str
    label: str
    size: int
    messages: int
    first_seen: dt.datetime
    last_seen: dt.datetime
    trend: tuple[int, ...]
    """Messages of each of the last 14 days, the oldest first."""
    rev: int


class QuestionClustersReply(msgspec.Struct, frozen=True):
    """A page of clusters."""

    items: tuple[QuestionClusterReply, ...]
    next: str | None


class QuestionClusterDetailReply(msgspec.Struct, frozen=True):
    """A cluster with its questions, the most frequent first, at most 500."""

    cluster: QuestionClusterReply
    questions: tuple[QuestionReply, ...]


class RivalReply(msgspec.Struct, frozen=True):
    """A phrasing of another prompt that would be nearer to the question than to the rest of its own."""

    prompt: str
    phrasing: str
    similarity: float


class AdditionReply(msgspec.Struct, frozen=True):
    """What adding the question to the prompt would do."""

    same_as: str | None
    is_counterexample: bool
    difference: str | None
    rivals: tuple[RivalReply, ...]
    rival_count: int
    reaches: int


class ProspectReply(msgspec.Struct, frozen=True):
    """A prompt that the question may belong to."""

    prompt: str
    title: str
    score: float
    phrasing: str
    similarity: float
    counter_similarity: float | None
    added: AdditionReply


class ProspectsReply(msgspec.Struct, frozen=True):
    """What the live matcher makes of a question now, and which check decided."""

    outcome: str
    gate: str
    difference: str | None
    answer_from: float | None
    candidates: tuple[ProspectReply, ...]


class QuestionActionReply(msgspec.Struct, frozen=True):
    """An action as it stands."""

    id: str
    at: dt.datetime
    actor: str
    kind: str
    targets: tuple[str, ...]
    change: str | None
    edit: str | None
    added: tuple[str, ...]
    undone_at: dt.datetime | None
    edit_stays_in: str | None


class QuestionActionsReply(msgspec.Struct, frozen=True):
    """A page of actions."""

    items: tuple[QuestionActionReply, ...]
    next: str | None


class QueueFiguresReply(msgspec.Struct, frozen=True):
    """What came of the messages of the last 30 days, and how many questions have no cluster yet."""

    new: int
    again: int
    over_bound: int
    unreadable: int
    lost: int
    unplaced: int


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
            return Merge(Target(sent.into.id, sent.into.rev))


def question_reply(question: StoredQuestion) -> QuestionReply:
    """Returns a question as it is told."""
    return QuestionReply(
        id=question.id,
        assistant=question.assistant,
        text=question.text,
        state=question.state.value,
        snoozed_until=question.snoozed_until,
        action=question.action,
        count=question.count,
        reasons=dict(question.reasons),
        first_seen=question.first_seen,
        last_seen=question.last_seen,
        last_decision=question.last_decision,
        gate=question.gate,
        score=question.score,
        prompt=question.prompt_key,
        cluster=question.cluster,
        rev=question.rev,
    )


def questions_reply(page: Page[StoredQuestion]) -> QuestionsReply:
    """Returns a page of questions as it is told."""
    return QuestionsReply(tuple(map(question_reply, page.items)), page.next)


def cluster_reply(cluster: Cluster) -> QuestionClusterReply:
    """Returns a cluster as it is told."""
    return msgspec.convert(cluster, QuestionClusterReply, from_attributes=True)


def clusters_reply(page: Page[Cluster]) -> QuestionClustersReply:
    """Returns a page of clusters as it is told."""
    return QuestionClustersReply(tuple(map(cluster_reply, page.items)), page.next)


def detail_reply(detail: ClusterDetail) -> QuestionClusterDetailReply:
    """Returns a cluster with its questions as it is told."""
    return QuestionClusterDetailReply(cluster_reply(detail.cluster), tuple(map(question_reply, detail.questions)))


def prospects_reply(prospects: Prospects) -> ProspectsReply:
    """Returns what the matcher says as it is told."""
    candidates = tuple(
        ProspectReply(
            one.key, one.title, one.score, one.phrasing, one.similarity, one.counter_similarity, _added(one.added)
        )
        for one in prospects.candidates
    )
    return ProspectsReply(prospects.outcome, prospects.gate, prospects.difference, prospects.answer_from, candidates)


def done_reply(done: Done) -> QuestionActionReply:
    """Returns an action as it is told."""
    return QuestionActionReply(
        id=done.id,
        at=done.at,
        actor=done.actor,
        kind=done.kind,
        targets=done.questions,
        change=done.change,
        edit=done.edit,
        added=done.added,
        undone_at=done.undone_at,
        edit_stays_in=done.edit_stays_in,
    )


def actions_reply(page: Page[Done]) -> QuestionActionsReply:
    """Returns a page of actions as it is told."""
    return QuestionActionsReply(tuple(map(done_reply, page.items)), page.next)


def figures_reply(figures: QueueFigures) -> QueueFiguresReply:
    """Returns the queue's figures as they are told."""
    return QueueFiguresReply(**figures.tallies, unplaced=figures.unplaced)


def _added(added: Addition) -> AdditionReply:
    return AdditionReply(
        same_as=added.same_as,
        is_counterexample=added.is_counterexample,
        difference=added.difference,
        rivals=tuple(RivalReply(one.key, one.phrasing, one.similarity) for one in added.rivals),
        rival_count=added.rival_count,
        reaches=added.reaches,
    )
