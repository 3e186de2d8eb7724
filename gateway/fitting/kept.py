"""The fitted matchers of a data folder: found for what is published, made where there are none."""

import fcntl
import hashlib
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from gateway.fitting.corpora import EmbedderSource, FittedParts, TunedPlace, fit_parts
from gateway.fitting.process import FitJob, Progress
from gateway.fitting.seen import folder_name
from models.embedding.embedder import OnnxEmbedder
from models.embedding.tuning_plan import FINAL, FOLD
from models.errors import ModelRefused
from models.ports import Embedder
from models.verified import intact_manifest
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
_EMBEDDERS = "embedders"
"""Exports of tuned embedders. Under the lock each has a record that names it, so what has none is of no use."""
_SCRATCH = ".tuning-"
_HELD = "held"
_VECTORS = "vectors"
"""Of the sentences of the last fit, by the embedder as it is."""
_KEPT = 8
"""Finished fits, those used last: with and without tuning, of what is live, was live before, and was tried."""


_LOG = logging.getLogger(__name__)


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
    """Finds fits by what they were made from: in the folder that keeps them, or in others."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        self._folders: tuple[Path, ...] = (folder,)
        self._embedder = embedder

    def look_in(self, folder: Path) -> None:
        """Finds what is in this folder too."""
        self._folders += (folder,)

    def find(self, published: Published, *, is_tuned: bool) -> Fit | None:
        """Returns the fit, if it is there and every byte of it is verified."""
        found = (self._find(folder, published, is_tuned=is_tuned) for folder in self._folders)
        return next((fit for fit in found if fit is not None), None)

    def _find(self, folder: Path, published: Published, *, is_tuned: bool) -> Fit | None:
        name = _name(published, self._embedder.fingerprint, is_tuned=is_tuned)
        path = folder / _RECORD.format(name)
        record = _read(path)
        if record is None:
            return None
        try:
            embedder = self._open(folder, record.embedder)
        except ModelRefused as error:
            _LOG.warning("fit_embedder_not_used, the fit is made again: %s", error)
            return None
        fitted: dict[Areas, Fitted] = {}
        too_little: dict[Areas, str] = {}
        for areas, corpus in published.corpora.items():
            if reason := record.too_little.get(_word(areas)):
                too_little[areas] = reason
                continue
            found = FittedFolder(folder).read(fitted_key(corpus, record.embedder, background()))
            if found is None:
                _LOG.warning("fit_incomplete, it is made again: a model that %s names is damaged or gone", path)
                return None
            fitted[areas] = found
        with suppress(OSError):  # where nothing can be written, nothing is dropped either
            path.touch()
        return Fit(name, embedder, record.is_tuned, record.note, fitted, too_little)

    def embedders(self) -> frozenset[str]:
        """Returns the fingerprints of the embedders that fits may serve with."""
        tuned = (export.name for folder in self._folders for export in (folder / _EMBEDDERS).glob("*"))
        return frozenset({self._embedder.fingerprint, *tuned})

    def _open(self, folder: Path, fingerprint: str) -> Embedder:
        if fingerprint == self._embedder.fingerprint:
            return self._embedder
        return OnnxEmbedder(folder / _EMBEDDERS / fingerprint, languages=self._embedder.languages)


def fit_job(job: FitJob, progress: Progress) -> None:
    """Fits a job and keeps what comes of it. Raises `ModelError` and `StoreError`."""
    published = Published(job.prompts, tuple(frozenset(areas) for areas in job.scopes))
    languages = None if job.languages is None else frozenset(job.languages)
    source = EmbedderSource(Path(job.source), job.sha256, Path(job.exports), languages)
    folder = Path(job.fits)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _scratch_in(folder) as scratch:
        place = TunedPlace(scratch / "tuned", scratch / "exports")
        made = fit_parts(
            published.whole,
            list(published.corpora.values()),
            source,
            tune=job.is_tuned,
            tuned=place,
            threads=job.threads,
            seen=folder / _VECTORS,
            progress=progress,
        )
        with _locked(folder):
            keep_embedders(folder, place.exports)
            keep(folder, job.base, published, made, is_tuned=job.is_tuned)
            drop_old(folder)
            _drop_vectors(folder, job.base)


@contextmanager
def _scratch_in(folder: Path) -> Iterator[Path]:
    """Gives an empty folder that no other process removes while this one lives."""
    with _locked(folder):  # or it could be taken for one that was left, before it is held
        _drop_left(folder)
        made = TemporaryDirectory(prefix=_SCRATCH, dir=folder)
        held = (Path(made.name) / _HELD).open("w")
        fcntl.flock(held, fcntl.LOCK_EX)
    with made as scratch, held:
        yield Path(scratch)


def drop_scratch(folder: Path) -> None:
    """Removes what fits left that were ended in the middle of their work; what a living process holds stays."""
    if not any(folder.glob(f"{_SCRATCH}*")):
        return
    with suppress(OSError), _locked(folder):  # where nothing can be written, nothing can be removed
        _drop_left(folder)


def _drop_left(folder: Path) -> None:
    for left in folder.glob(f"{_SCRATCH}*"):
        if not _is_held(left / _HELD):
            shutil.rmtree(left, ignore_errors=True)


def _is_held(path: Path) -> bool:
    """Whether a living process holds the file: the lock goes with its process, however that ends."""
    try:
        with path.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _drop_vectors(folder: Path, base: str) -> None:
    """Removes the vectors of embedders that are no longer the one to start from."""
    for left in (folder / _VECTORS).glob("*"):
        if left.name != folder_name(base):
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lets one process at a time write and remove fits."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def keep_embedders(folder: Path, exports: Path) -> None:
    """Moves exported embedders to where fits find them; an intact one of the same name stays."""
    for export in exports.glob("[!.]*"):
        target = folder / _EMBEDDERS / export.name
        if intact_manifest(target) is None:
            shutil.rmtree(target, ignore_errors=True)
            target.parent.mkdir(mode=0o700, exist_ok=True)
            export.rename(target)


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


def drop_old(folder: Path) -> None:
    """Removes what no fit of the newest needs: older records, models and embedders, and those without any record.

    Call it under the lock: what another process has moved there, it has given a record by then.
    """
    newest_first = sorted(folder.glob(_RECORD.format("*")), key=lambda path: path.stat().st_mtime, reverse=True)
    kept = [record for path in newest_first[:_KEPT] if (record := _read(path)) is not None]
    for path in newest_first[_KEPT:]:
        path.unlink(missing_ok=True)
    in_use = {record.embedder for record in kept}
    for export in (folder / _EMBEDDERS).glob("*"):
        if export.name not in in_use:
            shutil.rmtree(export, ignore_errors=True)
    FittedFolder(folder).keep_only({key for record in kept for key in record.fits})


def _read(path: Path) -> FitRecord | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=FitRecord)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        _LOG.warning("fit_record_not_used, the fit is made again: %s: %s", path, error)
        return None


def _name(published: Published, base: str, *, is_tuned: bool) -> str:
    parts = [base, repr((FINAL, FOLD)) if is_tuned else "untuned"]
    parts += sorted(fitted_key(corpus, base, background()) for corpus in published.corpora.values())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _word(areas: Areas) -> str:
    return "+".join(sorted(areas))
