"""Work that one gateway does for all: it runs where the lead is, and moves with it."""

import time

import anyio
import pytest

from gateway import leading as module
from gateway.leading import Leading


class FakeLead:
    """A lead that the test gives and takes."""

    def __init__(self):
        self.is_ours = False
        self.released = 0

    def look(self):
        return self.is_ours

    def release(self):
        self.released += 1


class Work:
    """Notes how often it began and was cancelled."""

    def __init__(self, *, ends=False):
        self.begun = self.cancelled = 0
        self.ends = ends

    async def __call__(self):
        self.begun += 1
        try:
            if not self.ends:
                await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            self.cancelled += 1
            raise


@pytest.fixture
def lead(monkeypatch):
    monkeypatch.setattr(module, "LOOK_S", 0.02)
    return FakeLead()


async def until(condition):
    with anyio.fail_after(10):
        while not condition():  # noqa: ASYNC110 - what is waited for is a count
            await anyio.sleep(0.01)


def run(lead, work, steps, clock=None):
    async def main():
        leading = Leading(lead, clock) if clock else Leading(lead)
        async with anyio.create_task_group() as group:
            group.start_soon(leading.follow)
            group.start_soon(leading.under(work))
            await steps(leading)
            group.cancel_scope.cancel()

    anyio.run(main)


def test_work_begins_with_the_lead_ends_with_it_and_begins_again(lead):
    work = Work()

    async def steps(leading):
        await anyio.sleep(0.1)
        assert (work.begun, leading.is_leader) == (0, False)
        lead.is_ours = True
        await until(lambda: work.begun == 1)
        lead.is_ours = False
        await until(lambda: work.cancelled == 1)
        lead.is_ours = True
        await until(lambda: work.begun == 2)

    run(lead, work, steps)
    assert lead.released == 1, "whoever stops lets another lead at once"


def test_work_that_ends_is_begun_again_while_the_lead_lasts(lead):
    work = Work(ends=True)
    lead.is_ours = True

    async def steps(_):
        await until(lambda: work.begun >= 3)

    run(lead, work, steps)
    assert work.cancelled == 0


def test_a_database_that_hangs_ends_the_work_when_the_lease_is_over(lead):
    work, now, hangs = Work(), [0.0], []

    async def steps(leading):
        lead.is_ours = True
        await until(lambda: work.begun == 1)
        lead.look = lambda: hangs.append(1) or time.sleep(1.0) or True
        await until(lambda: hangs)
        now[0] += module.LEASE_S + 0.1
        await until(lambda: work.cancelled == 1)
        assert not leading.is_leader

    run(lead, work, steps, clock=lambda: now[0])


def test_a_look_that_came_late_is_no_second_lead_in_the_log(lead, caplog):
    caplog.set_level("INFO", "gateway.leading")
    now = [0.0]
    leading = Leading(lead, lambda: now[0])
    lead.is_ours = True
    anyio.run(leading.look)
    now[0] += module.LEASE_S + 1.0
    anyio.run(leading.look)
    assert caplog.messages == ["lead_taken"]
    lead.is_ours = False
    anyio.run(leading.look)
    assert caplog.messages == ["lead_taken", "lead_lost"]


def test_an_error_of_the_work_comes_out(lead):
    lead.is_ours = True

    async def broken():
        raise ValueError("broken")

    async def steps(_):
        await anyio.sleep(5)

    with pytest.raises(ExceptionGroup) as raised:
        run(lead, broken, steps)
    assert raised.group_contains(ValueError, match="broken")
