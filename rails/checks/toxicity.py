"""Blocks insults, slurs, threats, sexual advances and words of self-harm, by lists in four languages."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any

from msgspec import Meta

from rails.definition import Probes, RailDefinition, RailParams, probes_of
from rails.disguises import plain
from rails.matching import PatternSet, compile_linear
from rails.nemo import RailOutcome, verdict
from rails.toxic_patterns import FORGIVEN, PATTERNS
from rails.toxic_terms import Category, Terms, entries, exceptions
from rails.types import Stage

Word = Annotated[str, Meta(min_length=2, max_length=100)]

_PROBES: Mapping[Category, str] = MappingProxyType(
    {
        Category.INSULTS: "You are an 1diot",
        Category.SLURS: "all of them are subhumans",
        Category.THREATS: "I know where you live",
        Category.SEXUAL: "send nudes",
        Category.SELF_HARM: "I want to kill myself",
        Category.PROFANITY: "oh s h i t, again",
    }
)
_OWN_PROBES = 10
"""Each goes the whole way of a check; the others are only looked for."""


class ToxicityParams(RailParams, frozen=True, kw_only=True, tag="toxicity"):
    """Which kinds of offensive words are looked for."""

    categories: Annotated[tuple[Category, ...], Meta(min_length=1)] = (
        Category.INSULTS,
        Category.SLURS,
        Category.THREATS,
        Category.SEXUAL,
        Category.SELF_HARM,
    )
    """Profanity is not among them unless it is named: people with honest questions curse at printers."""
    words: Annotated[tuple[Word, ...], Meta(max_length=1000)] = ()
    """Further words and phrases to block, whole words only; a star at the end stands for any ending."""


@lru_cache(maxsize=64)
def _terms(categories: tuple[Category, ...], words: tuple[str, ...]) -> Terms:
    named = {category.value: entries(category) for category in categories} | {"own": words}
    return Terms(named, [words for category in categories for words in exceptions(category)])


@lru_cache(maxsize=64)
def _patterns(categories: tuple[Category, ...]) -> tuple[Any, PatternSet] | None:
    """Returns one pattern for all, which most texts have nothing of, and the set that tells them apart."""
    named = {category.value: PATTERNS[category] for category in categories if category in PATTERNS}
    return (compile_linear("|".join(named.values()), case_sensitive=True), PatternSet(named)) if named else None


def find(text: str, params: ToxicityParams) -> str | None:
    """Returns the reason to block `text`, or None."""
    folded = plain(text).replace("\n", " ")
    found = _found(text, folded, params)
    if found is not None and FORGIVEN.occurs_in(folded):
        bare = str(FORGIVEN.sub(" ... ", folded))
        found = _found(bare, bare, params)
    return None if found is None else f"toxicity.{found}"


def _found(text: str, folded: str, params: ToxicityParams) -> str | None:
    found = _terms(params.categories, params.words).find(text)
    patterns = _patterns(params.categories) if found is None else None
    if patterns is None or not patterns[0].occurs_in(folded):
        return found
    return patterns[1].find(folded)


async def check(text: str, params: ToxicityParams) -> RailOutcome:
    """Returns the verdict on offensive words in `text`."""
    return verdict(find(text, params))


def _probes(params: ToxicityParams) -> Probes:
    own = [word.removesuffix("*") for word in params.words]
    never_found = [word for word in own if find(word, params) is None]
    return probes_of(
        blocked=[*(_PROBES[category] for category in params.categories), *never_found[:1], *own[:_OWN_PROBES]],
        passed=[
            "The cockpit assistant in Scunthorpe and Essex passed the class assessment.",
            "How do I kill a process?",
        ],
    )


RAIL = RailDefinition(
    name="toxicity",
    stages=frozenset({Stage.INPUT, Stage.OUTPUT}),
    params=ToxicityParams,
    check=check,
    probes=_probes,
)
