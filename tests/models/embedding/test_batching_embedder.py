import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pytest

from models.embedding.batching import BatchingEmbedder
from models.errors import ModelBusy, ModelError, ModelRefused, ModelUnavailable
from models.fakes import FakeEmbedder

WAIT_S = 10.0


@dataclass(frozen=True)
class Gated(FakeEmbedder):
    """Runs only while its gate is open, and keeps what each run was given."""

    gate: threading.Event = field(default_factory=threading.Event)
    started: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    runs: list = field(default_factory=list)

    def embed(self, texts):
        self.runs.append(list(texts))
        self.started.release()
        assert self.gate.wait(WAIT_S)
        if "broken" in texts:
            raise ModelUnavailable("this text breaks it")
        if "bug" in texts:
            raise ZeroDivisionError
        return FakeEmbedder().embed(texts)


@pytest.fixture
def pool():
    with ThreadPoolExecutor(24) as pool:
        yield pool


@pytest.fixture
def gated():
    inner = Gated()
    yield inner
    inner.gate.set()


def start(pool, batching, inner, texts):
    """Starts one run with the first text and lets the others queue up behind it, in order."""
    futures = [pool.submit(batching.embed, [texts[0]])]
    assert inner.started.acquire(timeout=WAIT_S)
    for number, text in enumerate(texts[1:], 1):
        futures.append(pool.submit(batching.embed, [text]))
        wait_until(lambda number=number: len(batching._waiting) == number)
    return futures


def wait_until(condition):
    for _ in range(2000):
        if condition():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it never happened")


def test_whoever_comes_while_a_run_is_going_shares_the_next_one(pool, gated):
    batching = BatchingEmbedder(gated)
    texts = [f"text {number}" for number in range(6)]
    futures = start(pool, batching, gated, texts)
    gated.gate.set()
    for text, future in zip(texts, futures, strict=True):
        assert np.array_equal(future.result(WAIT_S), FakeEmbedder().embed([text]))
    assert gated.runs == [texts[:1], texts[1:]]


def test_runs_are_bounded_and_first_come_is_first_served(pool, gated):
    batching = BatchingEmbedder(gated, max_batch=2)
    texts = [f"text {number}" for number in range(6)]
    futures = start(pool, batching, gated, texts)
    gated.gate.set()
    assert all(future.result(WAIT_S).shape == (1, 64) for future in futures)
    assert gated.runs == [texts[:1], texts[1:3], texts[3:5], texts[5:]]


def test_an_error_reaches_only_the_caller_whose_text_caused_it(pool, gated):
    batching = BatchingEmbedder(gated)
    futures = start(pool, batching, gated, ["first", "good", "broken", "also good"])
    gated.gate.set()
    assert futures[1].result(WAIT_S).shape == futures[3].result(WAIT_S).shape == (1, 64)
    with pytest.raises(ModelUnavailable, match="breaks"):
        futures[2].result(WAIT_S)


def test_a_bug_in_a_run_leaves_nobody_waiting_and_lets_the_next_start(pool, gated):
    batching = BatchingEmbedder(gated)
    futures = start(pool, batching, gated, ["bug", "one", "bug", "two"])
    gated.gate.set()
    assert isinstance(futures[0].exception(WAIT_S), ZeroDivisionError)
    assert isinstance(futures[2].exception(WAIT_S), ZeroDivisionError)
    assert futures[3].result(WAIT_S).shape == (1, 64)
    assert batching.embed(["later"]).shape == (1, 64)
    assert (batching._is_running, len(batching._waiting)) == (False, 0)


def test_too_many_waiters_is_busy_at_once(pool, gated):
    batching = BatchingEmbedder(gated, max_waiting=2)
    futures = start(pool, batching, gated, ["running", "waits", "waits too"])
    with pytest.raises(ModelBusy):
        batching.embed(["one too many"])
    gated.gate.set()
    assert all(future.result(WAIT_S).shape == (1, 64) for future in futures)


def test_an_interrupted_wait_does_not_block_those_behind_it(pool, gated, monkeypatch):
    batching = BatchingEmbedder(gated)
    (running,) = start(pool, batching, gated, ["running"])

    class Interrupted(threading.Condition):
        def wait(self, timeout=None):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading, "Condition", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            batching.embed(["interrupted"])
    behind = pool.submit(batching.embed, ["behind"])
    gated.gate.set()
    assert running.result(WAIT_S).shape == behind.result(WAIT_S).shape == (1, 64)


def test_an_index_that_is_built_keeps_no_message_waiting(pool, gated):
    batching = BatchingEmbedder(gated)
    building = pool.submit(batching.embed, [f"text {number}" for number in range(100)])
    assert gated.started.acquire(timeout=WAIT_S)
    message = pool.submit(batching.embed, ["message"])
    assert gated.started.acquire(timeout=WAIT_S)  # it runs although the building goes on
    gated.gate.set()
    assert message.result(WAIT_S).shape == (1, 64)
    assert building.result(WAIT_S).shape == (100, 64)


@pytest.mark.parametrize("setting", ["max_batch", "max_waiting"])
def test_a_limit_of_nothing_is_refused(setting):
    with pytest.raises(ValueError, match="at least 1"):
        BatchingEmbedder(FakeEmbedder(), **{setting: 0})


def test_many_threads_each_get_their_own_vector(pool):
    batching = BatchingEmbedder(FakeEmbedder(max_tokens=8), max_batch=4, max_waiting=1000)
    texts = [f"question {number}" if number % 7 else "far too long " * 9 for number in range(400)]

    def embed(text):
        try:
            return batching.embed([text])
        except ModelError as error:
            return error

    for text, got in zip(texts, pool.map(embed, texts), strict=True):
        if text.startswith("far"):
            assert isinstance(got, ModelRefused)
        else:
            assert np.array_equal(got, FakeEmbedder().embed([text]))
