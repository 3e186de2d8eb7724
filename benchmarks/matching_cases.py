"""Opposites, swaps and honest paraphrases written for it (tests/cases/matching), through the matcher as it serves."""

from collections import Counter, defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import yaml

from gateway.fitting.corpora import EmbedderSource, Progress, TunedPlace, fit_corpus
from gateway.fitting.labelled import LabelledText
from gateway.fitting.trial import ASSISTANT, trial_corpus, trial_matcher
from models.embedding.embedder import PACKAGED_MINILM_SHA256, packaged_minilm
from store.calibration import calibrate
from store.content import PromptVersion, Tolerance
from store.contradiction import contradicts
from store.formats.bundle import read_bundle
from store.learning.scorer import LearnedScorer
from store.matcher import Matcher
from store.matches import Ambiguous, AnyMatch, Match
from store.phrases import RowKind, fill_sample, rows_of
from store.plain import canonical_hash


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prompt, its opposite, and a message that means each."""

    id: str
    kind: str
    stored: list[str]
    asks_other: str
    asks_stored: str
    other: list[str] = []


class Opposites(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """opposites.yaml."""

    description: str
    pairs: list[Pair]


class Paraphrase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message that means a prompt of the example store."""

    id: str
    prompt: str
    message: str


class Paraphrases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """paraphrases.yaml."""

    description: str
    paraphrases: list[Paraphrase]


def measure_cases(root: Path, exports: Path, *, tune: bool, progress: Progress) -> dict[str, Any]:
    """Returns the figures of both case files."""
    cases = root / "tests" / "cases" / "matching"
    opposites = msgspec.convert(yaml.safe_load((cases / "opposites.yaml").read_text("utf-8")), Opposites)
    paraphrases = msgspec.convert(yaml.safe_load((cases / "paraphrases.yaml").read_text("utf-8")), Paraphrases)
    return {
        "opposites": measure_opposites(opposites, exports, tune=tune, progress=progress),
        "paraphrases": measure_paraphrases(paraphrases, root, exports, tune=tune, progress=progress),
    }


def measure_opposites(cases: Opposites, exports: Path, *, tune: bool, progress: Progress) -> dict[str, Any]:
    """Stores one side of every pair, and the other side where the pair has one approved; asks both."""
    sentences = [LabelledText(text, f"{pair.id}.stored") for pair in cases.pairs for text in pair.stored]
    both = {pair.id for pair in cases.pairs if pair.other}
    sentences += [
        LabelledText(text, f"{pair.id}.other") for pair in cases.pairs if pair.id in both for text in pair.other
    ]
    matcher = fitted_matcher(sentences, exports, tune=tune, progress=progress)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for pair in cases.pairs:
        other = f"{pair.id}.other" if pair.id in both else None
        asked = {"other": (pair.asks_other, other), "stored": (pair.asks_stored, f"{pair.id}.stored")}
        for side, (message, right) in asked.items():
            outcome = _outcome(matcher.match(message, ASSISTANT), right)
            counts[f"asks {side}"][outcome] += 1
            counts[f"{pair.kind}, asks {side}"][outcome] += 1
    total = sum(counts["asks other"].values())
    return {
        "pairs": len(cases.pairs),
        "wrong_accept_rate": counts["asks other"]["wrong"] / total,
        "stored_answered_or_offered_rate": (counts["asks stored"]["right"] + counts["asks stored"]["offered"]) / total,
        "outcomes": {name: dict(sorted(row.items())) for name, row in sorted(counts.items())},
    }


def measure_paraphrases(
    cases: Paraphrases, root: Path, exports: Path, *, tune: bool, progress: Progress
) -> dict[str, Any]:
    """Asks the example store's prompts in words that none of their phrasings has."""
    bundle = read_bundle(root / "examples" / "helpdesk")
    versions = [PromptVersion(1, prompt, canonical_hash(prompt)) for prompt in bundle.prompts]
    rows = [row for row in rows_of(versions) if row.kind is RowKind.PHRASING]
    sentences = list(dict.fromkeys(LabelledText(fill_sample(row), row.prompt.key) for row in rows))
    matcher = fitted_matcher(sentences, exports, tune=tune, progress=progress)
    counts = Counter(_outcome(matcher.match(case.message, ASSISTANT), case.prompt) for case in cases.paraphrases)
    total = len(cases.paraphrases)
    return {
        "paraphrases": total,
        "answered_or_offered_rate": (counts["right"] + counts["offered"]) / total,
        "answered_rate": counts["right"] / total,
        "wrong_rate": counts["wrong"] / total,
        "outcomes": dict(sorted(counts.items())),
    }


def fitted_matcher(sentences: list[LabelledText], exports: Path, *, tune: bool, progress: Progress) -> Matcher:
    """Fits, calibrates and builds a matcher at the default rate."""
    corpus = trial_corpus(sentences)
    with TemporaryDirectory(prefix="canongate-bench-") as scratch:
        folder = Path(scratch)
        store = fit_corpus(
            corpus,
            EmbedderSource(packaged_minilm(), PACKAGED_MINILM_SHA256, exports),
            tune=tune,
            tuned=TunedPlace(folder / "tuned", folder / "exports"),
            progress=progress,
        )
        calibration = calibrate(store.fitted.held_out, corpus, Tolerance(), contradicts=contradicts)
        scorer = LearnedScorer(store.fitted.model)
        return trial_matcher(sentences, store.embedder, scorer, calibration.limits, languages=store.embedder.languages)


def _outcome(found: AnyMatch, right: str | None) -> str:
    match found:
        case Match(prompt=prompt):
            return "right" if prompt.key == right else "wrong"
        case Ambiguous(choices=choices):
            return "offered" if right in {prompt.key for prompt in choices} else "offered in vain"
        case _:
            return "refused"
