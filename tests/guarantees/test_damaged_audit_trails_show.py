"""Whatever is done to the audit trail, also by somebody with its key, a checkpoint shows it."""

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from store.audit import FIRST_SEAL, AuditFilter, AuditTrail, canonical_bytes, seal_of
from store.database import Database, open_database
from store.people import SYSTEM
from store.proof.checkpoints import Checkpoint
from store.proof.signing import Signer
from store.proof.verification import Damage, Fault, TrailWalk, verify_trail
from store.sorting import Order
from tests.migrated import migrate_new

KEY = b"k" * 32
SIGNER = Signer(b"s" * 32)
ROWS = 40
SIZES = (15, 40)
COLUMNS = ("number", "at", "actor", "person", "action", "target", "details", "seal")
Row = dict[str, object]


@dataclass
class Trail:
    """A trail in a file whose triggers somebody took away."""

    database: Database
    raw: sqlite3.Connection
    rows: list[Row]
    checkpoints: tuple[Checkpoint, ...]

    def put(self, rows: list[Row]) -> None:
        self.raw.execute("DELETE FROM audit")
        marks = ", ".join(f":{name}" for name in COLUMNS)
        insert = f"INSERT INTO audit ({', '.join(COLUMNS)}) VALUES ({marks})"  # noqa: S608 -- names of ours
        self.raw.executemany(insert, rows)
        self.raw.commit()


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trail]:
    path: Path = tmp_path_factory.mktemp("trail") / "x.db"
    migrate_new(f"sqlite:///{path}")
    database = open_database(f"sqlite:///{path}")
    audit, checkpoints = AuditTrail(database, KEY), []
    for number in range(1, ROWS + 1):
        with database.writing() as session:
            audit.append(SYSTEM, "change.made", f"change {number}", {"count": number}, session=session)
        if number in SIZES:
            checkpoints.append(Checkpoint.make(number, verify_trail(database, KEY).root, SIGNER))
    raw = sqlite3.connect(path)
    raw.row_factory = sqlite3.Row
    raw.execute("PRAGMA synchronous=OFF")
    raw.execute("DROP TRIGGER audit_no_update")
    raw.execute("DROP TRIGGER audit_no_delete")
    raw.commit()
    rows = [dict(row) for row in raw.execute("SELECT * FROM audit ORDER BY number")]
    yield Trail(database, raw, rows, tuple(checkpoints))
    raw.close()
    database.close()


def edited(rows: list[Row], at: int, to: int, column: str) -> list[Row]:
    """A cell of one row says what another row's says, or something that no row says."""
    new = [dict(row) for row in rows]
    said = rows[to][column]
    if said == rows[at][column]:
        said = {"seal": b"x" * 32, "at": "2020-01-01 00:00:00.000000", "details": '{"count": 0}'}.get(column, "other")
    new[at][column] = said
    return new


def deleted(rows: list[Row], at: int, to: int, _: str) -> list[Row]:
    return [dict(row) for row in rows[:at] + rows[max(at, to) + 1 :]]


def closed_up(rows: list[Row], at: int, to: int, _: str) -> list[Row]:
    """Rows were taken out, and those after them were given their numbers."""
    return numbered(deleted(rows, at, to, _))


def swapped(rows: list[Row], at: int, to: int, _: str) -> list[Row]:
    new = [dict(row) for row in rows]
    new[at], new[to] = new[to], new[at]
    return numbered(new)


def moved(rows: list[Row], at: int, to: int, _: str) -> list[Row]:
    new = [dict(row) for row in rows]
    new.insert(to, new.pop(at))
    return numbered(new)


def inserted(rows: list[Row], at: int, to: int, _: str) -> list[Row]:
    new = [dict(row) for row in rows]
    new.insert(at, {**rows[to], "action": "forged"})
    return numbered(new)


def put_before(rows: list[Row], at: int, to: int, _: str) -> list[Row]:
    """A row stands before the first one, with a number below 1, and no other is touched."""
    return [{**rows[to], "number": -at, "action": "forged"}, *rows]


def truncated(rows: list[Row], at: int, *_: object) -> list[Row]:
    return [dict(row) for row in rows[:at]]


def cut_and_continued(rows: list[Row], at: int, *_: object) -> list[Row]:
    """Rows at the end were taken off and others written in their place."""
    return numbered([*truncated(rows, at), *({**row, "person": "somebody"} for row in rows[at:])])


