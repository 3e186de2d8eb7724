"""The fitted matchers of a data folder: found for what is published, made where there are none."""

import fcntl
import hashlib
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from gateway.fitting.corpora import EmbedderSource, FittedParts, TunedPlace, fit_parts
from gateway.fitting.process import FitJob, Progress
from models.embedder import OnnxEmbedder
from models.errors import ModelRefused
from models.ports import Embedder
from models.tuning_plan import FINAL, FOLD
from store.content import CanonicalPrompt, PromptVersion
from store.errors import StoreUnavailable
from store.learning.artefact import FittedFolder, fitted_key
from store.learning.corpus import Corpus, background, corpus_of
from store.learning.errors import TooLittleToLearn
from store.learning.fit import Fitted
from store.phrases import rows_of
from store.snapshot import write_durably

Areas = frozenset[str]


_RECORD = "fit-{}.json"
_SCRATCH = ".tuning-"
_SCRATCH_AGE_S = 24 * 3600.0
_KEPT = 4
"""Finished fits: with and without tuning, of what is live and of what was live before it."""


class FitRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a finished fit left beside its models."""

    embedder: str
    """Fingerprint of the embedder that serves with it."""
    is_tuned: bool
    note: str
    """Why the embedder is not tuned, if it is not."""
    fits: tuple[str, ...]
    """Keys of its models."""
    too_little: dict[str, str]
    """Areas, as one word, whose prompts were too few to learn from, and why."""


@dataclass(frozen=True)
class Published:
    """What a fit depends on: the prompts, and the sets of areas that assistants match in."""

    prompts: tuple[CanonicalPrompt, ...]
    scopes: tuple[Areas, ...]

    @cached_property
    def corpora(self) -> Mapping[Areas, Corpus]:
        """The sentences of each set of areas; a set without any is absent."""
        rows = rows_of(PromptVersion(1, prompt, "") for prompt in self.prompts)
        made = {areas: corpus_of(rows, areas) for areas in self.scopes}
        return {areas: corpus for areas, corpus in made.items() if corpus.keys}

    @cached_property
    def whole(self) -> Corpus:
        """The sentences of all of them."""
        return corpus_of(rows_of(PromptVersion(1, one, "") for one in self.prompts), Areas().union(*self.scopes))


@dataclass(frozen=True, slots=True)
class Fit:
    """Everything that was learned from what is published."""

    fingerprint: str
    embedder: Embedder
    is_tuned: bool
    note: str
    fitted: Mapping[Areas, Fitted]
    """By areas; absent where the phrasings were too few, and then `too_little` says why."""
    too_little: Mapping[Areas, str]


class Fits:
    """Keeps fits in a folder, by what they were made from."""

    def __init__(self, folder: Path, exports: Path, embedder: Embedder) -> None:
        self._folder = folder
        self._exports = exports
        self._embedder = embedder

    def find(self, published: Published, *, is_tuned: bool) -> Fit | None:
        """Returns the fit, if it is there and every byte of it is verified."""
        name = _name(published, self._embedder.fingerprint, is_tuned=is_tuned)
        record = _read(self._folder / _RECORD.format(name))
        if record is None:
            return None
        try:
            embedder = self._open(record.embedder)
        except ModelRefused:
            return None
        fitted: dict[Areas, Fitted] = {}
        too_little: dict[Areas, str] = {}
        for areas, corpus in published.corpora.items():
            if reason := record.too_little.get(_word(areas)):
                too_little[areas] = reason
                continue
            found = FittedFolder(self._folder).read(fitted_key(corpus, record.embedder, background()))
            if found is None:
                return None
            fitted[areas] = found
        return Fit(name, embedder, record.is_tuned, record.note, fitted, too_little)

    def _open(self, fingerprint: str) -> Embedder:
        if fingerprint == self._embedder.fingerprint:
            return self._embedder
        return OnnxEmbedder(self._exports / fingerprint, languages=self._embedder.languages)


def fit_job(job: FitJob, progress: Progress) -> None:
    """Fits a job and keeps what comes of it. Raises `ModelError` and `StoreError`."""
    published = Published(job.prompts, tuple(frozenset(areas) for areas in job.scopes))
    languages = None if job.languages is None else frozenset(job.languages)
    source = EmbedderSource(Path(job.source), job.sha256, Path(job.exports), languages)
    corpora = published.corpora
    folder = Path(job.fits)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _drop_scratch(folder)
    with TemporaryDirectory(prefix=_SCRATCH, dir=folder) as scratch:
        made = fit_parts(
            published.whole,
            list(corpora.values()),
            source,
            tune=job.is_tuned,
            tuned=TunedPlace(Path(scratch) / "tuned", source.exports),
            threads=job.threads,
            progress=progress,
        )
    with _locked(folder):
        keep(folder, job.base, published, made, is_tuned=job.is_tuned)
        drop_old(folder, Path(job.exports), job.base)


def _drop_scratch(folder: Path) -> None:
    """Removes what fits left that were ended in the middle of their work."""
    oldest = time.time() - _SCRATCH_AGE_S
    for left in folder.glob(f"{_SCRATCH}*"):
        if left.stat().st_mtime < oldest:
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lets one process at a time write and remove fits."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def keep(folder: Path, base: str, published: Published, made: FittedParts, *, is_tuned: bool) -> None:
    """Writes the models first and the record last, so that a record is there only with all of its models."""
    too_little: dict[str, str] = {}
    keys = []
    for (areas, corpus), fitted in zip(published.corpora.items(), made.fitted, strict=True):
        if isinstance(fitted, TooLittleToLearn):
            too_little[_word(areas)] = str(fitted)
        else:
            keys.append(fitted_key(corpus, made.embedder.fingerprint, background()))
            FittedFolder(folder).write(keys[-1], fitted)
    record = FitRecord(made.embedder.fingerprint, made.is_tuned, made.note, tuple(keys), too_little)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / _RECORD.format(_name(published, base, is_tuned=is_tuned))
        write_durably(path, [memoryview(msgspec.json.encode(record))])
    except OSError as error:
        raise StoreUnavailable(f"the fit cannot be kept in {folder}: {error.strerror}") from error


def drop_old(folder: Path, exports: Path, base: str) -> None:
    """Removes what only older fits needed: their models, and the exports of the embedders that were tuned for them."""
    newest_first = sorted(folder.glob(_RECORD.format("*")), key=lambda path: path.stat().st_mtime, reverse=True)
    records = {path: _read(path) for path in newest_first}
    kept = [record for record in list(records.values())[:_KEPT] if record is not None]
    in_use = {base, *(record.embedder for record in kept)}
    for path, record in list(records.items())[_KEPT:]:
        path.unlink(missing_ok=True)
        if record is not None and record.embedder not in in_use:
            shutil.rmtree(exports / record.embedder, ignore_errors=True)
    FittedFolder(folder).keep_only({key for record in kept for key in record.fits})


def _read(path: Path) -> FitRecord | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=FitRecord)
    except (OSError, msgspec.MsgspecError):
        return None


def _name(published: Published, base: str, *, is_tuned: bool) -> str:
    parts = [base, repr((FINAL, FOLD)) if is_tuned else "untuned"]
    parts += sorted(fitted_key(corpus, base, background()) for corpus in published.corpora.values())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _word(areas: Areas) -> str:
    return "+".join(sorted(areas))
