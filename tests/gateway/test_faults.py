import threading
import time

import anyio
import numpy as np
import pytest

from gateway import faults as module
from gateway.cli import app
from gateway.errors import NotServing, SettingsInvalid
from gateway.faults import Fault, Faults, FaultSettings, Kind, Point, faults_of, parse_points, trial_of
from gateway.faulty_parts import DAMAGED, FaultyDecisions, FaultyEmbedder, FaultyMatchers, FaultyModel, put_in
from models.errors import ModelTimeout, ModelUnavailable
from models.fakes import FakeEmbedder, FakeModel
from models.ports import ApprovedPrompt, Cancellation, PartKind, PromptPart, RenderedPrompt, Sampling
from store.catalog import live_revision
from store.errors import StoreUnavailable
from store.signals import RevisionSignal
from store.types import Outcome
from tests.building import MemoryDecisions, build, question
from tests.gateway.following import Place

PROMPT = ApprovedPrompt(RenderedPrompt((), (PromptPart("Say when.", PartKind.APPROVED),)))
ONE_MACHINE = "127.0.0.1"


def fail(words: str) -> Exception:
    return StoreUnavailable(words)


def test_a_point_does_nothing_until_it_is_armed_and_nothing_once_it_is_disarmed():
    faults = Faults()
    assert faults.at(Point.STORE, fail) is False
    faults.arm(Point.STORE, Fault(Kind.RAISE))
    with pytest.raises(StoreUnavailable, match="on purpose at store"):
        faults.at(Point.STORE, fail)
    assert faults.at(Point.RECORD, fail) is False
    faults.disarm()
    assert faults.at(Point.STORE, fail) is False
    assert faults.met[Point.STORE] == 1


