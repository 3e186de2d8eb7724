"""The supervision of a worker, with a real process that has no weights: see fake_worker.py."""

import dataclasses
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from models.catalog import KnownModel
from models.child import PACKAGE_ROOT
from models.device import DevicePlan
from models.errors import ModelBusy, ModelError, ModelRefused, ModelTimeout, ModelUnavailable, RequestCancelled
from models.ports import Cancellation, FinishReason, Sampling
from models.worker.engine import LlamaModel
from models.worker.limits import EngineLimits, ModelState
from models.worker.process import WorkerProgram
from models.worker.restarts import RestartLimits
from tests.models.prompts import approved

WORKER = str(Path(__file__).parent / "fake_worker.py")
KNOWN = KnownModel(
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
QUICK = RestartLimits(first_pause_s=0.01, longest_pause_s=0.05)


def engine(*arguments, known=KNOWN, restarts=QUICK, command=None, log=None, **limits):
    limits = {"context_tokens": 128, "parallel": 1, "grace_s": 0.3, **limits}
    return LlamaModel(
        known,
        DevicePlan(threads=1, gpu_layers=0),
        EngineLimits(restarts=restarts, **limits),
        WorkerProgram(command or (sys.executable, "-P", WORKER, *arguments), log=log),
        path=Path("/nowhere/none.gguf"),
    )


@pytest.fixture
def make():
    made = []

    def start(*arguments, wait_s=20.0, **options):
        made.append(engine(*arguments, **options))
        made[-1].start(wait_s)
        return made[-1]

    yield start
    for model in made:
        model.close()


def ask(model, text, timeout_s=20.0, cancellation=None, **sampling):
    return model.complete(
        approved(text),
        Sampling(**sampling),
        deadline_s=time.monotonic() + timeout_s,
        cancellation=cancellation or Cancellation(),
    )


def outcome(model, text, timeout_s=20.0):
    try:
        return ask(model, text, timeout_s).text
    except ModelError as error:
        return type(error)


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def until(condition, timeout_s=10.0):
    give_up = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.01)


def test_an_answer_carries_text_reason_and_counts(make):
    completion = ask(make(), "one two three")
    assert completion.text == "one two three "
    assert completion.finish_reason is FinishReason.STOP
    assert (completion.prompt_tokens, completion.completion_tokens) == ((0, 1, 2), 3)
    assert 0 <= completion.first_token_ms <= completion.duration_ms


def test_max_tokens_ends_an_answer_with_length(make):
    completion = ask(make(), "one two three", max_tokens=2)
    assert (completion.text, completion.finish_reason) == ("one two ", FinishReason.LENGTH)


def test_a_stop_text_of_the_request_ends_an_answer(make):
    assert ask(make(), "one two three", stop=("two",)).text == "one "


def test_a_listener_that_raises_ends_its_request_and_frees_the_place(make):
    model = make()
    started = time.monotonic()

    def listen(text):
        raise OSError(text)

    with pytest.raises(OSError, match="slow"):
        model.complete(
            approved("slow " * 100),
            Sampling(max_tokens=20),
            deadline_s=started + 20.0,
            cancellation=Cancellation(),
            on_text=listen,
        )
    model_pid = model.pid
    assert ask(model, "hello").text == "hello "
    # Twenty tokens of a tenth of a second each would have come first.
    assert time.monotonic() - started < 1.5
    assert model.pid == model_pid


def test_starting_does_not_wait_and_readiness_can_be_polled(make):
    model = make(wait_s=0.0)
    assert model.state is ModelState.STARTING
    assert model.wait_ready(20.0)
    assert model.state is ModelState.READY
    assert model.pid is not None
    assert model.can_offload_to_gpu is False


def test_a_request_during_the_start_waits_for_it(make):
    assert ask(make(wait_s=0.0), "hello").text == "hello "


def test_a_model_that_was_not_started_is_unavailable():
    with pytest.raises(ModelUnavailable):
        ask(engine(), "hello")


def test_a_prompt_that_does_not_fit_with_its_answer_is_refused_and_the_next_is_answered(make):
    model = make()
    with pytest.raises(ModelRefused, match="context holds 128"):
        ask(model, "hello", max_tokens=128)
    with pytest.raises(ModelRefused, match="bytes"):
        ask(model, "x" * 3000)
    with pytest.raises(ModelRefused, match="Unicode"):
        ask(model, "lone \ud800")
    far_s = time.monotonic() + 20.0
    with pytest.raises(ModelRefused, match="Unicode"):
        model.complete(approved("a", assistant="\ud800"), Sampling(), deadline_s=far_s, cancellation=Cancellation())
    assert ask(model, "hello", max_tokens=127).text == "hello "


def test_a_context_larger_than_the_models_is_refused():
    with pytest.raises(ModelRefused, match="128 tokens"):
        engine(context_tokens=129)


