"""A process that is killed while its gate runs leaves no evidence, whatever the run had found by then."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from uuid import UUID

import pytest

from gateway.changing.gate import ChangeGate
from store.changes.evidence import LOST_AFTER, RunState
from store.database import open_database
from store.errors import Conflict
from tests.gateway.changing.gate_world import ADA, BOB, GateWorld
from tests.migrated import migrate_new


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path) -> str:
    made = f"sqlite:///{tmp_path / 'gate.db'}"
    if request.param == "postgres":
        made = str(request.getfixturevalue("postgres_server")())
    migrate_new(made)
    return made


@pytest.fixture
def killed(url: str) -> tuple[UUID, UUID]:
    """The change and the run of a gate that died at work."""
    command = [sys.executable, "-m", "tests.gateway.changing.gate_child", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603 - our own
        assert child.stdout is not None
        line = child.stdout.readline()
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait(30) == -signal.SIGKILL
    change, run = line.split()
    return UUID(change), UUID(run)


@pytest.fixture
def restarted(url: str, killed: tuple[UUID, UUID]) -> Iterator[GateWorld]:
    """What starts on the same database afterwards."""
    assert killed
    database = open_database(url)
    made = GateWorld(database)
    yield made
    made.gate.close()
    database.close()


def test_a_run_whose_process_was_killed_is_broken_after_the_restart_and_approves_nothing(
    restarted: GateWorld, killed: tuple[UUID, UUID]
) -> None:
    change_id, run_id = killed
    change = restarted.changes.get(ADA, change_id).change
    assert restarted.runs.get(run_id).state is RunState.RUNNING, "nobody could say so any more"
    with pytest.raises(Conflict, match="running"):
        restarted.reviews.approve(BOB, change.id, rev=change.rev)
    assert restarted.gate.break_lost() == 0, "it gave a sign of life a moment ago"
    restarted.moment += LOST_AFTER
    assert restarted.gate.break_lost() == 1
    run = restarted.runs.get(run_id)
    assert (run.state, run.result) == (RunState.BROKEN, None)
    with pytest.raises(Conflict, match="broken"):
        restarted.reviews.approve(BOB, change.id, rev=change.rev)
    assert [one for one in restarted.actions() if one.startswith("gate.")] == ["gate.started", "gate.broken"]
    again = restarted.run(change)
    assert (again.id != run_id, again.state) == (True, RunState.PASSED)
    assert restarted.reviews.approve(BOB, change.id, rev=change.rev).is_approved


def test_a_new_start_ends_the_run_of_a_killed_process_itself(restarted: GateWorld, killed: tuple[UUID, UUID]) -> None:
    change_id, run_id = killed
    change = restarted.changes.get(ADA, change_id).change
    restarted.moment += LOST_AFTER
    gate = ChangeGate(restarted.desk, restarted.runs, restarted.prover, restarted.live)
    run = gate.start(ADA, change.id, rev=change.rev)
    assert restarted.ended(run).state is RunState.PASSED
    gate.close()
    assert restarted.runs.get(run_id).state is RunState.BROKEN
