"""Fits in a process of their own: what it says arrives, what breaks it is told, and it never outlives its parent."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from gateway.errors import NotServing
from gateway.fitting import process as module
from gateway.fitting.assembling import EXACT_ONLY
from gateway.fitting.corpora import EmbedderSource, load_source
from gateway.fitting.matchers import FitSettings, FittedMatchers, published_of
from gateway.fitting.process import FitJob, FitProcess
from models.embedding.embedder import PACKAGED_MINILM_SHA256, packaged_minilm
from models.fakes import FakeEmbedder
from models.verified import sha256_of
from store.catalog import Catalog
from store.content import Assistant, PromptVersion
from store.formats.bundle import read_bundle
from store.matches import Ambiguous, Gate, Match, MatchMethod, NoMatch
from store.plain import canonical_hash
from tests.building import ASSISTANT, PROMPTS, RESET, versions
from tests.models.embedding.test_tuning import make_source

JOB = FitJob(
    source="/nowhere",
    sha256="0" * 64,
    base="base",
    languages=("en",),
    exports="/nowhere",
    fits="/nowhere",
    prompts=(),
    scopes=(),
    is_tuned=False,
    threads=1,
)


def run_instead(monkeypatch, program: str) -> None:
    """Puts a program of the test in the place of the one that fits."""
    real = module.subprocess.Popen

    def start(command, **options):
        return real((command[0], "-c", program), **options)

    monkeypatch.setattr(module.subprocess, "Popen", start)


def test_progress_and_the_end_arrive(monkeypatch):
    run_instead(
        monkeypatch,
        "import sys; sys.stdin.readline()\n"
        'print(\'{"type":"step","phase":"learning","done":1,"total":2}\\n{"type":"done"}\')',
    )
    steps = []
    FitProcess(JOB, log=None).wait(lambda *step: steps.append(step))
    assert steps == [("learning", 1, 2)]


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ('import sys; sys.stdin.readline(); print(\'{"type":"failed","reason":"no room"}\')', "no room"),
        ("import sys; sys.stdin.readline(); print('nonsense')", "broke off"),
        ("import sys; sys.stdin.readline()", "ended early"),
        ("raise SystemExit(3)", "ended early|broke off"),
    ],
)
def test_a_fit_that_fails_says_why(monkeypatch, program, reason):
    run_instead(monkeypatch, program)
    with pytest.raises(NotServing, match=f"the matcher could not be fitted.*({reason})"):
        FitProcess(JOB, log=None).wait(lambda *_: None)


def test_a_fit_is_ended_in_the_middle_of_it(monkeypatch):
    run_instead(monkeypatch, "import time; time.sleep(60)")
    running = FitProcess(JOB, log=None)
    threading.Timer(0.2, running.end).start()
    started = time.monotonic()
    with pytest.raises(NotServing):
        running.wait(lambda *_: None)
    assert time.monotonic() - started < 30
    running.end()


def test_what_progress_raises_ends_the_process(monkeypatch):
    run_instead(
        monkeypatch,
        'import time; print(\'{"type":"step","phase":"x","done":0,"total":1}\', flush=True); time.sleep(60)',
    )
    running = FitProcess(JOB, log=None)

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        running.wait(stop)
    assert running._process.returncode is not None


def catalog(*documents, **changes) -> Catalog:
    made = msgspec.convert({**ASSISTANT, **changes}, Assistant)
    return Catalog(1, versions(*documents), {made.name: made}, {})


def helpdesk() -> Catalog:
    bundle = read_bundle(Path(__file__).parents[3] / "examples" / "helpdesk")
    prompts = {one.key: PromptVersion(1, one, canonical_hash(one)) for one in bundle.prompts}
    return Catalog(1, prompts, {one.name: one for one in bundle.assistants}, {})


def matchers(source: EmbedderSource, folder: Path, *, is_tuned: bool) -> tuple[FittedMatchers, list[str]]:
    said: list[str] = []
    settings = FitSettings(
        source, folder / "fits", folder / "index", folder / "fitting.log", is_tuned=is_tuned, threads=1
    )
    embedder = load_source(source, lambda *_: None)
    return FittedMatchers(settings, embedder, lambda phase, *_: said.append(phase)), said


@pytest.mark.weights
def test_a_matcher_is_fitted_once_and_found_the_next_time(embedder_cache, tmp_path):
    source = packaged_source(embedder_cache)
    making, said = matchers(source, tmp_path, is_tuned=False)
    known = helpdesk()
    matcher = making.make(known)
    assert "learning" in said
    found = matcher.match("please help me, I forgot my password", "helpdesk")
    assert isinstance(found, Match)
    assert (found.prompt.key, found.method) == ("it.password-reset", MatchMethod.SIMILAR)
    assert 0.0 < matcher.scopes["helpdesk"].limits.answer < 1.0
    assert isinstance(matcher.match("how tall is the tower in Pisa", "helpdesk"), NoMatch)
    foreign = matcher.match("كيف أعيد تعيين كلمة المرور الخاصة بي؟", "helpdesk")
    assert foreign.evidence.gate is Gate.LANGUAGE
    again, said = matchers(source, tmp_path, is_tuned=False)
    assert again.make(known).fingerprint == matcher.fingerprint
    assert said == []
    assert not making.improve(known, None), "tuning is switched off"


@pytest.mark.weights
def test_where_no_score_is_enough_near_prompts_are_offered(embedder_cache, tmp_path):
    making, _ = matchers(packaged_source(embedder_cache), tmp_path, is_tuned=False)
    matcher = making.make(catalog(*PROMPTS))
    assert matcher.scopes["desk"].limits.answer > 1.0, "nine phrasings cannot show a rate of 1 %"
    found = matcher.match("please, I forgot my password", "desk")
    assert isinstance(found, Ambiguous)
    assert found.choices[0].key == "it.reset"
    follow_up = matcher.match("And on a Saturday?", "desk", after="it.hours")
    assert not isinstance(follow_up, Match), "nor is a follow-up answered by its similarity"
    assert isinstance(matcher.match("And on Saturdays?", "desk", after="it.hours"), Match)


@pytest.mark.weights
def test_phrasings_too_few_to_learn_from_are_answered_word_for_word_and_offered(embedder_cache, tmp_path):
    making, _ = matchers(packaged_source(embedder_cache), tmp_path, is_tuned=False)
    matcher = making.make(catalog({**RESET, "phrasings": ["I forgot my password"], "counterexamples": []}))
    assert matcher.scopes["desk"].limits == EXACT_ONLY
    assert isinstance(matcher.match("I forgot my password", "desk"), Match)
    assert isinstance(matcher.match("please, I forgot my password", "desk"), Ambiguous)


@pytest.mark.weights
def test_a_tuned_fit_takes_the_place_of_an_untuned_one(tmp_path):
    folder = make_source(tmp_path / "source", max_tokens=128)
    source = EmbedderSource(folder, sha256_of(folder / "model.safetensors"), tmp_path / "exports")
    topics = ("lost card", "cancel leave", "reset password", "where card", "took leave", "lost password", "my leave")
    documents = [
        {**RESET, "key": f"it.t{number}", "phrasings": [f"I {topic}", f"the {topic}"], "counterexamples": []}
        for number, topic in enumerate(topics)
    ]
    known = catalog(*documents, suggestions=["it.t0"])
    making, said = matchers(source, tmp_path, is_tuned=True)
    before = making.make(known)
    assert making.improve(known, None), making.fit(published_of(known)).note
    assert "tuning the embedder" in said
    after = making.make(known)
    assert after.fingerprint != before.fingerprint
    fit = making.fit(published_of(known))
    tuned_embedders = list((tmp_path / "fits" / "embedders").iterdir())
    assert (fit.is_tuned, [path.name for path in tuned_embedders]) == (True, [fit.embedder.fingerprint])
    assert not making.improve(known, after.fingerprint), "there is nothing better to make"
    assert making.improve(known, before.fingerprint), "a fit that another process made is taken over"


@pytest.mark.weights
def test_a_source_that_changed_is_told(embedder_cache, tmp_path):
    source = packaged_source(embedder_cache)
    making, _ = matchers(source, tmp_path, is_tuned=False)
    making._settings = replace(making._settings, source=replace(source, sha256="0" * 64))
    with pytest.raises(NotServing, match="is registered"):
        making.make(catalog(*PROMPTS))
    making.close()
    with pytest.raises(NotServing, match="shutting down"):
        making.make(catalog(*PROMPTS))


def packaged_source(exports: Path) -> EmbedderSource:

    return EmbedderSource(packaged_minilm(), PACKAGED_MINILM_SHA256, exports)


SLOW = (
    "import sys, time; job = sys.stdin.readline();"
    'print(\'{"type":"step","phase":"slow","done":1,"total":4}\', flush=True);'
    'time.sleep(60 if \'"is_tuned":true\' in job else 0); print(\'{"type":"failed","reason":"told to fail"}\')'
)


def tune_slowly(monkeypatch, folder: Path) -> tuple[FittedMatchers, threading.Thread, list[bool]]:
    """Begins a tuning that would take a minute; gives its thread, and the list that its result goes into."""
    run_instead(monkeypatch, SLOW)
    settings = FitSettings(
        EmbedderSource(folder, "0" * 64, folder), folder, folder, folder / "log", is_tuned=True, threads=1
    )
    begun = threading.Event()
    making = FittedMatchers(settings, FakeEmbedder(), lambda *_: begun.set())
    improved = []
    tuning = threading.Thread(target=lambda: improved.append(making.improve(catalog(*PROMPTS), None)))
    tuning.start()
    assert begun.wait(30)
    return making, tuning, improved


def test_a_publish_ends_the_tuning_for_the_revision_before_it_and_goes_first(monkeypatch, tmp_path):
    making, tuning, improved = tune_slowly(monkeypatch, tmp_path)
    assert making.status == "slow, 25%"
    started = time.monotonic()
    with pytest.raises(NotServing, match="told to fail"):
        making.make(catalog(RESET))
    tuning.join(30)
    assert time.monotonic() - started < 30, "it did not wait for the tuning"
    assert improved == [False]


def test_closing_ends_a_tuning_and_lets_no_new_one_begin(monkeypatch, tmp_path):
    making, tuning, improved = tune_slowly(monkeypatch, tmp_path)
    making.close()
    tuning.join(30)
    assert improved == [False]
    with pytest.raises(NotServing, match="shutting down"):
        making.improve(catalog(*PROMPTS), None)
