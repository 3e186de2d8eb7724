"""Blocks messages that are too long, or that repeat themselves more than people do."""

from itertools import groupby
from typing import Annotated

from msgspec import Meta

from rails.definition import Probes, RailDefinition, RailParams, probes_of
from rails.nemo import RailOutcome, verdict
from rails.runs import repeated_in, suspects_of_runs
from rails.types import Stage

# Below this many words a low share of distinct words is ordinary speech ("no no no, not that one").
_WORDS_TO_JUDGE = 12


class LengthParams(RailParams, frozen=True, kw_only=True, tag="length"):
    """How much text a person may send at once."""

    max_chars: Annotated[int, Meta(ge=1, le=100_000)] = 1000
    max_words: Annotated[int, Meta(ge=1, le=20_000)] = 200
    max_lines: Annotated[int, Meta(ge=1, le=1_000)] = 30
    max_char_run: Annotated[int, Meta(ge=4, le=1_000)] = 20
    """How often one character, other than a blank, may follow itself."""
    max_word_run: Annotated[int, Meta(ge=2, le=100)] = 5
    """How often one word may follow itself."""
    min_distinct_share: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.25
    """Share of different words that a text of twelve words or more must have."""


def find(text: str, params: LengthParams) -> str | None:
    """Returns the reason to block `text`, or None."""
    if not text.strip():
        return "length.empty"
    if len(text) > params.max_chars:
        return "length.characters"
    if len(text.splitlines()) > params.max_lines:
        return "length.lines"
    if any(not char.isspace() for char in repeated_in(text, params.max_char_run)):
        return "length.repeated_character"
    return _find_in_words(text.casefold().split(), params)


def _find_in_words(words: list[str], params: LengthParams) -> str | None:
    if len(words) > params.max_words:
        return "length.words"
    different = len(set(words))
    if suspects_of_runs(words, params.max_word_run) and any(
        sum(1 for _ in run) > params.max_word_run for _, run in groupby(words)
    ):
        return "length.repeated_word"
    if len(words) >= _WORDS_TO_JUDGE and different < params.min_distinct_share * len(words):
        return "length.repetition"
    return None


async def check(text: str, params: LengthParams) -> RailOutcome:
    """Returns the verdict on the size of `text`."""
    return verdict(find(text, params))


def _probes(params: LengthParams) -> Probes:
    # Each as long as its own limit asks for: where that is beyond another limit, the other one stops it.
    words = "go " * (params.max_word_run + 1)
    return probes_of(
        blocked=["a" * (params.max_chars + 1), "a" * (params.max_char_run + 1), words, "a\n" * (params.max_lines + 1)],
        passed=["A"],
    )


RAIL = RailDefinition(name="length", stages=frozenset({Stage.INPUT}), params=LengthParams, check=check, probes=_probes)
