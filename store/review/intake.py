"""Takes messages into the review queue, within bounds, and lets them go again when their time is over."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

import uuid_utils
from sqlalchemy import CursorResult, delete, exists, func, select
from sqlalchemy.orm import Session

from store.database import Database
from store.phrases import fold
from store.review.locking import hold_queue
from store.review.types import Bounds, Noted, QuestionState, Tally
from store.tables import DecisionRow, QuestionClusterRow, QuestionCountRow, QuestionRow, QuestionSightingRow

_REMOVED_AT_ONCE = 1000


class Intake:
    """Writes what is noted. One writer at a time, whatever the number of gateways."""

    def __init__(self, database: Database, bounds: Bounds) -> None:
        self._database = database
        self._bounds = bounds

    def take(self, batch: Sequence[Noted], *, lost: Mapping[tuple[dt.date, str], int] | None = None) -> None:
        """Stores a batch, or nothing of it. A decision that was noted for the same reason before counts once.

        One that was purged since counts not at all. `lost` tells of messages that were not held in memory, by day and
        assistant. Raises `StoreUnavailable`.
        """
        # Nobody waits for this, and a loss of power may take the last seconds': no fsync.
        with self._database.writing(waits_for_disk=False) as session:
            hold_queue(self._database, session)
            kept: dict[str, int] = {}
            for noted in batch:
                self._take_one(noted, kept, session)
            for (day, assistant), count in (lost or {}).items():
                _tally(session, day, assistant, Tally.LOST, count)

    def figures(self, assistants: Iterable[str], *, since: dt.date) -> dict[str, int]:
        """Returns how many messages came since that day, by what became of them; no assistants means all."""
        names = list(assistants)
        query = select(QuestionCountRow.what, func.sum(QuestionCountRow.count)).group_by(QuestionCountRow.what)
        query = query.where(QuestionCountRow.day >= since)
        if names:
            query = query.where(QuestionCountRow.assistant.in_(names))
        with self._database.reading() as session:
            found = {str(what): int(count) for what, count in session.execute(query)}
        return {one.value: found.get(one.value, 0) for one in Tally}

    def forget_old(self, now: dt.datetime) -> int:
        """Removes what was last seen too long ago, some at a time; returns how many questions went."""
        until = now - dt.timedelta(days=self._bounds.days)
        removed = 0
        while True:
            with self._database.writing(waits_for_disk=False) as session:
                hold_queue(self._database, session)
                old = select(QuestionRow.id).where(QuestionRow.last_seen < until).limit(_REMOVED_AT_ONCE)
                gone = list(session.scalars(old))
                session.execute(delete(QuestionRow).where(QuestionRow.id.in_(gone)))
                if len(gone) < _REMOVED_AT_ONCE:
                    day = until.astimezone(dt.UTC).date()
                    session.execute(delete(QuestionSightingRow).where(QuestionSightingRow.day < day))
                    session.execute(delete(QuestionCountRow).where(QuestionCountRow.day < day))
                    remove_empty_clusters(session)
            removed += len(gone)
            if len(gone) < _REMOVED_AT_ONCE:
                return removed

    def _take_one(self, noted: Noted, kept: dict[str, int], session: Session) -> None:
        if noted.is_of_person and _is_purged(noted.decision, session):
            return
        day = noted.at.astimezone(dt.UTC).date()
        if noted.text is None or not (canonical := fold(noted.text)):
            _tally(session, day, noted.assistant, Tally.UNREADABLE)
            return
        if session.get(QuestionSightingRow, (noted.decision, noted.reason.value)) is not None:
            return
        digest = sha256(canonical.encode()).digest()
        known = session.scalar(
            select(QuestionRow).where(QuestionRow.assistant == noted.assistant, QuestionRow.canonical_sha256 == digest)
        )
        if known is None and not self._has_room(noted.assistant, day, kept, session):
            _tally(session, day, noted.assistant, Tally.OVER_BOUND)
            return
        row = known or _new_row(noted, canonical, digest)
        session.add(row)
        _count_up(row, noted)
        session.flush()
        session.add(QuestionSightingRow(decision=noted.decision, reason=noted.reason.value, question=row.id, day=day))
        _tally(session, day, noted.assistant, Tally.AGAIN if known else Tally.NEW)

    def _has_room(self, assistant: str, day: dt.date, kept: dict[str, int], session: Session) -> bool:
        """Whether one more question fits; `kept` counts those of each assistant, so that a batch counts them once."""
        today = session.get(QuestionCountRow, (day, assistant, Tally.NEW.value))
        if today is not None and today.count >= self._bounds.new_per_day:
            return False
        if assistant not in kept:
            own = select(func.count()).select_from(QuestionRow).where(QuestionRow.assistant == assistant)
            kept[assistant] = session.scalar(own) or 0
        if kept[assistant] >= self._bounds.questions:
            return False
        kept[assistant] += 1
        return True


def _is_purged(decision: str, session: Session) -> bool:
    """Whether the person is gone from a decision; one that is not stored yet can still be found by a purge."""
    found = session.execute(select(DecisionRow.person).where(DecisionRow.id == decision)).first()
    return found is not None and found.person is None


def _new_row(noted: Noted, canonical: str, digest: bytes) -> QuestionRow:
    return QuestionRow(
        id=str(uuid_utils.uuid7()),
        assistant=noted.assistant,
        text=noted.text,
        canonical=canonical,
        canonical_sha256=digest,
        state=QuestionState.OPEN.value,
        snoozed_until=None,
        action=None,
        count=0,
        reasons={},
        first_seen=noted.at,
        last_seen=noted.at,
        last_decision=noted.decision,
        cluster=None,
        vector=None,
        fingerprint=None,
        rev=1,
    )


def _count_up(row: QuestionRow, noted: Noted) -> None:
    row.count += 1
    row.reasons = {**row.reasons, noted.reason.value: row.reasons.get(noted.reason.value, 0) + 1}
    row.first_seen = min(row.first_seen, noted.at)
    if noted.at >= row.last_seen:
        row.last_seen, row.last_decision = noted.at, noted.decision
        row.gate, row.score, row.prompt_key = noted.gate, noted.score, noted.prompt_key


def _tally(session: Session, day: dt.date, assistant: str, what: Tally, count: int = 1) -> None:
    row = session.get(QuestionCountRow, (day, assistant, what.value))
    if row is None:
        session.add(QuestionCountRow(day=day, assistant=assistant, what=what.value, count=count))
        session.flush()
    else:
        row.count += count


def remove_empty_clusters(session: Session) -> None:
    """Removes clusters without questions; one that was merged stays for its undo while the other has some."""
    used = exists().where(QuestionRow.cluster == QuestionClusterRow.id)
    lives_on = exists().where(QuestionRow.cluster == QuestionClusterRow.merged_into)
    while True:
        targets = select(QuestionClusterRow.merged_into).where(QuestionClusterRow.merged_into.is_not(None))
        empty = delete(QuestionClusterRow).where(~used, ~lives_on, QuestionClusterRow.id.not_in(targets))
        gone = session.execute(empty)
        if not isinstance(gone, CursorResult) or not gone.rowcount:
            return
