"""Finds what follows itself more often than people write it: a character, or a word."""

from collections.abc import Sequence
from itertools import pairwise


def suspects_of_runs(items: Sequence[str], most: int) -> set[str]:
    """Returns what may stand more than `most` times on end, and hardly anything else; `most` is at least 1.

    So long a run covers two neighbours among every second half of it, and only those are looked at.
    """
    places = items[:: (most + 1) // 2]
    return {item for item, after in pairwise(places) if item == after}


def repeated_in(text: str, most: int) -> set[str]:
    """Returns the characters that stand more than `most` times on end; `most` is at least 1."""
    return {char for char in suspects_of_runs(text, most) if char * (most + 1) in text}
