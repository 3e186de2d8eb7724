"""What is kept in memory for a while: so much in all, so much for one client, and the oldest goes first."""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Kept(Protocol):
    """Something that is kept for a client."""

    @property
    def client(self) -> str:
        """Whose it is."""

    @property
    def size(self) -> int:
        """Bytes that it holds, as they are now."""

    @property
    def may_go(self) -> bool:
        """Whether it can be thrown away before its time."""


K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=Kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is kept, and for how long."""

    lifetime_s: float
    client_bytes: int
    bytes: int
    entries: int


@dataclass(slots=True)
class _Place(Generic[V]):
    value: V
    until_s: float
    counted: int


class Shelf(Generic[K, V]):
    """Keeps values by key, those that were put last the longest; for one thread alone."""

    def __init__(self, bounds: Bounds, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bounds = bounds
        self._clock = clock
        self._places: OrderedDict[K, _Place[V]] = OrderedDict()
        self._of_client: Counter[str] = Counter()
        self.size = 0
        """Bytes in all."""

    def __len__(self) -> int:
        return len(self._places)

    def size_of(self, client: str) -> int:
        """Returns the bytes of one client."""
        return self._of_client[client]

    def get(self, key: K) -> V | None:
        """Returns what is kept under the key, if its time is not over."""
        place = self._places.get(key)
        return None if place is None or self._is_over(place) else place.value

    def put(self, key: K, value: V) -> None:
        """Keeps the value, or its new size and time when it is there already; others go where there is no room."""
        self.drop(key)
        self._places[key] = place = _Place(value, self._clock() + self._bounds.lifetime_s, value.size)
        self._count(place, place.counted)
        if self._is_full or self._is_full_for(value.client):
            self._make_room(key, value.client)

    def drop(self, key: K) -> V | None:
        """Throws away what is kept under the key, and returns it."""
        place = self._places.pop(key, None)
        if place is None:
            return None
        self._count(place, -place.counted)
        return place.value

    def sweep(self) -> None:
        """Throws away everything whose time is over."""
        for key in [key for key, place in self._places.items() if self._is_over(place)]:
            self.drop(key)

    def values(self) -> tuple[V, ...]:
        """Returns all that is kept, the one that was put longest ago first."""
        return tuple(place.value for place in self._places.values())

    def items(self) -> tuple[tuple[K, V], ...]:
        """Returns the same with their keys."""
        return tuple((key, place.value) for key, place in self._places.items())

    @property
    def _is_full(self) -> bool:
        return self.size > self._bounds.bytes or len(self._places) > self._bounds.entries

    def _is_full_for(self, client: str) -> bool:
        return self._of_client[client] > self._bounds.client_bytes

    def _is_over(self, place: _Place[V]) -> bool:
        return self._clock() >= place.until_s and place.value.may_go

    def _count(self, place: _Place[V], more: int) -> None:
        self.size += more
        self._of_client[place.value.client] += more
        if not self._of_client[place.value.client]:
            del self._of_client[place.value.client]

    def _make_room(self, new: K, client: str) -> None:
        for key, place in tuple(self._places.items()):
            if not (self._is_full or self._is_full_for(client)):
                return
            is_in_the_way = self._is_full or place.value.client == client
            if key != new and place.value.may_go and is_in_the_way:
                self.drop(key)
