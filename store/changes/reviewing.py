"""Reviewing changes: submitting, approving, sending back. Whoever edited a change never approves it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from store.catalog import load_catalog
from store.changes.desk import WITHOUT_APPROVAL, Desk, Opened
from store.changes.documents import bundle_of, hash_of, removed_by
from store.changes.evidence import GateRuns
from store.changes.rules import Action
from store.changes.types import Change, EventKind
from store.errors import InvalidContent
from store.people import Actor


class ReviewService:
    """The steps between a draft and an approved change. Every write is audited in its transaction."""

    def __init__(self, desk: Desk, runs: GateRuns) -> None:
        self._desk = desk
        self._runs = runs

    def submit(self, actor: Actor, change_id: UUID, *, rev: int) -> Change:
        """Asks for review.

        Raises `InvalidContent` with everything that is wrong with the documents, each alone and all of them together
        with what is live; `Conflict`, `Refused`, `NotFound`.
        """
        self._require_sound(actor, self._desk.open(actor, change_id))
        with self._desk.database.writing() as session:
            seen, state = self._desk.judge(Action.SUBMIT, actor, change_id, rev, session)
            self._desk.require_unmoved(seen.change, session)
            values = {"state": state, "submitted_at": self._desk.clock()}
            self._desk.write(actor, seen.change, EventKind.SUBMITTED, values, session)
            return self._desk.changes.get(change_id, session)

    def approve(self, actor: Actor, change_id: UUID, *, rev: int, text: str = "") -> Change:
        """Approves exactly the content that the change has at `rev`.

        Raises `Conflict` while the gate has not passed for it, or what is live has moved; `Refused`, `NotFound`.
        """
        desk = self._desk
        self._require_sound(actor, desk.open(actor, change_id))
        with desk.database.writing() as session:
            seen, state = desk.judge(Action.APPROVE, actor, change_id, rev, session)
            change = seen.change
            desk.require_unmoved(change, session)
            run = self._runs.require_passed(change, desk.live_revision(session), session)
            values = {
                "state": state,
                "approved_by": actor.person,
                "approved_at": desk.clock(),
                "approved_hash": desk.changes.content_hash(change_id, session),
                "schedule_problem": "",
            }
            details = {"gate_run": str(run.id)}
            desk.write(actor, change, EventKind.APPROVED, values, session, text=text, details=details)
            return desk.changes.get(change_id, session)

    def request_changes(self, actor: Actor, change_id: UUID, reason: str, *, rev: int) -> Change:
        """Sends a change back to its authors. Raises `Refused` without a reason, `Conflict`, `NotFound`."""
        return self._send_back(Action.REQUEST_CHANGES, EventKind.CHANGES_REQUESTED, actor, change_id, reason, rev)

    def reject(self, actor: Actor, change_id: UUID, reason: str, *, rev: int) -> Change:
        """Ends a change that somebody else made. Raises `Refused` without a reason, `Conflict`, `NotFound`."""
        return self._send_back(Action.REJECT, EventKind.REJECTED, actor, change_id, reason, rev)

    def withdraw(self, actor: Actor, change_id: UUID, reason: str = "", *, rev: int) -> Change:
        """Ends an own change; its edits stay, and editing it makes it a draft again. Raises `Conflict`, `Refused`."""
        return self._send_back(Action.WITHDRAW, EventKind.WITHDRAWN, actor, change_id, reason, rev)

    def _send_back(  # noqa: PLR0917 -- private, and each is named by its caller
        self, action: Action, event: EventKind, actor: Actor, change_id: UUID, reason: str, rev: int
    ) -> Change:
        with self._desk.database.writing() as session:
            seen, state = self._desk.judge(action, actor, change_id, rev, session, reason=reason)
            values: Mapping[str, Any] = {"state": state, **WITHOUT_APPROVAL}
            self._desk.write(actor, seen.change, event, values, session, text=reason)
            return self._desk.changes.get(change_id, session)

    def _require_sound(self, actor: Actor, opened: Opened) -> None:
        """Raises `InvalidContent` for documents that could not be published as they are."""
        change = opened.change
        if not change.note:
            raise InvalidContent("note: say why, in a sentence for whoever reviews it.", rule="note_needed")
        if not change.edits:
            raise InvalidContent(
                "edits: there is nothing in this change. Edit something, or withdraw it.", rule="change_empty"
            )
        if same := [str(edit.item) for edit in change.edits if hash_of(edit.document) == edit.base]:
            raise InvalidContent("\n".join(f"{item}: this is what is live already. Take it out." for item in same))
        bundle = bundle_of(change.edits)
        live = load_catalog(self._desk.database)
        try:
            live.after(bundle, removed=removed_by(change.edits))
        except InvalidContent as error:
            raise self._desk.telling.refusal(actor, change, error, opened.ground) from error
