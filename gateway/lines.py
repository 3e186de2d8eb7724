"""Places for work and the bounded lines in front of them: who finds no room is turned away at once."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from contextvars import ContextVar

from gateway.errors import NotServing
from gateway.pressure import Pressure, Stage

FIRST_SERVICE_S = 0.05
"""What one is assumed to take until some were measured."""
_EWMA_WEIGHT = 0.1
_LONGEST_RETRY_S = 60.0
"""Many of those turned away never come back: a longer promise would be a guess."""


class Line:
    """So many places, first come, first served. Lives on one event loop; not thread-safe.

    Bursts find the whole line. Once one stands (`Stage.SKIP_MODEL`) it is no longer than the places, so that those who
    are taken are quick; and at last (`Stage.SHED`) nobody waits any more: a place is free, or the answer is no.
    """

    def __init__(
        self,
        *,
        places: int,
        waiting: int,
        target_s: float,
        sheds_at: Stage = Stage.SHED,
        patience: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Makes an empty line; with `patience` above 1 it may stand for so many intervals, and longer as it shrinks."""
        self.pressure = Pressure(
            target_s=target_s,
            patience=patience,
            in_line=(lambda: self.in_line) if patience > 1 else (lambda: 0),
            clock=clock,
        )
        self.places = places
        self.room = waiting
        self._sheds_at = sheds_at
        self._clock = clock
        self._in_work = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._returning: deque[asyncio.Future[None]] = deque()
        self._service_s = FIRST_SERVICE_S
        self._promised_s = 0.0
        self._refused = 0

    @property
    def in_work(self) -> int:
        """How many places are taken."""
        return self._in_work

    @property
    def in_line(self) -> int:
        """How many wait for one."""
        return len(self._waiting) + len(self._returning)

    @property
    def refused(self) -> int:
        """How many were turned away since the start."""
        return self._refused

    def refusal(self) -> NotServing | None:
        """Returns what to tell whoever comes now and would find neither a place nor room in the line, or None."""
        if self._in_work < self.places and not self.in_line:
            return None
        return self._full() if self.in_line >= self._room_now else None

    @property
    def _room_now(self) -> int:
        if self.is_shedding:
            return 0
        return self.room if self.pressure.stage is Stage.CALM else min(self.room, self.places)

    def require_room(self) -> None:
        """Raises `NotServing` when whoever comes now would find neither a place nor room in the line."""
        if (refusal := self.refusal()) is not None:
            raise refusal

    @property
    def is_shedding(self) -> bool:
        """Whether nobody waits any more."""
        return self.pressure.stage >= self._sheds_at

    def try_enter(self) -> bool:
        """Takes a place if one is free and nobody waits for it."""
        if self._in_work >= self.places or self.in_line:
            return False
        self._in_work += 1
        self.pressure.waited(0.0)
        return True

    async def enter(self, *, within_s: float) -> None:
        """Takes a place, after waiting for it for so many seconds at most. Raises `NotServing`.

        Whoever is cancelled in the line has left it; whoever got a place calls `leave`.
        """
        if self.try_enter():
            return
        self.require_room()
        began_s = self._clock()
        if not await self._wait(within_s, self._waiting.append):
            self.pressure.waited(self._clock() - began_s)
            raise self._full()
        self.pressure.waited(self._clock() - began_s)

    async def enter_again(self) -> None:
        """Takes a place before all who wait: whoever had one already is not turned away."""
        if self._in_work < self.places:
            self._in_work += 1
            return
        await self._wait(None, self._returning.append)

    def leave(self, *, worked_s: float | None = None) -> None:
        """Gives a place back, to the first who waits; `worked_s` is how long its work took, if it is done."""
        if worked_s is not None:
            self._service_s += _EWMA_WEIGHT * (worked_s - self._service_s)
        self._in_work -= 1
        self._shorten()
        while self.in_line and self._in_work < self.places:
            first = (self._returning or self._waiting).popleft()
            if not first.done():
                self._in_work += 1
                first.set_result(None)

    def _shorten(self) -> None:
        """Turns away those for whom there is no room any more, the longest wait first: whoever is taken is quick."""
        while len(self._waiting) > self._room_now:
            first = self._waiting.popleft()
            if not first.done():
                first.set_exception(self._full())

    @asynccontextmanager
    async def place(self, *, within_s: float) -> AsyncIterator[None]:
        """Holds a place for the block. Raises `NotServing`."""
        await self.enter(within_s=within_s)
        began_s = self._clock()
        try:
            yield
        finally:
            self.leave(worked_s=self._clock() - began_s)

    @contextmanager
    def place_now(self) -> Iterator[None]:
        """Holds a place that is free at once. Raises `NotServing`."""
        if self._in_work >= self.places:
            raise self._full()
        self._in_work += 1
        try:
            yield
        finally:
            self.leave()

    @property
    def retry_after_s(self) -> float:
        """When the places, at the rate at which they were last worked off, get to somebody turned away now.

        Each who asks has the next turn: those who come back as told do not come all at once.
        """
        now_s, each_s = self._clock(), self._service_s / self.places
        after_line_s = now_s + self.in_line * each_s
        self._promised_s = min(max(after_line_s, self._promised_s) + each_s, now_s + _LONGEST_RETRY_S)
        return self._promised_s - now_s

    def _full(self) -> NotServing:
        self._refused += 1
        self.pressure.refused()
        if self.is_shedding:
            said = "More requests come than can be answered in time. Wait as long as Retry-After says."
            return NotServing("overloaded", said, retry_after_s=self.retry_after_s)
        said = f"{self.places} requests are in work and {self.in_line} wait already. Try again shortly."
        return NotServing("queue_full", said, retry_after_s=self.retry_after_s)

    async def _wait(self, within_s: float | None, put: Callable[[asyncio.Future[None]], None]) -> bool:
        """Returns whether a place came in time."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        put(turn)
        try:
            async with asyncio.timeout(within_s):
                await turn
        except TimeoutError:
            return _came(turn)
        except asyncio.CancelledError:
            if _came(turn):
                self.leave()
            raise
        finally:
            for line in (self._waiting, self._returning):
                with suppress(ValueError):
                    line.remove(turn)
        return True


def _came(turn: "asyncio.Future[None]") -> bool:
    """Whether the place was given, perhaps in the very moment in which its waiter gave up."""
    return turn.done() and not turn.cancelled() and turn.exception() is None


class Place:
    """A request's place: several may hold it, and it is given back when the last lets go.

    The handler holds it until its reply begins, and the work on a question until that is done, whichever is later.
    """

    def __init__(self, line: Line, clock: Callable[[], float] = time.monotonic) -> None:
        self._line = line
        self._clock = clock
        self._holders = 0
        self._has_place = False
        self._since_s = 0.0
        self._worked_s = 0.0

    def take_now(self) -> bool:
        """Takes the place if one is free and nobody waits for it."""
        if not self._line.try_enter():
            return False
        self._begin()
        return True

    async def take(self, *, within_s: float) -> None:
        """Waits for the place. Raises `NotServing`."""
        await self._line.enter(within_s=within_s)
        self._begin()

    def hold(self) -> Callable[[], None]:
        """Holds the place, and returns what lets it go, once: the place is given back with the last who does."""
        self._holders += 1
        is_held = True

        def let_go() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                self._holders -= 1
                if not self._holders and self._has_place:
                    self._end(is_done=True)

        return let_go

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Gives the place to others while this request waits for something that needs none."""
        if not self._has_place:
            yield
            return
        self._end(is_done=False)
        try:
            yield
        except asyncio.CancelledError:
            raise  # nobody goes on, or comes `back`
        except Exception:
            await self._again()
            raise
        await self._again()

    async def back(self) -> None:
        """Takes the place again where work that was away with it was stopped, and the request goes on."""
        if not self._has_place:
            await self._again()

    async def _again(self) -> None:
        await self._line.enter_again()
        self._begin()
        if not self._holders:  # the last let go while we waited
            self._end(is_done=True)

    def _begin(self) -> None:
        self._has_place, self._since_s = True, self._clock()

    def _end(self, *, is_done: bool) -> None:
        self._has_place = False
        self._worked_s += self._clock() - self._since_s
        self._line.leave(worked_s=self._worked_s if is_done else None)


PLACE: ContextVar[Place | None] = ContextVar("place", default=None)
"""Of the request that is being worked on; None for work that came another way."""


@asynccontextmanager
async def away() -> AsyncIterator[None]:
    """Gives this request's place, if it has one, to others for the time of the block."""
    place = PLACE.get()
    async with place.away() if place else nullcontext():
        yield


async def back() -> None:
    """Takes this request's place again, if it had one, where work that was away with it was stopped."""
    if (place := PLACE.get()) is not None:
        await place.back()
