"""Tests of what NeMo Guardrails must not do: report, log texts, open sockets or start threads."""

import subprocess
import sys
from typing import Any

import pytest

from rails.definition import OnFail, RailDefinition, RailParams, probes_of
from rails.nemo import compile_stage, request, rewritten, verdict
from rails.types import RailContext, Stage

_QUIET = """
import socket, sys, threading
def refuse(*_args, **_kwargs):
    raise AssertionError("a socket was opened")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
import os
os.environ.pop("NEMO_GUARDRAILS_NO_USAGE_STATS", None)
from rails.policy import load_policy
import rails.engine as engine
from rails.types import RailContext, Stage
import asyncio
document = load_policy({
    "name": "quiet",
    "input": [{"rail": "length"}, {"rail": "injection"}],
    "output": [{"rail": "secrets"}],
    "refusals": {"en": {"default": "No."}},
})
policy = engine.compile_policy(document, 1)
report = asyncio.run(policy.check(Stage.INPUT, "How do I reset my password?", RailContext()))
assert not report.is_blocked, report
names = sorted(thread.name for thread in threading.enumerate())
print(os.environ["NEMO_GUARDRAILS_NO_USAGE_STATS"], names)
print("torch" in sys.modules, "litestar" in sys.modules)
"""


def test_nemo_starts_no_thread_opens_no_socket_and_writes_no_file(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin", "PYTHONPATH": ".", "XDG_CONFIG_HOME": str(home / "config")}
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own text
        [sys.executable, "-c", _QUIET], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["1 ['MainThread', 'canongate-rails-1']", "False False"]
    assert list(home.rglob("*")) == []


async def _behaves(text: str, params: RailParams) -> Any:  # noqa: ARG001 - every check takes its parameters
    if text == "raise":
        raise RuntimeError("a bug in a rail")
    return {"pass": verdict(None), "block": verdict("odd.bad"), "rewrite": rewritten("other", "odd.other")}.get(text)


class OddParams(RailParams, frozen=True, kw_only=True, tag="odd"):
    """A rail that does what its text says."""


_ODD = RailDefinition("odd", frozenset(Stage), OddParams, _behaves, lambda _: probes_of(blocked=["b"], passed=["p"]))


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("text", ["pass", "block", "rewrite", "raise", "nothing that is an outcome"])
@pytest.mark.anyio
async def test_a_rail_says_what_nemo_itself_would_have_it_say(text, stage):
    (check,) = compile_stage([(_ODD, OddParams(on_fail=OnFail.TRANSFORM))], stage)
    messages = [{"role": "user", "content": text}] if stage is Stage.INPUT else []
    with request(stage, RailContext()):
        by_nemo = await check._rail.execute(messages, text if stage is Stage.OUTPUT else None)
        assert await check._rail.judge(text) == by_nemo.outcome
    said = await check.run(text, RailContext())
    assert said.has_failed is (text not in ("pass", "block", "rewrite"))
