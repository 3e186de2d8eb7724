"""Checkpoints are written when they are due, and never of a trail that is damaged."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from gateway import checkpointing as module
from gateway.checkpointing import Checkpointing
from gateway.errors import NotServing
from store.audit import AuditTrail
from store.database import Database, open_database
from store.errors import InvalidContent
from store.people import SYSTEM
from store.proof.checkpoints import CheckpointFile
from store.proof.signing import Signer
from tests.migrated import migrate_new

KEY = b"k" * 32


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


class Kept:
    def __init__(self, folder: Path, clock: Clock) -> None:
        self.path = folder / "x.db"
        migrate_new(f"sqlite:///{self.path}")
        self.database: Database = open_database(f"sqlite:///{self.path}")
        self.trail = AuditTrail(self.database, KEY)
        self.file = CheckpointFile(folder / "checkpoints")
        self.clock = clock
        self.keeper = self.again()

    def again(self, seed: bytes = b"s" * 32) -> Checkpointing:
        """Another process on the same files."""
        return Checkpointing(self.database, KEY, Signer(seed), self.file, clock=self.clock)

    def add(self, count: int = 1) -> None:
        for number in range(count):
            with self.database.writing() as session:
                self.trail.append(SYSTEM, "change.made", f"change {number}", session=session)

    def break_row(self, number: int) -> None:
        with sqlite3.connect(self.path) as raw:
            raw.execute("DROP TRIGGER IF EXISTS audit_no_update")
            raw.execute("UPDATE audit SET target = 'other' WHERE number = ?", (number,))
        raw.close()

    def raw(self, statement: str, *values: object) -> None:
        """What somebody does who owns the database and not the key."""
        with sqlite3.connect(self.path) as raw:
            raw.execute("DROP TRIGGER IF EXISTS audit_no_delete")
            raw.execute(statement, values)
        raw.close()

    @property
    def sizes(self) -> list[int]:
        return [one.size for one in self.file.read()]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path, Clock())
    yield made
    made.database.close()


def test_one_is_due_after_so_many_rows(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", 5)
    kept.add()
    assert kept.keeper.look() is not None  # what a start finds is proved at once
    kept.add(4)
    assert kept.keeper.look() is None
    kept.add()
    assert kept.keeper.look() is not None
    assert kept.sizes == [1, 6]


def test_one_is_due_an_hour_after_a_row_that_none_proves_and_never_without_one(kept: Kept) -> None:
    kept.keeper.look()
    kept.clock.now = 10 * module.PERIOD_S
    assert kept.keeper.look() is None
    kept.add()
    assert kept.keeper.look() is None
    kept.clock.now += module.PERIOD_S
    assert kept.keeper.look() is not None
    assert kept.sizes == [1]


def test_a_damaged_trail_is_never_signed(kept: Kept) -> None:
    kept.add(3)
    kept.keeper.write()
    kept.break_row(2)
    kept.add()
    with pytest.raises(NotServing, match="edited: row 2"):
        kept.again().write()
    assert kept.sizes == [3]


@pytest.mark.parametrize("written_after", [0, 2, 3, 5])
def test_an_end_that_was_cut_off_is_seen_at_the_next_look(kept: Kept, written_after: int) -> None:
    kept.add(10)
    kept.keeper.write()
    assert kept.keeper.look() is None
    kept.raw("DELETE FROM audit WHERE number > 7")
    kept.add(written_after)
    with pytest.raises(NotServing, match="truncated: "):
        kept.keeper.look()
    assert kept.keeper.is_damaged
    with pytest.raises(NotServing):
        kept.keeper.write()
    assert kept.sizes == [10]


def test_a_row_before_the_first_is_seen_at_the_next_look_and_told_once(kept: Kept) -> None:
    kept.add(2)
    kept.keeper.write()
    kept.raw(
        "INSERT INTO audit SELECT -7, at, actor, person, action, target, details, seal FROM audit WHERE number = 1"
    )
    with pytest.raises(NotServing, match="added: row -7"):
        kept.keeper.look()
    assert kept.keeper.look() is None
    assert kept.keeper.is_damaged


def test_another_process_goes_on_from_the_file(kept: Kept) -> None:
    kept.add(2)
    kept.keeper.write()
    assert kept.again().write() is None
    kept.add()
    assert kept.again().write() is not None
    assert kept.sizes == [2, 3]


def test_a_checkpoint_of_another_installation_is_refused(kept: Kept) -> None:
    kept.add()
    kept.again(b"t" * 32).write()
    with pytest.raises(InvalidContent, match="another"):
        kept.keeper.write()
    with pytest.raises(InvalidContent, match="another"):
        kept.keeper.verify()


def test_what_was_signed_is_what_is_verified(kept: Kept) -> None:
    kept.add(2)
    kept.keeper.write()
    kept.add()
    found = kept.keeper.verify()
    assert (found.fault, found.rows, found.proved_by) == (None, 3, 2)
    assert kept.keeper.verify(()).proved_by is None


class Over(Exception):
    """Ends what follows for ever."""


def follow_once(keeper: Checkpointing, monkeypatch: pytest.MonkeyPatch) -> None:
    async def end(_: float) -> None:
        raise Over

    monkeypatch.setattr(module.anyio, "sleep", end)
    with pytest.raises(Over):
        anyio.run(keeper.follow)


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(one.levelname, one.getMessage().partition(":")[0]) for one in caplog.records]


def test_a_checkpoint_that_cannot_be_written_is_told_and_is_no_damage(kept: Kept, monkeypatch, caplog) -> None:
    kept.add()
    caplog.set_level("INFO", logger=module.__name__)
    kept.file.path.mkdir()
    follow_once(kept.keeper, monkeypatch)
    kept.file.path.rmdir()
    follow_once(kept.keeper, monkeypatch)
    assert told(caplog) == [("ERROR", "audit_checkpoint_failed"), ("INFO", "audit_checkpoint_written")]
    assert not kept.keeper.is_damaged


def test_damage_is_told_until_it_is_mended(kept: Kept, monkeypatch, caplog) -> None:
    kept.add(2)
    kept.keeper.write()
    kept.break_row(2)
    keeper = kept.again()
    assert not keeper.is_damaged
    follow_once(keeper, monkeypatch)
    assert told(caplog) == [("CRITICAL", "audit_damaged")]
    assert keeper.is_damaged
    follow_once(keeper, monkeypatch)  # nothing is due
    assert keeper.is_damaged


def test_checkpoints_of_somebody_else_are_damage(kept: Kept, monkeypatch, caplog) -> None:
    kept.add()
    kept.keeper.write()
    other = kept.again(b"t" * 32)
    follow_once(other, monkeypatch)
    assert told(caplog) == [("CRITICAL", "audit_damaged")]
    assert other.is_damaged
    kept.file.path.unlink()
    follow_once(other, monkeypatch)
    assert not other.is_damaged
