"""Changes as somebody looks at them: what differs from live, what is wrong, what can be done, what the gate found."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from store.changes.desk import Desk, Moved
from store.changes.differences import FieldDifference, differences
from store.changes.documents import bundle_of
from store.changes.evidence import GateRun, GateRuns
from store.changes.rules import Action
from store.changes.types import Change, ChangeState, EditKind, Item, StoredEdit
from store.errors import InvalidContent, NotFound
from store.people import Actor

MOST_SHOWN = 100
"""Edits that are shown with a change; the others are there to be asked for."""
PolicyProblem = Callable[[Mapping[str, Any]], str]
"""What keeps a policy from being used, with its place; empty when nothing does."""
_DONE = frozenset({ChangeState.LIVE, ChangeState.SUPERSEDED})


@dataclass(frozen=True, slots=True)
class EditView:
    """An edit and what it would do."""

    edit: StoredEdit
    differences: tuple[FieldDifference, ...]
    """From what is live; of a change that was published, from what it replaced."""
    problems: tuple[str, ...]
    """What is wrong with the document alone, a line each: place, what is wrong, what to do."""


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A change and everything that a reader of it asks."""

    change: Change
    possible: frozenset[Action]
    edits: tuple[EditView, ...]
    """The first of them, by kind and name."""
    moved: tuple[Moved, ...]
    run: GateRun | None
    """The newest of the gate for this very content."""


class ChangeViews:
    """Looks at changes for somebody. Writes nothing."""

    def __init__(self, desk: Desk, runs: GateRuns, policy_problem: PolicyProblem) -> None:
        self._desk = desk
        self._runs = runs
        self._policy_problem = policy_problem

    def get(self, actor: Actor, change_id: UUID) -> ChangeView:
        """Returns a change. Raises `NotFound`."""
        return self.of(actor, self._desk.open(actor, change_id).change)

    def of(self, actor: Actor, change: Change) -> ChangeView:
        """Returns the view of a change that the actor may know of."""
        desk = self._desk
        with desk.database.reading() as session:
            possible = desk.possible_for(actor, change, session)
            moved = () if change.state in _DONE else desk.moved(change, session)
            newest = self._runs.newest(change.id, change.content_hash, session)
            run = None if newest is None else self._told(actor, change, newest, session)
        shown = tuple(self._edit(edit, moved) for edit in change.edits[:MOST_SHOWN])
        return ChangeView(change, possible, shown, moved, run)

    def edit(self, actor: Actor, change_id: UUID, item: Item) -> tuple[Change, EditView]:
        """Returns one edit of a change. Raises `NotFound`."""
        change = self._desk.open(actor, change_id).change
        if (edit := change.edit_of(item)) is None:
            raise NotFound(f"the change has no edit of {item}")
        moved = () if change.state in _DONE else self._desk.moved(change)
        return change, self._edit(edit, moved)

    def edits(
        self, actor: Actor, change_id: UUID, *, limit: int, after: Item | None
    ) -> tuple[Change, tuple[EditView, ...]]:
        """Returns a change and some of its edits, by kind and name, those after `after`. Raises `NotFound`."""
        change = self._desk.open(actor, change_id).change
        moved = () if change.state in _DONE else self._desk.moved(change)
        wanted = [edit for edit in change.edits if after is None or edit.item > after]
        return change, tuple(self._edit(edit, moved) for edit in wanted[:limit])

    def lines(self, actor: Actor, change_id: UUID, lines: Iterable[str]) -> tuple[str, ...]:
        """Returns what was said of a change as the actor may be told it. Raises `NotFound`."""
        with self._desk.database.reading() as session:
            change = self._desk.open(actor, change_id, session).change
            return self._desk.telling.lines(actor, change, lines, self._desk.live.ground(session), session)

    def runs(self, actor: Actor, change_id: UUID, *, limit: int, after: UUID | None) -> tuple[GateRun, ...]:
        """Returns the runs of the gate for a change, newest first. Raises `NotFound`."""
        with self._desk.database.reading() as session:
            change = self._desk.open(actor, change_id, session).change
            found = self._runs.page(change.id, limit=limit, after=after, session=session)
            return tuple(self._told(actor, change, run, session) for run in found)

    def one_run(self, actor: Actor, change_id: UUID, run_id: UUID) -> GateRun:
        """Returns one run of a change. Raises `NotFound`."""
        with self._desk.database.reading() as session:
            change = self._desk.open(actor, change_id, session).change
            run = self._runs.get(run_id, session)
            if run.change_id != change_id:
                raise NotFound(f"there is no gate run {run_id}")
            return self._told(actor, change, run, session)

    def _told(self, actor: Actor, change: Change, run: GateRun, session: Session) -> GateRun:
        """Returns the run with what the actor may read of it."""
        return self._desk.telling.run(actor, change, run, self._desk.live.ground(session), session)

    def _edit(self, edit: StoredEdit, moved: tuple[Moved, ...]) -> EditView:
        live = next((one.live for one in moved if one.item == edit.item), edit.base_document)
        return EditView(edit, differences(live, edit.document), tuple(self._problems(edit)))

    def _problems(self, edit: StoredEdit) -> list[str]:
        if edit.document is None:
            return []
        try:
            bundle_of((edit,))
        except InvalidContent as error:
            return str(error).splitlines()
        if edit.kind is EditKind.POLICY and (problem := self._policy_problem(edit.document)):
            return [f"{edit.item}: {problem}"]
        return []
