"""Finds rows that were there before, by a hash of each, in bounded memory."""

from array import array
from hashlib import blake2b

_FIRST_SLOTS = 1 << 12
_MOST_SLOTS = 1 << 23
"""64 MiB; more rows than 6.3 million are not compared with later ones."""


class Duplicates:
    """Remembers rows. Two different rows are taken for one with a chance of some 10 to the -6 in 6 million rows."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * _FIRST_SLOTS))
        self._count = 0

    @property
    def is_full(self) -> bool:
        """Whether there is no room for more rows, so that some may be missed."""
        return self._count * 4 >= _MOST_SLOTS * 3

    def has(self, raw: bytes) -> bool:
        """Whether that row was there before; remembers it."""
        value = int.from_bytes(blake2b(raw, digest_size=8).digest(), "little") or 1
        if self._count * 4 >= len(self._slots) * 3 and len(self._slots) < _MOST_SLOTS:
            self._grow()
        place = self._place(value)
        if self._slots[place]:
            return True
        if not self.is_full:
            self._slots[place] = value
            self._count += 1
        return False

    def _place(self, value: int) -> int:
        """Returns the slot that holds the value, or the empty one where it belongs."""
        slots, mask = self._slots, len(self._slots) - 1
        place = value & mask
        while slots[place] and slots[place] != value:
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        before = self._slots
        self._slots = array("Q", bytes(16 * len(before)))
        for value in before:
            if value:
                self._slots[self._place(value)] = value