def test_a_deadline_ends_the_wait_and_the_worker_goes_on_with_the_next(make):
    model = make()
    pid = model.pid
    started = time.monotonic()
    with pytest.raises(ModelTimeout):
        ask(model, "hang", timeout_s=0.2)
    assert time.monotonic() - started < 2.0
    assert ask(model, "hello").text == "hello "
    assert model.pid == pid


@pytest.mark.parametrize("deadline_s", [-1.0, 0.0, float("nan"), float("-inf")])
def test_a_deadline_that_passed_or_is_no_number_starts_nothing(make, deadline_s):
    with pytest.raises(ModelTimeout):
        make().complete(approved("hello"), Sampling(), deadline_s=deadline_s, cancellation=Cancellation())


def test_a_cancellation_frees_the_worker_for_the_next(make):
    model = make()
    pid = model.pid
    cancellation = Cancellation()
    threading.Timer(0.2, cancellation.cancel).start()
    with pytest.raises(RequestCancelled):
        ask(model, "hang", cancellation=cancellation)
    assert ask(model, "hello").text == "hello "
    assert model.pid == pid


def test_a_cancelled_request_is_not_even_queued(make):
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(RequestCancelled):
        ask(make(), "hello", cancellation=cancellation)


def test_a_worker_that_gives_nothing_up_is_replaced(make):
    model = make()
    pid = model.pid
    with pytest.raises(ModelTimeout):
        ask(model, "deaf", timeout_s=0.2)
    assert ask(model, "hello").text == "hello "
    assert model.pid != pid
    assert not is_alive(pid)


def test_a_crash_fails_only_the_request_in_hand(make):
    model = make()
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(outcome, model, "slow die")
        time.sleep(0.05)
        waiting = [pool.submit(outcome, model, f"number {number}") for number in range(3)]
        assert first.result() is ModelUnavailable
        assert [future.result() for future in waiting] == ["number 0 ", "number 1 ", "number 2 "]


def test_a_worker_that_is_killed_under_load_fails_exactly_one_request(make):
    model = make()
    with ThreadPoolExecutor(5) as pool:
        futures = [pool.submit(outcome, model, "slow " * 4) for _ in range(5)]
        time.sleep(0.15)
        os.kill(model.pid, signal.SIGKILL)
        outcomes = [future.result() for future in futures]
    assert outcomes.count(ModelUnavailable) == 1
    assert outcomes.count("slow " * 4) == 4


def test_a_worker_works_on_several_at_once_and_its_death_fails_those_only(make):
    model = make(parallel=3)
    with ThreadPoolExecutor(5) as pool:
        futures = [pool.submit(outcome, model, "slow " * 6) for _ in range(5)]
        time.sleep(0.25)
        os.kill(model.pid, signal.SIGKILL)
        outcomes = [future.result() for future in futures]
    assert outcomes.count(ModelUnavailable) == 3
    assert outcomes.count("slow " * 6) == 2


def test_several_at_once_take_the_time_of_one(make):
    model = make(parallel=4)
    started = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: outcome(model, "slow " * 10), range(4))) == ["slow " * 10] * 4
    assert time.monotonic() - started < 3.0, "one after another they take 4.4 s"


def test_a_cancellation_leaves_the_others_alone(make):
    model = make(parallel=2)
    cancellation = Cancellation()
    with ThreadPoolExecutor(2) as pool:
        other = pool.submit(outcome, model, "slow " * 5)
        threading.Timer(0.15, cancellation.cancel).start()
        with pytest.raises(RequestCancelled):
            ask(model, "slow " * 30, cancellation=cancellation)
        assert other.result() == "slow " * 5


def test_a_caller_that_is_told_the_text_hears_all_of_it(make):
    told = []
    completion = make().complete(
        approved("one two three"),
        Sampling(),
        deadline_s=time.monotonic() + 20,
        cancellation=Cancellation(),
        on_text=told.append,
    )
    assert "".join(told) == completion.text == "one two three "
    assert len(told) == 3


def test_nonsense_on_the_pipe_is_treated_as_death(make):
    model = make()
    with pytest.raises(ModelUnavailable):
        ask(model, "noise")
    assert ask(model, "hello").text == "hello "


def test_a_stopped_worker_times_out_and_is_replaced(make):
    model = make()
    pid = model.pid
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(ModelTimeout):
        ask(model, "hello", timeout_s=0.3)
    assert ask(model, "hello").text == "hello "
    assert model.pid != pid
    assert not is_alive(pid)


def test_a_silent_worker_is_replaced_without_any_request(make):
    model = make(silence_s=1.5)
    pid = model.pid
    os.kill(pid, signal.SIGSTOP)
    until(lambda: model.pid not in (pid, None))
    assert not is_alive(pid)


