"""Matchers made of fits that are there already: what serves, what it says of itself, and what it leaves on disk."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import msgspec
import pytest

from gateway.fitting import assembling
from gateway.fitting import matchers as module
from gateway.fitting.corpora import EmbedderSource, FittedParts, fit_untuned
from gateway.fitting.kept import keep
from gateway.fitting.matchers import FitSettings, FittedMatchers, published_of
from models.fakes import FakeEmbedder
from models.ports import Embedder
from store.catalog import Catalog
from store.content import Assistant
from store.learning.fit import Fitted
from tests.building import ASSISTANT, PROMPTS, versions

DESK = msgspec.convert(ASSISTANT, Assistant)
CATALOG = Catalog(7, versions(*PROMPTS), {"desk": DESK, "second": msgspec.structs.replace(DESK, name="second")}, {})
WAIT_S = 10.0


@pytest.fixture(scope="module")
def fitted() -> tuple[Fitted, ...]:
    corpora = published_of(CATALOG).corpora.values()
    return tuple(fit_untuned(one, FakeEmbedder(), progress=lambda *_: None) for one in corpora)


@pytest.fixture
def matchers_with(tmp_path, fitted) -> Callable[[Embedder], FittedMatchers]:
    """Makes matchers with a fit of `CATALOG` in their folder."""

    def make(embedder: Embedder) -> FittedMatchers:
        parts = FittedParts(embedder, fitted, is_tuned=False, note="not asked for")
        keep(tmp_path / "fits", embedder.fingerprint, published_of(CATALOG), parts, is_tuned=False)
        source = EmbedderSource(tmp_path, "0" * 64, tmp_path / "exports")
        places = (tmp_path / "fits", tmp_path / "index", tmp_path / "log")
        return FittedMatchers(FitSettings(source, *places, is_tuned=False, threads=1), embedder, lambda *_: None)

    return make


@dataclass(frozen=True)
class Slow(FakeEmbedder):
    """Once told to, holds its first run until it is let go, and keeps what each run was given."""

    is_watched: threading.Event = field(default_factory=threading.Event)
    has_begun: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event = field(default_factory=threading.Event)
    runs: list[tuple[str, ...]] = field(default_factory=list)

    def embed(self, texts):
        if self.is_watched.is_set():
            self.runs.append(tuple(texts))
            self.has_begun.set()
            assert self.gate.wait(WAIT_S)
        return FakeEmbedder().embed(texts)


def test_messages_that_arrive_together_are_embedded_in_one_run(matchers_with):
    embedder = Slow()
    matcher = matchers_with(embedder).make(CATALOG)
    embedder.is_watched.set()
    texts = [f"please help me with number {number}" for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(matcher.match, texts[0], "desk")
        assert embedder.has_begun.wait(WAIT_S)
        others = [pool.submit(matcher.match, text, "desk") for text in texts[1:]]
        waiting = matcher._embed.__self__._waiting
        until = time.monotonic() + WAIT_S
        while len(waiting) < len(others) and time.monotonic() < until:
            time.sleep(0.005)
        embedder.gate.set()
        for one in (first, *others):
            one.result(WAIT_S)
    assert [len(run) for run in embedder.runs] == [1, 3]


def test_what_serves_stands_in_the_status_also_while_another_fit_is_made(matchers_with):
    making = matchers_with(FakeEmbedder())
    assert making.status == ""
    making.make(CATALOG)
    serving = making.status
    assert serving.startswith("embedder as it is")
    making._say("tuning", 1, 4)
    assert making.status == f"{serving}; tuning, 25%"


def test_limits_that_are_not_proven_are_logged_and_stand_in_the_status(matchers_with, monkeypatch, caplog):
    making = matchers_with(FakeEmbedder())
    with caplog.at_level(logging.INFO, module.__name__):
        making.make(CATALOG)
    (message,) = caplog.messages
    assert message.startswith("matcher_not_proven: revision 7: desk answers word for word only; ")
    assert "more phrasings would prove its rate, second answers" in message
    assert "limits not proven in 2 of 2 assistants, see the log" in making.status
    assert "desk" not in making.status, "whoever asks for readiness needs no key"

    real = assembling.calibrate

    def proven(held_out, corpus, tolerance, **options):
        found = real(held_out, corpus, tolerance, **options)
        limits = replace(found.limits, answer=0.5)
        return replace(found, report=msgspec.structs.replace(found.report, more_phrasings=0, limits=limits))

    monkeypatch.setattr(assembling, "calibrate", proven)
    making = matchers_with(FakeEmbedder())  # what was calibrated is kept
    making.make(CATALOG)
    assert making.status == "embedder as it is"


def test_a_measured_rate_over_the_tolerated_one_is_logged_and_stands_in_the_status(matchers_with, monkeypatch, caplog):
    real = assembling.calibrate

    def over(held_out, corpus, tolerance, **options):
        found = real(held_out, corpus, tolerance, **options)
        # Below nothing: any measured rate is over it.
        return replace(found, report=msgspec.structs.replace(found.report, stated_rate=-0.01))

    making = matchers_with(FakeEmbedder())
    with caplog.at_level(logging.WARNING, module.__name__):
        making.make(CATALOG)
        assert caplog.messages == [], "what keeps the rate is not warned of"
        monkeypatch.setattr(assembling, "calibrate", over)
        making = matchers_with(FakeEmbedder())  # what was calibrated is kept
        making.make(CATALOG)
    (message,) = caplog.messages
    assert message.startswith("matcher_over_rate: revision 7: desk ")
    assert "second" in message
    assert "more wrong answers than tolerated in 2 of 2 assistants" in making.status
    assert "desk" not in making.status, "whoever asks for readiness needs no key"


def test_vectors_of_embedders_that_no_fit_is_left_of_are_removed(matchers_with, tmp_path):
    making = matchers_with(FakeEmbedder(fingerprint="fake"))
    (tmp_path / "fits" / "embedders" / "tuned").mkdir(parents=True)
    for name in ("fake", "tuned", "older"):
        (tmp_path / "index" / name).mkdir(parents=True)
    making.make(CATALOG)
    assert {path.name for path in (tmp_path / "index").iterdir()} == {"fake", "tuned"}


def test_what_was_tried_serves_once_it_is_published(matchers_with):
    making = matchers_with(FakeEmbedder())
    serving = making.make(CATALOG)
    ahead = replace(CATALOG, revision=8)
    tried = making.try_out(ahead)
    assert tried.matcher is not serving
    assert making.make(ahead) is tried.matcher
    assert making.make(CATALOG) is serving, "the one that serves is kept beside it"


def test_a_trial_changes_nothing_of_what_serves(matchers_with, tmp_path):
    making = matchers_with(FakeEmbedder())
    making.make(CATALOG)
    status, files = making.status, sorted((tmp_path / "index").rglob("*"))
    steps = []
    making.try_out(replace(CATALOG, revision=8), progress=lambda *step: steps.append(step))
    assert (making.status, making.doing, sorted((tmp_path / "index").rglob("*"))) == (status, "", files)


def test_a_trial_is_fitted_like_another(matchers_with):
    making = matchers_with(FakeEmbedder())
    tried = making.try_out(CATALOG)
    assert making.try_out(replace(CATALOG, revision=8), tried).fit.is_tuned is tried.fit.is_tuned


def test_limits_are_made_once_for_the_same_prompts_and_tolerance(matchers_with, monkeypatch):
    made = []
    real = assembling.calibrate

    def counted(*parts, **options):
        made.append(parts)
        return real(*parts, **options)

    monkeypatch.setattr(assembling, "calibrate", counted)
    making = matchers_with(FakeEmbedder())
    making.make(CATALOG)
    before = len(made)
    making.try_out(replace(CATALOG, revision=8))
    assert len(made) == before


def test_a_fit_brings_along_what_contradicts_what_and_the_limits_are_the_same(fitted):
    corpus = published_of(CATALOG).corpora[frozenset({"it"})]
    (one,) = fitted
    bare = replace(one.held_out, contradicted=None)
    tolerance = CATALOG.assistants["desk"].match
    wanted = assembling.calibrate(bare, corpus, tolerance, contradicts=assembling.contradicts)
    found = assembling.calibrate(one.held_out, corpus, tolerance, contradicts=lambda *_: pytest.fail("looked again"))
    assert one.held_out.contradicted is not None
    assert (found.limits, found.report, found.stopped.tolist()) == (
        wanted.limits,
        wanted.report,
        wanted.stopped.tolist(),
    )
