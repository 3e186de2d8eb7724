import asyncio
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from socket import socket

import pytest

from benchmarks.desk_policy import HELPDESK
from benchmarks.rivals import load as loads
from benchmarks.rivals.contestants import TOLD_BY
from benchmarks.rivals.load import Came, Load
from benchmarks.rivals.messages import questions, stub_answers, words_of
from benchmarks.rivals.upstream import ANSWER, answer_to
from store.content import Generate
from store.formats.bundle import read_bundle
from tests.demo_process import ROOT

PROMPTS = read_bundle(HELPDESK).prompts
STREAM = '{"stream": true, "messages": [{"role": "user", "content": "hello"}]}'
BLOCKED = "it says my user is blocked after too many attempts, who can open it up again"
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


def said_to(content: str) -> str:
    return answer_to({"messages": [{"role": "system", "content": "Be kind."}, {"content": content}]}, stub_answers())


def test_everybody_gets_the_same_text_for_the_same_question() -> None:
    facts = "Your account unlocks by itself 20 minutes after 5 wrong passwords. To unlock it sooner, open"
    facts += " https://portal.tarnwick.example/unlock and confirm with the Keyring app."
    message = f"Hi, {BLOCKED}"
    dialog = f'User message: "Hello there!"\nBot message: "Hello!"\nUser message: "{message}"\nUser intent: ask'
    assert said_to(message) == facts
    words = next(words_of(one.reply) for one in PROMPTS if isinstance(one.reply, Generate) and facts in one.reply.facts)
    assert words != facts
    assert said_to(words) == facts
    assert said_to(dialog) == facts
    assert said_to("Say something.") == answer_to({"prompt": "Say something."}, stub_answers()) == ANSWER


def test_no_question_that_is_worded_is_without_a_text_of_its_own() -> None:
    told = [stub_answers()[text] for text in questions().worded]
    assert ANSWER not in told
    assert len(set(told)) > 20
    beginnings = {text[:TOLD_BY] for text in told}
    assert len(beginnings) == len(set(told)), "answers would not be told apart"
    assert all(one.isascii() and '"' not in one for one in beginnings), "JSON would write them otherwise"


def test_a_load_tells_each_answer_from_that_of_another_question(port: int) -> None:
    message = f"Hi, {BLOCKED}"
    bodies = [WHOLE, WHOLE.replace("hello", message)]
    sent = Load(port, "/v1/chat/completions", {"content-type": "application/json"}, bodies, count=4)
    answers = [ANSWER[:TOLD_BY], stub_answers()[message][:TOLD_BY]]
    assert len(loads.send(replace(sent, answers=answers)).took_ms) == 4
    assert loads.send(replace(sent, answers=answers[::-1])).other == 4


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


@pytest.mark.parametrize(("head", "connections"), [("", 1), ("connection: close\r\n", 3)])
def test_a_connection_is_kept_as_long_as_the_server_keeps_it(head: str, connections: int) -> None:
    came: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(1)
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            await reader.readexactly(len(WHOLE))
            writer.write(f"HTTP/1.1 200 OK\r\n{head}content-length: 2\r\n\r\n{{}}".encode())
        writer.close()

    async def ask() -> Came:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            return await loads.run(asked(server.sockets[0].getsockname()[1], WHOLE, count=3))

    assert len(asyncio.run(ask()).took_ms) == 3
    assert len(came) == connections
