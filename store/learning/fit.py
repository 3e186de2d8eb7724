"""Fitting: from sentences and their vectors to a model, and to how it ranks what it does not know."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from store.learning.corpus import Corpus, Numbers, background
from store.learning.errors import TooLittleToLearn
from store.learning.folds import Folds, FoldVectors
from store.learning.heads import Doubles
from store.learning.model import LearnedModel
from store.learning.rehearsal import HeldOutKind, Looked, Progress, Spelled, know, rehearse
from store.learning.stack import Examples, fit_stack
from store.scoring import MAX_RANKED
from store.vectors import Vectors

__all__ = ["Fitted", "HeldOut", "HeldOutKind", "fit"]

_KEPT = MAX_RANKED
"""Candidates kept of a held-out sentence: what a message is decided on."""
_NEAR_MISSES = 0.1
"""Weight of all near misses and counterexamples together, against all in-scope sentences (ADR 0008)."""
_STRANGERS = 0.3
"""Weight of all strangers together, against all in-scope sentences (ADR 0008)."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Every sentence as the matcher ranks it while it does not know it; one row a sentence and kind."""

    texts: tuple[str, ...]
    kinds: NDArray[np.int8]
    """`HeldOutKind`."""
    truths: Numbers
    """Number of the right prompt; -1 where none is right, or (counterexamples) where it is not known."""
    labels: Numbers
    """The prompt that the sentence belongs to; -1 for background."""
    candidates: Numbers
    """(n, 5) numbers of prompts, best first; -1 for none."""
    scores: Doubles
    """(n, 5) probabilities that the candidate is right; 0 for none."""
    similarities: Doubles
    """(n, 5) cosines of the candidates' nearest phrasings; -1 for none."""
    nearest: Numbers
    """(n, 5) rows of those phrasings in the corpus; -1 for none."""
    countered: Doubles
    """(n, 5) cosines of the candidates' nearest counterexamples but the sentence itself; -1 for none."""
    contradicted: NDArray[np.int8] | None = None
    """(n,) 1 where the best candidate says something else than the sentence; None when nobody has looked yet.

    It takes longer than everything else about limits, so it is looked at where fits are made, beside serving.
    """


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit leaves: the model that serves, and its held-out table, from which limits are calibrated."""

    model: LearnedModel
    held_out: HeldOut
    seconds: float


def fit(
    corpus: Corpus,
    vectors: Vectors,
    counter_vectors: Vectors,
    background_vectors: Vectors,
    *,
    folds: Folds,
    fold_vectors: FoldVectors | None,
    progress: Progress,
    background_texts: Sequence[str] | None = None,
) -> Fitted:
    """Fits the model on the vectors of the embedder that will serve.

    `fold_vectors` are those of embedders tuned without what each fold holds out; None when the embedder is not tuned
    and serves in every fold. `background_texts` are the packaged ones unless given. The same inputs give the same
    model on the same machine with one thread. Raises `TooLittleToLearn`, and whatever `progress` raises.
    """
    started = time.perf_counter()
    strangers = background() if background_texts is None else tuple(background_texts)
    _check(corpus, vectors, counter_vectors, background_vectors, strangers)
    everywhere = (np.concatenate([vectors, counter_vectors]), background_vectors)
    by_fold = [everywhere] * folds.count if fold_vectors is None else fold_vectors
    is_tuned = fold_vectors is not None
    looked = tuple(rehearse(corpus, folds, by_fold, strangers, is_tuned=is_tuned, progress=progress))
    if not any(one.question.kind is HeldOutKind.IN_SCOPE for one in looked):
        raise TooLittleToLearn(
            "no prompt has a phrasing to spare: nothing that is learned could be checked. Give at least some prompts "
            "two phrasings that differ; until then only messages that are word for word a phrasing are answered."
        )
    progress("learning", 0, 2)
    held_out = _table(looked, folds)
    progress("learning", 1, 2)
    knowledge = know(vectors, corpus.labels, background_vectors, Spelled.of(corpus, strangers))
    model = LearnedModel(corpus.keys, corpus.phrasings, knowledge, fit_stack(_examples(looked)))
    progress("learning", 2, 2)
    return Fitted(model, held_out, time.perf_counter() - started)


def _check(
    corpus: Corpus, vectors: Vectors, counter_vectors: Vectors, background_vectors: Vectors, strangers: Sequence[str]
) -> None:
    if not corpus.keys:
        raise TooLittleToLearn("there is no phrasing at all. Approve prompts first.")
    expected = (len(corpus.texts), len(corpus.counter_texts), len(strangers))
    if (len(vectors), len(counter_vectors), len(background_vectors)) != expected:
        raise ValueError("one vector is needed for each sentence. This is a bug.")


def _table(looked: Sequence[Looked], folds: Folds) -> HeldOut:
    """Scores each sentence with a stack that was fitted without the part of the folds that it belongs to."""
    parts = np.array([one.question.part for one in looked])
    everything = _examples(looked)
    places = np.full((5, len(looked), _KEPT), -1.0)
    candidates, scores, similarities, nearest, countered = places
    scores[:] = 0.0
    for part in range(folds.count):
        rest = [one for one in looked if one.question.part != part]
        has_rest = any(one.question.kind is HeldOutKind.IN_SCOPE for one in rest)
        stack = fit_stack(_examples(rest) if has_rest else everything)
        for row in np.flatnonzero(parts == part).tolist():
            seen = looked[row].features
            found = stack.score(seen.values)
            best = np.lexsort((seen.prompts, -seen.similarities, -found))[:_KEPT]
            columns = slice(len(best))
            candidates[row, columns] = seen.prompts[best]
            scores[row, columns] = found[best]
            similarities[row, columns] = seen.similarities[best]
            nearest[row, columns] = seen.nearest[best]
            countered[row, columns] = looked[row].countered[best]
    return HeldOut(
        texts=tuple(one.question.text for one in looked),
        kinds=np.array([one.question.kind for one in looked], dtype=np.int8),
        truths=np.array([one.question.truth for one in looked], dtype=np.int64),
        labels=np.array([one.question.label for one in looked], dtype=np.int64),
        candidates=candidates.astype(np.int64),
        scores=scores,
        similarities=similarities,
        nearest=nearest.astype(np.int64),
        countered=countered,
    )


def _examples(looked: Sequence[Looked]) -> Examples:
    kinds = np.array([one.question.kind for one in looked])
    weights = _weights(kinds)
    kept = [_teaching(one) for one in looked]
    counts = [len(places) for places in kept]
    return Examples(
        values=np.concatenate([one.features.values[own] for one, own in zip(looked, kept, strict=True)]),
        is_right=np.concatenate(
            [one.features.prompts[own] == one.question.truth for one, own in zip(looked, kept, strict=True)]
        ),
        sentences=np.repeat(np.arange(len(looked)), counts),
        weights=np.repeat(weights, counts),
        in_scope=int((kinds == HeldOutKind.IN_SCOPE).sum()),
    )


def _teaching(one: Looked) -> Numbers:
    """The candidates that are known to be right or wrong; of a counterexample only its own prompt is (wrong)."""
    if one.question.kind is HeldOutKind.COUNTEREXAMPLE:
        return np.flatnonzero(one.features.prompts == one.question.label)
    return np.arange(len(one.features.prompts))


def _weights(kinds: NDArray[np.int64]) -> Doubles:
    in_scope = int((kinds == HeldOutKind.IN_SCOPE).sum())
    weights = np.ones(len(kinds))
    for own, share in (
        ((kinds == HeldOutKind.NEAR_MISS) | (kinds == HeldOutKind.COUNTEREXAMPLE), _NEAR_MISSES),
        (kinds == HeldOutKind.STRANGER, _STRANGERS),
    ):
        weights[own] = share * in_scope / max(int(own.sum()), 1)
    return weights
