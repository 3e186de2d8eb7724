"""How fast a message is matched in stores of a thousand to a million phrasings: `python -m benchmarks.match_speed`.

Beside it, in the same run and on one thread each: `SentenceTransformer.encode` and a NumPy cosine over all phrasings.
"""

import argparse
import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.sentences import PHRASINGS_PER_PROMPT, questions, rows
from benchmarks.vector_cache import SentenceVectors
from gateway.fitting.corpora import fit_untuned
from models.embedding.embedder import PACKAGED_MINILM_SHA256, load_embedder, packaged_minilm
from models.ports import Embedder
from rails.languages import unread_by
from store.calibration import calibrate
from store.catalog import Catalog
from store.content import CanonicalPrompt, PromptVersion, Tolerance
from store.contradiction import contradicts
from store.index import PromptIndex
from store.learning.artefact import FittedFolder, fitted_key
from store.learning.corpus import background, corpus_of
from store.learning.scorer import LearnedScorer
from store.matcher import Matcher
from store.phrases import rows_of
from store.plain import canonical_hash
from store.scoring import Limits, NearestScorer, Scope

ROOT = Path(__file__).parents[1]
SIZES = (1_000, 10_000, 100_000, 1_000_000)
AREA = "desk"
NEAREST = 64
ADDED = ("Where do the llamas of the Lima office sleep?", "Who feeds the llamas?", "Book a llama for Friday")
LIMITS = Limits(answer=0.8, suggest=0.5, margin=0.02, floor=0.3, follow_up=0.9)
"""Of the scorer by cosines alone."""
LEARNED_UP_TO = 20_000
"""Phrasings that a scorer is learned from, in about a minute each 10,000; larger stores are timed without one."""


