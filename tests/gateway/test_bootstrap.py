"""The composition root: what is opened is closed again, whatever goes wrong, and readiness says what is missing."""

import os
import signal
import stat
import sys
import time
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import anyio
import msgspec
import pytest

from gateway import bootstrap, model_making, probes
from gateway.bootstrap import Elsewhere, open_components, open_embedder, visitor_of
from gateway.content import import_folder
from gateway.errors import SettingsInvalid
from gateway.model_making import open_model, parallel_of, places_of
from gateway.opening import first_key, open_store
from gateway.probes import model_report
from gateway.readiness import PartReport, PartState
from gateway.settings import PageSettings, Settings, load_settings
from models import device
from models.absent import AbsentModel
from models.catalog import KnownModel
from models.device import DevicePlan, Gpu
from models.errors import ModelRefused, ModelUnavailable
from models.fakes import FakeEmbedder, FakeModel
from models.planning import CPU_SEQUENCES, GPU_SEQUENCES
from models.worker.engine import LlamaModel
from models.worker.limits import EngineLimits, ModelState
from models.worker.process import WorkerProgram
from models.worker.restarts import RestartLimits
from rails.fakes import InProcessSandbox
from store.errors import StoreUnavailable
from store.repositories.decision_writer import DecisionWriter
from store.repositories.decisions import Decisions
from store.types import KeyScope, Outcome
from tests.building import GROUNDED, NearestMatchers, question
from tests.gateway.content_files import write_content
from tests.models.remote.loopback import remote

FAKE_WORKER = str(Path(__file__).parents[1] / "models" / "worker" / "fake_worker.py")
SCRIPTED = KnownModel(
    name="scripted",
    sha256="a" * 64,
    size_bytes=1,
    licence="MIT",
    is_commercial_use_allowed=True,
    context_tokens=128,
    format_name="chatml",
    package=None,
    file="none.gguf",
)


def settings_in(folder: Path, **variables: str) -> Settings:
    return load_settings(None, {"CANONGATE_DATA__DIRECTORY": str(folder / "data"), **variables})


def scripted(*arguments: str, first_pause_s: float = 0.01) -> LlamaModel:
    return LlamaModel(
        SCRIPTED,
        DevicePlan(threads=1, gpu_layers=0),
        EngineLimits(context_tokens=128, grace_s=0.3, restarts=RestartLimits(first_pause_s=first_pause_s)),
        WorkerProgram((sys.executable, "-P", FAKE_WORKER, *arguments)),
        path=Path("/nowhere/none.gguf"),
    )


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "open_embedder", lambda *_: FakeEmbedder())
    monkeypatch.setattr(
        bootstrap, "FittedMatchers", lambda settings, embedder, _: NearestMatchers(embedder, settings.index)
    )
    return settings_in(tmp_path, CANONGATE_MODEL__NAME="none")


@pytest.fixture
def published(settings, tmp_path):
    with open_store(settings) as store:
        import_folder(store.database, write_content(tmp_path / "in"), sandbox=InProcessSandbox())
    return settings


