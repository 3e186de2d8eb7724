"""The application as a whole: its lifespan, and how light it is to import."""

import subprocess
import sys
from dataclasses import replace

import anyio
import pytest
from litestar import Request

from gateway import app as module
from gateway.app import create_app
from gateway.http.asking import ClientGone
from gateway.http.problems import tell_error


class FakePublisher:
    def __init__(self):
        self.followed = []
        self.improved = []
        self.began = anyio.Event()
        self.is_stopped = False

    async def follow(self, live):
        self.followed.append(live)
        self.began.set()
        try:
            await anyio.sleep_forever()
        finally:
            self.is_stopped = True

    async def improve(self, live):
        self.improved.append(live)
        await anyio.sleep_forever()


@pytest.mark.anyio
async def test_what_is_published_is_followed_as_long_as_the_application_lives(world):
    publisher = FakePublisher()
    app = create_app(replace(world.components, publisher=publisher))
    async with app.lifespan():
        with anyio.fail_after(2):
            await publisher.began.wait()
        assert publisher.followed == publisher.improved == [world.live]
        assert not publisher.is_stopped
    assert publisher.is_stopped


@pytest.mark.anyio
async def test_what_breaks_off_begins_again_and_ends_nothing_else(world, monkeypatch, caplog):
    monkeypatch.setattr(module, "AGAIN_S", 0.01)
    publisher = FakePublisher()
    seen = []

    async def broken(live):
        seen.append(live)
        raise RuntimeError("told to break")

    publisher.improve = broken
    app = create_app(replace(world.components, publisher=publisher))
    async with app.lifespan():
        with anyio.fail_after(5):
            while len(seen) < 3:  # noqa: ASYNC110 - as often as it is begun again
                await anyio.sleep(0.01)
        assert not publisher.is_stopped
    assert "following_broke_off" in caplog.text


def test_importing_the_application_loads_no_model_library():
    heavy = ("torch", "llama_cpp", "sentence_transformers", "onnxruntime")
    code = f"import sys, gateway.app; sys.exit(sorted(m for m in {heavy!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own interpreter and code
    assert done.stderr.strip() == "[]", done.stderr


def test_a_client_that_left_is_not_an_unexpected_error():
    scope = {"type": "http", "path": "/v1/chat", "headers": [], "state": {}, "method": "POST", "query_string": b""}
    assert tell_error(Request(scope), ClientGone()).status_code == 499
