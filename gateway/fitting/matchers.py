"""Makes the matcher of what is published: index, learned scores and calibrated limits that belong together."""

import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Protocol

from gateway.errors import NotServing
from gateway.fitting.corpora import EmbedderSource
from gateway.fitting.kept import Areas, Fit, Fits, Published, drop_scratch
from gateway.fitting.process import FitJob, FitProcess, Progress
from models.embedding.batching import BatchingEmbedder
from models.ports import Embedder
from rails.languages import unread_by
from store.calibration import Calibration, calibrate
from store.catalog import Catalog
from store.contradiction import contradicts
from store.follow_ups import follow_up_limit
from store.index import PromptIndex
from store.learning.scorer import LearnedScorer
from store.matcher import Matcher
from store.scoring import Limits, NearestScorer, Scope

EXACT_ONLY = Limits(answer=2.0, suggest=0.5, margin=0.0, floor=-1.0, follow_up=2.0)
"""Where there are too few phrasings to learn from: no similarity is enough, but near prompts are offered."""
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
        index = PromptIndex.open(
            catalog,
            fit.embedder.embed,
            fingerprint=fit.embedder.fingerprint,
            dimension=fit.embedder.dimension,
            folder=self._settings.index / fit.embedder.fingerprint[:_FINGERPRINT_CHARS],
            previous=self._index,
        )
        self._index = index
        self._drop_indexes()
        scorers = {areas: LearnedScorer(fitted.model) for areas, fitted in fit.fitted.items()}
        calibrated = calibrations(catalog, published, fit)
        scopes: dict[str, Scope] = {}
        for name, assistant in catalog.assistants.items():
            areas = frozenset(assistant.areas)
            limits = calibrated[name].limits if name in calibrated else EXACT_ONLY
            enough = follow_up_limit(index, areas, assistant.match.false_match_rate)
            scopes[name] = Scope(areas, scorers.get(areas, NearestScorer()), replace(limits, follow_up=enough))
        self._serving = "embedder tuned on the phrasings" if fit.is_tuned else "embedder as it is"
        if over := _over_rate(calibrated):
            # Readiness is told to anybody who asks: which assistants, only the log says.
            self._serving += (
                f"; more wrong answers than tolerated in {len(over)} of {len(scopes)} assistants, see the log"
            )
            _LOG.warning("matcher_over_rate: revision %d: %s", catalog.revision, ", ".join(over))
        if caveats := _caveats(scopes, calibrated):
            self._serving += f"; limits not proven in {len(caveats)} of {len(scopes)} assistants, see the log"
            _LOG.info("matcher_not_proven: revision %d: %s", catalog.revision, ", ".join(caveats))
        embed = BatchingEmbedder(fit.embedder).embed
        return Matcher(index, embed, scopes, is_unread=unread_by(fit.embedder.languages), fingerprint=fit.fingerprint)

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

    def fit(self, published: Published) -> Fit:
        """Returns the best fit that there is; makes one without tuning when there is none."""
        drop_scratch(self._settings.folder)
        found = self._fits.find(published, is_tuned=True) if self._settings.is_tuned else None
        found = found or self._fits.find(published, is_tuned=False)
        if found is None:
            self._finish(self._start(published, is_tuned=False))
            found = self._fits.find(published, is_tuned=False)
        if found is None:
            raise NotServing("matcher_not_fitted", f"a fit was made, but is not in {self._settings.folder}")
        return found

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

    def _finish(self, process: FitProcess) -> None:
        try:
            process.wait(self._say)
        finally:
            self._fitting = ""
            with self._guard:
                self._running.discard(process)

    def _start(self, published: Published, *, is_tuned: bool) -> FitProcess:
        with self._guard:
            if self._is_closed:
                raise NotServing("matcher_not_fitted", "the gateway is shutting down")
            superseded = None if is_tuned else self._improving
            job = self._job(published, self._place(), is_tuned=is_tuned)
            process = FitProcess(job, log=self._settings.log)
            self._running.add(process)
            self._improving = process if is_tuned else None
            if process.unlogged and not self._is_told_of_log:
                self._is_told_of_log = True
                _LOG.warning("fitting_log_not_kept: %s", process.unlogged)
        if superseded is not None:
            superseded.end()  # what is published now goes first; its own better fit is made afterwards
        return process

    def _job(self, published: Published, folder: Path, *, is_tuned: bool) -> FitJob:
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


def calibrations(catalog: Catalog, published: Published, fit: Fit) -> Mapping[str, Calibration]:
    """Returns the limits of each assistant whose areas could be fitted, and what they are good for."""
    made: dict[str, Calibration] = {}
    for name, assistant in catalog.assistants.items():
        areas: Areas = frozenset(assistant.areas)
        if areas in fit.fitted:
            made[name] = calibrate(
                fit.fitted[areas].held_out, published.corpora[areas], assistant.match, contradicts=contradicts
            )
    return made


def _caveats(scopes: Mapping[str, Scope], calibrated: Mapping[str, Calibration]) -> list[str]:
    """Returns in words which assistants' limits rest on too few phrasings, and what that means."""
    known = {name: one.report.caveat for name, one in calibrated.items()}
    found = {name: known.get(name, f"answers {scope.limits.answers_from}") for name, scope in scopes.items()}
    return [f"{name} {caveat}" for name, caveat in found.items() if caveat]


def _over_rate(calibrated: Mapping[str, Calibration]) -> list[str]:
    """Returns in words which assistants are beyond doubt answered wrongly more often than they tolerate."""
    reports = ((name, one.report) for name, one in calibrated.items() if one.report.is_over_rate)
    return [
        f"{name} {report.store.false_match.value:.1%} (tolerated: {report.stated_rate:.1%})" for name, report in reports
    ]