def main() -> None:
    """Measures each size in a process of its own, so that its memory is its own, and prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python -m benchmarks.match_speed --sizes 1000,10000 --json. The first run embeds the "
        "phrasings and keeps their vectors (1.5 GB and half an hour for a million); it goes on where it was stopped.",
    )
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of phrasings (%(default)s)")
    parser.add_argument("--questions", type=int, default=300, help="messages timed for each size (%(default)s)")
    parser.add_argument("--cache", type=Path, default=ROOT / "var" / "bench", help="where vectors are kept")
    parser.add_argument("--embedder", type=Path, default=ROOT / "var" / "embedder", help="where the export is kept")
    parser.add_argument("--cpu-time", action="store_true", help="time on the processor: for a machine that is busy")
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one is not None:
        clock = time.process_time if chosen.cpu_time else time.perf_counter
        print(json.dumps(_Run(chosen.one, chosen.questions, chosen.cache, chosen.embedder, clock).figures()))
        return
    figures = [_in_own_process(int(size), chosen) for size in chosen.sizes.split(",")]
    print(json.dumps(figures, indent=2) if chosen.as_json else _table(figures))


def decision(index: PromptIndex, embedder: Embedder, scope: Scope) -> Callable[[str], object]:
    """Returns what is timed as "the whole decision": from a message to its match."""
    matcher = Matcher(index, embedder.embed, {AREA: scope}, is_unread=unread_by({"en"}))
    return lambda message: matcher.match(message, AREA)


def nearest_scope() -> Scope:
    """Returns what ranks by cosines alone."""
    return Scope(frozenset({AREA}), NearestScorer(), LIMITS)


def learned_scope(catalog: Catalog, embedder: Embedder, folder: Path) -> Scope:
    """Returns what ranks as in serving, with its calibrated limits; a fit that `folder` has is not made again."""
    corpus = corpus_of(rows_of(catalog.prompts.values()), {AREA})
    key, kept = fitted_key(corpus, embedder.fingerprint, background()), FittedFolder(folder)
    fitted = kept.read(key)
    if fitted is None:
        fitted = fit_untuned(corpus, embedder, progress=_say_first)
        kept.write(key, fitted)
    limits = calibrate(fitted.held_out, corpus, Tolerance(), contradicts=contradicts).limits
    return Scope(frozenset({AREA}), LearnedScorer(fitted.model), limits)


def _in_own_process(size: int, chosen: argparse.Namespace) -> dict[str, float | str]:
    paths = ("--cache", str(chosen.cache), "--embedder", str(chosen.embedder))
    command = (sys.executable, "-m", "benchmarks.match_speed", "--one", str(size), *paths)
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(  # noqa: S603 - our own program
        (*command, "--questions", str(chosen.questions), *(["--cpu-time"] if chosen.cpu_time else [])),
        cwd=ROOT,
        env={**os.environ, **one_thread},  # noqa: TID251 - handed on as it is, on one thread
        stdout=subprocess.PIPE,
        check=True,
    )
    figures: dict[str, float | str] = json.loads(done.stdout)
    return figures


@dataclass(frozen=True)
class _Run:
    size: int
    questions: int
    cache: Path
    exported: Path
    clock: Callable[[], float]

    def figures(self) -> dict[str, float | str]:
        embedder = load_embedder(packaged_minilm(), self.exported, PACKAGED_MINILM_SHA256, _say)
        sentences = list(rows(self.size))
        asked = [text for text, _ in questions(self.questions, -(-self.size // PHRASINGS_PER_PROMPT))]
        vectors = SentenceVectors(self.cache, embedder).of([text for text, _ in sentences], _say)
        catalog = _catalog(sentences)
        del sentences
        with tempfile.TemporaryDirectory(dir=self.cache) as folder:
            index, figures = self._build(catalog, vectors, embedder, Path(folder))
        _say(f"{self.size}: asking")
        queries = embedder.embed(asked)
        figures |= self._times("search", [lambda q=q: index.search(q[None], NEAREST, [AREA]) for q in queries])
        found = [index.search(query[None], NEAREST, [AREA])[0].score for query in queries]
        figures["recall_top_1"] = float(np.mean(np.array(found) >= _best(vectors, queries) - 1e-5))
        figures |= self._times("embed", [lambda text=text: embedder.embed([text]) for text in asked])
        is_learned = self.size <= LEARNED_UP_TO
        scope = learned_scope(catalog, embedder, self.cache / "fits") if is_learned else nearest_scope()
        decide = decision(index, embedder, scope)
        figures |= self._times("decision", [lambda text=text: decide(text) for text in asked])
        ask = _baseline(vectors)
        figures |= self._times("baseline", [lambda text=text: ask(text) for text in asked])
        figures["times_faster"] = figures["baseline_p50_ms"] / figures["decision_p50_ms"]
        scorer = "learned" if is_learned else "nearest"
        return {"phrasings": self.size, "scorer": scorer, **{name: round(value, 4) for name, value in figures.items()}}

    def _build(
        self, catalog: Catalog, vectors: np.ndarray, embedder: Embedder, folder: Path
    ) -> tuple[PromptIndex, dict[str, float]]:
        """Times a first build (vectors given), a restart from the snapshot, and a few sentences more."""
        kept = {"fingerprint": embedder.fingerprint, "dimension": embedder.dimension, "folder": folder}
        figures: dict[str, float] = {}
        _say(f"{len(vectors)}: building the index")
        started = self.clock()
        PromptIndex.open(catalog, _replay(vectors), **kept)
        figures["build_s"] = self.clock() - started
        gc.collect()
        before = _resident_mib()
        started = self.clock()
        index = PromptIndex.open(catalog, embedder.embed, **kept)
        figures["restart_s"] = self.clock() - started
        gc.collect()
        figures["memory_mib"] = _resident_mib() - before
        more = Catalog(2, {**catalog.prompts, "desk.zoo": _prompt("desk.zoo", ADDED)}, {}, {})
        started = self.clock()
        more_index = PromptIndex.open(more, embedder.embed, previous=index, **kept)
        figures["addition_s"] = self.clock() - started
        if more_index.search(embedder.embed(ADDED[:1]), 1, [AREA])[0].row.text != ADDED[0]:
            raise SystemExit("an added sentence was not found. This is a bug.")
        figures["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return index, figures

    def _times(self, name: str, calls: Sequence[Callable[[], object]]) -> dict[str, float]:
        for call in calls[:10]:
            call()
        times = []
        for call in calls:
            started = self.clock()
            call()
            times.append(1000 * (self.clock() - started))
        return {f"{name}_p50_ms": statistics.median(times), f"{name}_p95_ms": float(np.quantile(times, 0.95))}


def _catalog(sentences: Sequence[tuple[str, str]]) -> Catalog:
    phrasings: dict[str, list[str]] = {}
    for text, key in sentences:
        phrasings.setdefault(key, []).append(text)
    return Catalog(1, {key: _prompt(key, texts) for key, texts in phrasings.items()}, {}, {})


def _prompt(key: str, phrasings: Sequence[str]) -> PromptVersion:
    reply = {"mode": "verbatim", "answer": "Ask the desk."}
    words = {"title": key, "area": AREA, "owner": "Desk", "language": "en", "review_by": "2027-06-30"}
    content = msgspec.convert({"key": key, **words, "phrasings": phrasings, "reply": reply}, CanonicalPrompt)
    return PromptVersion(1, content, canonical_hash(content))


def _replay(vectors: np.ndarray) -> Callable[[Sequence[str]], np.ndarray]:
    """Returns an embedder that has the vectors of the sentences at hand, in the order of the index."""
    place = 0

    def embed(texts: Sequence[str]) -> np.ndarray:
        nonlocal place
        place += len(texts)
        return np.array(vectors[place - len(texts) : place])

    return embed


def _best(vectors: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """The cosine of the nearest phrasing to each query, every one compared."""
    best = np.full(len(queries), -1.0, dtype=np.float32)
    for start in range(0, len(vectors), 50_000):
        best = np.maximum(best, (queries @ vectors[start : start + 50_000].T).max(axis=1))
    return best


def _baseline(vectors: np.ndarray) -> Callable[[str], int]:
    _say("the same with SentenceTransformer.encode and NumPy")
    import torch  # noqa: PLC0415 - after the memory of the index was measured
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - as above

    torch.set_num_threads(1)
    model = SentenceTransformer(str(packaged_minilm()), device="cpu", local_files_only=True)

    def ask(text: str) -> int:
        vector = model.encode(text, normalize_embeddings=True, show_progress_bar=False)
        return int(np.argmax(vectors @ vector))

    return ask


def _resident_mib() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def _say_first(phase: str, done: int, _steps: int) -> None:
    if done == 0:
        _say(phase)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _table(figures: Sequence[dict[str, float | str]]) -> str:
    return "\n".join(f"{name:>18}  " + "  ".join(f"{one[name]:>10}" for one in figures) for name in figures[0])


if __name__ == "__main__":
    main()
