"""Turns an action of the queue into a draft edit on top of what the change has already, and takes it back."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from store.errors import Conflict, InvalidContent, NotFound
from store.people import Actor
from store.review.actions import AddCounterexample, AddPhrasing, ContentAction, NewPrompt, OutOfScope
from store.review.drafts import Drafts, Edit, EditKind
from store.review.edits import (
    as_line,
    case_of,
    new_suite,
    suite_of,
    with_cases,
    with_lines,
    without_cases,
    without_lines,
)
from store.review.types import StoredQuestion

QUESTIONS = "Questions of the review queue"
SUGGESTIONS = "Suggested sentences"
"""What drafts are made for, and what they are called."""
_CASES = "cases"


@dataclass(frozen=True, slots=True)
class Drafted:
    """What an action added to a change."""

    change: str
    kind: EditKind
    name: str
    field: str
    added: tuple[str, ...]
    """Sentences, or ids of test cases."""
    skeleton: dict[str, Any] | None = None
    """The whole document of a new thing, to tell whether somebody went on with it."""

    def plain(self) -> dict[str, Any]:
        """Returns it as it is stored."""
        return {
            "kind": self.kind.value,
            "name": self.name,
            "field": self.field,
            "added": list(self.added),
            "skeleton": self.skeleton,
        }

    @classmethod
    def read(cls, change: str, plain: dict[str, Any]) -> "Drafted":
        """Makes it from what is stored."""
        kind = EditKind(plain["kind"])
        return cls(change, kind, plain["name"], plain["field"], tuple(plain["added"]), plain["skeleton"])


class Drafting:
    """Edits drafts; all in the caller's transaction. What names no change goes into drafts made for the purpose."""

    def __init__(self, drafts: Drafts, purpose: str) -> None:
        self._drafts = drafts
        self._purpose = purpose

    def draft(
        self, actor: Actor, action: ContentAction, questions: Sequence[StoredQuestion], *, session: Session
    ) -> Drafted:
        """Puts the action's edit into a change. Raises `NotFound`, `Conflict`, `InvalidContent`."""
        match action:
            case AddPhrasing(prompt=prompt, wording=wording, change=change):
                lines = _lines(questions, wording)
                return self.add_lines(actor, prompt, "phrasings", lines, change=change, session=session)
            case AddCounterexample(prompt=prompt, wording=wording, change=change):
                lines = _lines(questions, wording)
                return self.add_lines(actor, prompt, "counterexamples", lines, change=change, session=session)
            case NewPrompt():
                return self._new_prompt(actor, action, questions, session=session)
            case OutOfScope():
                return self._out_of_scope(actor, action, questions, session=session)

    def add_lines(
        self, actor: Actor, prompt: str, field: str, lines: Sequence[str], *, change: str | None, session: Session
    ) -> Drafted:
        """Adds sentences to a list of a prompt. Raises `NotFound` for a prompt that is neither live nor in the change.

        Raises `InvalidContent` when one of them is in the prompt's other list.
        """
        opened = self._drafts.open_change(actor, change, purpose=self._purpose, session=session)
        edit = self._current(actor, opened, EditKind.PROMPT, prompt, session)
        if edit is None or edit.document is None:
            raise NotFound(f"there is no prompt {prompt[:80]}. Nothing was changed.")
        document, added = with_lines(edit.document, field, lines)
        other = "counterexamples" if field == "phrasings" else "phrasings"
        if len(with_lines({other: document.get(other, ())}, other, added)[1]) != len(added):
            raise InvalidContent(f"a sentence cannot be added to {field}: the prompt has it among its {other}.")
        if added:
            self._drafts.add_edit(actor, opened, Edit(EditKind.PROMPT, prompt, document, edit.base), session=session)
        return Drafted(opened, EditKind.PROMPT, prompt, field, tuple(added))

    def take_back(self, actor: Actor, drafted: Drafted, *, session: Session) -> bool:
        """Takes out of the change what was added to it; returns False when it stays, since it is no longer a draft.

        A new thing that somebody went on with stays too: their work is not thrown away.
        """
        if not drafted.added and drafted.skeleton is None:
            return True
        if not self._drafts.is_draft(drafted.change, session=session):
            return False
        change = self._drafts.open_change(actor, drafted.change, purpose=self._purpose, session=session)
        edit = self._drafts.in_change(change, drafted.kind, drafted.name, session=session)
        if edit is None or edit.document is None:
            return True
        if drafted.skeleton is not None:
            if dict(edit.document) != drafted.skeleton:
                return False
            self._drafts.take_out(actor, change, drafted.kind, drafted.name, session=session)
            return True
        self._put_without(actor, change, edit, drafted, session)
        return True

    def _put_without(self, actor: Actor, change: str, edit: Edit, drafted: Drafted, session: Session) -> None:
        document = edit.document or {}
        if drafted.field == _CASES:
            left = without_cases(document, drafted.added)
        else:
            left = without_lines(document, drafted.field, drafted.added)
        live = self._drafts.live(actor, drafted.kind, drafted.name, session=session)
        is_as_live = live is not None and live.document is not None and _same(live.document, left)
        is_empty = live is None and drafted.field == _CASES and not left[_CASES]
        if is_as_live or is_empty:
            self._drafts.take_out(actor, change, drafted.kind, drafted.name, session=session)
        else:
            self._drafts.add_edit(actor, change, Edit(drafted.kind, drafted.name, left, edit.base), session=session)

    def _current(self, actor: Actor, change: str, kind: EditKind, name: str, session: Session) -> Edit | None:
        edit = self._drafts.in_change(change, kind, name, session=session)
        return edit if edit is not None else self._drafts.live(actor, kind, name, session=session)

    def _new_prompt(
        self, actor: Actor, action: NewPrompt, questions: Sequence[StoredQuestion], *, session: Session
    ) -> Drafted:
        opened = self._drafts.open_change(actor, action.change, purpose=self._purpose, session=session)
        current = self._current(actor, opened, EditKind.PROMPT, action.key, session)
        if current is not None and current.document is not None:
            raise Conflict(f"there is a prompt {action.key} already. Add to it or choose another key.")
        lines = with_lines({}, "phrasings", _lines(questions, None))[1]
        document = _skeleton(action, lines)
        self._drafts.add_edit(actor, opened, Edit(EditKind.PROMPT, action.key, document), session=session)
        return Drafted(opened, EditKind.PROMPT, action.key, "phrasings", tuple(lines), document)

    def _out_of_scope(
        self, actor: Actor, action: OutOfScope, questions: Sequence[StoredQuestion], *, session: Session
    ) -> Drafted:
        assistants = {question.assistant for question in questions}
        if len(assistants) > 1:
            raise InvalidContent("the questions are of several assistants: take those of one at a time.")
        (assistant,) = assistants
        name = action.suite or suite_of(assistant)
        opened = self._drafts.open_change(actor, action.change, purpose=self._purpose, session=session)
        edit = self._current(actor, opened, EditKind.SUITE, name, session)
        document = new_suite(name, assistant) if edit is None or edit.document is None else edit.document
        if document.get("assistant") not in (None, assistant):
            raise InvalidContent("the test set asks another assistant. Name one of the questions' own, or none.")
        document, added = with_cases(document, [case_of(question.id, question.text) for question in questions])
        if added:
            base = "" if edit is None else edit.base
            self._drafts.add_edit(actor, opened, Edit(EditKind.SUITE, name, document, base), session=session)
        return Drafted(opened, EditKind.SUITE, name, _CASES, tuple(added))


def _lines(questions: Sequence[StoredQuestion], wording: str | None) -> list[str]:
    if wording is None:
        return [as_line(question.text) for question in questions]
    if len(questions) > 1:
        raise InvalidContent("wording: it takes the place of one question; send one target, or no wording.")
    return [as_line(wording)]


def _skeleton(action: NewPrompt, lines: Sequence[str]) -> dict[str, Any]:
    return {
        "key": action.key,
        "title": action.title,
        "area": action.area,
        "owner": action.owner,
        "language": action.language,
        "review_by": _day(action.review_by),
        "phrasings": list(lines),
        "reply": {"mode": "verbatim", "answer": action.answer},
    }


def _day(day: dt.date) -> str:
    return day.isoformat()


def _same(live: Mapping[str, Any], left: Mapping[str, Any]) -> bool:
    """Whether two documents say the same; an empty list says as much as none."""

    def said(document: Mapping[str, Any]) -> dict[str, Any]:
        return {name: list(value) if isinstance(value, tuple) else value for name, value in document.items() if value}

    return said(live) == said(left)
