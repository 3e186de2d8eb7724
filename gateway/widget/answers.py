"""Answers on their way: they go on when a connection breaks, and can be followed again from any event."""

import asyncio
import hmac
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from gateway.errors import InvalidRequest
from gateway.widget.keeping import Bounds, Shelf
from gateway.widget.sessions import Visit

ANSWERS = Bounds(lifetime_s=300.0, client_bytes=8 * 2**20, bytes=32 * 2**20, entries=10_000)
_ENTRY_BYTES = 500
_EVENT_BYTES = 100
"""What an event takes beside its data."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event of an answer. With a `status` it is the last: the answer, or why there is none."""

    name: str
    data: bytes
    """JSON."""
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    may_come_again: bool = False
    """Whether a question that ended so was not worked on, so that the same may be asked anew under its key."""


class Answer:
    """The events of one answer, from the first; whoever follows it later gets the same."""

    def __init__(self, client: str, fingerprint: bytes, stop: Callable[[], None]) -> None:
        self.client = client
        self.fingerprint = fingerprint
        self.stop = stop
        """Ends the work; nothing, when it is done."""
        self._events: list[Told] = []
        self._bytes = _ENTRY_BYTES
        self._more = asyncio.Event()

    @property
    def size(self) -> int:
        """Bytes, about."""
        return self._bytes

    @property
    def may_go(self) -> bool:
        """Whether it is done."""
        return self.ended is not None

    @property
    def ended(self) -> Told | None:
        """The last event, once there is it."""
        last = self._events[-1] if self._events else None
        return last if last is not None and last.status is not None else None

    @property
    def count(self) -> int:
        """How many events there are."""
        return len(self._events)

    def tell(self, told: Told) -> None:
        """Adds an event, and wakes those who follow."""
        self._events.append(told)
        self._bytes += _EVENT_BYTES + len(told.data)
        self._more.set()
        self._more = asyncio.Event()

    async def follow(self, *, after: int = 0, ping_s: float) -> AsyncIterator[tuple[int, Told] | None]:
        """Gives each event after that number, with its own, and None whenever there was none for a while."""
        number = after
        while True:
            more = self._more
            while number < len(self._events):
                number += 1
                yield number, self._events[number - 1]
            if self.ended is not None:
                return
            try:
                await asyncio.wait_for(more.wait(), ping_s)
            except TimeoutError:
                yield None

    async def until(self, count: int) -> None:
        """Waits until there are that many events, or the last one."""
        while self.ended is None and len(self._events) < count:
            await self._more.wait()

    async def end(self) -> Told:
        """Waits for the last event."""
        while (told := self.ended) is None:
            await self._more.wait()
        return told


def gone() -> InvalidRequest:
    """Returns the refusal of an answer that is not kept (404)."""
    return InvalidRequest("answer_gone", "There is no such answer any more. Ask again.")


class AnswersAtWork:
    """Keeps answers by holder and key, five minutes from their last event on; for the event loop alone."""

    def __init__(self, bounds: Bounds = ANSWERS, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.shelf: Shelf[tuple[str, str], Answer] = Shelf(bounds, clock=clock)
        self._tasks: set[asyncio.Task[None]] = set()

    def known(self, visit: Visit, key: str, fingerprint: bytes) -> Answer | None:
        """Returns the answer to the same question, unless it may be asked anew.

        Raises `InvalidRequest` when the key was used for another one.
        """
        found = self.shelf.get((visit.holder, key))
        if found is None or (found.ended is not None and found.ended.may_come_again):
            return None
        if not hmac.compare_digest(found.fingerprint, fingerprint):
            raise InvalidRequest("idempotency_key_reused", "This Idempotency-Key was used for another question.")
        return found

    def begin(self, visit: Visit, key: str, fingerprint: bytes, stop: Callable[[], None]) -> Answer:
        """Makes the place for an answer that is about to be made."""
        answer = Answer(visit.client.id, fingerprint, stop)
        self.shelf.put((visit.holder, key), answer)
        return answer

    def fill(self, visit: Visit, key: str, answer: Answer, events: AsyncIterator[Told]) -> None:
        """Adds events as they come, whether or not anybody follows."""
        work = asyncio.create_task(self._fill((visit.holder, key), answer, events))
        self._tasks.add(work)
        work.add_done_callback(self._tasks.discard)

    def find(self, visit: Visit, key: str) -> Answer | None:
        """Returns an answer of the visit."""
        return self.shelf.get((visit.holder, key))

    def drop(self, visit: Visit, key: str) -> None:
        """Forgets an answer."""
        self.shelf.drop((visit.holder, key))

    def stop(self, visit: Visit, key: str) -> None:
        """Ends the work on an answer, if there is any."""
        self.stop_at((visit.holder, key))

    @property
    def at_work(self) -> tuple[tuple[str, str], ...]:
        """Holders and keys of the answers that are being made here."""
        return tuple(place for place, answer in self.shelf.items() if answer.ended is None)

    def stop_at(self, place: tuple[str, str]) -> None:
        """Ends the work on an answer, by its holder and key."""
        found = self.shelf.get(place)
        if found is not None:
            found.stop()

    def stop_all(self) -> None:
        """Ends all work: the gateway is about to."""
        for answer in self.shelf.values():
            answer.stop()

    async def _fill(self, place: tuple[str, str], answer: Answer, events: AsyncIterator[Told]) -> None:
        async for told in events:
            answer.tell(told)
            if self.shelf.get(place) is answer:
                self.shelf.put(place, answer)  # with its new size
