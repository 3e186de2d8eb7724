"""What may be done about questions, as values."""

import datetime as dt
from dataclasses import dataclass

from store.review.types import Target


@dataclass(frozen=True, slots=True)
class AddPhrasing:
    """The questions become phrasings of a prompt."""

    prompt: str
    wording: str | None = None
    """What is added in place of the question's own words; only for one question."""
    change: str | None = None


@dataclass(frozen=True, slots=True)
class AddCounterexample:
    """The questions become sentences that must not lead to a prompt."""

    prompt: str
    wording: str | None = None
    change: str | None = None


@dataclass(frozen=True, slots=True)
class NewPrompt:
    """The questions become the phrasings of a new prompt, whose reply somebody still has to write."""

    key: str
    title: str
    area: str
    owner: str
    language: str
    review_by: dt.date
    answer: str = ""
    change: str | None = None


@dataclass(frozen=True, slots=True)
class OutOfScope:
    """The questions become cases of a test set: they are not to be answered."""

    suite: str | None = None
    """None takes the assistant's own set for that."""
    change: str | None = None


@dataclass(frozen=True, slots=True)
class Snooze:
    """The questions are not shown until then."""

    until: dt.datetime


@dataclass(frozen=True, slots=True)
class Discard:
    """Nothing is to be done about the questions."""


@dataclass(frozen=True, slots=True)
class Merge:
    """The targets, which are clusters, are put into another one."""

    into: Target


ContentAction = AddPhrasing | AddCounterexample | NewPrompt | OutOfScope
AnyAction = ContentAction | Snooze | Discard | Merge

KINDS: dict[type, str] = {
    AddPhrasing: "add_phrasing",
    AddCounterexample: "add_counterexample",
    NewPrompt: "new_prompt",
    OutOfScope: "out_of_scope",
    Snooze: "snooze",
    Discard: "discard",
    Merge: "merge",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An action that was done, as it stands."""

    id: str
    at: dt.datetime
    actor: str
    kind: str
    questions: tuple[str, ...]
    """Questions, or for a merge the clusters that were put into another."""
    change: str | None
    edit: str | None
    """What the draft edit is of, such as `prompt it.vpn`."""
    added: tuple[str, ...]
    """Sentences, or ids of test cases, that the edit added: those that were there already are not among them."""
    undone_at: dt.datetime | None
    edit_stays_in: str | None = None
    """After an undo: the change that keeps the edit, because it is no longer a draft or somebody went on with it."""
