"""Asks a server from a process of its own: so many callers at once, each its next question when it has its answer.

Reads a `Load` as JSON from standard input and writes what came of it. Whether a reply is the answer that was wanted is
told by words in it: a server that refuses quickly would else look fast.
"""

import asyncio
import itertools
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httptools
import uvloop

ROOT = Path(__file__).parents[2]
HANGS_S = 60.0
CONTENT = re.compile(rb'"content": ?"[^"]')
"""The first words for a person in a stream; some servers send an empty piece before."""


@dataclass(frozen=True)
class Load:
    """What is sent to whom: bodies in turn, by `callers` at once, for `seconds` or until `count` are sent."""

    port: int
    path: str
    headers: dict[str, str]
    bodies: list[str]
    callers: int = 1
    seconds: float = 0.0
    count: int = 0
    wanted: list[str] = field(default_factory=list)
    """Words of which one is in a reply that is what was wanted; none means any reply of the status."""
    unwanted: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """Words that the reply to each body must have besides; empty where any do."""
    statuses: list[int] = field(default_factory=lambda: [200])
    is_streamed: bool = False
    """Whether it is noted when the first words for a person come."""


@dataclass(frozen=True)
class Came:
    """What came of a load; times in milliseconds, of replies that were wanted alone."""

    seconds: float
    took_ms: list[float]
    first_ms: list[float]
    """Until the first byte of content that a person may read; of streams alone."""
    other: int
    """Replies of the wanted status without the wanted words."""
    failed: int
    """Other statuses, broken connections and replies that did not come."""
    example: str
    """One reply that was not wanted, for whoever has to find out why."""

    @property
    def per_second(self) -> float:
        """Wanted replies a second."""
        return len(self.took_ms) / self.seconds if self.seconds else 0.0

    @property
    def share(self) -> float:
        """The wanted replies' share of all."""
        return len(self.took_ms) / max(1, len(self.took_ms) + self.other + self.failed)


def send(load: Load, *, cores: str = "") -> Came:
    """Sends a load from another process, on some cores alone where they are named."""
    placed = ["/usr/bin/taskset", "--cpu-list", cores] if cores else []
    done = subprocess.run(  # noqa: S603 - our own program
        [*placed, sys.executable, "-m", "benchmarks.rivals.load"],
        input=json.dumps(asdict(load)).encode(),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        check=True,
    )
    return Came(**json.loads(done.stdout))


class _Reply:
    """One reply, as the parser tells it."""

    def __init__(self, *, is_streamed: bool) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.body = bytearray()
        self.is_whole = False
        self.is_last = False
        """Of its connection."""
        self.first_s = 0.0
        self._is_streamed = is_streamed

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self.body += body
        if self._is_streamed and not self.first_s and CONTENT.search(self.body):
            self.first_s = time.perf_counter()

    def on_message_complete(self) -> None:
        """Called by the parser, which forgets after this whether the connection is kept."""
        self.is_whole, self.is_last = True, not self.parser.should_keep_alive()


class Caller:
    """One connection, kept as long as the server keeps it."""

    def __init__(self, load: Load) -> None:
        self._load = load
        named = "".join(f"{name}: {value}\r\n" for name, value in load.headers.items())
        self._head = f"POST {load.path} HTTP/1.1\r\nhost: 127.0.0.1:{load.port}\r\n{named}"
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, body: str) -> tuple[int, str, float, float]:
        """Returns status, body and the times; status 0 is a broken connection or a reply that does not come."""
        began_s = time.perf_counter()
        try:
            async with asyncio.timeout(HANGS_S):
                status, reply = await self._exchange(body.encode())
        except (OSError, TimeoutError, httptools.HttpParserError) as error:
            self.close()
            return 0, f"{type(error).__name__}: {error}", 0.0, 0.0
        took_ms = (time.perf_counter() - began_s) * 1000
        return status, reply.body.decode(), took_ms, (reply.first_s - began_s) * 1000 if reply.first_s else 0.0

    async def _exchange(self, body: bytes) -> tuple[int, _Reply]:
        if self._connection is None:
            self._connection = await asyncio.open_connection("127.0.0.1", self._load.port)
        reader, writer = self._connection
        writer.write(f"{self._head}content-length: {len(body)}\r\n\r\n".encode() + body)
        reply = _Reply(is_streamed=self._load.is_streamed)
        while not reply.is_whole:
            data = await reader.read(65536)
            if not data:
                raise ConnectionResetError("the server closed the connection in the middle of a reply")
            reply.parser.feed_data(data)
        if reply.is_last:
            self.close()
        return reply.parser.get_status_code(), reply

    def close(self) -> None:
        """Closes the connection; the next question opens another."""
        if self._connection is not None:
            self._connection[1].close()
            self._connection = None


async def run(load: Load) -> Came:
    """Sends the load from this process."""
    began_s = time.perf_counter()
    until_s = began_s + load.seconds if load.seconds else float("inf")
    numbers: Iterator[int] = iter(range(load.count)) if load.count else itertools.count()
    came: dict[str, Any] = {"took_ms": [], "first_ms": [], "other": 0, "failed": 0, "example": ""}

    async def call() -> None:
        caller = Caller(load)
        while time.perf_counter() < until_s and (number := next(numbers, None)) is not None:
            place = number % len(load.bodies)
            _note(load, came, place, await caller.ask(load.bodies[place]))
        caller.close()

    await asyncio.gather(*(call() for _ in range(load.callers)))
    return Came(seconds=time.perf_counter() - began_s, **came)


def _note(load: Load, came: dict[str, Any], place: int, reply: tuple[int, str, float, float]) -> None:
    status, body, took_ms, first_ms = reply
    if status not in load.statuses:
        came["failed"] += 1
        came["example"] = f"{status} {body[:400]}"
    elif not is_wanted(load, body, place):
        came["other"] += 1
        came["example"] = came["example"] or f"{status} {body[:400]}"
    else:
        came["took_ms"].append(took_ms)
        if first_ms:
            came["first_ms"].append(first_ms)


def is_wanted(load: Load, body: str, place: int = 0) -> bool:
    """Whether a reply is what was wanted of the body at this place."""
    if load.answers and load.answers[place] not in body:
        return False
    return (not load.wanted or any(one in body for one in load.wanted)) and not any(
        one in body for one in load.unwanted
    )


def main() -> None:
    """Reads a load, sends it and writes what came."""
    json.dump(asdict(uvloop.run(run(Load(**json.load(sys.stdin))))), sys.stdout)


if __name__ == "__main__":
    main()
