"""Which change of a rail's parameter lets more texts pass than before."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class Weakening(StrEnum):
    """Whether less is stopped after a change."""

    NO = "no"
    MAY = "may"
    """Nothing says that it is harmless."""
    YES = "yes"


class Direction(StrEnum):
    """The way in which a parameter lets more pass."""

    LOWER = "lower"
    """A smaller number; none at all is the smallest."""
    HIGHER = "higher"
    FALSE = "false"
    FEWER = "fewer"
    """Entries that go."""
    MORE = "more"
    """Entries that come."""
    ALLOWED = "allowed"
    """Kinds that may stay in the text."""


_LOWER, _HIGHER, _FALSE, _FEWER, _MORE, _ALLOWED = Direction

WEAKER: Mapping[tuple[str, str], Direction] = MappingProxyType(
    {
        ("attacks", "families"): _FEWER,
        ("attacks", "limit"): _HIGHER,
        ("attacks", "refused"): _FEWER,
        ("attacks", "allowed"): _MORE,
        ("attacks", "classifier_limit"): _HIGHER,
        ("grounding", "names"): _FALSE,
        ("grounding", "contradictions"): _FALSE,
        ("grounding", "min_support"): _LOWER,
        ("grounding", "min_similarity"): _LOWER,
        ("injection", "max_turns"): _HIGHER,
        ("language", "max_foreign_share"): _HIGHER,
        ("length", "max_chars"): _HIGHER,
        ("length", "max_words"): _HIGHER,
        ("length", "max_lines"): _HIGHER,
        ("length", "max_char_run"): _HIGHER,
        ("length", "max_word_run"): _HIGHER,
        ("length", "min_distinct_share"): _LOWER,
        ("pattern", "deny"): _FEWER,
        ("personal", "entities"): _ALLOWED,
        ("personal", "approved"): _MORE,
        ("protected", "texts"): _FEWER,
        ("refusal", "lectures"): _FALSE,
        ("relevance", "min_overlap"): _LOWER,
        ("relevance", "min_similarity"): _LOWER,
        ("repetition", "max_chars"): _HIGHER,
        ("repetition", "max_same_sentences"): _HIGHER,
        ("repetition", "max_loops"): _HIGHER,
        ("repetition", "max_char_run"): _HIGHER,
        ("secrets", "min_token_chars"): _HIGHER,
        ("secrets", "min_entropy_bits"): _HIGHER,
        ("topic", "topics"): _FEWER,
        ("toxicity", "categories"): _FEWER,
        ("toxicity", "words"): _FEWER,
        ("urls", "hosts"): _MORE,
    }
)
"""What is not in here may weaken, whichever way it changes."""


def weakening_of(rail: str, parameter: str, before: Any, after: Any) -> Weakening:
    """Returns whether `rail` stops less with `after`, both as in the document."""
    judge = _JUDGES.get(WEAKER.get((rail, parameter)))
    return Weakening.MAY if judge is None else judge(before, after)


def _lower(before: Any, after: Any) -> Weakening:
    return _yes_if(before is not None and (after is None or after < before))


def _allowed(before: Mapping[str, str], after: Mapping[str, str]) -> Weakening:
    changed = {kind: how for kind, how in after.items() if before.get(kind) != how}
    if "allow" in changed.values():
        return Weakening.YES
    return Weakening.MAY if "mask" in changed.values() else Weakening.NO


def _gone(there: Any, here: Any) -> Weakening:
    """Says whether entries are missing; one that only changed (its name is still there) may have become stricter."""
    missing = [entry for entry in there if entry not in here]
    names = {entry.get("name") for entry in here if isinstance(entry, Mapping)}
    if not missing:
        return Weakening.NO
    is_all_changed = all(isinstance(entry, Mapping) and entry.get("name") in names for entry in missing)
    return Weakening.MAY if is_all_changed else Weakening.YES


def _yes_if(is_weaker: bool) -> Weakening:  # noqa: FBT001 - one question
    return Weakening.YES if is_weaker else Weakening.NO


_JUDGES: Mapping[Direction | None, Callable[[Any, Any], Weakening]] = MappingProxyType(
    {
        Direction.LOWER: _lower,
        Direction.HIGHER: lambda before, after: _yes_if(after > before),
        Direction.FALSE: lambda _, after: _yes_if(not after),
        Direction.FEWER: _gone,
        Direction.MORE: lambda before, after: _gone(after, before),
        Direction.ALLOWED: _allowed,
    }
)
