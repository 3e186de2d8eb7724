"""Log lines tell operators which rail it was, and never what anybody wrote."""

import json
import subprocess
import sys

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
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=60, check=True
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    (notice,) = [line for line in lines if line["event"] == "nemo_message"]
    assert notice["rail"] == "output.fake"
    assert "something" in {line["event"] for line in lines}
    assert "secret words" not in done.stderr


_BROKEN = """
import logging
from gateway.logs import set_up_logging
from gateway.settings import LogSettings

set_up_logging(LogSettings(format="console"))
typed = "my " + "secret words"
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("gateway").exception("broke_off")
"""


def test_a_console_shows_no_variables_of_what_broke():
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own text
        [sys.executable, "-c", _BROKEN], capture_output=True, text=True, timeout=60, check=True
    )
    assert "broke_off" in done.stderr
    assert "ZeroDivisionError" in done.stderr
    assert "my secret words" not in done.stderr