def test_a_full_line_is_busy_at_once_and_says_how_long(make):
    model = make(max_waiting=2)
    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(outcome, model, "slow " * 5)]
        time.sleep(0.1)
        futures += [pool.submit(outcome, model, "slow " * 5) for _ in range(2)]
        time.sleep(0.1)
        started = time.monotonic()
        with pytest.raises(ModelBusy) as refusal:
            ask(model, "hello")
        assert time.monotonic() - started < 0.2
        assert 0.0 < refusal.value.retry_after_s < 60.0
        assert [future.result() for future in futures] == ["slow " * 5] * 3


def test_places_of_callers_who_left_are_free_again(make):
    model = make(max_waiting=1)
    with ThreadPoolExecutor(2) as pool:
        working = pool.submit(outcome, model, "slow " * 6)
        time.sleep(0.1)
        assert pool.submit(outcome, model, "hello", 0.1).result() is ModelTimeout
        assert ask(model, "hello").text == "hello "
        assert working.result() == "slow " * 6


def test_a_worker_that_keeps_dying_opens_the_breaker_and_requests_fail_at_once(make):
    model = make("--crash-at-start", wait_s=0.0)
    assert outcome(model, "hello") is ModelUnavailable
    until(lambda: model.state is ModelState.OPEN)
    started = time.monotonic()
    with pytest.raises(ModelUnavailable, match="too often"):
        ask(model, "hello")
    assert time.monotonic() - started < 0.2
    assert model.pid is None


def test_a_breaker_that_closes_again_starts_a_worker(make):
    model = make(restarts=RestartLimits(first_pause_s=0.01, restarts=1, open_s=0.2))
    for _ in range(2):
        assert outcome(model, "die") is ModelUnavailable
    assert model.state is ModelState.OPEN
    assert model.wait_ready(20.0)
    assert ask(model, "hello").text == "hello "


def test_a_program_that_cannot_be_started_makes_the_model_unavailable(make):
    model = make(wait_s=0.0, command=("/nowhere/python",))
    assert outcome(model, "hello") is ModelUnavailable


def test_a_refused_file_is_refused_to_every_request_and_not_tried_again(make):
    model = make(wait_s=0.0, known=dataclasses.replace(KNOWN, sha256="b" * 64))
    with pytest.raises(ModelRefused, match="changed"):
        ask(model, "hello")
    assert model.state is ModelState.OPEN
    with pytest.raises(ModelRefused, match="changed"):
        ask(model, "hello")


def test_a_refused_file_that_was_loaded_before_is_tried_again(make, tmp_path):
    flag = tmp_path / "away"
    patient = dataclasses.replace(QUICK, restarts=1000)
    model = make("--refused-while", str(flag), restarts=patient)
    flag.touch()
    os.kill(model.pid, signal.SIGKILL)
    until(lambda: model.starts > 2, timeout_s=30.0)
    flag.unlink()
    assert model.wait_ready(30.0)
    assert ask(model, "hello").text == "hello "


@pytest.fixture
def many_descriptors():
    """Takes every descriptor below 1,100, as a gateway with so many connections does."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (2048, limits[1]))
    taken = [os.open(os.devnull, os.O_RDONLY)]
    while taken[-1] < 1100:
        taken.append(os.dup(taken[0]))
    yield
    for descriptor in taken:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.usefixtures("many_descriptors")
def test_a_worker_starts_and_answers_under_a_gateway_with_many_connections(make):
    assert ask(make(), "hello").text == "hello "


def test_closing_ends_the_worker_and_fails_who_waits(make):
    model = make()
    pid = model.pid
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(outcome, model, "hang") for _ in range(2)]
        time.sleep(0.2)
        model.close()
        assert [future.result() for future in futures] == [ModelUnavailable] * 2
    assert not is_alive(pid)
    assert outcome(model, "hello") is ModelUnavailable
    with pytest.raises(ModelUnavailable):
        model.start()


def test_the_worker_gets_nothing_of_the_gateways_environment(make, monkeypatch):
    monkeypatch.setenv("CANONGATE_SECRET", "hunter2")
    environment = Path(f"/proc/{make().pid}/environ").read_bytes()
    names = {entry.split(b"=")[0] for entry in environment.split(b"\0") if entry}
    assert names == {b"PYTHONPATH", b"LANG", b"GOMP_SPINCOUNT", b"CUDA_DEVICE_ORDER"}


def test_the_worker_dies_with_a_gateway_that_is_killed():
    program = f"""
import sys, time
sys.path.insert(0, {str(PACKAGE_ROOT)!r})
from tests.models.worker.test_llama_engine import engine
model = engine()
model.start(20.0)
print(model.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as gateway:
        pid = int(gateway.stdout.readline())
        assert is_alive(pid)
        gateway.kill()
    until(lambda: not is_alive(pid))
