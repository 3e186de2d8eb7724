"""Changes go live at their time, once, and not when whoever approved them may not any more."""

import datetime as dt

import anyio
import pytest

from gateway.changing import scheduling as module
from gateway.changing.scheduling import Schedule
from store.catalog import live_revision
from store.changes.types import ChangeState
from store.errors import StoreUnavailable
from tests.gateway.changing.gate_world import BOB

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def scheduled(gating):
    gating.bob = gating.add_user(BOB)
    change = gating.approved()
    gating.change = gating.publishing.schedule(BOB, change.id, gating.moment + HOUR, rev=change.rev)
    gating.schedule = Schedule(gating.publishing)
    return gating


def state(gating):
    return gating.desk.changes.get(gating.change.id)


def test_a_change_goes_live_at_its_time_and_not_before(scheduled):
    anyio.run(scheduled.schedule.publish_due)
    assert state(scheduled).state is ChangeState.APPROVED
    scheduled.moment += HOUR
    anyio.run(scheduled.schedule.publish_due)
    assert (state(scheduled).state, state(scheduled).published_by) == (ChangeState.LIVE, BOB.person)
    assert live_revision(scheduled.database) == 2


def test_it_does_not_go_live_when_its_approver_lost_the_role(scheduled):
    scheduled.take_roles(scheduled.bob)
    scheduled.moment += HOUR
    anyio.run(scheduled.schedule.publish_due)
    found = state(scheduled)
    assert (found.state, found.publish_at) == (ChangeState.APPROVED, None)
    assert "no longer an approver" in found.schedule_problem
    assert live_revision(scheduled.database) == 1


def test_of_two_processes_one_publishes(scheduled):
    scheduled.moment += HOUR

    async def both():
        async with anyio.create_task_group() as group:
            for one in (scheduled.schedule, Schedule(scheduled.publishing)):
                group.start_soon(one.publish_due)

    anyio.run(both)
    assert live_revision(scheduled.database) == 2
    assert scheduled.actions().count("change.published") == 1
    assert "change.schedule_failed" not in scheduled.actions()


def test_a_failure_is_logged_and_the_loop_goes_on(scheduled, monkeypatch, caplog):
    monkeypatch.setattr(module, "POLL_S", 0.01)
    monkeypatch.setattr(module, "AGAIN_S", 0.02)
    scheduled.moment += HOUR
    real, faults = scheduled.publishing.publish_due, [RuntimeError("told to break")]
    real_due, absences = scheduled.publishing.due, [StoreUnavailable("told to be down")]

    def publish_due(change):
        if faults:
            raise faults.pop()
        return real(change)

    def due():
        if absences:
            raise absences.pop()
        return real_due()

    monkeypatch.setattr(scheduled.publishing, "publish_due", publish_due)
    monkeypatch.setattr(scheduled.publishing, "due", due)

    async def run():
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(scheduled.schedule.follow)
                while state(scheduled).state is not ChangeState.LIVE:  # noqa: ASYNC110 - it happens in a thread
                    await anyio.sleep(0.01)
                group.cancel_scope.cancel()

    anyio.run(run)
    assert "schedule_not_read" in caplog.text
    assert "schedule_failed" in caplog.text
