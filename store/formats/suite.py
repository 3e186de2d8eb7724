"""Test sets as files: messages and what is expected of them."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from store.content import Document, Key, Line, Name
from store.errors import InvalidContent
from store.formats.answer_checks import AnyCheck
from store.formats.documents import read_yaml


class Expectation(StrEnum):
    """What a message of a test set is meant to lead to."""

    ANSWER = "answer"
    """The answer of the named prompt."""
    ASK = "ask"
    """The question for the named slot of the named prompt."""
    REFUSE = "refuse"
    """No answer: no match, a question back, or a block."""
    ANSWER_OR_REFUSE = "answer_or_refuse"
    """No answer, or exactly the answer of the named prompt."""
    NO_MATCH = "no_match"
    """No approved prompt comes near: neither an answer nor a question back, and no check stops the message."""
    CLARIFY = "clarify"
    """A question back; with a prompt, one that offers it or asks for a blank of it."""
    BLOCKED = "blocked"
    """A check stops it; with `by`, the check of that name."""


_WITH_PROMPT = frozenset({Expectation.ANSWER, Expectation.ASK, Expectation.ANSWER_OR_REFUSE})
_MAY_HAVE_PROMPT = _WITH_PROMPT | {Expectation.CLARIFY}


class SuiteCase(Document, frozen=True, kw_only=True):
    """One message and its expectation."""

    id: Name
    kind: Name
    message: Annotated[str, Meta(min_length=1)]
    expect: Expectation
    prompt: Key | None = None
    slots: Mapping[str, str | int] = {}
    """Values that the answer must have been given, as written for the model."""
    ask: Name | None = None
    after: Key | None = None
    """The prompt answered just before, in the same conversation."""
    by: Name | None = None
    """The rail that must stop the message."""
    answers: Annotated[tuple[AnyCheck, ...], Meta(max_length=20)] = ()
    """What must hold of the answer's words beside; the model is asked for them."""

    def __post_init__(self) -> None:
        if self.prompt is None and self.expect in _WITH_PROMPT:
            raise ValueError(f"case {self.id}: `prompt` is needed by {self.expect.value}")
        if self.prompt is not None and self.expect not in _MAY_HAVE_PROMPT:
            raise ValueError(f"case {self.id}: `prompt` is needed elsewhere; {self.expect.value} has none")
        if self.by is not None and self.expect is not Expectation.BLOCKED:
            raise ValueError(f"case {self.id}: `by` names the rail that expectation blocked is about")
        if self.answers and self.expect is not Expectation.ANSWER:
            raise ValueError(f"case {self.id}: `answers` are about an answer, so expect must be answer")
        if (self.expect is Expectation.ASK) != (self.ask is not None):
            raise ValueError(f"case {self.id}: `ask` names the slot that expectation ask is about")


class Suite(Document, frozen=True):
    """A named test set."""

    name: Name
    title: Line
    cases: Annotated[tuple[SuiteCase, ...], Meta(min_length=1)]
    assistant: Name | None = None
    """Who is asked; may be left out where there is one assistant alone."""

    def __post_init__(self) -> None:
        ids = [case.id for case in self.cases]
        if len(set(ids)) != len(ids):
            raise ValueError(f"case id {next(i for i in ids if ids.count(i) > 1)} occurs twice")


def read_suite(path: Path) -> Suite:
    """Reads a test set. Raises `InvalidContent` with the file, the place and the remedy."""
    try:
        return msgspec.convert(read_yaml(path), Suite, strict=True)
    except msgspec.ValidationError as error:
        raise InvalidContent(f"{path}: {error}") from error
