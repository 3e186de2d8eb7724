"""Makes the matcher of what is published: index, learned scores and calibrated limits that belong together."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Protocol

from gateway.errors import NotServing
from gateway.fitting.corpora import EmbedderSource
from gateway.fitting.kept import Areas, Fit, Fits, Published
from gateway.fitting.process import FitJob, FitProcess, Progress
from models.batching import BatchingEmbedder
from models.ports import Embedder
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


class Matchers(Protocol):
    """Makes matchers. Both methods block, for up to minutes: call them in a thread."""

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
        self._fits = Fits(settings.folder, settings.source.exports, embedder)
        self._progress = progress
        self._index: PromptIndex | None = None
        self._guard = Lock()
        self._running: set[FitProcess] = set()
        self._improving: FitProcess | None = None
        self._is_closed = False
        self.status = ""
        """What is being fitted, or what serves, in words for an operator."""

    def make(self, catalog: Catalog) -> Matcher:
        published = published_of(catalog)
        fit = self.fit(published)
        index = PromptIndex.open(
            catalog,
            fit.embedder.embed,
            fingerprint=fit.embedder.fingerprint,
            dimension=fit.embedder.dimension,
            folder=self._settings.index / fit.embedder.fingerprint[:16],
            previous=self._index,
        )
        self._index = index
        scorers = {areas: LearnedScorer(fitted.model) for areas, fitted in fit.fitted.items()}
        calibrated = calibrations(catalog, published, fit)
        scopes: dict[str, Scope] = {}
        for name, assistant in catalog.assistants.items():
            areas = frozenset(assistant.areas)
            limits = calibrated[name].limits if name in calibrated else EXACT_ONLY
            enough = follow_up_limit(index, areas, assistant.match.false_match_rate)
            scopes[name] = Scope(areas, scorers.get(areas, NearestScorer()), replace(limits, follow_up=enough))
        self.status = "embedder tuned on the phrasings" if fit.is_tuned else "embedder as it is"
        embed = BatchingEmbedder(fit.embedder).embed
        return Matcher(index, embed, scopes, languages=fit.embedder.languages, fingerprint=fit.fingerprint)

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
        for process in running:
            process.end()

    def _finish(self, process: FitProcess) -> None:
        try:
            process.wait(self._say)
        finally:
            with self._guard:
                self._running.discard(process)

    def _start(self, published: Published, *, is_tuned: bool) -> FitProcess:
        source = self._settings.source
        job = FitJob(
            source=str(source.path.resolve()),
            sha256=source.sha256,
            base=self._embedder.fingerprint,
            languages=None if source.languages is None else tuple(sorted(source.languages)),
            exports=str(source.exports.resolve()),
            fits=str(self._settings.folder.resolve()),
            prompts=published.prompts,
            scopes=tuple(tuple(sorted(areas)) for areas in published.scopes),
            is_tuned=is_tuned,
            threads=self._settings.threads,
        )
        with self._guard:
            if self._is_closed:
                raise NotServing("matcher_not_fitted", "the gateway is shutting down")
            superseded = None if is_tuned else self._improving
            process = FitProcess(job, log=self._settings.log)
            self._running.add(process)
            self._improving = process if is_tuned else None
        if superseded is not None:
            superseded.end()  # what is published now goes first; its own better fit is made afterwards
        return process

    def _say(self, phase: str, done: int, total: int) -> None:
        self.status = f"{phase}, {done / max(total, 1):.0%}"
        self._progress(phase, done, total)


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
