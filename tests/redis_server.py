"""A real Redis for tests, Debian's, on a unix socket of its own."""

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = shutil.which("redis-server") or shutil.which("valkey-server")


class RedisServer:
    """One that tests may stop and hold up."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self._folder / 'redis.sock'}"

    def start(self) -> None:
        options = ["--port", "0", "--unixsocket", "redis.sock", "--save", "", "--dir", str(self._folder)]
        self._process = subprocess.Popen(  # noqa: S603 - Debian's own
            [str(PROGRAM), *options], cwd=self._folder, stdout=subprocess.DEVNULL
        )
        for _ in range(500):
            if (self._folder / "redis.sock").exists():
                return
            time.sleep(0.02)
        raise AssertionError("the Redis for tests did not start")

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(10)
        (self._folder / "redis.sock").unlink(missing_ok=True)

    def hold_up(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    if PROGRAM is None:
        pytest.skip("no redis-server here; as root `make browser` installs it")
    folder = Path(tempfile.mkdtemp(prefix="canongate-redis-"))
    server = RedisServer(folder)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder)
