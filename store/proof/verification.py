"""Walks the audit trail from its first row, and says which row is the first that is not what was written."""

import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any

import msgspec
from sqlalchemy import Text, cast, func, literal_column, select
from sqlalchemy.orm import Session

from store.audit import FIRST_SEAL, canonical_bytes, seal_of
from store.database import Database
from store.proof.checkpoints import Checkpoint
from store.proof.merkle import MerkleTree
from store.tables import AuditRow

_BATCH = 5000
_DETAILS = msgspec.json.Decoder(dict[str, Any])
_TABLE = AuditRow.__table__.c
_COLUMNS = (
    _TABLE.number,
    _TABLE.actor,
    _TABLE.person,
    _TABLE.action,
    _TABLE.target,
    cast(_TABLE.details, Text).label("details"),
    _TABLE.seal,
)
_AT = {
    "sqlite": literal_column("replace(at, ' ', 'T') || '+00:00'", Text).label("at"),
    "postgresql": literal_column(
        """to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')""", Text
    ).label("at"),
}
"""The time as it is sealed, made by the database: objects for it took a third of the walk."""


class Damage(StrEnum):
    """What was done to the trail."""

    EDITED = "edited"
    """A row says something else than when it was sealed."""
    MISSING = "missing"
    """A row was taken out."""
    REORDERED = "reordered"
    """Rows changed places, or something was put between them."""
    ADDED = "added"
    """A row stands before the first one, with a number below 1, where none is ever written."""
    TRUNCATED = "truncated"
    """Rows at the end were taken off; only a checkpoint tells, or a walk that had seen them."""
    RECHAINED = "re-chained"
    """The chain is whole, and yet not the one that the checkpoint proves: whoever rewrote it has the key."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first place where the trail is not what was written."""

    kind: Damage
    row: int
    until: int
    """The row is among `row` to `until`; a checkpoint tells only that one of its rows was rewritten."""

    def __str__(self) -> str:
        place = f"row {self.row}" if self.row == self.until else f"one of the rows {self.row} to {self.until}"
        return f"{self.kind.value}: {place}"


@dataclass(slots=True)
class TrailWalk:
    """How far the trail was walked. `advance` goes on from there, so that a later look costs the new rows alone."""

    key: bytes
    before: bytes = FIRST_SEAL
    tree: MerkleTree = field(default_factory=MerkleTree)
    fault: Fault | None = None

    @property
    def size(self) -> int:
        """Rows that were found whole."""
        return self.tree.size

    def advance(self, database: Database, checkpoints: Sequence[Checkpoint] = ()) -> Fault | None:
        """Walks to the end or to the first fault. Checkpoints of rows that were walked earlier prove nothing here."""
        with database.reading() as session:
            return self._advance(session, checkpoints)

    def is_overtaken(self, database: Database) -> bool:
        """Whether rows found whole are so no longer, by a look at both ends that costs no walk. Not after a fault."""
        with database.reading() as session:
            return self.fault is None and self._found_at_ends(session) is not None

    def _advance(self, session: Session, checkpoints: Sequence[Checkpoint]) -> Fault | None:
        proofs = sorted((one for one in checkpoints if one.size >= self.size), key=lambda one: one.size)
        proved = self.size
        if self.fault is None:
            self.fault = self._found_at_ends(session) or self._compare(proofs, proved)
        if self.fault is not None:
            return self.fault
        for row in _rows(session, after=self.size):
            if fault := self._take(row, session):
                self.fault = fault
                return fault
            if proofs and proofs[0].size == self.size:
                if fault := self._compare(proofs, proved):
                    self.fault = fault
                    return fault
                proved = self.size
                while proofs and proofs[0].size == self.size:
                    proofs.pop(0)
        if proofs and proofs[-1].size > self.size:
            self.fault = Fault(Damage.TRUNCATED, self.size + 1, proofs[-1].size)
        return self.fault

    def _found_at_ends(self, session: Session) -> Fault | None:
        """Looks before the first row, and whether the last one that was walked is there as it was."""
        lowest = session.scalar(select(func.min(_TABLE.number)))
        if lowest is not None and lowest < 1:
            return Fault(Damage.ADDED, lowest, lowest)
        walked = select(_TABLE.number, _TABLE.seal).where(_TABLE.number <= self.size)
        number, seal = session.execute(walked.order_by(_TABLE.number.desc()).limit(1)).first() or (0, FIRST_SEAL)
        if (number, seal) == (self.size, self.before):
            return None
        return Fault(Damage.TRUNCATED, min(number + 1, self.size), self.size)

    def _compare(self, proofs: Sequence[Checkpoint], proved: int) -> Fault | None:
        differ = any(one.root != self.tree.root for one in proofs if one.size == self.size)
        return Fault(Damage.RECHAINED, min(proved + 1, max(self.size, 1)), max(self.size, 1)) if differ else None

    def _take(self, row: Any, session: Session) -> Fault | None:
        number = self.size + 1
        if row.number != number:
            return Fault(Damage.MISSING, number, number)
        canonical = _canonical(row)
        if canonical is None or not hmac.compare_digest(seal_of(self.before, canonical, self.key), row.seal):
            return Fault(self._kind(number, session), number, number)
        self.before = row.seal
        self.tree.add(canonical)
        return None

    def _kind(self, number: int, session: Session) -> Damage:
        """Tells apart what makes a seal wrong, by what the rows from there on are sealed with."""
        if any(self._belongs_at(row, number) for row in _rows(session, after=number)):
            return Damage.REORDERED
        head = _rows(session, after=number - 1)
        if any(_follows(first, second, self.key) for first, second in pairwise([*_first(head, 2)])):
            return Damage.MISSING
        return Damage.EDITED

    def _belongs_at(self, row: Any, number: int) -> bool:
        canonical = _canonical(row, number)
        return canonical is not None and hmac.compare_digest(seal_of(self.before, canonical, self.key), row.seal)


