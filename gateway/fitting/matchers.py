"""Makes the matcher of what is published: index, learned scores and calibrated limits that belong together."""

import logging
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Protocol

from gateway.errors import NotServing
from gateway.fitting.assembling import Assembled, Assembly
from gateway.fitting.corpora import EmbedderSource
from gateway.fitting.kept import Fit, Fits, Published, drop_scratch
from gateway.fitting.process import FitJob, FitProcess, Progress
from models.ports import Embedder
from store.catalog import Catalog
from store.index import PromptIndex
from store.matcher import Matcher
from store.pauses import uncollected

_FINGERPRINT_CHARS = 16
"""Of an embedder's fingerprint, as the name of the folder of its vectors."""

_LOG = logging.getLogger(__name__)


class Matchers(Protocol):
    """Makes matchers. Both methods block, for up to minutes: call them in a thread."""

    @property
    def status(self) -> str:
        """What serves, and what is being fitted, in words for an operator."""

    @property
    def doing(self) -> str:
        """What is being fitted, and how far it is; empty when nothing is."""

    def make(self, catalog: Catalog) -> Matcher:
        """Returns the best matcher that there is for the catalog, fitting one within seconds when there is none."""

    def improve(self, catalog: Catalog, serving: str | None) -> bool:
        """Fits a better one, if one can be had; returns whether `make` would return another than the one serving.

        A call of `make` that needs a fit of its own ends this one, which then returns False.
        """


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How fits are made, and where they are kept."""

    source: EmbedderSource
    folder: Path
    index: Path
    """Folder of the index's snapshots."""
    log: Path
    """What the fitting process says on standard error."""
    is_tuned: bool
    """Whether better fits with a tuned embedder are wanted."""
    threads: int


