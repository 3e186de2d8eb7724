import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from socket import socket

import pytest

from benchmarks.rivals import load as loads
from benchmarks.rivals.load import Load
from benchmarks.rivals.upstream import ANSWER, answer_to
from tests.demo_process import ROOT

STREAM = '{"stream": true, "messages": [{"role": "user", "content": "hello"}]}'
WHOLE = '{"messages": [{"role": "user", "content": "hello"}]}'


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        free = taken.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.rivals.upstream", str(free)]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as stub:
        assert stub.stdout is not None
        assert stub.stdout.readline() == b"ready\n"
        yield free
        assert stub.stdin is not None
        stub.stdin.close()
        assert stub.wait(30) == 0, "it does not end with whoever started it"


def asked(port: int, body: str, **more: object) -> Load:
    return Load(port, "/v1/chat/completions", {"content-type": "application/json"}, [body], **more)  # type: ignore[arg-type]


def set_pace(port: int, pace: str) -> None:
    urllib.request.urlopen(f"http://127.0.0.1:{port}/pace", data=pace.encode(), timeout=10).close()


def test_the_stub_repeats_what_stands_between_quotation_marks() -> None:
    prompt = 'Repeat the text between the quotation marks:\n\n"Choose \'Guest" and "wait"."'
    assert answer_to({"messages": [{"role": "user", "content": prompt}]}) == 'Choose \'Guest" and "wait".'
    assert answer_to({"prompt": "Say something."}) == ANSWER


def test_a_load_counts_what_was_wanted_and_what_was_not(port: int) -> None:
    came = loads.send(asked(port, WHOLE, count=20, callers=4, wanted=[ANSWER]))
    assert (len(came.took_ms), came.other, came.failed) == (20, 0, 0)
    refused = loads.send(asked(port, WHOLE, count=3, wanted=["not in any answer"]))
    assert (len(refused.took_ms), refused.other) == (0, 3)
    assert ANSWER in refused.example
    assert loads.send(asked(port, WHOLE, count=2, statuses=[400])).failed == 2


def test_a_load_to_nobody_fails() -> None:
    with socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        came = loads.send(asked(nobody.getsockname()[1], WHOLE, count=2))
    assert (came.failed, came.took_ms) == (2, [])


def test_the_first_words_of_a_stream_come_before_its_end(port: int) -> None:
    set_pace(port, '{"between_ms": 5}')
    came = loads.send(asked(port, STREAM, count=1, is_streamed=True))
    set_pace(port, '{"between_ms": 0}')
    assert len(came.first_ms) == 1
    assert came.first_ms[0] + 5 * (len(ANSWER.split()) - 1) <= came.took_ms[0]


def test_the_stub_waits_as_long_as_it_is_told(port: int) -> None:
    set_pace(port, '{"latency_ms": 80, "ends": " That is all."}')
    began_s = time.monotonic()
    came = loads.send(asked(port, WHOLE, count=1, wanted=["at most. That is all."]))
    set_pace(port, '{"latency_ms": 0, "ends": ""}')
    assert len(came.took_ms) == 1
    assert 80 <= came.took_ms[0] <= (time.monotonic() - began_s) * 1000
