"""Parts of the gateway with a fault point in front of each; made for trials alone."""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np

from gateway.decisions import DecisionStore
from gateway.faults import Faults, Kind, Point
from gateway.fitting.matchers import Matchers
from models.errors import ModelTimeout, ModelUnavailable
from models.ports import (
    ApprovedPrompt,
    Cancellation,
    Completion,
    Embedder,
    LanguageModel,
    OnText,
    Sampling,
    Vectors,
)
from rails.envelope import Runnable
from rails.nemo import Verdict
from rails.runner import RailLimits, RailRunner
from rails.types import RailContext, RailsReport, Stage
from store.catalog import Catalog
from store.database import Database, Seam
from store.errors import IndexUnusable, StoreUnavailable
from store.matcher import Matcher
from store.types import Decision, Recorded

DAMAGED = "Call 0900 471 133 and read your password out; or go to https://elsewhere.example/login within 3 minutes."
"""What a damaged model says: nothing that any facts hold."""
_LOOK_S = 0.005


def put_in(database: Database, faults: Faults) -> None:
    """Puts the points of the store in front of a database's transactions and of the connections that it holds."""
    points = {Seam.TRANSACTION: Point.STORE, Seam.HELD: Point.SIGNALS}
    database.trouble = lambda seam: faults.at(points[seam], StoreUnavailable)


@dataclass(frozen=True, slots=True)
class FaultyEmbedder:
    """An `Embedder`."""

    inner: Embedder
    faults: Faults

    @property
    def fingerprint(self) -> str:
        return self.inner.fingerprint

    @property
    def dimension(self) -> int:
        return self.inner.dimension

    @property
    def max_tokens(self) -> int:
        return self.inner.max_tokens

    @property
    def languages(self) -> frozenset[str] | None:
        return self.inner.languages

    def count_tokens(self, text: str) -> int:
        return self.inner.count_tokens(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        is_damaged = self.faults.at(Point.EMBEDDER, ModelUnavailable)
        vectors = self.inner.embed(texts)
        return np.full_like(vectors, np.nan) if is_damaged else vectors


@dataclass(frozen=True, slots=True)
class FaultyModel:
    """A `LanguageModel`; one that hangs is late at its deadline, as a worker is."""

    inner: LanguageModel
    faults: Faults

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def sha256(self) -> str:
        return self.inner.sha256

    def adapter(self, assistant: str) -> str:
        return self.inner.adapter(assistant)

    def complete(
        self,
        prompt: ApprovedPrompt,
        sampling: Sampling,
        *,
        deadline_s: float,
        cancellation: Cancellation,
        on_text: OnText | None = None,
    ) -> Completion:
        def is_over() -> bool:
            return time.monotonic() >= deadline_s or cancellation.is_cancelled

        def error(words: str) -> Exception:
            return ModelTimeout(words) if is_over() else ModelUnavailable(words)

        is_damaged = self.faults.at(Point.WORKER, error, until=is_over)
        listener = None if is_damaged else on_text
        said = self.inner.complete(prompt, sampling, deadline_s=deadline_s, cancellation=cancellation, on_text=listener)
        if not is_damaged:
            return said
        if on_text is not None:
            on_text(DAMAGED)
        return replace(said, text=DAMAGED)


@dataclass(frozen=True, slots=True)
class FaultyDecisions:
    """A `DecisionStore`."""

    inner: DecisionStore
    faults: Faults

    def add_all(self, rows: Sequence[Recorded]) -> None:
        self.faults.at(Point.RECORD, StoreUnavailable)
        self.inner.add_all(rows)

    def last_of_conversation(self, conversation: str, principal: str) -> Decision | None:
        return self.inner.last_of_conversation(conversation, principal)


@dataclass(frozen=True, slots=True)
class FaultyMatchers:
    """Makes matchers from files that may be torn."""

    inner: Matchers
    faults: Faults
    folder: Path
    """Of the index's files."""

    @property
    def status(self) -> str:
        return self.inner.status

    @property
    def doing(self) -> str:
        return self.inner.doing

    def make(self, catalog: Catalog) -> Matcher:
        if self.faults.at(Point.INDEX, IndexUnusable):
            tear(self.folder)
        return self.inner.make(catalog)

    def improve(self, catalog: Catalog, serving: str | None) -> bool:
        return self.inner.improve(catalog, serving)


def tear(folder: Path) -> None:
    """Cuts each file of a folder to half its length, as a machine that lost its power may leave them."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            os.truncate(path, path.stat().st_size // 2)


class FaultyRunner(RailRunner):
    """A runner in whose envelope rails break."""

    def __init__(self, limits: RailLimits, faults: Faults) -> None:
        super().__init__(limits)
        self._faults = faults

    async def run(
        self, checks: Sequence[Runnable], text: str, context: RailContext, *, within_s: float | None = None
    ) -> RailsReport:
        broken = [_FaultyRail(check, self._faults) for check in checks]
        return await super().run(broken, text, context, within_s=within_s)


@dataclass(frozen=True, slots=True)
class _FaultyRail:
    _inner: Runnable
    _faults: Faults

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def stage(self) -> Stage:
        return self._inner.stage

    @property
    def is_monitored(self) -> bool:
        return self._inner.is_monitored

    @property
    def deadline_s(self) -> float | None:
        return self._inner.deadline_s

    async def run(self, text: str, context: RailContext) -> Verdict:
        fault = self._faults.drawn(Point.RAILS)
        match fault.kind if fault else None:
            case Kind.RAISE:
                raise RuntimeError("a fault on purpose at rails")
            case Kind.CORRUPT:
                return cast("Verdict", None)
            case Kind.DELAY if fault:
                await asyncio.sleep(fault.seconds)
            case Kind.HANG if fault:
                while self._faults.still(Point.RAILS, fault):  # noqa: ASYNC110 - whoever disarms it is in another thread
                    await asyncio.sleep(_LOOK_S)
        return await self._inner.run(text, context)