class FittedMatchers:
    """Finds fits or makes them in processes of their own; `close` ends those that are going on."""

    def __init__(self, settings: FitSettings, embedder: Embedder, progress: Progress) -> None:
        self._settings = settings
        self._embedder = embedder
        self._fits = Fits(settings.folder, embedder)
        self._progress = progress
        self._assembly = Assembly()
        self._index: PromptIndex | None = None
        self._guard = Lock()
        self._running: set[FitProcess] = set()
        self._improving: FitProcess | None = None
        self._is_closed = False
        self._spare: TemporaryDirectory[str] | None = None
        self.not_kept = ""
        """Why fits made here are lost when the gateway ends; empty when they are kept."""
        self._serving = ""
        self._fitting = ""
        self._is_told_of_log = False

    @property
    def doing(self) -> str:
        return self._fitting

    @property
    def status(self) -> str:
        lost = "fits are not kept, the log says why" if self.not_kept else ""
        return "; ".join(part for part in (self._serving, lost, self._fitting) if part)

    def make(self, catalog: Catalog) -> Matcher:
        published = published_of(catalog)
        fit = self.fit(published)
        made = self._assembly.of(catalog, published, fit, partial(self._open_index, catalog, fit))
        self._index = made.matcher.index
        self._drop_indexes()
        self._serving = "embedder tuned on the phrasings" if fit.is_tuned else "embedder as it is"
        count = len(catalog.assistants)
        if over := made.over_rate:
            # Readiness is told to anybody who asks: which assistants, only the log says.
            self._serving += f"; more wrong answers than tolerated in {len(over)} of {count} assistants, see the log"
            _LOG.warning("matcher_over_rate: revision %d: %s", catalog.revision, ", ".join(over))
        if caveats := made.caveats:
            self._serving += f"; limits not proven in {len(caveats)} of {count} assistants, see the log"
            _LOG.info("matcher_not_proven: revision %d: %s", catalog.revision, ", ".join(caveats))
        return made.matcher

    def try_out(self, catalog: Catalog, like: Assembled | None = None, progress: Progress | None = None) -> Assembled:
        """Returns what `make` would make of a catalog that is not published, and keeps it for that.

        With `like`, it is tuned only if that one was, and a tuned fit is there: none is made for a trial. A fit that
        has to be made takes no processor from messages, and ends nobody else's. Blocks, for up to a minute. Raises
        `NotServing`.
        """
        published = published_of(catalog)
        is_tuned = None if like is None else like.fit.is_tuned
        fit = self.fit(published, is_tuned=is_tuned, is_urgent=False, progress=progress)
        return self._assembly.of(catalog, published, fit, partial(self._open_index, catalog, fit, is_kept=False))

    def improve(self, catalog: Catalog, serving: str | None) -> bool:
        published = published_of(catalog)
        if not self._settings.is_tuned or not published.corpora:
            return False
        found = self._fits.find(published, is_tuned=True)
        if found is None:
            process = self._start(published, is_tuned=True)
            try:
                self._finish(process)
            except NotServing:
                if self._improving is None:  # ended for a newer revision, or by `close`
                    return False
                raise
            finally:
                self._improving = None
            found = self._fits.find(published, is_tuned=True)
        return found is not None and found.is_tuned and found.fingerprint != serving

    def fit(
        self,
        published: Published,
        *,
        is_tuned: bool | None = None,
        is_urgent: bool = True,
        progress: Progress | None = None,
    ) -> Fit:
        """Returns the best fit that there is, or that of one kind; makes one without tuning when there is none."""
        drop_scratch(self._settings.folder)
        with uncollected():
            _ = published.corpora  # made here, at once, and kept with it
        may_be_tuned = self._settings.is_tuned if is_tuned is None else is_tuned
        found = self._fits.find(published, is_tuned=True) if may_be_tuned else None
        found = found or self._fits.find(published, is_tuned=False)
        if found is None:
            self._finish(self._start(published, is_tuned=False, is_urgent=is_urgent), progress)
            found = self._fits.find(published, is_tuned=False)
        if found is None:
            raise NotServing("matcher_not_fitted", f"a fit was made, but is not in {self._settings.folder}")
        return found

    def _open_index(self, catalog: Catalog, fit: Fit, *, is_kept: bool = True) -> PromptIndex:
        return PromptIndex.open(
            catalog,
            fit.embedder.embed,
            fingerprint=fit.embedder.fingerprint,
            dimension=fit.embedder.dimension,
            folder=self._settings.index / fit.embedder.fingerprint[:_FINGERPRINT_CHARS],
            previous=self._index,
            is_kept=is_kept,
        )

    def close(self) -> None:
        """Ends the fits that are going on; their processes would otherwise outlive a server that is asked to stop."""
        with self._guard:
            self._is_closed = True
            self._improving = None
            running = tuple(self._running)
            spare, self._spare = self._spare, None
        for process in running:
            process.end()
        if spare is not None:
            spare.cleanup()

    def _finish(self, process: FitProcess, progress: Progress | None = None) -> None:
        try:
            process.wait(progress or self._say)
        finally:
            if progress is None:
                self._fitting = ""
            with self._guard:
                self._running.discard(process)

    def _start(self, published: Published, *, is_tuned: bool, is_urgent: bool = True) -> FitProcess:
        with self._guard:
            if self._is_closed:
                raise NotServing("matcher_not_fitted", "the gateway is shutting down")
            superseded = self._improving if is_urgent and not is_tuned else None
            job = self._job(published, self._place(), is_tuned=is_tuned, is_urgent=is_urgent and not is_tuned)
            process = FitProcess(job, log=self._settings.log)
            self._running.add(process)
            if is_tuned or is_urgent:
                self._improving = process if is_tuned else None
            if process.unlogged and not self._is_told_of_log:
                self._is_told_of_log = True
                _LOG.warning("fitting_log_not_kept: %s", process.unlogged)
        if superseded is not None:
            superseded.end()  # what is published now goes first; its own better fit is made afterwards
        return process

    def _job(self, published: Published, folder: Path, *, is_tuned: bool, is_urgent: bool) -> FitJob:
        source = self._settings.source
        return FitJob(
            source=str(source.path.resolve()),
            sha256=source.sha256,
            base=self._embedder.fingerprint,
            languages=None if source.languages is None else tuple(sorted(source.languages)),
            exports=str(source.exports.resolve()),
            fits=str(folder.resolve()),
            prompts=published.prompts,
            scopes=tuple(tuple(sorted(areas)) for areas in published.scopes),
            is_tuned=is_tuned,
            is_urgent=is_urgent,
            threads=self._settings.threads,
        )

    def _place(self) -> Path:
        """Returns where fits go: to their folder or, when nothing can be written there, to a spare one."""
        self.not_kept = _unwritable(self._settings.folder)
        if not self.not_kept:
            return self._settings.folder
        _LOG.warning("matcher_not_kept: %s", self.not_kept)
        if self._spare is None:
            try:
                self._spare = TemporaryDirectory(prefix="canongate-fits-")
            except OSError as error:
                raise NotServing("matcher_not_fitted", f"{self.not_kept}, nor can any other folder") from error
            self._fits.look_in(Path(self._spare.name))
        return Path(self._spare.name)

    def _say(self, phase: str, done: int, total: int) -> None:
        self._fitting = f"{phase}, {done / max(total, 1):.0%}"
        self._progress(phase, done, total)

    def _drop_indexes(self) -> None:
        """Removes the vectors of embedders that no fit is left of. They are a cache: what is missing is embedded."""
        in_use = {fingerprint[:_FINGERPRINT_CHARS] for fingerprint in self._fits.embedders()}
        for folder in self._settings.index.glob("*"):
            if folder.name not in in_use:
                shutil.rmtree(folder, ignore_errors=True)


def _unwritable(folder: Path) -> str:
    """Returns why nothing can be kept in the folder, in words for an operator; empty when it can."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        TemporaryDirectory(dir=folder).cleanup()
    except OSError as error:
        return f"fits are made again at each start: {folder} cannot be written: {error.strerror}"
    return ""


def published_of(catalog: Catalog) -> Published:
    """Returns what a fit of the catalog depends on."""
    prompts = tuple(catalog.prompts[key].content for key in sorted(catalog.prompts))
    scopes = {frozenset(assistant.areas) for assistant in catalog.assistants.values()}
    return Published(prompts, tuple(sorted(scopes, key=sorted)))
