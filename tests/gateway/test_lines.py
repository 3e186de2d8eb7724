"""Places and lines: bounded, first come first served, and free again whoever leaves and when."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import NotServing
from gateway.lines import PLACE, Line, Place, away
from gateway.pressure import PATIENCE, Stage

pytestmark = pytest.mark.anyio
LONG_S = 10.0


class Time:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def line(places: int = 1, waiting: int = 2, **more) -> Line:
    return Line(places=places, waiting=waiting, target_s=0.02, **more)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def hold(here: Line, until: asyncio.Event, order: list[int], number: int) -> None:
    async with here.place(within_s=LONG_S):
        order.append(number)
        await until.wait()


async def test_whoever_finds_no_room_is_refused_at_once_and_the_others_come_in_their_order() -> None:
    here, until, order = line(), asyncio.Event(), []
    work = [asyncio.create_task(hold(here, until, order, number)) for number in range(3)]
    await settle()
    assert (here.in_work, here.in_line, order) == (1, 2, [0])
    with pytest.raises(NotServing) as stopped:
        await here.enter(within_s=LONG_S)
    assert (stopped.value.code, here.refused) == ("queue_full", 1)
    with pytest.raises(NotServing):
        here.require_room()
    until.set()
    await asyncio.gather(*work)
    assert (here.in_work, here.in_line, order) == (0, 0, [0, 1, 2])


async def test_who_waits_too_long_is_refused_and_has_left_the_line() -> None:
    here = line()
    with here.place_now():
        with pytest.raises(NotServing):
            await here.enter(within_s=0.0)
        assert here.in_line == 0
    assert here.try_enter()


async def test_who_leaves_the_line_makes_room_also_in_the_moment_of_their_turn() -> None:
    here, until, order = line(), asyncio.Event(), []
    for is_called in (False, True):
        here.try_enter()
        waiting = asyncio.create_task(hold(here, until, order, 1))
        await settle()
        if is_called:
            here.leave()  # the place is theirs, and they do not know yet
            waiting.cancel()
        else:
            waiting.cancel()
            await settle()
            here.leave()
        await asyncio.gather(waiting, return_exceptions=True)
        assert (here.in_work, here.in_line, order) == (0, 0, [])


async def test_under_pressure_nobody_waits_and_a_free_place_is_still_taken() -> None:
    clock = Time()
    here = line(clock=clock)
    here.pressure.waited(1.0)
    clock.at += 0.1
    assert here.pressure.stage is Stage.SHED
    with here.place_now(), pytest.raises(NotServing) as stopped:
        await here.enter(within_s=LONG_S)
    assert stopped.value.code == "overloaded"
    async with here.place(within_s=LONG_S):
        assert here.in_work == 1


async def test_those_turned_away_are_told_to_come_one_after_another_at_the_rate_of_the_work() -> None:
    clock = Time()
    here = line(places=2, waiting=0, clock=clock)
    for _ in range(200):
        here.try_enter()
        here.leave(worked_s=4.0)
    told = [here.retry_after_s for _ in range(5)]
    assert told == pytest.approx([2.0, 4.0, 6.0, 8.0, 10.0], rel=0.01)
    clock.at += 4.0
    assert here.retry_after_s == pytest.approx(8.0, rel=0.01)
    assert max(here.retry_after_s for _ in range(1000)) == 60.0


async def test_a_place_is_given_back_with_the_last_who_holds_it() -> None:
    here = line()
    place = Place(here)
    first = place.hold()
    assert place.take_now()
    second = place.hold()
    first()
    first()
    assert here.in_work == 1
    second()
    assert here.in_work == 0


async def test_a_request_that_waits_for_something_else_leaves_its_place_to_others_and_comes_back_before_them() -> None:
    here, order = line(), []
    place = Place(here)
    let_go = place.hold()
    assert place.take_now()
    PLACE.set(place)
    until = asyncio.Event()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(away())
        assert here.in_work == 0
        others = [asyncio.create_task(hold(here, until, order, number)) for number in range(2)]
        await settle()
        assert order == [0]
        until.set()
    assert order in ([0], [0, 1])
    assert here.in_work == 1
    let_go()
    await asyncio.gather(*others)
    assert (here.in_work, order) == (0, [0, 1])


async def test_a_request_that_is_given_up_while_away_takes_no_place_again() -> None:
    here = line()

    async def work() -> None:
        place = Place(here)
        let_go = place.hold()
        place.take_now()
        PLACE.set(place)
        try:
            async with away():
                await asyncio.sleep(LONG_S)
        finally:
            let_go()

    task = asyncio.create_task(work())
    await settle()
    with here.place_now():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert here.in_work == 1
    assert (here.in_work, here.in_line) == (0, 0)


class Guest:
    """A request that stays as long as it is let, now and then away."""

    def __init__(self, here: Line) -> None:
        self.out, self.back, self.end = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._place = Place(here)
        self.task = asyncio.create_task(self._stay())

    def do(self, step: str) -> None:
        match step:
            case "leave":
                self.back.set()
                self.end.set()
            case "cancel":
                self.task.cancel()
            case "away":
                self.back.clear()
                self.out.set()
            case _:
                self.back.set()

    async def _stay(self) -> None:
        let_go = self._place.hold()
        try:
            await self._place.take(within_s=LONG_S)
            while not self.end.is_set():
                if self.out.is_set():
                    async with self._place.away():
                        await self.back.wait()
                    self.out.clear()
                await asyncio.sleep(0)
        finally:
            let_go()


async def play(steps: list[str]) -> None:
    here, guests = line(places=2, waiting=3), list[Guest]()
    for number, step in enumerate(steps):
        if step == "come":
            guests.append(Guest(here))
        elif guests:
            guests[number % len(guests)].do(step)
        for _ in range(number % 3):
            await asyncio.sleep(0)
        assert 0 <= here.in_work <= 2
    for one in guests:
        one.do("leave")
    await asyncio.wait_for(asyncio.gather(*(one.task for one in guests), return_exceptions=True), 5)
    assert (here.in_work, here.in_line) == (0, 0)


@given(st.lists(st.sampled_from(["come", "leave", "cancel", "away", "back"]), max_size=60))
def test_whatever_happens_there_are_never_more_in_work_than_places_and_none_is_lost(steps: list[str]) -> None:
    asyncio.run(play(steps))


async def test_those_who_waited_longest_are_turned_away_once_a_line_stands() -> None:
    clock = Time()
    line = Line(places=1, waiting=8, target_s=0.02, clock=clock)
    assert line.try_enter()
    waiting = [asyncio.create_task(line.enter(within_s=10)) for _ in range(5)]
    await asyncio.sleep(0)
    for _ in range(20):
        line.pressure.refused()
    clock.at += 0.11
    line.leave()
    await asyncio.sleep(0)
    assert [one.done() for one in waiting] == [True] * 5
    assert [type(one.exception()) for one in waiting] == [NotServing] * 4 + [type(None)]
    assert (line.in_work, line.in_line) == (1, 0)


async def test_a_burst_that_fits_is_worked_off_and_nobody_is_turned_away() -> None:
    here = Line(places=2, waiting=32, target_s=0.02, patience=PATIENCE)

    async def work() -> None:
        async with here.place(within_s=60.0):
            await asyncio.sleep(0.15)

    await asyncio.gather(*(work() for _ in range(20)))
    assert (here.refused, here.in_line, here.pressure.stage) == (0, 0, Stage.CALM)
