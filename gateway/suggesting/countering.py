"""Turns a phrasing into sentences that look like it and mean something else: negations, numbers, opposites.

English, as the contradiction gate is; a number is changed in any language.
"""

import re
from collections.abc import Iterator
from functools import cache

from gateway.suggesting.templates import Variant
from store.content import SLOT_MARK
from store.contradictions import tables
from store.wordlists import word_set

_NUMBER = re.compile(r"(?<![\w.,])\d{1,4}(?![\w.,]*\d)")
_WORD = re.compile(r"[^\W\d_]+")
_AMBIGUOUS = word_set(
    "leave let find found lose lost now later more less long short late early first last one single all some full part "
    "book order request return cover mean means left right hard light back top best before after past next current"
)
"""Words that are often something else than a side of their pair: an annual leave, "let me know"."""
_NEGATIONS = (
    (re.compile(r"^how (?:do|can|could|should) i ", re.IGNORECASE), "How do I avoid having to "),
    (re.compile(r"^how (?:do|can|could|should) i ", re.IGNORECASE), "How do I keep others from being able to "),
    (re.compile(r"^i (?:want|need|would like) to ", re.IGNORECASE), "I do not want to "),
    (re.compile(r"^(?:can|may|could) i ", re.IGNORECASE), "Why can I not "),
    (re.compile(r"^where (?:do|can) i ", re.IGNORECASE), "Where can I not "),
    (re.compile(r"^i (?:have )?(?:lost|forgot(?:ten)?) ", re.IGNORECASE), "I have not lost "),
)


def counter(phrasing: str, language: str) -> Iterator[Variant]:
    """Yields sentences near the phrasing that must not lead to its prompt; the same ones each time."""
    yield from _other_numbers(phrasing)
    if language == "en":
        yield from _negated(phrasing)
        yield from _opposed(phrasing)


def _negated(phrasing: str) -> Iterator[Variant]:
    for opening, instead in _NEGATIONS:
        changed = opening.sub(instead, phrasing, count=1)
        if changed != phrasing:
            yield Variant(changed, "negation", phrasing)


def _other_numbers(phrasing: str) -> Iterator[Variant]:
    for found in _NUMBER.finditer(phrasing):
        number = int(found[0])
        for other in dict.fromkeys((number * 2 or 2, number * 3 or 3)):
            if re.search(rf"\b{other}\b", phrasing):
                continue
            yield Variant(f"{phrasing[: found.start()]}{other}{phrasing[found.end() :]}", "number", phrasing)


def _opposed(phrasing: str) -> Iterator[Variant]:
    blanks = [found.span() for found in SLOT_MARK.finditer(phrasing)]
    for found in _WORD.finditer(phrasing):
        if any(start <= found.start() < end for start, end in blanks):
            continue
        for other in _others(phrasing[: found.start()], found[0].casefold()):
            written = other.capitalize() if found[0][0].isupper() else other
            text = f"{phrasing[: found.start()]}{written}{phrasing[found.end() :]}"
            yield Variant(text, f"opposite: {found[0].casefold()}/{other}", phrasing)


def _others(before: str, word: str) -> tuple[str, ...]:
    last = (_WORD.findall(before) or [""])[-1].casefold()
    if word in tables.OPPOSED_PARTICLES and last in tables.WITH_PARTICLE:
        return (tables.OPPOSED_PARTICLES[word],)
    return () if word in _AMBIGUOUS else _opposites().get(word, ())


@cache
def _opposites() -> dict[str, tuple[str, ...]]:
    """Returns for each word of the contradiction gate's pairs the first word of each other side."""
    found: dict[str, list[str]] = {}
    for line in (*tables.ACTS.strip().splitlines(), *tables.GRADED.strip().splitlines()):
        sides = [[word.removeprefix("=") for word in side.split()] for side in line.split("|")]
        for side in sides:
            others = [other[0] for other in sides if other is not side and other]
            for word in side:
                found.setdefault(word, []).extend(other for other in others if other not in found.get(word, ()))
    return {word: tuple(others) for word, others in found.items()}