def test_the_same_seed_gives_the_same_faults_and_another_seed_others():
    def drawn(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.arm(Point.MATCHER, Fault(Kind.CORRUPT, share=0.5))
        return [faults.at(Point.MATCHER, fail) for _ in range(200)]

    assert drawn(3) == drawn(3) != drawn(4)
    assert 60 < sum(drawn(3)) < 140


def test_a_delay_is_a_delay_and_a_hang_lasts_until_it_is_disarmed_or_nobody_may_wait():
    faults = Faults()
    faults.arm(Point.STORE, Fault(Kind.DELAY, seconds=0.05))
    began_s = time.monotonic()
    assert faults.at(Point.STORE, fail) is False
    assert time.monotonic() - began_s >= 0.05
    faults.arm(Point.STORE, Fault(Kind.HANG))
    with pytest.raises(StoreUnavailable):
        faults.at(Point.STORE, fail, until=lambda: True)
    came: list[bool] = []
    thread = threading.Thread(target=lambda: came.append(faults.at(Point.STORE, fail)))
    thread.start()
    thread.join(0.05)
    assert thread.is_alive()
    faults.disarm(Point.STORE)
    thread.join(5)
    assert came == [False]


def test_what_the_setting_says_is_armed_and_told():
    settings = FaultSettings(points=("matcher:raise@0.25", "worker:delay=2", "rails:hang"), seed=9)
    faults = faults_of(settings, host=ONE_MACHINE, is_trial=True)
    assert faults is not None
    assert trial_of(faults) == "a trial: faults on purpose are armed (matcher:raise@0.25, rails:hang, worker:delay=2)"
    assert faults_of(FaultSettings(), host="0.0.0.0", is_trial=False) is None  # noqa: S104 - nothing is armed


@pytest.mark.parametrize(
    "text",
    ["", "matcher", "matcher:explode", "kitchen:raise", "matcher:raise@2.5x", "worker:delay=-1", "store:corrupt"],
)
def test_what_cannot_be_armed_is_an_error_of_the_settings(text):
    with pytest.raises(SettingsInvalid, match=r"faults\.points"):
        faults_of(FaultSettings(points=(text,)), host=ONE_MACHINE, is_trial=True)


def test_no_gateway_that_may_serve_people_takes_a_fault(monkeypatch, tmp_path):
    settings = FaultSettings(points=("matcher:raise",))
    with pytest.raises(SettingsInvalid, match="serve --trial"):
        faults_of(settings, host=ONE_MACHINE, is_trial=False)
    with pytest.raises(SettingsInvalid, match="this machine alone"):
        faults_of(settings, host="0.0.0.0", is_trial=True)  # noqa: S104 - what is refused
    monkeypatch.setattr(module, "_CHECKOUT", tmp_path / "pyproject.toml")  # as a wheel has none
    with pytest.raises(SettingsInvalid, match="installed canongate"):
        faults_of(settings, host=ONE_MACHINE, is_trial=True)


def test_serving_refuses_faults_before_it_touches_any_data(tmp_path, monkeypatch):
    monkeypatch.setenv("CANONGATE_FAULTS__POINTS", '["store:raise"]')
    monkeypatch.setenv("CANONGATE_DATA__DIRECTORY", str(tmp_path / "data"))
    with pytest.raises(SettingsInvalid, match="serve --trial"):
        app.main(["serve", "--port", "0"], standalone_mode=False)
    assert not (tmp_path / "data").exists()


def test_a_damaged_embedder_a_hung_one_and_a_sound_one():
    faults = Faults()
    embedder = FaultyEmbedder(FakeEmbedder(), faults)
    assert np.array_equal(embedder.embed(["when"]), FakeEmbedder().embed(["when"]))
    faults.arm(Point.EMBEDDER, Fault(Kind.CORRUPT))
    assert np.isnan(embedder.embed(["when"])).all()
    faults.arm(Point.EMBEDDER, Fault(Kind.RAISE))
    with pytest.raises(ModelUnavailable):
        embedder.embed(["when"])


def test_a_worker_that_hangs_is_late_at_its_deadline_and_a_damaged_one_says_what_nobody_approved():
    faults = Faults()
    model = FaultyModel(FakeModel(answer="At nine."), faults)

    def ask(seconds: float):
        told: list[str] = []
        until_s = time.monotonic() + seconds
        said = model.complete(PROMPT, Sampling(), deadline_s=until_s, cancellation=Cancellation(), on_text=told.append)
        return said.text, "".join(told)

    assert ask(5) == ("At nine.", "At nine.")
    faults.arm(Point.WORKER, Fault(Kind.CORRUPT))
    assert ask(5) == (DAMAGED, DAMAGED)
    faults.arm(Point.WORKER, Fault(Kind.HANG))
    with pytest.raises(ModelTimeout):
        ask(0.05)
    faults.arm(Point.WORKER, Fault(Kind.RAISE))
    with pytest.raises(ModelUnavailable):
        ask(5)


def test_a_database_with_a_fault_fails_as_ours_do_and_is_whole_again_after_it(tmp_path):
    place, faults = Place(tmp_path), Faults()
    put_in(place.database, faults)
    faults.arm(Point.STORE, Fault(Kind.RAISE))
    with pytest.raises(StoreUnavailable):
        live_revision(place.database)
    with pytest.raises(StoreUnavailable):
        place.publish()
    faults.disarm()
    assert live_revision(place.database) == 0
    faults.arm(Point.SIGNALS, Fault(Kind.RAISE))
    assert RevisionSignal(place.database).wait(0.01) is False
    assert faults.met[Point.SIGNALS] == 1
    place.database.close()


def test_a_torn_index_is_made_anew(tmp_path):
    place, faults = Place(tmp_path), Faults()
    place.publish()
    place.publisher.load()
    embedded = len(place.embedder.texts)
    torn = FaultyMatchers(place.matchers, faults, tmp_path / "index")
    faults.arm(Point.INDEX, Fault(Kind.CORRUPT))
    matcher = torn.make(place.publisher.load().catalog)
    assert len(place.embedder.texts) > embedded
    assert matcher.match("I forgot my password", "desk").prompt.key == "it.reset"
    place.database.close()


def test_a_record_that_fails_waits_in_memory():
    faults, kept = Faults(), MemoryDecisions()
    store = FaultyDecisions(kept, faults)
    faults.arm(Point.RECORD, Fault(Kind.RAISE))
    with pytest.raises(StoreUnavailable):
        store.add_all([])
    assert store.last_of_conversation("none", "nobody") is None


@pytest.mark.parametrize("kind", Kind)
def test_a_message_whose_matching_is_broken_gets_no_answer(kind):
    faults = Faults()
    built = build(match_s=0.3, faults=faults)
    faults.arm(Point.MATCHER, Fault(kind, seconds=1.0))
    with pytest.raises((NotServing, AttributeError)):
        anyio.run(built.pipeline.answer, question("I forgot my password"))
    faults.disarm()
    assert [row.outcome for row in built.decisions.rows] == [Outcome.BLOCKED_INPUT]
    assert built.decisions.rows[0].failed
    assert built.model.prompts == []


def test_what_is_parsed_is_what_was_written():
    assert parse_points(["rails:corrupt@0.5"]) == [(Point.RAILS, Fault(Kind.CORRUPT, share=0.5))]
