"""The gateway's own matcher on a set: fitted on its sentences alone, with every gate, as it serves."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.rivals.curves import RATES, Ranked, operating_curve, outcome
from benchmarks.rivals.sets import MatchingSet
from benchmarks.rivals.venvs import ROOT
from gateway.fitting.corpora import EmbedderSource, FittedStore, TunedPlace, fit_corpus
from gateway.fitting.measuring import Asked, Columns, ask_all, columns_of
from models.embedding.batching import BatchingEmbedder
from models.embedding.embedder import PACKAGED_MINILM_SHA256, packaged_minilm
from rails.languages import unread_by
from store.calibration import calibrate
from store.content import Tolerance
from store.contradiction import contradicts
from store.index import PromptIndex
from store.learning.corpus import Corpus, corpus_of
from store.learning.metrics import NONE
from store.learning.scorer import LearnedScorer
from store.matcher import Matcher
from store.matches import Ambiguous, Match
from store.phrases import rows_of
from store.scoring import Limits, Scope

EXPORTS = ROOT / "var" / "embedder"
ASSISTANT = "all"


def measure_own(given: MatchingSet, *, tune: bool, threads: int = 1, say: Callable[[str], None]) -> dict[str, Any]:
    """Returns the operating curve and what the matcher does at the limits that it chooses for each rate.

    `threads` are for tuning; matching runs on one.
    """
    areas = frozenset(one.content.area for one in given.catalog.prompts.values())
    corpus = corpus_of(rows_of(given.catalog.prompts.values()), areas)
    with TemporaryDirectory(prefix="canongate-rivals-") as scratch:
        store = fit_corpus(
            corpus,
            EmbedderSource(packaged_minilm(), PACKAGED_MINILM_SHA256, EXPORTS),
            tune=tune,
            threads=threads,
            tuned=TunedPlace(Path(scratch) / "tuned", Path(scratch) / "exports"),
            progress=lambda phase, done, _total: say(phase) if done == 0 else None,
        )
        limits = {rate: own_limits(store, corpus, rate) for rate in RATES}
        matcher = own_matcher(given, store, areas, limits[RATES[0]])
        asked = ask_all(matcher, ASSISTANT, given.queries, lambda _done, _total: None)
    keys = {key: number for number, key in enumerate(corpus.keys)}
    columns = columns_of(asked, keys)
    ranked = Ranked(columns.answerable, columns.confidences, columns.truths)
    curve = operating_curve(ranked)
    return {
        **curve,
        "best_right": float((columns.first == columns.truths)[columns.truths != NONE].mean()),
        "points": {f"own limits for {rate:.0%}": _point(asked, columns, keys, limits[rate]) for rate in RATES},
        "fit_seconds": round(store.seconds, 1),
        "is_tuned": store.is_tuned,
    }


def own_limits(store: FittedStore, corpus: Corpus, rate: float) -> Limits:
    """Returns the limits that calibration chooses for a rate."""
    return calibrate(store.fitted.held_out, corpus, Tolerance(false_match_rate=rate), contradicts=contradicts).limits


def own_matcher(given: MatchingSet, store: FittedStore, areas: frozenset[str], limits: Limits) -> Matcher:
    """Returns the matcher of the set's catalog."""
    embedder = store.embedder
    index = PromptIndex.build(given.catalog, embedder.embed, dimension=embedder.dimension)
    scope = Scope(areas, LearnedScorer(store.fitted.model), limits)
    embed = BatchingEmbedder(embedder).embed
    return Matcher(index, embed, {ASSISTANT: scope}, is_unread=unread_by(embedder.languages))


def _point(asked: tuple[Asked, ...], columns: Columns, keys: dict[str, int], limits: Limits) -> dict[str, float]:
    """Returns the rates at some limits; being asked back is neither an answer nor a refusal."""
    decided = [one.decided(limits) for one in asked]
    answered = np.array([keys[one.prompt.key] if isinstance(one, Match) else NONE for one in decided], dtype=np.int64)
    offered = [
        {keys[prompt.key] for prompt in one.choices} if isinstance(one, Ambiguous) else set[int]() for one in decided
    ]
    in_scope = columns.truths != NONE
    hits = np.array([truth in choices for truth, choices in zip(columns.truths.tolist(), offered, strict=True)])
    is_asked = np.array([bool(choices) for choices in offered])
    rates = outcome(answered, columns.truths)
    return {
        **rates,
        "refused": rates["refused"] - float(is_asked[in_scope].mean()),
        "asked_back": float(is_asked[in_scope].mean()),
        "offered_right": float(hits[in_scope].mean()),
        "outside_asked_back": float(is_asked[~in_scope].mean()),
    }
