"""One contract for every language model: fake, behind its worker, in other processes, on Ray, on another server."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.rival_server import is_built, running
from models.catalog import known_model, located
from models.device import plan_device
from models.errors import ModelBusy, ModelError, ModelRefused, ModelTimeout, RequestCancelled
from models.fakes import FakeModel
from models.ports import Cancellation, FinishReason, Sampling
from models.worker.engine import LlamaModel
from models.worker.limits import EngineLimits
from models.worker.process import WorkerProgram
from tests.models.prompts import approved
from tests.models.remote.loopback import remote
from tests.models.upstream.fake_upstream import answer, fake_upstream
from tests.models.upstream.upstreams import upstream
from tests.on_ray.application import ON_RAY

LONG_ANSWER = "word " * 2000
PROMPT = approved("Explain the opening hours.", instructions="The office is open from 08:00 to 18:00.")


@pytest.fixture(scope="module")
def real():
    model = LlamaModel(
        known_model("smollm2-135m-instruct"),
        plan_device(gpu_layers=0),
        EngineLimits(parallel=1, max_waiting=1),
        WorkerProgram(),
    )
    model.start(60.0)
    yield model
    model.close()


@pytest.fixture(scope="module")
def remote_model(real):
    model = remote(real)
    yield model
    model.close()


@pytest.fixture(scope="module")
def upstream_model():
    with fake_upstream(answer(LONG_ANSWER, token_s=0.005)) as server, upstream(server.url, requests=2) as model:
        yield model


@pytest.fixture(scope="module")
def slow_upstream():
    with fake_upstream(answer(LONG_ANSWER, token_s=60.0)) as server, upstream(server.url) as model:
        yield model


@pytest.fixture(scope="module")
def llama_server():
    # Without its cache: whether a prompt's beginning was computed before changes the last bits of what follows.
    with (
        running(located(known_model("smollm2-135m-instruct")), slots=2, prompt_cache=False) as url,
        upstream(url, requests=2) as model,
    ):
        yield model


OTHERS = [
    pytest.param("real", marks=pytest.mark.weights),
    pytest.param("remote_model", marks=pytest.mark.weights),
    pytest.param("ray_model", marks=ON_RAY),
    pytest.param(
        "llama_server",
        marks=[
            pytest.mark.weights,
            pytest.mark.skipif(not is_built(), reason="llama.cpp's server is not built; run: make rival"),
        ],
    ),
]


@pytest.fixture(params=["fake", "upstream_model", *OTHERS])
def model(request):
    return FakeModel(answer=LONG_ANSWER) if request.param == "fake" else request.getfixturevalue(request.param)


@pytest.fixture(params=["fake", "slow_upstream", *OTHERS])
def slow_model(request):
    if request.param == "fake":
        return FakeModel(answer=LONG_ANSWER, delay_s=60.0)
    return request.getfixturevalue(request.param)


def ask(model, prompt=PROMPT, *, timeout_s=60.0, cancellation=None, **sampling):
    return model.complete(
        prompt,
        Sampling(**sampling),
        deadline_s=time.monotonic() + timeout_s,
        cancellation=cancellation or Cancellation(),
    )


def test_it_has_a_name_and_the_hash_of_its_weights(model):
    assert model.name
    assert len(model.sha256) == 64
    assert model.adapter("nobody") == ""


def test_an_answer_has_text_counts_and_times(model):
    completion = ask(model, max_tokens=8)
    assert completion.text.strip()
    assert 1 <= completion.completion_tokens <= 8
    assert completion.prompt_token_count > 5
    assert 0.0 <= completion.first_token_ms <= completion.duration_ms


def test_max_tokens_is_kept_and_said(model):
    completion = ask(model, max_tokens=3)
    assert (completion.completion_tokens, completion.finish_reason) == (3, FinishReason.LENGTH)


def test_the_same_prompt_has_the_same_tokens_and_the_same_answer(model):
    first, second = ask(model, max_tokens=12), ask(model, max_tokens=12)
    assert (first.prompt_sha256, first.text) == (second.prompt_sha256, second.text)


def test_a_stop_text_is_not_part_of_the_answer(model):
    whole = ask(model, max_tokens=12).text
    stop = whole[3:5]
    assert ask(model, max_tokens=12, stop=(stop,)).text == whole[: whole.index(stop)]


def test_a_deadline_that_passed_starts_nothing(model):
    with pytest.raises(ModelTimeout):
        ask(model, timeout_s=-0.001)


def test_a_deadline_cuts_the_work_short(slow_model):
    started = time.monotonic()
    with pytest.raises(ModelTimeout):
        ask(slow_model, max_tokens=512, timeout_s=0.15)
    assert time.monotonic() - started < 5.0


def test_a_cancellation_cuts_the_work_short(slow_model):
    cancellation = Cancellation()
    threading.Timer(0.15, cancellation.cancel).start()
    started = time.monotonic()
    with pytest.raises(RequestCancelled):
        ask(slow_model, max_tokens=512, cancellation=cancellation)
    assert time.monotonic() - started < 5.0


def test_a_request_cancelled_before_it_starts_is_not_worked_on(model):
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(RequestCancelled):
        ask(model, cancellation=cancellation)


def test_a_prompt_that_does_not_fit_is_refused_and_the_next_is_answered(model):
    with pytest.raises(ModelRefused):
        ask(model, approved("word " * 2040))
    assert ask(model, max_tokens=2).text


@pytest.mark.parametrize(
    "values",
    [
        {"max_tokens": 0},
        {"max_tokens": 513},
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"seed": -1},
        {"seed": 2**32},
        {"stop": ("",)},
        {"stop": ("x",) * 5},
    ],
)
def test_sampling_out_of_range_does_not_exist(values):
    with pytest.raises(ValueError, match=r"must be|takes at most"):
        Sampling(**values)


def _outcome(model):
    try:
        return ask(model, max_tokens=60).finish_reason
    except ModelError as error:
        return error


def test_a_busy_model_says_so_at_once_and_when_to_come_back(model):
    if isinstance(model, FakeModel):
        model.is_busy = True
    with ThreadPoolExecutor(6) as pool:
        outcomes = [future.result() for future in [pool.submit(_outcome, model) for _ in range(6)]]
    busy = [outcome for outcome in outcomes if isinstance(outcome, ModelBusy)]
    assert busy
    assert all(0.0 < error.retry_after_s < 600.0 for error in busy)
    assert all(isinstance(outcome, ModelBusy | FinishReason) for outcome in outcomes)
