"""Quality of matching on labelled data, beside what near products do: `python -m benchmarks.matching --data FOLDER`.

Rows are read where they lie and never copied here. Every figure is counted by store/learning/metrics.py.
"""

import argparse
import json
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np

from benchmarks.matching_arabic import measure_arabic
from benchmarks.matching_cases import measure_cases
from gateway.fitting.corpora import EmbedderSource, TunedPlace, embed_all, fit_corpus
from gateway.fitting.labelled import Kind, Labelled, read_labelled
from gateway.fitting.trial import run_trial, trial_corpus
from models.embedding.embedder import PACKAGED_MINILM_SHA256, load_embedder, packaged_minilm
from store.content import Tolerance
from store.learning.corpus import Corpus, background
from store.learning.metrics import NONE, accuracy, answered_outside, coverage_at_false_match
from store.learning.scorer import LearnedScorer

ROOT = Path(__file__).parents[1]
SETS = {
    "banking77": "intents_banking77",
    "clinc": "intents_clinc_credit_cards",
    "sofmattress": "intents_hint3_sofmattress",
}
ARABIC = "arabic"
RIVAL = "semantic-router==0.3.3"
"""The last release whose route layer fits thresholds; from 1.0 on it fits a confidence instead."""
RIVAL_VENV = ROOT / "var" / "bench" / "semantic-router-venv"
EXPORTS = ROOT / "var" / "embedder"


@dataclass(frozen=True)
class Vectors:
    """A set's sentences under the embedder as it is: what every baseline gets."""

    corpus: Corpus
    store: Any
    background: Any
    queries: Any
    truths: Any
    kinds: tuple[Kind, ...]


