"""A client that closes its connection frees the model and the embedder at once: over real sockets, on every surface."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

import anyio
import numpy as np
import pytest
import uvicorn

from gateway.http.embeddings import EMBEDDER
from models.errors import RequestCancelled
from models.fakes import FakeEmbedder, FakeModel
from models.ports import Completion
from store.types import KeyScope
from tests.world import World

MESSAGE = "I forgot my password"
FREED_S = 0.05
TRIES = 5
"""The machine may be busy with something else; a gateway that polls or waits is late every time."""


@dataclass
class WatchedModel:
    """A fake that works for a minute, and tells when it began and how it ended."""

    inner: FakeModel = field(default_factory=lambda: FakeModel(delay_s=60.0))
    began: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    cancelled: list[bool] = field(default_factory=list)
    name = "watched"
    sha256 = "e" * 64

    def adapter(self, assistant) -> str:
        return self.inner.adapter(assistant)

    def complete(self, prompt, sampling, *, deadline_s, cancellation) -> Completion:
        self.began.set()
        try:
            return self.inner.complete(prompt, sampling, deadline_s=deadline_s, cancellation=cancellation)
        except RequestCancelled:
            self.cancelled.append(True)
            raise
        finally:
            self.ended.set()


@contextmanager
def served(world: World) -> Iterator[int]:
    """Serves the world's application as `canongate serve` does, on a free port."""
    server = uvicorn.Server(uvicorn.Config(world.app, port=0, log_config=None, lifespan="on"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    assert server.started
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def request(path: str, body: bytes, **headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def chat(token: str, **headers: str) -> bytes:
    body = json.dumps({"assistant": "helpdesk", "message": MESSAGE}).encode()
    return request("/v1/chat", body, authorization=f"Bearer {token}", content_type="application/json", **headers)


def completions(token: str, *, stream: bool) -> bytes:
    asked = {"model": "helpdesk", "messages": [{"role": "user", "content": MESSAGE}], "stream": stream}
    body = json.dumps(asked).encode()
    head = {"authorization": f"Bearer {token}", "content_type": "application/json"}
    return request("/v1/chat/completions", body, **head)


def form(_: str) -> bytes:
    body = urlencode({"question": MESSAGE}).encode()
    return request("/try", body, content_type="application/x-www-form-urlencoded")


SURFACES = {
    "chat": chat,
    "chat events": lambda token: chat(token, accept="text/event-stream"),
    "completions": lambda token: completions(token, stream=False),
    "completions stream": lambda token: completions(token, stream=True),
    "form": form,
}


def leave(port: int, sent: bytes, model: WatchedModel, *, stay_s: float) -> float:
    """Asks, closes the connection `stay_s` after the model began, and returns how long the model went on, in s."""
    model.began.clear()
    model.ended.clear()
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(sent)
        assert model.began.wait(10)
        time.sleep(stay_s)
    left = time.monotonic()
    assert model.ended.wait(10), "the model goes on for nobody"
    return time.monotonic() - left


@pytest.mark.parametrize("surface", SURFACES)
def test_the_model_is_free_within_50_ms_of_a_client_leaving(world, surface):
    model = WatchedModel()
    world.pipeline._model = model
    sent = SURFACES[surface](world.key())
    with served(world) as port:
        freed = [leave(port, sent, model, stay_s=0.05 * number) for number in range(TRIES)]
    assert model.cancelled == [True] * TRIES
    assert min(freed) < FREED_S, freed
    assert world.decisions.kept == []


def test_no_more_texts_are_embedded_for_a_client_that_left(world, monkeypatch):
    began, goes_on, runs = threading.Event(), threading.Event(), []

    def embed(_, texts):
        runs.append(len(texts))
        began.set()
        assert goes_on.wait(30)
        return np.zeros((len(texts), 64), np.float32)

    monkeypatch.setattr(FakeEmbedder, "embed", embed)
    body = json.dumps({"model": EMBEDDER, "input": [MESSAGE] * 64}).encode()
    head = {"authorization": f"Bearer {world.key(KeyScope.EMBEDDINGS)}", "content_type": "application/json"}
    with served(world) as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(request("/v1/embeddings", body, **head))
            assert began.wait(10)
        until = time.monotonic() + 10
        while world.admission.lines.bulk.in_work and time.monotonic() < until:
            time.sleep(0.01)
        is_free = not world.admission.lines.bulk.in_work
        goes_on.set()
    assert (is_free, runs) == (True, [8])


TRIED = {
    "/v1/checks": ("rails.engine.RailsPolicy.check", {"assistant": "helpdesk", "stage": "input", "text": MESSAGE}),
    "/v1/match": ("gateway.matching.Matching.find", {"assistant": "helpdesk", "message": MESSAGE}),
}


@pytest.mark.parametrize("path", TRIED)
def test_nothing_is_tried_on_for_a_client_that_left(world, monkeypatch, path):
    began, ended = threading.Event(), threading.Event()

    async def wait(*_):
        began.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    step, asked = TRIED[path]
    monkeypatch.setattr(step, wait)
    key = world.key(KeyScope.CHECKS, KeyScope.DEBUG)
    sent = request(path, json.dumps(asked).encode(), authorization=f"Bearer {key}", content_type="application/json")
    with served(world) as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(sent)
            assert began.wait(30)
            assert world.admission.lines.chat.in_work == 1
        assert ended.wait(30), "it goes on for nobody"
        until = time.monotonic() + 30
        while world.admission.lines.chat.in_work and time.monotonic() < until:
            time.sleep(0.01)
    assert world.admission.lines.chat.in_work == 0


def test_a_stream_whose_headers_are_out_is_stopped_too(world, monkeypatch):
    monkeypatch.setattr("gateway.http.openai.HOLD_S", 0.05)
    model = WatchedModel()
    world.pipeline._model = model
    with served(world) as port:
        freed = [leave(port, completions(world.key(), stream=True), model, stay_s=0.2) for _ in range(TRIES)]
    assert model.cancelled == [True] * TRIES
    assert min(freed) < FREED_S, freed


def test_its_place_is_free_again(make_world):
    """As many clients leave as there are places, and the next question is answered."""
    world = make_world()
    world.admission.lines.chat.places = 1
    model = WatchedModel()
    world.pipeline._model = model
    with served(world) as port:
        for _ in range(3):
            leave(port, chat(world.key()), model, stay_s=0.0)
        model.inner.delay_s = 0.0
        model.inner.answer = "Open https://id.tarnwick.example and choose Forgot password."
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(chat(world.key(), connection="close"))
            answered = b"".join(iter(lambda: client.recv(65536), b""))
    assert answered.startswith(b"HTTP/1.1 200")
    assert b'"outcome":"answered"' in answered
