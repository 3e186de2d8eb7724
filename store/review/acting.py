"""Does things about questions and undoes them: all of it or nothing, in one transaction with its audit row."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import uuid_utils
from sqlalchemy import select
from sqlalchemy.orm import Session

from store.audit import AuditTrail
from store.database import Database
from store.errors import Conflict, InvalidContent, NotFound
from store.people import Actor
from store.review.actions import KINDS, AnyAction, Discard, Done, Merge, Snooze
from store.review.drafting import QUESTIONS, Drafted, Drafting
from store.review.drafts import Drafts
from store.review.locking import hold_queue
from store.review.merging import merge_clusters, unmerge_clusters
from store.review.reading import MAX_PAGE, Page, read_cursor, stored
from store.review.types import QuestionState, StoredQuestion, Target
from store.tables import QuestionActionRow, QuestionRow

MAX_TARGETS = 500


class Acting:
    """The one place that changes the state of questions on somebody's behalf."""

    def __init__(self, database: Database, audit: AuditTrail, drafts: Drafts) -> None:
        self._database = database
        self._audit = audit
        self._drafting = Drafting(drafts, QUESTIONS)

    def act(self, actor: Actor, action: AnyAction, targets: Sequence[Target], *, now: dt.datetime) -> Done:
        """Does the action to all targets or to none.

        Raises `NotFound` for a target that the actor may not know of, `Conflict` for one that changed since it was
        read or is not open, `InvalidContent`.
        """
        if not 1 <= len(targets) <= MAX_TARGETS or len({one.id for one in targets}) != len(targets):
            raise InvalidContent(f"name 1 to {MAX_TARGETS} targets, each once.")
        with self._database.writing() as session:
            # Whoever counts up holds rows in another order, and each would wait for the other.
            hold_queue(self._database, session)
            if isinstance(action, Merge):
                assistants, before = merge_clusters(actor, action.into, targets, session=session)
                return self._record(actor, action, assistants, before, None, now=now, session=session)
            rows = _rows(actor, targets, session)
            questions = [_open(row, now) for row in rows]
            done = str(uuid_utils.uuid7())
            drafted = None
            if isinstance(action, Snooze):
                _require_later(action.until, now)
                for row in rows:
                    row.state, row.snoozed_until = QuestionState.SNOOZED.value, action.until
            elif isinstance(action, Discard):
                for row in rows:
                    row.state, row.snoozed_until = QuestionState.DISCARDED.value, None
            else:
                drafted = self._drafting.draft(actor, action, questions, session=session)
                for row in rows:
                    row.state, row.snoozed_until = QuestionState.DRAFTED.value, None
            before = [_remembered(question) for question in questions]
            for row in rows:
                row.action, row.rev = done, row.rev + 1
            assistants = sorted({question.assistant for question in questions})
            return self._record(actor, action, assistants, before, drafted, now=now, session=session, done=done)

    def undo(self, actor: Actor, action_id: str, *, now: dt.datetime) -> Done:
        """Puts everything back as it was before an action, and takes its edit out of a change that is still a draft.

        Raises `NotFound`, and `Conflict` when it was undone already or a target has changed since.
        """
        with self._database.writing() as session:
            hold_queue(self._database, session)
            row = session.scalar(_locked(QuestionActionRow, QuestionActionRow.id == action_id))
            if row is None or not all(actor.may_see(name) for name in row.assistants):
                raise NotFound("there is no such action")
            if row.undone_at is not None:
                raise Conflict("this was undone already. Nothing was changed.")
            if row.kind == KINDS[Merge]:
                unmerge_clusters(row.before, session=session)
            else:
                _put_back(row, session)
            stays = None
            if row.edit is not None and row.change is not None:
                drafted = Drafted.read(row.change, row.edit)
                stays = None if self._drafting.take_back(actor, drafted, session=session) else row.change
            row.undone_at = now
            details = {"kind": row.kind, "targets": len(row.before), "change": row.change, "edit_stays": bool(stays)}
            self._audit.append(actor, "question_action.undone", f"question action {row.id}", details, session=session)
            return _done(row, stays)

    def actions(self, actor: Actor, *, after: str | None = None, limit: int = 50) -> Page[Done]:
        """Returns a page of what was done, the latest first. Raises `InvalidContent` for an `after` of another list."""
        limit = max(1, min(limit, MAX_PAGE))
        last = read_cursor(after)[1] if after is not None else None
        found: list[Done] = []
        with self._database.reading() as session:
            while len(found) <= limit:
                query = select(QuestionActionRow).order_by(QuestionActionRow.id.desc()).limit(MAX_PAGE)
                rows = list(session.scalars(query if last is None else query.where(QuestionActionRow.id < last)))
                found += [_done(row, None) for row in rows if all(actor.may_see(name) for name in row.assistants)]
                if len(rows) < MAX_PAGE:
                    break
                last = rows[-1].id
        more = len(found) > limit
        return Page(tuple(found[:limit]), f"0.{found[limit - 1].id}" if more else None)

    def _record(
        self,
        actor: Actor,
        action: AnyAction,
        assistants: Sequence[str],
        before: list[dict[str, Any]],
        drafted: Drafted | None,
        *,
        now: dt.datetime,
        session: Session,
        done: str | None = None,
    ) -> Done:
        row = QuestionActionRow(
            id=done or str(uuid_utils.uuid7()),
            at=now,
            actor=actor.id,
            kind=KINDS[type(action)],
            assistants=list(assistants),
            before=before,
            edit=drafted.plain() if drafted else None,
            change=drafted.change if drafted else None,
            undone_at=None,
        )
        session.add(row)
        details = {
            "kind": row.kind,
            "targets": [one["id"] for one in before],
            "change": row.change,
            "edit": f"{drafted.kind.value} {drafted.name}" if drafted else None,
        }
        self._audit.append(actor, "question_action.done", f"question action {row.id}", details, session=session)
        return _done(row, None)


