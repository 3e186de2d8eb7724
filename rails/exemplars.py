"""The sentences that this repository's authors wrote as examples of attacks, of harmful requests and of honest ones.

One file for each family, one sentence a line; what starts with # is for the reader.
"""

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "attack_exemplars"


class Family(StrEnum):
    """What an example is an example of; the values are names of files."""

    OVERRIDE = "override"
    PERSONA = "persona"
    FICTION = "fiction"
    FORCING = "forcing"
    EXTRACTION = "extraction"
    SMUGGLING = "smuggling"
    WEAPONS = "weapons"
    DRUGS = "drugs"
    INTRUSION = "intrusion"
    FRAUD = "fraud"
    THEFT = "theft"
    VIOLENCE = "violence"
    SELF_HARM = "self_harm"
    HATE = "hate"
    SEXUAL = "sexual"
    PRIVACY = "privacy"
    DECEPTION = "deception"


TAKEOVER = frozenset(
    {Family.OVERRIDE, Family.PERSONA, Family.FICTION, Family.FORCING, Family.EXTRACTION, Family.SMUGGLING}
)
"""Families that try to command the assistant; all others ask it for something harmful."""


@cache
def sentences(family: Family) -> tuple[str, ...]:
    """Returns the examples of one family."""
    part = "takeover" if family in TAKEOVER else "harmful"
    return tuple(_lines(_FOLDER / part / f"{family.value}.txt"))


@cache
def honest() -> tuple[str, ...]:
    """Returns the examples of what people honestly ask, many of them chosen because they sound like an attack."""
    return tuple(line for path in sorted((_FOLDER / "honest").glob("*.txt")) for line in _lines(path))


@cache
def words(name: str) -> frozenset[str]:
    """Returns the words of one list, each with its common endings."""
    return frozenset(form for line in _lines(_FOLDER / f"{name}.txt") for word in line.split() for form in _forms(word))


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.strip()


def _forms(word: str) -> Iterator[str]:
    yield word
    yield from (word + ending for ending in ("s", "es", "d", "ed", "ing", "er", "ers", "y", "ly"))
    yield from (word + word[-1] + ending for ending in ("ed", "ing", "er"))
    if word[-1] in "ey":
        yield from (word[:-1] + ending for ending in ("ing", "ion", "or", "ies", "ied"))
