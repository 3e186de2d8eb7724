"""Fits a matcher on a corpus: tunes the embedder in folds and for good, exports it, learns to rank."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gateway.errors import SettingsInvalid
from gateway.fitting.contradicting import with_contradictions
from gateway.fitting.seen import SeenEmbedder
from gateway.settings import Settings
from models.embedding.embedder import (
    PACKAGED_MINILM_LANGUAGES,
    PACKAGED_MINILM_SHA256,
    OnnxEmbedder,
    load_embedder,
    packaged_minilm,
)
from models.embedding.tuning_plan import FINAL, FOLD, TuningPlan
from models.errors import ModelRefused
from models.ports import Embedder, Vectors
from rails.languages import unread_by
from store.learning.corpus import Corpus, background
from store.learning.errors import TooLittleToLearn
from store.learning.fit import Fitted, fit
from store.learning.folds import Folds, FoldVectors, make_folds

if TYPE_CHECKING:
    from models.embedding.tuning import Tuned, Tuner

Progress = Callable[[str, int, int], None]
"""Is told what is being done, and how much of it; what it raises ends the fitting."""

_BATCH = 64
"""Sentences embedded between two reports of progress."""


@dataclass(frozen=True, slots=True)
class EmbedderSource:
    """The sentence-transformers folder that fitting starts from."""

    path: Path
    sha256: str
    """Of its model.safetensors."""
    exports: Path
    """Where exported models are kept."""
    languages: frozenset[str] | None = None
    """What the model reads; None for the packaged one, whose languages are known, and where nobody knows."""


def source_of(settings: Settings) -> EmbedderSource:
    """Returns the embedder that the settings name: the packaged one, or a folder with its hash."""
    exports = settings.data_directory / "embedder"
    if not settings.embedder.path:
        return EmbedderSource(packaged_minilm(), PACKAGED_MINILM_SHA256, exports)
    if not settings.embedder.sha256:
        raise SettingsInvalid("embedder.sha256: needed with embedder.path; run sha256sum on its model.safetensors")
    spoken = frozenset(code.strip() for code in settings.embedder.languages.split(",") if code.strip())
    if spoken:
        require_known_languages(spoken, "embedder.languages")
    path = Path(settings.embedder.path).expanduser()
    return EmbedderSource(path, settings.embedder.sha256, exports, spoken or None)


def require_known_languages(languages: frozenset[str], where: str) -> None:
    """Raises `SettingsInvalid` for a language that messages cannot be told to be in."""
    try:
        unread_by(languages)
    except ValueError as error:
        raise SettingsInvalid(f"{where}: {error}") from error


@dataclass(frozen=True, slots=True)
class TunedPlace:
    """Where a tuned model goes."""

    folder: Path
    """Of the model as sentence-transformers reads it; must not exist yet, and is not needed afterwards."""
    exports: Path
    """Where its exported form is kept."""


@dataclass(frozen=True, slots=True)
class FittedStore:
    """What a matcher needs to serve the corpus."""

    embedder: Embedder
    fitted: Fitted
    is_tuned: bool
    """Whether the embedder was tuned on this corpus; if not, `note` says why."""
    note: str
    seconds: float


@dataclass(frozen=True, slots=True)
class FittedParts:
    """What the matchers of several parts of one store need; they share the embedder."""

    embedder: Embedder
    fitted: tuple[Fitted | TooLittleToLearn, ...]
    """By part."""
    is_tuned: bool
    note: str


def fit_corpus(
    corpus: Corpus,
    source: EmbedderSource,
    *,
    tune: bool,
    tuned: TunedPlace,
    threads: int = 1,
    seed: int = 0,
    progress: Progress,
) -> FittedStore:
    """Fits one matcher on the whole corpus; see `fit_parts`. Raises `TooLittleToLearn` as well."""
    started = time.perf_counter()
    made = fit_parts(
        corpus,
        [corpus],
        source,
        tune=tune,
        tuned=tuned,
        threads=threads,
        seed=seed,
        progress=progress,
    )
    (fitted,) = made.fitted
    if isinstance(fitted, TooLittleToLearn):
        raise fitted
    return FittedStore(made.embedder, fitted, made.is_tuned, made.note, time.perf_counter() - started)


def fit_parts(
    whole: Corpus,
    parts: Sequence[Corpus],
    source: EmbedderSource,
    *,
    tune: bool,
    tuned: TunedPlace,
    threads: int = 1,
    seed: int = 0,
    seen: Path | None = None,
    progress: Progress,
) -> FittedParts:
    """Fits everything on the corpora and the packaged background, in this process; with `tune` it imports torch.

    The embedder is tuned once, on `whole`; a matcher is fitted for each of `parts`, whose prompts are some of those of
    `whole`. A model or a corpus that cannot be tuned serves untuned. `seen` is the folder of vectors that earlier fits
    made with the untuned embedder. Raises `ModelError`.
    """
    others = background()
    folds = make_folds(whole, len(others), seed=seed)
    embedder = load_source(source, progress)
    fold_vectors: FoldVectors | None = None
    note = "not asked for"
    if tune:
        try:
            tuner = _tuner(source, threads)
            fold_vectors = _fold_vectors(tuner, whole, others, folds, seed=seed, progress=progress)
            made = _tune(tuner, whole, others, FINAL, seed=seed, phase="tuning the embedder", progress=progress)
            embedder, note = (
                _load(replace(source, exports=tuned.exports), tuned.folder, made.save(tuned.folder), progress),
                "",
            )
        except ModelRefused as error:
            fold_vectors, note = None, str(error)
    once = SeenEmbedder(embedder, seen if fold_vectors is None else None)
    folded = None if fold_vectors is None else (folds, fold_vectors)
    fitted = tuple(_fit_part(whole, part, once, folded, seed=seed, progress=progress) for part in parts)
    once.keep()
    return FittedParts(embedder, fitted, fold_vectors is not None, note)


def _part_of(whole: Corpus, part: Corpus, folds: Folds, fold_vectors: FoldVectors) -> tuple[Folds, FoldVectors]:
    """Returns what the embedder was tuned with, of the part's prompts; sentences stand in the same order in both."""
    numbers = {key: number for number, key in enumerate(whole.keys)}
    prompts = np.array([numbers[key] for key in part.keys], dtype=np.int64)
    is_own = np.isin(whole.labels, prompts)
    own = Folds(count=folds.count, rows=folds.rows[is_own], prompts=folds.prompts[prompts], background=folds.background)
    sentences = np.concatenate([is_own, np.isin(whole.counter_labels, prompts)])
    return own, [(vectors[sentences], strangers) for vectors, strangers in fold_vectors]


