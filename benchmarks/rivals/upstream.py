"""A stub of an OpenAI-compatible server: it answers at once, or after a fixed time, whatever it is asked.

As a program it serves on a port until its standard input ends. `POST /pace` changes how long it waits, so that servers
under test need not start again for another latency. Everybody gets the same text for the same question: the approved
facts of the prompt that it means, whether a server sends the person's message or the approved words. So answers are of
one length, and checks that compare an answer with its facts have something to compare. To all else it says one text.
"""

import asyncio
import json
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, cast

import httptools
import uvloop

from benchmarks.rivals.messages import stub_answers

ANSWER = (
    "Open the portal of the help desk and choose the entry that fits. You get a message as soon as somebody has looked "
    "at it, which takes a working day at most."
)
"""To whatever has no approved facts; of about as many words as those have."""
PERSON = re.compile(r'^User message: "(.*)"$', re.MULTILINE)
"""How NeMo's dialog tells a model what a person said, in the middle of what it asks."""
MODEL = "stub"
_JSON, _EVENTS = "application/json", "text/event-stream"


class Pace:
    """How long the server waits before its first word and before each next one of a stream, in milliseconds."""

    latency_ms = 0.0
    between_ms = 0.0
    ends = ""
    """What every answer ends with: something that must not pass."""


class StubServer(asyncio.Protocol):
    """One connection; its requests are answered in turn."""

    def __init__(self, pace: Pace, known: Mapping[str, str]) -> None:
        self._pace, self._known = pace, known
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._body: list[bytes] = []
        self._transport: asyncio.WriteTransport | None = None
        self._before: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._before:
            self._before.cancel()

    def on_url(self, url: bytes) -> None:
        """Called by the parser."""
        self._url = url
        self._body = []

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        request = self._url.decode(), b"".join(self._body)
        self._before = asyncio.get_running_loop().create_task(self._answer(*request, self._before))

    async def _answer(self, path: str, body: bytes, before: "asyncio.Task[None] | None") -> None:
        if before:
            await before
        if path == "/pace":
            vars(self._pace).update(json.loads(body))
            self._reply({"set": True})
        elif path.endswith("completions"):
            await self._complete(json.loads(body), is_chat=path.endswith("chat/completions"))
        elif path.endswith("/models"):
            self._reply({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "benchmark"}]})
        else:
            self._reply({"status": "ok"})

    async def _complete(self, asked: dict[str, Any], *, is_chat: bool) -> None:
        if self._pace.latency_ms:
            await asyncio.sleep(self._pace.latency_ms / 1000)
        text = answer_to(asked, self._known) + self._pace.ends
        if not asked.get("stream"):
            self._reply(completion(text, is_chat=is_chat))
            return
        self._write(f"HTTP/1.1 200 OK\r\ncontent-type: {_EVENTS}\r\ntransfer-encoding: chunked\r\n\r\n".encode())
        for place, event in enumerate(events(text, is_chat=is_chat), 1):
            self._write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
            # No wait after the last word: who reads what follows it would else look slower than who does not.
            if self._pace.between_ms and place < len(text.split(" ")):
                await asyncio.sleep(self._pace.between_ms / 1000)
        self._write(b"0\r\n\r\n")

    def _reply(self, reply: dict[str, Any]) -> None:
        body = json.dumps(reply).encode()
        self._write(f"HTTP/1.1 200 OK\r\ncontent-type: {_JSON}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


def answer_to(asked: dict[str, Any], known: Mapping[str, str]) -> str:
    """Returns the answer to a request by the last that is said in it."""
    messages = asked.get("messages") or [{"content": asked.get("prompt", "")}]
    said = str(messages[-1]["content"])
    if said not in known:
        said = (PERSON.findall(said) or [""])[-1]
    return known.get(said, ANSWER)


def completion(text: str, *, is_chat: bool) -> dict[str, Any]:
    """Returns a whole reply."""
    choice = {"message": {"role": "assistant", "content": text}} if is_chat else {"text": text}
    return {
        **_head(is_chat=is_chat),
        "choices": [{"index": 0, "finish_reason": "stop", **choice}],
        "usage": _usage(text),
    }


def events(text: str, *, is_chat: bool) -> Iterator[bytes]:
    """Returns a reply in pieces of a word each."""
    head = {**_head(is_chat=is_chat), "object": "chat.completion.chunk" if is_chat else "text_completion"}
    for word in text.replace(" ", "\0 ").split("\0"):
        piece = {"delta": {"role": "assistant", "content": word}} if is_chat else {"text": word}
        yield _event({**head, "choices": [{"index": 0, "finish_reason": None, **piece}]})
    last: dict[str, Any] = {"delta": {}} if is_chat else {"text": ""}
    yield _event({**head, "choices": [{"index": 0, "finish_reason": "stop", **last}]})
    yield _event({**head, "choices": [], "usage": _usage(text)})
    yield b"data: [DONE]\n\n"


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def _head(*, is_chat: bool) -> dict[str, Any]:
    kind = "chat.completion" if is_chat else "text_completion"
    return {"id": "stub-1", "object": kind, "created": int(time.time()), "model": MODEL}


def _usage(text: str) -> dict[str, int]:
    words = len(text.split())
    return {"prompt_tokens": 40, "completion_tokens": words, "total_tokens": 40 + words}


async def _serve(port: int) -> None:
    pace, known = Pace(), stub_answers()
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    listening = socket.create_server(("127.0.0.1", port), backlog=1024)
    server = await loop.create_server(lambda: StubServer(pace, known), sock=listening)
    # The pipe from whoever started it breaks with them, so that it never outlives them.
    threading.Thread(target=lambda: (sys.stdin.buffer.read(), loop.call_soon_threadsafe(over.set)), daemon=True).start()
    print("ready", flush=True)
    await over.wait()
    server.close()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
