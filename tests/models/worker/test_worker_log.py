"""What the supervision of a worker says in the log: when, which process and why, and never a word of a prompt."""

import dataclasses
import logging
import os
import re
import signal

import pytest

from models.errors import ModelRefused, ModelTimeout, ModelUnavailable
from models.worker.limits import ModelState
from models.worker.restarts import RestartLimits
from tests.models.worker.test_llama_engine import KNOWN, ask, engine, outcome, until


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


@pytest.fixture
def said(caplog):
    caplog.set_level(logging.INFO, logger="models.worker.supervisor")
    return lambda: [(record.levelname, record.getMessage()) for record in caplog.records]


def has_said(lines, level, pattern):
    return any(name == level and re.fullmatch(pattern, text) for name, text in lines)


def test_start_readiness_and_end_of_a_worker_are_logged(make, said):
    model = make()
    pid = model.pid
    assert ask(model, "sesame").text == "sesame "
    model.close()
    assert has_said(said(), "INFO", f"model worker {pid} started")
    assert has_said(said(), "INFO", rf"model worker {pid} is ready after \d+\.\d s")
    assert has_said(said(), "INFO", rf"model worker {pid} ended with the gateway \(exit status 0\)")
    assert "sesame" not in str(said())


def test_the_end_of_a_worker_is_logged_with_its_status_and_the_pause(make, said):
    model = make()
    pid = model.pid
    assert outcome(model, "sesame die") is ModelUnavailable
    until(lambda: model.pid not in (pid, None))
    assert has_said(said(), "WARNING", rf"model worker {pid} ended \(exit status 9\): the model worker died")
    assert has_said(said(), "INFO", r"model worker restarts in \d\.\d s")
    assert "sesame" not in str(said())


def test_a_signal_that_ended_a_worker_is_logged(make, said):
    model = make()
    pid = model.pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: model.pid not in (pid, None))
    assert has_said(said(), "WARNING", rf"model worker {pid} ended \(signal 9\): the model worker died")


def test_a_worker_that_is_killed_is_logged_with_the_reason(make, said):
    silent = make(silence_s=1.5)
    os.kill(silent.pid, signal.SIGSTOP)
    hung = make()
    with pytest.raises(ModelTimeout):
        ask(hung, "deaf", timeout_s=0.1)
    until(lambda: str(said()).count("was killed") == 2)
    late = make("--never-ready", wait_s=0.0, start_timeout_s=0.3)
    until(lambda: str(said()).count("did not get ready") >= 1)
    late.close()
    for reason in ("is silent", "did not get ready in time", "did not give up a job"):
        assert has_said(said(), "WARNING", rf"model worker \d+ was killed \(signal 9\): the model worker {reason}"), (
            reason
        )


def test_the_breaker_is_logged_once_when_it_opens_and_when_it_closes(make, said):
    model = make(restarts=RestartLimits(first_pause_s=0.01, restarts=1, open_s=0.3))
    for _ in range(2):
        assert outcome(model, "die") is ModelUnavailable
    assert model.wait_ready(20.0)
    opened = [text for _, text in said() if "breaker open" in text]
    assert opened == ["model breaker open for 0 s: the worker died too often"]
    assert has_said(said(), "INFO", "model breaker closed: the worker is tried again")


def test_a_refused_file_and_a_missing_program_are_logged(make, said):
    model = make(wait_s=0.0, known=dataclasses.replace(KNOWN, sha256="b" * 64))
    assert outcome(model, "hello") is ModelRefused
    assert has_said(said(), "ERROR", "model breaker open until the gateway restarts: the file was changed")
    assert outcome(make(wait_s=0.0, command=("/nowhere/python",)), "hello") is ModelUnavailable
    assert has_said(said(), "ERROR", "the model worker cannot be started: No such file or directory")


def test_the_log_of_a_worker_is_for_its_owner_alone(make, tmp_path):
    path = tmp_path / "worker.log"
    make(log=path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_worker_is_lost_once_whatever_notices_its_end_later(make, said):
    model = make()
    supervisor = model._supervisor
    model.close()
    supervisor.state, before = ModelState.READY, len(said())
    for _ in range(3):
        supervisor._lose("the model worker died")
    assert len(said()) == before
    assert supervisor._plan.pause_s(0.0) == 0.0
