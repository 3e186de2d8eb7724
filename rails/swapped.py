"""Finds what an answer says of the wrong one of several things that its facts tell side by side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rails.number_words import KINDS, RANGE_WORDS
from rails.tokens import Token
from rails.wordlists import word_set

_JOINTS = word_set("and but while whereas und aber während et mais tandis y pero mientras")
_TWO = 2
_MOST_ALIKE = 12
"""Clauses of the facts that are compared in pairs."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one clause speaks of."""

    items: frozenset[str]
    """Names, codes and values of numbers."""
    keys: frozenset[str]
    """Of its other content words."""


Stems = Sequence[tuple[str, ...]]


def parts_of(words: Sequence[str], stems: Stems, named: frozenset[str], values: Mapping[int, str]) -> tuple[Part, ...]:
    """Returns the clauses of a sentence: it is cut at an `and` with a name or number and another word on both sides.

    `stems` and `values` are by the position of the word; `named` holds the keys that belong to names. A clause with
    fewer than two items joins nothing: of such a sentence there are none.
    """
    if len(named) + len(values) < _TWO:
        return ()
    parts, begin = list[Part](), 0
    for joint in [place for place, word in enumerate(words) if word in _JOINTS]:
        before = _part(range(begin, joint), stems, named, values)
        rest = _part(range(joint + 1, len(words)), stems, named, values)
        if before.items and before.keys and rest.items and rest.keys:
            parts.append(before)
            begin = joint + 1
    return (*parts, _part(range(begin, len(words)), stems, named, values))


def _part(places: Iterable[int], stems: Stems, named: frozenset[str], values: Mapping[int, str]) -> Part:
    items, keys = set[str](), set[str]()
    for place in places:
        for key in stems[place]:
            (items if key in named else keys).add(key)
        if place in values:
            items.add(values[place])
    return Part(frozenset(items), frozenset(keys))


def ranges_of(tokens: Sequence[Token], values: Mapping[int, str]) -> frozenset[tuple[str, str]]:
    """Returns the ends of each range such as `from 9:00 to 17:00`, in their order."""
    places = sorted(values)
    return frozenset(
        (values[one], values[other])
        for one, other in pairwise(places)
        if _is_range([token.folded for token in tokens[one + 1 : other]])
    )


def _is_range(between: Sequence[str]) -> bool:
    return any(word in RANGE_WORDS and word not in ("or", "oder", "ou", "o", "y") for word in between) and all(
        word in RANGE_WORDS or word in KINDS for word in between
    )


def is_swapped(answer: Sequence[Part], facts: Sequence[Part]) -> bool:
    """Says whether a clause of the answer joins what two clauses of the facts, alike in their other words, keep apart.

    Of `Ann leads Sales. Bob leads Law.` it is `Bob leads Sales`: each of the two clauses has an item beside the one
    that the answer took of it, and none of those that it took is in both.
    """
    return any(_joins_two(part, facts) for part in answer if len(part.items) > 1 and part.keys)


def _joins_two(part: Part, facts: Sequence[Part]) -> bool:
    alike = [fact for fact in facts if part.items & fact.items and part.keys & fact.keys]
    if any(part.items <= fact.items for fact in alike):
        return False
    alike = sorted(alike, key=lambda fact: -len(part.items & fact.items))[:_MOST_ALIKE]
    for place, one in enumerate(alike):
        for other in alike[place + 1 :]:
            mine, theirs = part.items & one.items, part.items & other.items
            shares_words = part.keys & one.keys & other.keys
            is_apart = mine.isdisjoint(other.items) and theirs.isdisjoint(one.items)
            has_more = one.items - part.items and other.items - part.items
            if shares_words and is_apart and has_more:
                return True
    return False