def main() -> None:
    """Measures every set and prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m benchmarks.matching --data ../shared/data --sets sofmattress --seeds 3 --json",
    )
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of the labelled sets"
    )
    parser.add_argument("--sets", default=",".join(SETS), help=f"of {', '.join(SETS)}, {ARABIC}")
    parser.add_argument("--seeds", type=int, default=1, help="fit so many times; figures are of each")
    parser.add_argument("--no-tune", action="store_true", help="leave the embedder as it is")
    parser.add_argument("--no-rival", action="store_true", help="leave semantic-router out (its venv needs PyPI once)")
    parser.add_argument("--cases", action="store_true", help="measure tests/cases/matching instead; needs no data")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    if chosen.cases:
        cases = measure_cases(ROOT, EXPORTS, tune=not chosen.no_tune, progress=say)
        print(json.dumps(cases, indent=2))
        return
    names = chosen.sets.split(",")
    if unknown := [name for name in names if name not in {*SETS, ARABIC}]:
        parser.error(f"unknown set {unknown[0]!r}; there are {', '.join(SETS)}, {ARABIC}")
    if not chosen.data.is_dir():
        sys.exit(f"no data in {chosen.data}: the sets are not part of the repository; name their folder with --data")
    figures = {
        name: {"canongate": measure_arabic(chosen.data, say)}
        if name == ARABIC
        else measure_set(name, chosen.data, range(chosen.seeds), tune=not chosen.no_tune, rival=not chosen.no_rival)
        for name in names
    }
    print(json.dumps(figures, indent=2) if chosen.as_json else _table(figures))


def measure_set(name: str, data: Path, seeds: Sequence[int], *, tune: bool, rival: bool) -> dict[str, Any]:
    """Returns the figures of ours, by seed, and of the baselines on one set."""
    paths = [data / f"{SETS[name]}_{part}.jsonl.gz" for part in ("store", "queries")]
    if missing := [path.name for path in paths if not path.exists()]:
        sys.exit(f"{missing[0]} is not in {data}")
    labelled = read_labelled(*paths)
    figures = {f"canongate, seed {seed}": measure_ours(labelled, seed, tune=tune) for seed in seeds}
    vectors = embed_set(labelled)
    similarities = vectors.queries @ vectors.store.T
    figures["nearest phrasing"] = by_prompt(vectors, similarities, nearest=1)
    figures["mean of three nearest"] = by_prompt(vectors, similarities, nearest=3)
    if rival:
        figures[RIVAL] = measure_rival(vectors)
    return figures


def measure_ours(labelled: Labelled, seed: int, *, tune: bool) -> dict[str, Any]:
    """Fits and measures the matcher as it serves, every gate included."""
    with TemporaryDirectory(prefix="canongate-bench-") as scratch:
        folder = Path(scratch)
        fitted = fit_corpus(
            trial_corpus(labelled.store),
            EmbedderSource(packaged_minilm(), PACKAGED_MINILM_SHA256, EXPORTS),
            tune=tune,
            tuned=TunedPlace(folder / "tuned", folder / "exports"),
            seed=seed,
            progress=say,
        )
        trial = run_trial(
            labelled.store,
            labelled.queries,
            Tolerance(),
            embedder=fitted.embedder,
            scorer=LearnedScorer(fitted.fitted.model),
            held_out=fitted.fitted.held_out,
            languages=fitted.embedder.languages,
            progress=say,
        )
    figures: dict[str, Any] = msgspec.to_builtins(trial.measured)
    return {**figures, "fit_seconds": round(fitted.seconds, 1), "is_tuned": fitted.is_tuned}


def embed_set(labelled: Labelled) -> Vectors:
    """Embeds a set with the packaged embedder as it is."""
    embedder = load_embedder(packaged_minilm(), EXPORTS, PACKAGED_MINILM_SHA256, lambda line: say(line, 0, 1))
    corpus = trial_corpus(labelled.store)
    numbers = {key: number for number, key in enumerate(corpus.keys)}
    texts = [query.text for query in labelled.queries]
    return Vectors(
        corpus,
        embed_all(embedder, corpus.texts, "embedding the store", say),
        embed_all(embedder, background(), "embedding the background", say),
        embed_all(embedder, texts, "embedding the queries", say),
        np.array([numbers.get(query.intent, NONE) for query in labelled.queries], dtype=np.int64),
        tuple(query.kind for query in labelled.queries),
    )


def by_prompt(vectors: Vectors, similarities: Any, *, nearest: int) -> dict[str, Any]:
    """Ranks prompts by the mean similarity of their nearest phrasings."""
    labels, count = vectors.corpus.labels, len(vectors.corpus.keys)
    scores = np.stack(
        [np.sort(similarities[:, labels == label], axis=1)[:, -nearest:].mean(axis=1) for label in range(count)], axis=1
    ).astype(np.float64)
    return ranking_figures(vectors, scores.max(axis=1), scores.argmax(axis=1))


def ranking_figures(vectors: Vectors, scores: Any, ranked: Any) -> dict[str, Any]:
    """Returns what a ranking reaches, whatever its thresholds."""
    near = np.flatnonzero([kind in (Kind.IN_SCOPE, Kind.NEAR_MISS) for kind in vectors.kinds])
    kept = {
        f"{share:g}": answered_outside(scores[near], ranked[near], vectors.truths[near], share) for share in (0.95, 0.8)
    }
    return {
        "accuracy": accuracy(ranked, vectors.truths),
        "coverage_at_false_match": {
            f"{rate:g}": coverage_at_false_match(scores, ranked, vectors.truths, rate) for rate in (0.01, 0.02, 0.05)
        },
        "others_answered_at_kept": {
            share: {"near_miss": found[1] if found else None, "stranger": None} for share, found in kept.items()
        },
    }


def measure_rival(vectors: Vectors) -> dict[str, Any]:
    """Runs semantic-router in its own venv, made once, on the same vectors."""
    python = RIVAL_VENV / "bin" / "python"
    if not python.exists():
        say(f"installing {RIVAL} in {RIVAL_VENV.relative_to(ROOT)}", 0, 1)
        venv.create(RIVAL_VENV, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", RIVAL, f"numpy=={np.__version__}"], check=True)  # noqa: S603 - our own venv
    with TemporaryDirectory(prefix="canongate-rival-") as scratch:
        given, found = Path(scratch) / "given.npz", Path(scratch) / "found.npz"
        np.savez(
            given,
            store=vectors.store,
            labels=vectors.corpus.labels,
            background=vectors.background,
            queries=vectors.queries,
        )
        say(f"fitting the thresholds of {RIVAL}", 0, 1)
        script = ROOT / "benchmarks" / "rival_routes.py"
        subprocess.run([python, "-P", script, given, found], check=True, stderr=subprocess.DEVNULL)  # noqa: S603 - our own script
        result = np.load(found)
    answered, in_scope = result["answered"], vectors.truths != NONE
    right = (answered == vectors.truths) & in_scope
    return {
        **ranking_figures(vectors, result["scores"], result["ranked"]),
        "at_own_limits": {
            "coverage": float(right[in_scope].mean()),
            "false_match": float(((answered != NONE) & ~right).mean()),
        },
    }


def say(phase: str, done: int, total: int) -> None:
    """Reports progress on standard error, a line for each tenth."""
    if total <= 1 or done * 10 // total != (done - 1) * 10 // total:
        print(f"{phase} {done}/{total}" if total > 1 else phase, file=sys.stderr)


def _table(figures: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["answered rightly at 1 % / 5 % wrong; near misses answered at 95 % / 80 %; own limits: wrong, right"]
    for name, rows in figures.items():
        lines.append(f"\n{name}")
        for who, row in rows.items():
            coverage = row["coverage_at_false_match"]
            near = [row["others_answered_at_kept"][share]["near_miss"] for share in ("0.95", "0.8")]
            shown = " / ".join("-" if share is None else f"{share:.3f}" for share in near)
            lines.append(
                f"{who:>24}  right {row['accuracy']:.3f}  {coverage['0.01']:.3f} / {coverage['0.05']:.3f}  {shown}  "
                f"{_own(row.get('at_own_limits'))}"
            )
    return "\n".join(lines)


def _own(limits: Mapping[str, Any] | None) -> str:
    if limits is None:
        return ""
    rows = {"": limits} if "coverage" in limits else limits
    return "; ".join(
        f"{rate or 'fitted'}: {one['false_match']:.4f}, {one['coverage']:.3f}" for rate, one in rows.items()
    )


if __name__ == "__main__":
    main()
