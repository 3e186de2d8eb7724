"""Compares texts with two groups of example sentences: which of them it is more like."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rails.definition import Neighbours, RailServices, Vectors
from rails.errors import PolicyInvalid
from rails.matching import compile_linear

WINDOW = 240
"""Characters that are compared at once: embedders read 256 word pieces or more, each of a character or more."""
_OVERLAP = 80
_COMPARED = 48
"""Neighbours that are weighed. Fewer let one odd sentence decide; more only cost time."""
_SHARPNESS = 10.0
"""How much more a neighbour counts that is nearer: a tenth of cosine is a factor of e."""
_FAINT = 1e-3
_SENTENCE = compile_linear(r"[.!?]+\s+|\n+")
_BATCH = 32


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much more a text is like the examples to refuse than like those to allow."""

    log_odds: float
    label: str
    """The label of the nearest example to refuse; empty when none is among the neighbours."""
    refused: float
    """Cosine of that example; -1.0 when none is among the neighbours."""
    allowed: float
    """Cosine of the nearest example to allow; -1.0 as well."""


class Examples:
    """Labelled sentences to refuse, and sentences to allow. Immutable once made."""

    def __init__(self, services: RailServices, refused: Sequence[tuple[str, str]], allowed: Sequence[str]) -> None:
        """`refused` are pairs of label and sentence. Raises `PolicyInvalid` when the services lack the means."""
        if services.embed is None or services.neighbours is None:
            raise PolicyInvalid("a rail compares texts with examples, and there is no embedder here to do that with.")
        self._embed = services.embed
        self._labels = tuple(label for label, _ in refused)
        vectors = _embedded(services, [*(sentence for _, sentence in refused), *allowed])
        self._index: Neighbours = services.neighbours(vectors)
        self._count = min(_COMPARED, len(vectors))

    async def compare(self, texts: Sequence[str]) -> list[Likeness]:
        """Returns the likeness of each text; a text has at most `WINDOW` characters. Embeds in a thread beside."""
        vectors = await asyncio.to_thread(self._embed_each, texts)
        return [self._likeness(vector) for vector in vectors]

    def _embed_each(self, texts: Sequence[str]) -> Vectors:
        # One by one: only a text that is embedded alone is remembered for the matcher, and batching saves no time.
        return np.vstack([self._embed([text]) for text in texts])

    def _likeness(self, vector: NDArray[np.float32]) -> Likeness:
        cosines, rows = self._index.nearest(vector, self._count)
        weights = np.exp(_SHARPNESS * (cosines - cosines[0]))
        is_refused = rows < len(self._labels)
        against, in_favour = float(weights[is_refused].sum()), float(weights[~is_refused].sum())
        label = self._labels[int(rows[is_refused][0])] if is_refused.any() else ""
        log_odds = float(np.log((against + _FAINT) / (in_favour + _FAINT)))
        return Likeness(log_odds, label, _first(cosines[is_refused]), _first(cosines[~is_refused]))


def _embedded(services: RailServices, sentences: Sequence[str]) -> Vectors:
    if services.embed is None:
        raise AssertionError("checked before. This is a bug.")
    # Sentences of like length together: a batch is as slow as its longest one.
    order = sorted(range(len(sentences)), key=lambda place: len(sentences[place]))
    parts = [services.embed([sentences[at] for at in order[i : i + _BATCH]]) for i in range(0, len(order), _BATCH)]
    vectors = np.vstack(parts)
    return np.ascontiguousarray(vectors[np.argsort(order)])


def _first(cosines: NDArray[np.float32]) -> float:
    return float(cosines[0]) if len(cosines) else -1.0


def windows(text: str) -> list[str]:
    """Returns the text itself when it is short, and each of its sentences when it has several.

    A long sentence comes in overlapping parts. No part is longer than `WINDOW`.
    """
    whole = text.strip()
    sentences = _sentences(whole)
    parts = [whole] if len(whole) <= WINDOW else []
    if len(sentences) > 1 or not parts:
        parts += [window for sentence in sentences for window in _cut(sentence)]
    return list(dict.fromkeys(parts))


def is_uncut(text: str) -> bool:
    """Whether `windows` gives whole sentences only."""
    if len(text) <= WINDOW:
        return True
    # Pieces of whole sentences, which cost a tenth of finding each sentence's end.
    pieces = text.replace("? ", ". ").replace("! ", ". ").replace("\n", ". ").split(". ")
    return max(map(len, pieces)) < WINDOW or all(len(sentence) <= WINDOW for sentence in _sentences(text.strip()))


def _sentences(whole: str) -> list[str]:
    # A sentence keeps its mark: embedders read a question and a statement apart.
    ends = [0, *(found.end() for found in _SENTENCE.finditer(whole)), len(whole)]
    return [part for start, end in pairwise(ends) if (part := whole[start:end].strip())]


def _cut(sentence: str) -> Iterator[str]:
    if len(sentence) <= WINDOW:
        yield sentence
        return
    start = 0
    while True:
        end = start + WINDOW
        # Behind the overlap, or the next part would begin where this one does, and the one after it as well.
        if end < len(sentence) and (blank := sentence.rfind(" ", start + _OVERLAP + 1, end)) > 0:
            end = blank
        yield sentence[start:end].strip()
        if end >= len(sentence):
            return
        start = end - _OVERLAP
