"""Takes messages into the review queue, within bounds, and lets them go again when their time is over."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256

import uuid_utils
from sqlalchemy import CursorResult, delete, exists, func, select
from sqlalchemy.orm import Session

from store.database import Database
from store.phrases import fold
from store.review.locking import hold_queue
from store.review.types import Bounds, Noted, QuestionState, Tally
from store.tables import DecisionRow, QuestionClusterRow, QuestionCountRow, QuestionRow, QuestionSightingRow

IS_SIGHTED = exists().where(QuestionSightingRow.question == QuestionRow.id)
"""Whether the queue still knows a decision that brought the question."""
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
        read = [(noted, *_read(noted)) for noted in batch]
        # Nobody waits for this, and a loss of power may take the last seconds': no fsync.
        with self._database.writing(waits_for_disk=False) as session:
            hold_queue(self._database, session)
            taking = _Taking(self._bounds, batch, {digest for _, _, digest in read if digest}, session)
            for noted, canonical, digest in read:
                taking.take(noted, canonical, digest)
            for (day, assistant), count in (lost or {}).items():
                taking.counts[day, assistant, Tally.LOST] += count
            taking.keep()

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
                    # Whoever asked last was purged, and no purge would find those who asked before.
                    session.execute(delete(QuestionRow).where(~IS_SIGHTED))
                    remove_empty_clusters(session)
            removed += len(gone)
            if len(gone) < _REMOVED_AT_ONCE:
                return removed


class _Taking:
    """One batch on its way into the queue.

    It looks up everything at once and writes everything at once: decisions wait for the database as long as it has it.
    """

    def __init__(self, bounds: Bounds, batch: Sequence[Noted], digests: Collection[bytes], session: Session) -> None:
        self.counts: Counter[tuple[dt.date, str, Tally]] = Counter()
        """What became of messages, by day and assistant."""
        self._bounds = bounds
        self._session = session
        decisions = {noted.decision for noted in batch}
        sightings = select(QuestionSightingRow.decision, QuestionSightingRow.reason)
        self._seen = {
            (decision, reason)
            for decision, reason in session.execute(sightings.where(QuestionSightingRow.decision.in_(decisions)))
        }
        # A decision that is not stored yet can still be found by a purge.
        persons = select(DecisionRow.id).where(DecisionRow.person.is_(None))
        of_persons = {noted.decision for noted in batch if noted.is_of_person}
        self._purged = set(session.scalars(persons.where(DecisionRow.id.in_(of_persons)))) if of_persons else set()
        known = select(QuestionRow).where(QuestionRow.canonical_sha256.in_(digests))
        self._known = {(row.assistant, row.canonical_sha256): row for row in session.scalars(known)}
        self._rooms: dict[tuple[dt.date, str], int] = {}
        self._questions: dict[str, int] = {}
        """How many each assistant has."""
        self._new: list[QuestionSightingRow] = []

    def take(self, noted: Noted, canonical: str, digest: bytes) -> None:
        """Takes one message; one without words to keep has no digest."""
        if noted.decision in self._purged:
            return
        day = noted.at.astimezone(dt.UTC).date()
        if not digest:
            self.counts[day, noted.assistant, Tally.UNREADABLE] += 1
            return
        if (noted.decision, noted.reason.value) in self._seen:
            return
        row = self._known.get((noted.assistant, digest))
        if row is None and not self._has_room(noted.assistant, day):
            self.counts[day, noted.assistant, Tally.OVER_BOUND] += 1
            return
        self.counts[day, noted.assistant, Tally.AGAIN if row else Tally.NEW] += 1
        if row is None:
            row = self._known[noted.assistant, digest] = _new_row(noted, canonical, digest)
            self._session.add(row)
        _count_up(row, noted)
        self._seen.add((noted.decision, noted.reason.value))
        self._new.append(
            QuestionSightingRow(decision=noted.decision, reason=noted.reason.value, question=row.id, day=day)
        )

    def keep(self) -> None:
        """Writes what was taken."""
        self._session.flush()  # a sighting names a question
        self._session.add_all(self._new)
        for (day, assistant, what), count in self.counts.items():
            row = self._session.get(QuestionCountRow, (day, assistant, what.value))
            if row is None:
                self._session.add(QuestionCountRow(day=day, assistant=assistant, what=what.value, count=count))
            else:
                row.count += count

    def _has_room(self, assistant: str, day: dt.date) -> bool:
        """Whether one more question fits, which is then counted."""
        if (day, assistant) not in self._rooms:
            today = self._session.get(QuestionCountRow, (day, assistant, Tally.NEW.value))
            self._rooms[day, assistant] = self._bounds.new_per_day - (today.count if today else 0)
        if assistant not in self._questions:
            own = select(func.count()).select_from(QuestionRow).where(QuestionRow.assistant == assistant)
            self._questions[assistant] = self._session.scalar(own) or 0
        if self._rooms[day, assistant] < 1 or self._questions[assistant] >= self._bounds.questions:
            return False
        self._rooms[day, assistant] -= 1
        self._questions[assistant] += 1
        return True


def _read(noted: Noted) -> tuple[str, bytes]:
    """Returns a message's words in one form and their digest, both empty where there are none to keep."""
    canonical = fold(noted.text) if noted.text is not None else ""
    return canonical, sha256(canonical.encode()).digest() if canonical else b""


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