@dataclass(frozen=True, slots=True)
class Verification:
    """What a look at the whole trail found."""

    rows: int
    """Rows that were found whole, from the first one on."""
    fault: Fault | None
    root: bytes
    """Merkle tree hash of those rows."""
    proved_by: int | None
    """Size of the largest checkpoint that was compared; without any, rows missing at the end cannot be seen."""


def verify_trail(database: Database, key: bytes, checkpoints: Sequence[Checkpoint] = ()) -> Verification:
    """Verifies every row, and every checkpoint, whose signatures the caller has verified. Raises `StoreUnavailable`."""
    walk = TrailWalk(key)
    fault = walk.advance(database, checkpoints)
    proved_by = max((one.size for one in checkpoints), default=None)
    return Verification(walk.size, fault, walk.tree.root, proved_by)


def is_key_of(session: Session, key: bytes) -> bool:
    """Whether the trail begins with a row that is sealed with the key, or has no rows: a look that costs no walk."""
    for row in _first(_rows(session, after=0), 1):
        canonical = _canonical(row)
        return canonical is not None and hmac.compare_digest(seal_of(FIRST_SEAL, canonical, key), row.seal)
    return True


def last_number(database: Database) -> int:
    """Returns the number of the last row, 0 when there is none."""
    with database.reading() as session:
        return session.scalar(select(func.max(AuditRow.number))) or 0


def _rows(session: Session, *, after: int) -> Iterator[Any]:
    # Plain columns of a plain connection: objects of the ORM took four times as long.
    connection = session.connection()
    query = select(*_COLUMNS, _AT[connection.dialect.name]).where(_TABLE.number > after).order_by(_TABLE.number)
    with connection.execute(query, execution_options={"yield_per": _BATCH}) as found:
        yield from found


def _first(rows: Iterator[Any], count: int) -> Iterator[Any]:
    yield from (row for row, _ in zip(rows, range(count), strict=False))


def _canonical(row: Any, number: int | None = None) -> bytes | None:
    """Returns the bytes that the row's seal is over, as if it had that number; None when it cannot even be read."""
    try:
        details = _DETAILS.decode(row.details)
        return canonical_bytes(
            number or row.number,
            row.at,
            actor=row.actor,
            person=row.person,
            action=row.action,
            target=row.target,
            details=details,
        )
    except (msgspec.MsgspecError, UnicodeError, TypeError, AttributeError):
        return None


def _follows(first: Any, second: Any, key: bytes) -> bool:
    """Whether two rows were sealed one after the other with higher numbers: a row before them was taken out."""
    canonical = _canonical(second, second.number + 1)
    return canonical is not None and hmac.compare_digest(seal_of(first.seal, canonical, key), second.seal)
