"""Log lines tell operators which rail it was, and never what anybody wrote."""

import json
import logging
import subprocess
import sys

import pytest

from gateway.logs import _name_event

_PROGRAM = """
import asyncio, logging
from gateway.logs import set_up_logging
from gateway.settings import LogSettings
from rails.engine import compile_policy
from rails.fakes import FAKE_RAILS, FakeAct, FakeParams
from rails.policy import PolicyDocument
from rails.types import RailContext, Stage

set_up_logging(LogSettings(format="json"))
rails = (FakeParams(does=FakeAct.RAISE),)
document = PolicyDocument(name="desk", input=rails, output=rails, refusals={"en": {"default": "No."}})
policy = compile_policy(document, 1, definitions=FAKE_RAILS)
asyncio.run(policy.check(Stage.OUTPUT, "my secret words", RailContext()))
logging.getLogger("other").warning("something", extra={"text": "my secret words"})
"""


def test_a_rail_that_breaks_is_named_in_the_log_and_no_word_is_quoted():
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own text
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=180, check=True
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    (notice,) = [line for line in lines if line["event"] == "nemo_message"]
    assert notice["rail"] == "output.fake"
    assert "something" in {line["event"] for line in lines}
    assert "secret words" not in done.stderr


_BROKEN = """
import asyncio, logging, sys, threading
from gateway.logs import set_up_logging
from gateway.settings import LogSettings
import structlog

set_up_logging(LogSettings(format=sys.argv[1]))
typed = "my " + "secret words"

def breaks():
    raise ValueError(typed)

def worse():
    try:
        breaks()
    except ValueError as error:
        raise ExceptionGroup(typed, [KeyError(typed)]) from error

for log in (logging.getLogger("gateway"), structlog.get_logger("canongate")):
    try:
        worse()
    except ExceptionGroup:
        log.exception("broke_off")
thread = threading.Thread(target=breaks)
thread.start()
thread.join()

class Odd:
    def __del__(self):
        breaks()

Odd()

async def forgotten():
    task = asyncio.create_task(asyncio.to_thread(breaks))
    await asyncio.sleep(0.1)

asyncio.run(forgotten())
breaks()
"""


@pytest.mark.parametrize("form", ["console", "json"])
def test_what_breaks_is_told_by_class_and_place_and_without_a_word(form):
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own text
        [sys.executable, "-c", _BROKEN, form], capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 1, "an exception that nobody caught ends a process as ever"
    assert done.stderr.count("broke_off") == 2
    assert done.stderr.count("crashed") == 3, "of a thread, of a finalizer, of the whole"
    assert "never retrieved" in done.stderr
    for place in ("builtins.ValueError", "builtins.ExceptionGroup", "builtins.KeyError", "<string>:11 breaks"):
        assert place in done.stderr
    assert "my secret words" not in done.stderr


@pytest.mark.parametrize(
    ("logger", "message", "event", "detail"),
    [
        ("gateway.changing.gate", "gate_runs_lost: 3", "gate_runs_lost", "3"),
        ("store.index", "index_snapshot_not_written: no\nroom", "index_snapshot_not_written", "no\nroom"),
        (
            "gateway.warming",
            "prompts_not_warmed, tried again in 5 s: away",
            "prompts_not_warmed",
            "tried again in 5 s: away",
        ),
        ("gateway.leading", "lead_taken", "lead_taken", None),
        ("models.worker.supervisor", "model worker 7 started", "model worker 7 started", None),
        ("nemoguardrails", "some_thing: else", "some_thing: else", None),
    ],
)
def test_our_events_are_the_same_whatever_they_tell(logger, message, event, detail):
    record = logging.LogRecord(logger, logging.WARNING, __file__, 1, message, (), None)
    told = _name_event(None, "warning", {"_record": record, "event": message})
    assert (told["event"], told.get("detail")) == (event, detail)