def test_the_data_folder_is_for_its_owner_alone(settings):
    with open_store(settings) as store:
        assert not store.is_published
    assert stat.S_IMODE(settings.data_directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((settings.data_directory / "canongate.db").stat().st_mode) == 0o600


def test_what_is_elsewhere_is_used_and_closed_and_not_made(published, monkeypatch):
    monkeypatch.setattr(bootstrap, "open_embedder", lambda *_: pytest.fail("an embedder was made"))
    there = remote(FakeModel(answer=GROUNDED), parallel=3, waiting=2)
    with open_components(published, elsewhere=Elsewhere(FakeEmbedder(fingerprint="there"), there)) as components:
        assert components.embeddings.fingerprint == "there"
        assert components.readiness.report().parts["model"].state is PartState.READY
        assert (parallel_of(there, published), places_of(there, published)) == (3, 7)
        asked = replace(question("I forgot my password"), assistant="helpdesk")
        assert anyio.run(components.pipeline.answer, asked).decision.model_sha256 == there.sha256
    assert there.state is ModelState.DOWN


def test_without_replicas_of_the_model_readiness_says_what_is_given():
    there = remote(FakeModel(), fault="no replica of the model is running")
    report = model_report(there)
    there.close()
    assert report.state is PartState.DEGRADED
    assert report.reason == "no replica of the model is running: approved fallbacks are given"


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(SettingsInvalid, match=r"data\.directory: cannot make"), open_store(settings_in(tmp_path)):
        pytest.fail("it was opened")


def test_a_database_that_is_none_is_told(tmp_path):
    settings = settings_in(tmp_path, CANONGATE_DATA__DATABASE_URL="mysql://there/db")
    with pytest.raises(StoreUnavailable, match="SQLite file or a PostgreSQL"), open_store(settings):
        pytest.fail("it was opened")


def test_the_first_key_is_made_once(settings):
    with open_store(settings) as store:
        made = first_key(settings, store)
        assert made.record.scopes == (KeyScope.CHAT, KeyScope.DEBUG, KeyScope.CHECKS)
        assert first_key(settings, store) is None
        assert [key.id for key in store.keys.all()] == [made.record.id]


def test_the_components_answer_a_question(published):
    with open_components(published) as components:
        asked = replace(question("The fire alarm rings"), assistant="helpdesk")
        reply = anyio.run(components.pipeline.answer, asked)
        assert (reply.decision.outcome, reply.text) == (Outcome.ANSWERED, "Leave the building by the stairs.")
        assert components.publisher is not None
        assert components.visitor is None
        with open_store(published) as store:
            made = first_key(published, store)
        assert components.keys.principal(made.token).id == made.record.id


def test_a_decision_that_waits_is_stored_before_the_database_closes(published, monkeypatch):
    add_all, errors = DecisionWriter.add_all, [StoreUnavailable("told to be down")]

    def add_later(writer, rows):
        if errors:
            raise errors.pop()
        add_all(writer, rows)

    monkeypatch.setattr(DecisionWriter, "add_all", add_later)
    with open_components(published) as components:
        asked = replace(question("The fire alarm rings"), assistant="helpdesk")
        reply = anyio.run(components.pipeline.answer, asked)
    with open_store(published) as store:
        assert Decisions(store.database).get(reply.decision.id).outcome is Outcome.ANSWERED


def test_only_who_follows_publishes_must_know_what_is_published(published):
    """A command answers from what it read, however long it takes: nobody tells it of a publish."""
    with open_components(published) as components:
        assert components.live.confirmation is None
    with open_components(published, is_followed=True) as components:
        assert components.live.confirmation.doubt == ""


def test_readiness_tells_each_part(published, monkeypatch):
    with open_components(published) as components:
        report = components.readiness.report()
        assert (report.is_ready, report.is_degraded) == (True, True)
        assert report.parts["content"].reason == "revision 1, 6 prompts"
        assert "no language model" in report.parts["model"].reason
        assert report.parts["answers"].reason == "0 answers kept; not asked yet"

        def away(_):
            raise StoreUnavailable("told to be down")

        monkeypatch.setattr(probes, "live_revision", away)
        report = components.readiness.report()
        assert report.parts["database"].reason == "the database failed; the log says how"
        assert report.parts["content"].reason == "cannot tell which revision is published"
        assert not report.is_ready


def test_an_empty_store_is_not_ready(settings):
    with open_components(settings) as components:
        report = components.readiness.report()
        assert not report.is_ready
        assert "canongate import FOLDER" in report.parts["content"].reason


def test_a_form_without_a_live_assistant_stops_the_start(published):
    settings = msgspec.structs.replace(published, page=PageSettings(try_it="nobody"))
    with pytest.raises(SettingsInvalid, match=r"page\.try_it: .*'nobody' is not live"), open_components(settings):
        pytest.fail("it was opened")
    settings = msgspec.structs.replace(published, page=PageSettings(try_it="helpdesk"))
    with open_components(settings) as components:
        assert components.visitor is not None


def test_a_context_that_the_model_does_not_have_stops_the_start(published):
    model = msgspec.structs.replace(Settings().model, context_tokens=131072)
    settings = msgspec.structs.replace(published, model=model)
    with pytest.raises(ModelRefused, match="context"), open_components(settings):
        pytest.fail("it was opened")


def test_without_model_means_without_a_worker(published):
    settings = msgspec.structs.replace(published, model=Settings().model)
    with ExitStack() as stack:
        assert isinstance(open_model(settings, stack, without_model=True, progress=pytest.fail), AbsentModel)


def test_an_unknown_model_is_refused(published):
    settings = msgspec.structs.replace(published, model=msgspec.structs.replace(published.model, name="gpt"))
    with pytest.raises(ModelRefused, match="gpt"), open_components(settings):
        pytest.fail("it was opened")


def test_the_worker_is_ended_when_a_later_part_fails(published, monkeypatch):
    made = []

    def starting(*_, **__):
        made.append(scripted())
        return made[0]

    def broken(*_):
        made[0].wait_ready(20.0)
        raise ModelUnavailable("no embedder")

    monkeypatch.setattr(model_making, "LlamaModel", starting)
    monkeypatch.setattr(bootstrap, "open_embedder", broken)
    settings = msgspec.structs.replace(published, model=Settings().model)
    with pytest.raises(ModelUnavailable, match="no embedder"), open_components(settings):
        pytest.fail("it was opened")
    assert made[0].pid is None


def test_the_models_state_becomes_its_part_of_readiness():
    model = scripted()
    assert model_report(model).state is PartState.DEGRADED
    try:
        model.start(20.0)
        assert model_report(model).state is PartState.READY
    finally:
        model.close()
    assert model_report(model).state is PartState.DEGRADED


def test_a_worker_that_loads_keeps_requests_away_only_until_one_was_ready(tmp_path):
    held = tmp_path / "held"
    held.touch()
    model = scripted("--held-while", str(held))
    try:
        model.start()
        assert model_report(model) == PartReport(PartState.NOT_READY, "loading the weights")
        held.unlink()
        assert model.wait_ready(60.0)
        held.touch()
        os.kill(model.pid, signal.SIGKILL)
        until_s = time.monotonic() + 60.0
        while model.starts < 2:
            assert time.monotonic() < until_s
            time.sleep(0.01)
        told = "the worker starts again: approved fallbacks are given"
        assert model_report(model) == PartReport(PartState.DEGRADED, told)
        held.unlink()
        assert model.wait_ready(60.0)
        assert model_report(model).state is PartState.READY
    finally:
        model.close()


def test_another_embedder_needs_the_hash_of_its_weights(tmp_path):
    settings = settings_in(tmp_path, CANONGATE_EMBEDDER__PATH=str(tmp_path))
    with pytest.raises(SettingsInvalid, match=r"embedder\.sha256: needed with embedder\.path"):
        open_embedder(settings, lambda _: None)


def test_an_embedder_that_is_not_there_is_refused(tmp_path):
    settings = settings_in(
        tmp_path, CANONGATE_EMBEDDER__PATH=str(tmp_path / "none"), CANONGATE_EMBEDDER__SHA256="a" * 64
    )
    with pytest.raises((ModelRefused, ModelUnavailable)):
        open_embedder(settings, lambda _: None)


def test_there_is_a_visitor_only_where_the_page_has_a_form(tmp_path):
    assert visitor_of(settings_in(tmp_path)) is None
    visitor = visitor_of(
        settings_in(tmp_path, CANONGATE_PAGE__TRY_IT="helpdesk", CANONGATE_LIMITS__VISITOR_REQUESTS_PER_MINUTE="3")
    )
    assert (visitor.assistants, visitor.requests_per_minute) == (frozenset({"helpdesk"}), 3)
    assert not visitor.may_use("another")


def test_layers_on_a_gpu_are_refused_by_a_llama_cpp_that_has_none(settings, monkeypatch):
    monkeypatch.setattr(device, "has_gpu_build", lambda: False)
    model = msgspec.structs.replace(Settings().model, gpu_layers=4)
    with pytest.raises(ModelRefused, match="built without one"):
        model_making.make_model(msgspec.structs.replace(settings, model=model))


def test_the_plan_is_for_the_cards_that_the_worker_sees(settings, monkeypatch, caplog):
    monkeypatch.setattr(device, "has_gpu_build", lambda: True)
    monkeypatch.setattr(device, "nvidia_gpus", lambda: (Gpu("card", 24 << 30, 24 << 30, "GPU-1"),))
    model = msgspec.structs.replace(Settings().model, unpack=False)
    settings = msgspec.structs.replace(settings, model=model)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with closing(model_making.make_model(settings)) as made:
        assert made.parallel == GPU_SEQUENCES[0]
    assert not caplog.text
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with closing(model_making.make_model(settings)) as made:
        assert made.parallel <= CPU_SEQUENCES[0]
    assert "planned_without_gpu: CUDA_VISIBLE_DEVICES shows the worker none" in caplog.text
