"""Blocks answers that go in circles, as small models do, or that are empty or far too long."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from msgspec import Meta

from rails.definition import Probes, RailDefinition, RailParams, probes_of
from rails.nemo import RailOutcome, verdict
from rails.runs import repeated_in
from rails.tokens import plain_text, sentences_of
from rails.types import Stage

_MAX_PERIOD = 40
"""Words: a loop that takes longer to come round is caught by its sentences."""
_MIN_SENTENCE = 3
"""Words: shorter sentences (`Press Next.`) may well come again."""
_LETTERS_A_WORD = 24
"""Above this on average, a text is written without blanks and its characters are compared instead."""


class RepetitionParams(RailParams, frozen=True, kw_only=True, tag="repetition"):
    """How often an answer may say the same again, and how long it may be."""

    max_chars: Annotated[int, Meta(ge=1, le=100_000)] = 4000
    max_same_sentences: Annotated[int, Meta(ge=1, le=100)] = 2
    """How often one sentence may stand in an answer, wherever."""
    max_loops: Annotated[int, Meta(ge=2, le=100)] = 3
    """How often one row of words may follow itself."""
    max_char_run: Annotated[int, Meta(ge=4, le=1_000)] = 20
    """How often one letter or digit may follow itself."""


def find(text: str, params: RepetitionParams) -> str | None:
    """Returns the reason to block `text`, or None."""
    if not any(char.isalnum() for char in text):
        return "repetition.empty"
    if len(text) > params.max_chars:
        return "repetition.too_long"
    if any(char.isalnum() for char in repeated_in(text, params.max_char_run)):
        return "repetition.character"
    words = text.casefold().split()
    if len(text) > _LETTERS_A_WORD * len(words):
        words = list(text)
    # What comes again brings back each pair of its words; in hardly any other text does a pair come so often.
    again = len(words) - 1 - len(set(pairwise(words)))
    is_enough = again >= min(params.max_loops - 1, params.max_same_sentences)
    often = max(Counter(pairwise(words)).values(), default=0) if is_enough else 0
    if often >= params.max_loops and _has_loop(words, params.max_loops):
        return "repetition.loop"
    if often > params.max_same_sentences and _most_said(text) > params.max_same_sentences:
        return "repetition.sentence"
    return None


def _has_loop(words: Sequence[str], max_loops: int) -> bool:
    """Says whether a row of words comes more than `max_loops` times on end."""
    for period in range(1, min(_MAX_PERIOD, len(words) // 2) + 1):
        run = 0
        for word, earlier in zip(words[period:], words, strict=False):
            run = run + 1 if word == earlier else 0
            if run >= period * max_loops:
                return True
    return False


def _most_said(text: str) -> int:
    """Returns how often the sentence stands in the text that stands there most often."""
    sentences = (tuple(token.folded for token in sentence) for sentence in sentences_of(plain_text(text)))
    counts = Counter(words for words in sentences if len(words) >= _MIN_SENTENCE)
    return max(counts.values(), default=0)


async def check(text: str, params: RepetitionParams) -> RailOutcome:
    """Returns the verdict on loops in `text`."""
    return verdict(find(text, params))


def _probes(params: RepetitionParams) -> Probes:
    loop = "and then on to the next "
    return probes_of(
        blocked=[" ", "a" * (params.max_chars + 1), (loop * (params.max_loops + 1))[: params.max_chars + 1]],
        passed=["A"],
    )


RAIL = RailDefinition(
    name="repetition", stages=frozenset({Stage.OUTPUT}), params=RepetitionParams, check=check, probes=_probes
)