def _rows(actor: Actor, targets: Sequence[Target], session: Session) -> list[QuestionRow]:
    """Returns the rows in the order of the targets, held until the transaction ends."""
    wanted = {target.id: target.rev for target in targets}
    # In one order, so that two actions on the same questions wait for each other and not for ever.
    query = _locked(QuestionRow, QuestionRow.id.in_(list(wanted))).order_by(QuestionRow.id)
    found = {row.id: row for row in session.scalars(query)}
    if any(one not in found or not actor.may_see(found[one].assistant) for one in wanted):
        raise NotFound("one of the questions does not exist. Nothing was changed.")
    if moved := [row.id for row in found.values() if row.rev != wanted[row.id]]:
        raise Conflict(f"changed since they were read: {', '.join(moved)}. Read them again; nothing was changed.")
    return [found[one] for one in wanted]


def _locked(kind: Any, where: Any) -> Any:
    return select(kind).where(where).with_for_update()


def _open(row: QuestionRow, now: dt.datetime) -> StoredQuestion:
    question = stored(row, now)
    if question.state not in (QuestionState.OPEN, QuestionState.SNOOZED):
        raise Conflict(f"question {row.id} is {row.state} already. Undo that first; nothing was changed.")
    return question


def _require_later(until: dt.datetime, now: dt.datetime) -> None:
    if until.tzinfo is None or not now < until <= now + dt.timedelta(days=366):
        raise InvalidContent("until: a time with its zone, later than now and within a year.")


def _remembered(question: StoredQuestion) -> dict[str, Any]:
    until = question.snoozed_until
    return {
        "id": question.id,
        "state": question.state.value,
        "snoozed_until": until.isoformat() if until and question.state is QuestionState.SNOOZED else None,
        "action": question.action,
    }


def _put_back(action: QuestionActionRow, session: Session) -> None:
    before = {one["id"]: one for one in action.before}
    rows = list(session.scalars(_locked(QuestionRow, QuestionRow.id.in_(list(before))).order_by(QuestionRow.id)))
    for row in rows:  # one that was removed when its time was over is not missed
        if row.action != action.id:  # its rev may be higher: a later action was done and undone
            raise Conflict(f"question {row.id} has changed since. Undo that first; nothing was changed.")
    for row in rows:
        was = before[row.id]
        until = was["snoozed_until"]
        row.state, row.action = was["state"], was["action"]
        row.snoozed_until = dt.datetime.fromisoformat(until) if until else None
        row.rev += 1


def _done(row: QuestionActionRow, stays: str | None) -> Done:
    edit = row.edit
    return Done(
        id=row.id,
        at=row.at,
        actor=row.actor,
        kind=row.kind,
        questions=tuple(one["id"] for one in row.before),
        change=row.change,
        edit=f"{edit['kind']} {edit['name']}" if edit else None,
        added=tuple(edit["added"]) if edit else (),
        undone_at=row.undone_at,
        edit_stays_in=stays,
    )
