"""Folds: which sentences, prompts and background sentences a part of the fitting does not get to know."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from store.learning.corpus import Corpus, Numbers
from store.vectors import Vectors

FoldVectors = Sequence[tuple[Vectors, Vectors]]
"""By fold, under an embedder tuned without what the fold holds out: the vectors of every sentence of the corpus
followed by those of its counterexamples, and the vectors of every background sentence."""


@dataclass(frozen=True, slots=True)
class Folds:
    """What is held out in which fold, from 0; arrays are read-only."""

    count: int
    rows: Numbers
    """The fold of each sentence; sentences of one group share it."""
    prompts: Numbers
    """The fold that knows nothing of the prompt: its sentences are near misses there."""
    background: Numbers
    """The fold of each background sentence."""

    def __post_init__(self) -> None:
        for array in (self.rows, self.prompts, self.background):
            if len(array) and not 0 <= int(array.min()) <= int(array.max()) < self.count:
                raise ValueError("a fold is numbered from 0 to its count. This is a bug.")
            array.flags.writeable = False

    def known_rows(self, fold: int, labels: Numbers) -> Numbers:
        """Returns the numbers of the sentences that an embedder of the fold may be tuned on."""
        return np.flatnonzero((self.rows != fold) & (self.prompts[labels] != fold))

    def known_background(self, fold: int) -> Numbers:
        """Returns the numbers of the background sentences that an embedder of the fold may be tuned on."""
        return np.flatnonzero(self.background != fold)


def make_folds(corpus: Corpus, background_count: int, *, count: int = 4, seed: int = 0) -> Folds:
    """Deals the groups of each prompt, the prompts and the background out evenly, in an order drawn from `seed`."""
    generator = np.random.default_rng(seed)
    by_group = np.zeros(int(corpus.groups.max(initial=-1)) + 1, dtype=np.int64)
    for label in range(len(corpus.keys)):
        own = np.unique(corpus.groups[corpus.labels == label])
        # A random start per prompt keeps the folds of many small prompts the same size.
        by_group[generator.permutation(own)] = (np.arange(len(own)) + generator.integers(count)) % count
    return Folds(
        count=count,
        rows=by_group[corpus.groups],
        prompts=generator.permutation(len(corpus.keys)) % count,
        background=generator.permutation(background_count) % count,
    )
