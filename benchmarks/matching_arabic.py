"""Arabic messages against the English BANKING77 store, by a multilingual embedder; Hindi, which it does not serve."""

import gzip
import importlib
import json
import time
from pathlib import Path
from typing import Any

import msgspec

from gateway.fitting.corpora import Progress, fit_untuned
from gateway.fitting.labelled import read_labelled
from gateway.fitting.trial import run_trial, trial_corpus
from models.ports import Embedder
from rails.languages import unserved
from store.content import Tolerance
from store.learning.scorer import LearnedScorer

ADAPTER = "tests.ports.universal_sentence_encoder"
"""It takes 225 ms a message and serves tests and benchmarks only."""


def measure_arabic(data: Path, progress: Progress) -> dict[str, Any]:
    """Returns the figures; the embedder alone needs some 6 minutes, at 225 ms for each of 1,600 sentences."""
    embedder: Embedder = importlib.import_module(ADAPTER).UniversalSentenceEncoder()
    store = data / "intents_banking77_store.jsonl.gz"
    labelled = read_labelled(store, data / "multilingual_arabic_msa.jsonl.gz")
    started = time.perf_counter()
    fitted = fit_untuned(trial_corpus(labelled.store), embedder, progress=progress)
    seconds = time.perf_counter() - started
    trial = run_trial(
        labelled.store,
        labelled.queries,
        Tolerance(false_match_rate=0.05),
        embedder=embedder,
        scorer=LearnedScorer(fitted.model),
        held_out=fitted.held_out,
        languages=embedder.languages,
        progress=progress,
    )
    figures: dict[str, Any] = msgspec.to_builtins(trial.measured)
    return {**figures, "fit_seconds": round(seconds, 1), "hindi_refused": _hindi_refused(data, embedder)}


def _hindi_refused(data: Path, embedder: Embedder) -> float | None:
    """Returns the share of Hindi questions refused for their language; None when the embedder names no languages."""
    if embedder.languages is None:
        return None
    with gzip.open(data / "multilingual_questions_en_hi_ar_zh.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["hi"] for line in lines]
    return sum(unserved(text, embedder.languages) is not None for text in texts) / len(texts)
