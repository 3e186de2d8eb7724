"""What is told about changes, and how it is made of what the services return."""

import datetime as dt
from typing import Any
from uuid import UUID

import msgspec

from gateway.http.admin.change_requests import Plain
from store.changes.desk import Moved
from store.changes.evidence import CalibrationEvidence, GateRun, RunState, SuiteEvidence
from store.changes.rules import Action
from store.changes.types import ChangeEvent, ChangeHead, ChangeState, EditKind, EventKind
from store.changes.viewing import ChangeView, EditView


class ItemReply(msgspec.Struct, frozen=True):
    """A document, by kind and name."""

    kind: EditKind
    name: str


class ChangeHeadReply(msgspec.Struct, frozen=True):
    """A change without its documents."""

    id: UUID
    title: str
    note: str
    state: ChangeState
    rev: int
    authors: tuple[str, ...]
    """Every person who ever edited it; none of them approves or publishes it."""
    items: tuple[ItemReply, ...]
    created_at: dt.datetime
    updated_at: dt.datetime
    content_hash: str
    submitted_at: dt.datetime | None
    approved_by: str | None
    approved_at: dt.datetime | None
    publish_at: dt.datetime | None
    scheduled_by: str | None
    schedule_problem: str
    published_at: dt.datetime | None
    published_by: str | None
    published_revision: int | None
    is_emergency: bool
    reverts: UUID | None


class StretchReply(msgspec.Struct, frozen=True):
    """Some words, and what became of them: same, added or removed."""

    part: str
    text: str


class DifferenceReply(msgspec.Struct, frozen=True):
    """A field that is not the same on both sides."""

    field: str
    before: Any
    after: Any
    words: tuple[StretchReply, ...]


class EditReply(msgspec.Struct, frozen=True):
    """An edit, and what it would do to what is live."""

    kind: EditKind
    name: str
    document: Plain | None
    base: str
    base_document: Plain | None
    differences: tuple[DifferenceReply, ...]
    """From what is live; of a published change, from what it replaced."""
    problems: tuple[str, ...]
    """What is wrong with the document alone: place, what, and what to do."""


class ConflictReply(msgspec.Struct, frozen=True):
    """A field that both sides changed, each in its own way."""

    field: str
    base: Any
    live: Any
    draft: Any


class MovedReply(msgspec.Struct, frozen=True):
    """A document that is live in another form than it was drafted from."""

    kind: EditKind
    name: str
    base: Plain | None
    live: Plain | None
    draft: Plain | None
    merged: Plain | None
    conflicts: tuple[ConflictReply, ...]


class EventReply(msgspec.Struct, frozen=True):
    """A step of a change, or a comment on it."""

    at: dt.datetime
    kind: EventKind
    actor: str
    name: str
    person: str
    text: str
    place: str


class GateResultReply(msgspec.Struct, frozen=True):
    """What a run of the gate found."""

    problems: tuple[str, ...]
    """What keeps the content from people."""
    notices: tuple[str, ...]
    suites: tuple[SuiteEvidence, ...]
    calibrations: tuple[CalibrationEvidence, ...]


class GateRunReply(msgspec.Struct, frozen=True):
    """A run of the gate for one content, over one live revision."""

    id: UUID
    change: UUID
    content_hash: str
    live_revision: int
    state: RunState
    started_by: str
    started_at: dt.datetime
    finished_at: dt.datetime | None
    phase: str
    done: int
    total: int
    result: GateResultReply | None


class ChangeReply(msgspec.Struct, frozen=True):
    """A change with everything about it."""

    change: ChangeHeadReply
    edits: tuple[EditReply, ...]
    """The first hundred; `GET .../edits` lists all."""
    edit_count: int
    moved: tuple[MovedReply, ...]
    """What has to be rebased first."""
    gate: GateRunReply | None
    """The newest run for this very content."""
    possible: tuple[Action, ...]
    """Steps that the caller could take now."""
    events: tuple[EventReply, ...]
    """Oldest first."""


class ChangesReply(msgspec.Struct, frozen=True):
    """Changes, newest first. `next` is what to send as `after` for more; null at the end."""

    changes: tuple[ChangeHeadReply, ...]
    next: UUID | None


class EditsReply(msgspec.Struct, frozen=True):
    """Edits of a change, by kind and name. `next` is what to send as `after` for more; null at the end."""

    edits: tuple[EditReply, ...]
    next: str | None


class GateRunsReply(msgspec.Struct, frozen=True):
    """Runs of the gate, newest first. `next` is what to send as `after` for more; null at the end."""

    runs: tuple[GateRunReply, ...]
    next: UUID | None


def head_reply(head: ChangeHead) -> ChangeHeadReply:
    """Returns a change as lists tell it."""
    return ChangeHeadReply(
        id=head.id,
        title=head.title,
        note=head.note,
        state=head.state,
        rev=head.rev,
        authors=tuple(sorted(head.authors)),
        items=tuple(ItemReply(item.kind, item.name) for item in head.items),
        created_at=head.created_at,
        updated_at=head.updated_at,
        content_hash=head.content_hash,
        submitted_at=head.submitted_at,
        approved_by=head.approved_by,
        approved_at=head.approved_at,
        publish_at=head.publish_at,
        scheduled_by=head.scheduled_by,
        schedule_problem=head.schedule_problem,
        published_at=head.published_at,
        published_by=head.published_by,
        published_revision=head.published_revision,
        is_emergency=head.is_emergency,
        reverts=head.reverts,
    )


def change_reply(view: ChangeView) -> ChangeReply:
    """Returns a change as its page tells it."""
    return ChangeReply(
        change=head_reply(view.change),
        edits=tuple(map(edit_reply, view.edits)),
        edit_count=len(view.change.edits),
        moved=tuple(map(_moved_reply, view.moved)),
        gate=None if view.run is None else run_reply(view.run),
        possible=tuple(sorted(view.possible)),
        events=tuple(map(_event_reply, view.change.events)),
    )


def edit_reply(view: EditView) -> EditReply:
    """Returns an edit as it is told."""
    edit = view.edit
    return EditReply(
        kind=edit.kind,
        name=edit.name,
        document=_plain(edit.document),
        base=edit.base,
        base_document=_plain(edit.base_document),
        differences=tuple(
            DifferenceReply(
                one.field, one.before, one.after, tuple(StretchReply(part.part, part.text) for part in one.words)
            )
            for one in view.differences
        ),
        problems=view.problems,
    )


def run_reply(run: GateRun) -> GateRunReply:
    """Returns a run of the gate as it is told."""
    found = run.result
    return GateRunReply(
        id=run.id,
        change=run.change_id,
        content_hash=run.content_hash,
        live_revision=run.live_revision,
        state=run.state,
        started_by=run.started_by,
        started_at=run.started_at,
        finished_at=run.finished_at,
        phase=run.phase,
        done=run.done,
        total=run.total,
        result=None
        if found is None
        else GateResultReply(found.problems, found.notices, found.suites, found.calibrations),
    )


def _moved_reply(one: Moved) -> MovedReply:
    return MovedReply(
        kind=one.item.kind,
        name=one.item.name,
        base=_plain(one.base),
        live=_plain(one.live),
        draft=_plain(one.draft),
        merged=_plain(one.merged),
        conflicts=tuple(ConflictReply(field.field, field.base, field.live, field.draft) for field in one.conflicts),
    )


def _event_reply(one: ChangeEvent) -> EventReply:
    return EventReply(
        at=one.at, kind=one.kind, actor=one.actor, name=one.name, person=one.person, text=one.text, place=one.place
    )


def _plain(document: Any) -> Plain | None:
    return None if document is None else dict(document)
