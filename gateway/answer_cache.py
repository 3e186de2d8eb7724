"""Checked answers that may be used again for the very same prompt, bounded, and one generation for many who ask."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256

import anyio
import msgspec

from gateway.answer_keys import AnswerKey, is_live
from gateway.lines import away
from gateway.live import LiveState
from gateway.turn import KeptAnswer

MOST_WAITS = 2
"""Generations that a question waits for in vain before it goes to the model on its own."""
ENTRY_BYTES = 1024
"""What an entry takes beside its text: key, dictionary slot and objects; 780 bytes were measured."""


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """What the cache holds, and what it was good for since the gateway started."""

    entries: int
    size_bytes: int
    hits: int
    misses: int
    waited: int
    """Hits that waited for another question's generation."""
    evicted: int

    @property
    def hit_rate(self) -> float | None:
        """Share of the questions to prompts with a cache that needed no generation; None before the first."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None

    def __str__(self) -> str:
        rate = "not asked yet" if self.hit_rate is None else f"{self.hits} of {self.hits + self.misses} from it"
        share = "" if self.hit_rate is None else f" ({self.hit_rate:.0%})"
        return f"{self.entries} answers kept; {rate}{share}"


@dataclass(slots=True)
class _Entry:
    key: AnswerKey
    answer: KeptAnswer
    until_s: float
    size: int
    seal: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """The place of one answer while a question is in work: what is kept there, and the right to change it."""

    kept: KeptAnswer | None
    """None means that the model has to be asked."""
    keep: Callable[[KeptAnswer], None]
    """Keeps an answer that passed its output rails."""
    forget: Callable[[], None]
    """Empties the place."""
    waited_s: float = 0.0
    """How long this question waited for the others with its key."""


class AnswerCache:
    """Keeps answers in this process, never longer than their prompts say. Lives on one event loop; not thread-safe.

    Whatever is wrong with an entry makes it a miss. `entries` or `max_bytes` of 0 keeps nothing. Least recently used
    answers give way.
    """

    def __init__(self, *, entries: int, max_bytes: int, clock: Callable[[], float]) -> None:
        self._most_entries = entries
        self._max_bytes = max_bytes
        self._clock = clock
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._flights: dict[bytes, anyio.Event] = {}
        self._revision = 0
        self._bytes = self._hits = self._misses = self._waited = self._evicted = 0

    @property
    def figures(self) -> CacheFigures:
        """The counts as they are now; may be read from another thread."""
        return CacheFigures(len(self._entries), self._bytes, self._hits, self._misses, self._waited, self._evicted)

    @asynccontextmanager
    async def place(
        self, key: AnswerKey | None, state: LiveState, *, lifetime_s: float | None, wait_s: float
    ) -> AsyncIterator[Place]:
        """Gives the place of an answer. While one question holds an empty place, the others with its key wait.

        They wait at most `wait_s` seconds, and for at most `MOST_WAITS` questions that leave the place empty; then they
        get the empty place too. Without a key, or a lifetime, nothing is found or kept.
        """
        if key is None or lifetime_s is None or not self._most_entries or not self._max_bytes:
            yield Place(None, lambda _: None, lambda: None)
            return
        self._follow(state)
        kept, waited_s = self._take(key.digest), 0.0
        if kept is None and key.digest in self._flights:
            asked_s = self._clock()
            kept = await self._await_other(key.digest, wait_s)
            waited_s = self._clock() - asked_s
        if kept is None:
            self._misses += 1
        else:
            self._hits += 1
        revision = state.catalog.revision
        place = Place(
            kept,
            lambda new: self._put(key, new, lifetime_s, revision),
            lambda: self._drop(key.digest),
            waited_s,
        )
        if kept is not None or key.digest in self._flights:
            yield place
            return
        self._flights[key.digest] = anyio.Event()
        try:
            yield place
        finally:
            self._flights.pop(key.digest).set()

    async def _await_other(self, digest: bytes, wait_s: float) -> KeptAnswer | None:
        """Waits for the question that is being answered under the same key, if one is."""
        until_s = anyio.current_time() + wait_s
        for _ in range(MOST_WAITS):
            if (flight := self._flights.get(digest)) is None:
                return None
            async with away():  # around the limit: who waited in vain goes on, and needs the place again
                with anyio.CancelScope(deadline=until_s) as limit:
                    await flight.wait()
            if kept := self._take(digest):
                self._waited += 1
                return kept
            if limit.cancelled_caught:
                return None
        return None

    def _take(self, digest: bytes) -> KeptAnswer | None:
        entry = self._entries.get(digest)
        if entry is None:
            return None
        if not self._clock() < entry.until_s or _seal(digest, entry.answer) != entry.seal:
            self._drop(digest)
            return None
        self._entries.move_to_end(digest)
        return entry.answer

    def _put(self, key: AnswerKey, answer: KeptAnswer, lifetime_s: float, revision: int) -> None:
        size = len(answer.text.encode()) + ENTRY_BYTES
        if revision < self._revision or size > self._max_bytes:
            return  # of a revision that was replaced meanwhile, or larger than everything
        self._drop(key.digest)
        until_s = self._clock() + lifetime_s
        self._entries[key.digest] = _Entry(key, answer, until_s, size, _seal(key.digest, answer))
        self._bytes += size
        while len(self._entries) > self._most_entries or self._bytes > self._max_bytes:
            self._drop(next(iter(self._entries)))
            self._evicted += 1

    def _drop(self, digest: bytes) -> None:
        if (entry := self._entries.pop(digest, None)) is not None:
            self._bytes -= entry.size

    def _follow(self, state: LiveState) -> None:
        """Forgets what a newer revision orphaned; a question that began before it cannot bring it back."""
        if state.catalog.revision <= self._revision:
            return
        self._revision = state.catalog.revision
        for digest, entry in list(self._entries.items()):
            if not is_live(entry.key, state):
                self._drop(digest)


def _seal(digest: bytes, answer: KeptAnswer) -> bytes:
    """Binds an answer to its key, so that an altered one, or one in another's place, is not believed."""
    return sha256(digest + msgspec.json.encode(answer)).digest()
