"""An upstream in the settings: taken as written, refused with words, wired in place of the worker, and looked at."""

from contextlib import ExitStack

import pytest

from gateway import model_making
from gateway.commands.checking import Checks, _found
from gateway.errors import SettingsInvalid
from gateway.model_making import make_model, open_model
from gateway.probes import model_report
from gateway.readiness import PartState
from gateway.settings import load_settings
from models.errors import ModelRefused
from models.upstream.model import UpstreamModel
from models.upstream.target import PromptStyle
from models.worker.engine import LlamaModel
from tests.models.upstream.fake_upstream import fake_upstream
from tests.models.upstream.upstreams import ask

KEY = "sk-secret-1234567890"


def settings_with(tmp_path, **upstream: str):
    environment = {f"CANONGATE_UPSTREAM__{name.upper()}": value for name, value in upstream.items()}
    return load_settings(None, {"CANONGATE_DATA__DIRECTORY": str(tmp_path), **environment})


def opened(settings, stack):
    return open_model(settings, stack, without_model=False, progress=lambda _: None)


def finding(settings):
    return _found("model", Checks(settings, settings.data_directory / "scratch")._model)


def test_without_a_url_the_worker_answers(tmp_path):
    model = make_model(settings_with(tmp_path))
    assert isinstance(model, LlamaModel)
    model.close()


def test_the_settings_reach_the_upstream(tmp_path):
    model = make_model(
        settings_with(
            tmp_path,
            url="https://models.example/v1",
            model="m",
            revision="2",
            prompts="tokens",
            format="chatml",
            key=KEY,
            requests="3",
        )
    )
    target = model._target
    assert (target.url, target.model, target.revision) == ("https://models.example/v1", "m", "2")
    assert (target.style, target.format_name, target.key) == (PromptStyle.TOKENS, "chatml", KEY)
    assert (model.name, model._limits.requests) == ("m", 3)


def test_it_answers_in_place_of_the_worker_also_when_no_local_model_is_wanted(tmp_path, monkeypatch):
    monkeypatch.setattr(model_making, "LlamaModel", None)
    with fake_upstream() as server, ExitStack() as stack:
        settings = settings_with(tmp_path, url=server.url, model="m")
        model = opened(settings, stack)
        assert isinstance(model, UpstreamModel)
        assert ask(model).text == "The office opens at eight."


def test_its_state_becomes_the_models_part_of_readiness(tmp_path):
    with fake_upstream() as server, ExitStack() as stack:
        model = opened(settings_with(tmp_path, url=server.url, model="m"), stack)
        model.start(5.0)
        assert model_report(model).state is PartState.READY
        model.close()
        assert model_report(model).state is PartState.DEGRADED


def test_a_server_that_is_down_is_said_in_words(tmp_path):
    with fake_upstream() as server, ExitStack() as stack:
        server.health = 503
        model = opened(settings_with(tmp_path, url=server.url, model="m"), stack)
        model.start(5.0)
        report = model_report(model)
    assert (report.state, report.reason) == (
        PartState.DEGRADED,
        "the upstream answered 503: approved fallbacks are given",
    )


@pytest.mark.parametrize(
    ("upstream", "words"),
    [
        ({"url": "https://h/v1"}, "upstream.model is needed"),
        ({"model": "m"}, "upstream.url is not set"),
        ({"key": KEY}, "upstream.url is not set"),
        ({"url": "https://h/v1", "model": "m", "prompts": "raw"}, "upstream.prompts"),
        ({"url": "https://h/v1", "model": "m", "requests": "0"}, "upstream.requests"),
        ({"url": f"https://bot:{KEY}@h/v1", "model": "m"}, "user or password"),
        ({"url": f"https://bot:[{KEY}@h/v1", "model": "m"}, "user or password"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, upstream, words):
    with pytest.raises(SettingsInvalid) as refused:
        settings_with(tmp_path, **upstream)
    assert words in refused.value.message
    assert KEY not in refused.value.message


def test_an_unencrypted_server_elsewhere_stops_the_start(tmp_path):
    with pytest.raises(ModelRefused, match="without encryption"):
        make_model(settings_with(tmp_path, url="http://10.0.0.5/v1", model="m"))


def test_printed_settings_do_not_hold_the_key(tmp_path):
    settings = settings_with(tmp_path, url="https://h/v1", model="m", key=KEY)
    assert KEY not in f"{settings!r} {settings}"
    assert "***" in repr(settings)


def test_check_asks_the_server(tmp_path):
    with fake_upstream() as server:
        settings = settings_with(tmp_path, url=server.url, model="m")
        good = finding(settings)
        server.models = 401
        bad = finding(settings)
        assert (good.is_ok, good.detail) == (True, f"m on {server.url}, which is ready")
    assert (bad.is_ok, bad.detail) == (False, "the upstream answered 401")