def _fit_part(
    whole: Corpus,
    part: Corpus,
    embedder: Embedder,
    folded: tuple[Folds, FoldVectors] | None,
    *,
    seed: int,
    progress: Progress,
) -> Fitted | TooLittleToLearn:
    try:
        if folded is None:
            # In folds of its own: `fitted_key` names the part and the embedder, and nothing else may make a difference.
            return fit_untuned(part, embedder, seed=seed, progress=progress)
        folds, fold_vectors = _part_of(whole, part, *folded)
        return _fit(part, embedder, background(), folds=folds, fold_vectors=fold_vectors, progress=progress)
    except TooLittleToLearn as error:
        return error


def fit_untuned(corpus: Corpus, embedder: Embedder, *, seed: int = 0, progress: Progress) -> Fitted:
    """Fits on the vectors of an embedder as it is."""
    others = background()
    folds = make_folds(corpus, len(others), seed=seed)
    return _fit(corpus, embedder, others, folds=folds, fold_vectors=None, progress=progress)


def embed_all(embedder: Embedder, texts: Sequence[str], phase: str, progress: Progress) -> Vectors:
    """Returns the vectors of many texts, reporting progress."""
    parts = [np.empty((0, embedder.dimension), dtype=np.float32)]
    for start in range(0, len(texts), _BATCH):
        progress(phase, start, len(texts))
        parts.append(embedder.embed(texts[start : start + _BATCH]))
    return np.concatenate(parts)


def _fit(
    corpus: Corpus,
    embedder: Embedder,
    others: Sequence[str],
    *,
    folds: Folds,
    fold_vectors: FoldVectors | None,
    progress: Progress,
) -> Fitted:
    phase = "embedding the phrasings"
    fitted = fit(
        corpus,
        embed_all(embedder, corpus.texts, phase, progress),
        embed_all(embedder, corpus.counter_texts, phase, progress),
        embed_all(embedder, others, phase, progress),
        folds=folds,
        fold_vectors=fold_vectors,
        progress=progress,
    )
    progress("looking for contradictions", 0, 1)
    return with_contradictions(fitted, corpus)


def load_source(source: EmbedderSource, progress: Progress) -> OnnxEmbedder:
    """Returns the embedder as it is, exporting it where that was not done yet."""
    return _load(source, source.path, source.sha256, progress)


def _load(source: EmbedderSource, folder: Path, sha256: str, progress: Progress) -> OnnxEmbedder:
    is_packaged = source.sha256 == PACKAGED_MINILM_SHA256
    languages = PACKAGED_MINILM_LANGUAGES if is_packaged else source.languages
    return load_embedder(folder, source.exports, sha256, lambda line: progress(line, 0, 1), languages=languages)


def _tuner(source: EmbedderSource, threads: int) -> "Tuner":
    from models.embedding.tuning import Tuner  # noqa: PLC0415 - torch takes 4 s and 430 MB, and only tuning needs it

    return Tuner(source.path, source.sha256, threads=threads)


def _tune(
    tuner: "Tuner",
    corpus: Corpus,
    others: Sequence[str],
    plan: TuningPlan,
    *,
    seed: int,
    phase: str,
    progress: Progress,
) -> "Tuned":
    return tuner.tune(
        corpus.texts, corpus.labels, others, plan, seed=seed, progress=lambda done, steps: progress(phase, done, steps)
    )


def _fold_vectors(
    tuner: "Tuner", corpus: Corpus, others: Sequence[str], folds: Folds, *, seed: int, progress: Progress
) -> FoldVectors:
    """Tunes once a fold without what it holds out, and embeds everything with that."""
    sentences = (*corpus.texts, *corpus.counter_texts)
    vectors = []
    for fold in range(folds.count):
        phase = f"tuning for fold {fold + 1} of {folds.count}"
        rows = folds.known_rows(fold, corpus.labels).tolist()
        tuned = tuner.tune(
            [corpus.texts[row] for row in rows],
            corpus.labels[rows],
            [others[row] for row in folds.known_background(fold).tolist()],
            FOLD,
            seed=seed + 1 + fold,
            progress=lambda done, steps, phase=phase: progress(phase, done, steps),  # type: ignore[misc]  # the default binds the loop's phase
        )
        vectors.append((tuned.embed(sentences), tuned.embed(others)))
    return vectors