def numbered(rows: list[Row]) -> list[Row]:
    return [{**row, "number": number} for number, row in enumerate(rows, 1)]


def rechained(rows: list[Row]) -> list[Row]:
    """What somebody does who has the key: numbers without a gap, and every seal anew."""
    before, new = FIRST_SEAL, []
    for row in numbered(rows):
        at = dt.datetime.fromisoformat(str(row["at"])).replace(tzinfo=dt.UTC).isoformat(timespec="microseconds")
        texts = {name: str(row[name]) for name in ("actor", "person", "action", "target")}
        canonical = canonical_bytes(row["number"], at, details=json.loads(str(row["details"])), **texts)
        before = seal_of(before, canonical, KEY)
        new.append({**row, "seal": before})
    return new


DAMAGES = (edited, deleted, closed_up, swapped, moved, inserted, put_before, truncated, cut_and_continued)
PLACE = st.integers(0, ROWS - 1)


@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    damage=st.sampled_from(DAMAGES),
    at=PLACE,
    to=PLACE,
    column=st.sampled_from(COLUMNS[1:]),
    has_key=st.booleans(),
)
def test_every_damage_shows_given_the_checkpoint(trail: Trail, *, damage, at, to, column, has_key) -> None:
    rows = damage(trail.rows, at, to, column)
    rows = rechained(rows) if has_key else rows
    assume(rows != trail.rows)
    trail.put(rows)
    found = verify_trail(trail.database, KEY, trail.checkpoints)
    assert found.fault is not None
    if has_key:
        assert found.fault.kind in (Damage.RECHAINED, Damage.TRUNCATED)
        assert found.fault.until >= next(n for n, row in enumerate([*rows, None], 1) if row != trail.rows[n - 1])
    else:
        # Everything before the row that it names is what was written.
        whole = max(found.fault.row - 1, 0)
        assert rows[:whole] == trail.rows[:whole]


def test_the_trail_as_it_was_written_is_whole(trail: Trail) -> None:
    trail.put(trail.rows)
    found = verify_trail(trail.database, KEY, trail.checkpoints)
    assert (found.fault, found.rows, found.proved_by) == (None, ROWS, ROWS)


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (edited, Damage.EDITED),
        (inserted, Damage.REORDERED),
        (deleted, Damage.MISSING),
        (closed_up, Damage.MISSING),
        (swapped, Damage.REORDERED),
        (moved, Damage.REORDERED),
    ],
)
def test_without_a_checkpoint_the_chain_shows_which_row_and_what_was_done(trail: Trail, damage, kind) -> None:
    trail.put(damage(trail.rows, 9, 9 if damage in (deleted, closed_up) else 20, "target"))
    found = verify_trail(trail.database, KEY)
    assert found.fault is not None
    assert (found.fault.kind, found.fault.row, found.rows) == (kind, 10, 9)


def test_a_row_before_the_first_shows_to_whoever_walks_and_on_no_page(trail: Trail) -> None:
    trail.put(trail.rows)
    walk = TrailWalk(KEY)
    assert walk.advance(trail.database) is None
    trail.put(put_before(trail.rows, 7, 20, "target"))
    assert walk.advance(trail.database) == verify_trail(trail.database, KEY).fault == Fault(Damage.ADDED, -7, -7)
    audit, forged = AuditTrail(trail.database, KEY), AuditFilter(action="forged")
    assert audit.page(forged, limit=1) == audit.sorted_page(forged, Order("number"), limit=1) == ()


def test_rows_missing_at_the_end_show_by_a_checkpoint_alone(trail: Trail) -> None:
    trail.put(trail.rows[:30])
    assert verify_trail(trail.database, KEY).fault is None
    found = verify_trail(trail.database, KEY, trail.checkpoints)
    assert found.fault is not None
    assert (found.fault.kind, found.fault.row, found.fault.until) == (Damage.TRUNCATED, 31, 40)


def test_of_a_trail_sealed_anew_two_checkpoints_say_between_which_of_them_it_was_rewritten(trail: Trail) -> None:
    trail.put(rechained(edited(trail.rows, 20, 3, "target")))
    assert verify_trail(trail.database, KEY).fault is None
    found = verify_trail(trail.database, KEY, trail.checkpoints)
    assert found.fault is not None
    assert (found.fault.kind, found.fault.row, found.fault.until) == (Damage.RECHAINED, 16, 40)
