"""What speaks against a change, as somebody may be told it: nothing of documents that are not theirs to read.

Each line begins with the document that it is about, and names no document that readers of that one do not see.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from store.changes.evidence import NOTHING_ELSE, GateResult, GateRun
from store.changes.live import Ground, LiveContent
from store.changes.types import Change, EditKind, Item
from store.errors import InvalidContent
from store.people import Actor

ELSEWHERE = (
    "What is outside of your assistants speaks against this, and is not yours to read. Ask an administrator of all "
    "assistants to look at this change."
)
_FOLDERS = {
    "prompts": EditKind.PROMPT,
    "assistants": EditKind.ASSISTANT,
    "policies": EditKind.POLICY,
    "suites": EditKind.SUITE,
}
_PLACE = re.compile(
    rf"(?:(?P<folder>{'|'.join(_FOLDERS)})/(?P<path>[a-z0-9_/-]+)\.yaml"
    rf"|(?P<kind>{'|'.join(EditKind)}) (?P<name>[a-z0-9._-]+)):"
)


def place_of(line: str) -> Item | None:
    """Returns the document that a line is about; None for one that does not say so."""
    found = _PLACE.match(line)
    if found is None:
        return None
    if found["folder"]:
        return Item(_FOLDERS[found["folder"]], found["path"].replace("/", "."))
    return Item(EditKind(found["kind"]), found["name"])


class Telling:
    """Says of lines which of them an actor may read. What cannot be told for sure is not told."""

    def __init__(self, live: LiveContent) -> None:
        self._live = live

    def lines(
        self, actor: Actor, change: Change, lines: Iterable[str], ground: Ground, session: Session | None = None
    ) -> tuple[str, ...]:
        """Returns the lines for whoever may read the change; one stands for all that are not theirs."""
        given = tuple(lines)
        if not actor.assistants:
            return given
        about = {line: place_of(line) for line in given}
        others = {item for item in about.values() if item is not None and item not in change.items}
        documents = self._live.documents(others, session)
        kept = tuple(line for line in given if _is_told(actor, change, line, about[line], ground, documents))
        return kept if len(kept) == len(given) else (*kept, ELSEWHERE)

    def refusal(
        self, actor: Actor, change: Change, error: InvalidContent, ground: Ground, session: Session | None = None
    ) -> InvalidContent:
        """Returns what is wrong with a change among everything that is live, as the actor may be told it."""
        return InvalidContent("\n".join(self.lines(actor, change, str(error).splitlines(), ground, session)))

    def run(self, actor: Actor, change: Change, run: GateRun, ground: Ground, session: Session) -> GateRun:
        """Returns a run of the gate with what it found of the actor's own assistants."""
        result = run.result
        if result is None or not actor.assistants:
            return run
        told = GateResult(
            problems=self.lines(actor, change, result.problems, ground, session),
            notices=self.lines(actor, change, result.notices, ground, session),
            suites=tuple(one for one in result.suites if actor.may_see(one.assistant)),
            calibrations=tuple(one for one in result.calibrations if actor.may_see(one.assistant)),
        )
        return replace(run, result=told)


def for_every_reader(change: Change, error: InvalidContent) -> InvalidContent:
    """Returns the refusal as everybody may be told it who may read the change."""
    lines = str(error).splitlines()
    kept = [line for line in lines if place_of(line) in change.items]
    return InvalidContent("\n".join(kept if len(kept) == len(lines) else [*kept, ELSEWHERE]))


def _is_told(  # noqa: PLR0917 - private, and each says what the line is judged by
    actor: Actor,
    change: Change,
    line: str,
    item: Item | None,
    ground: Ground,
    documents: Mapping[Item, Mapping[str, Any]],
) -> bool:
    if item is None:
        return line == NOTHING_ELSE
    return item in change.items or ground.sees(actor, item, documents.get(item))
