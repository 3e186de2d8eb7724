"""It calls nobody: a whole question with the real embedder and model opens no socket beyond loopback."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.catalog import known_model
from models.device import plan_device
from models.ports import ApprovedPrompt, Cancellation, PartKind, PromptPart, RenderedPrompt, Sampling
from models.worker.engine import LlamaModel
from models.worker.limits import EngineLimits
from models.worker.process import WorkerProgram

ROOT = Path(__file__).parents[2]
WATCHED = """
import json, sys
seen = []
def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname"):
        seen.append([event, repr(args[1] if event in ("socket.connect", "socket.sendto") else args[0])])
sys.addaudithook(watch)
from gateway.cli import app
app(["import", "examples/helpdesk"], standalone_mode=False)
app(["ask", "I forgot my password", "--json"], standalone_mode=False)
print("SEEN " + json.dumps(seen))
"""

WATCHED_WORKER = """
import os, runpy, sys
path = os.environ["SOCKET_EVENTS"]
def note(line):
    with open(path, "a") as file:
        file.write(line + "\\n")
def watch(event, args):
    if event.startswith("socket."):
        note(event)
sys.addaudithook(watch)
note("watching")
runpy.run_module("models.worker.llama", run_name="__main__")
"""
"""The worker's own main program under an audit hook, which nothing in the process can take off again."""

PROMPT = ApprovedPrompt(
    RenderedPrompt(
        (PromptPart("You are a help desk.", PartKind.APPROVED),), (PromptPart("Say hello.", PartKind.APPROVED),)
    )
)


@pytest.mark.weights
def test_import_and_a_whole_answer_connect_to_nothing(tmp_path: Path, embedder_cache: Path) -> None:
    (tmp_path / "embedder").symlink_to(embedder_cache)
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", WATCHED],
        cwd=ROOT,
        env={
            "CANONGATE_DATA__DIRECTORY": str(tmp_path),
            "CANONGATE_MATCHING__TUNE": "false",
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("SEEN "))
    assert json.loads(line.removeprefix("SEEN ")) == []
    assert '"outcome": "answered"' in done.stdout
    assert not list(tmp_path.rglob("usage_stats.json")), "a guardrails library counted its use"


@pytest.mark.weights
def test_the_worker_opens_no_socket(tmp_path: Path) -> None:
    events = tmp_path / "events"
    program = WorkerProgram((sys.executable, "-P", "-c", WATCHED_WORKER), {"SOCKET_EVENTS": str(events)})
    known = known_model("smollm2-135m-instruct")
    model = LlamaModel(known, plan_device(gpu_layers=0), EngineLimits(), program)
    model.start(120.0)
    try:
        give_up_s = time.monotonic() + 60
        done = model.complete(PROMPT, Sampling(max_tokens=4), deadline_s=give_up_s, cancellation=Cancellation())
    finally:
        model.close()
    assert done.completion_tokens > 0
    assert events.read_text().split() == ["watching"]


def test_the_watch_over_the_worker_sees_a_socket(tmp_path: Path) -> None:
    events = tmp_path / "events"
    hook, _, _ = WATCHED_WORKER.partition("runpy.run_module(")
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [
            sys.executable,
            "-P",
            "-c",
            hook + "import socket; socket.socket().close(); socket.gethostbyname('127.0.0.1')",
        ],
        env={"SOCKET_EVENTS": str(events)},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert events.read_text().split() == ["watching", "socket.__new__", "socket.gethostbyname"]
