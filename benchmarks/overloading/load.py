"""Sends questions at a steady rate whatever comes back (open loop), and tells what became of each."""

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

HANGS_S = 40.0
"""A reply that has not come by then hangs: deadline and longest wait together are shorter."""
_MOST_OPEN = 3000
_REUSED_S = 3.0
"""The gateway closes connections that were idle for 5 seconds."""


@dataclass(frozen=True)
class Load:
    """What to send: `rate` a second for `seconds`; rate 0 asks one after another, `count` of them."""

    port: int
    key: str
    questions: list[tuple[str, str]]
    """Kind and text, in turn."""
    rate: float = 0.0
    seconds: float = 0.0
    count: int = 0
    clients: int = 1
    """Who ask one after another, all at the same time."""


@dataclass(frozen=True)
class Came:
    """What became of one question; status 0 is a broken connection, -1 no reply in time."""

    kind: str
    status: int
    took_ms: float
    outcome: str = ""
    retry_after: str = ""
    late_ms: float = 0.0
    """How long after it was due it was sent: the sender's part of the time."""


_Idle = tuple[float, asyncio.StreamReader, asyncio.StreamWriter]
"""A connection, and since when nothing was sent on it."""


class _Client:
    def __init__(self, load: Load) -> None:
        self._load = load
        self._idle: list[_Idle] = []

    async def ask(self, kind: str, text: str, due_s: float) -> Came:
        """Asks; the time counts from when the question was due, so that a late sender hides nothing."""
        try:
            async with asyncio.timeout(HANGS_S):
                late_ms = (time.perf_counter() - due_s) * 1000
                status, headers = await self._exchange(text)
        except TimeoutError:
            return Came(kind, -1, HANGS_S * 1000)
        except (OSError, ValueError, asyncio.IncompleteReadError):
            return Came(kind, 0, (time.perf_counter() - due_s) * 1000)
        took_ms = (time.perf_counter() - due_s) * 1000
        return Came(
            kind, status, took_ms, headers.get("x-canongate-outcome", ""), headers.get("retry-after", ""), late_ms
        )

    async def _exchange(self, text: str) -> tuple[int, dict[str, str]]:
        reader, writer = await self._connection()
        body = json.dumps({"assistant": "helpdesk", "message": text}).encode()
        head = (
            f"POST /v1/chat HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {self._load.key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        try:
            writer.write(head.encode() + body)
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
            }
            await reader.readexactly(int(headers.get("content-length", "0")))
        except BaseException:
            writer.close()
            raise
        if headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append((time.monotonic(), reader, writer))
        return int(first.split(" ")[1]), headers

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Returns the connection used last; one that the gateway may be about to close is closed first."""
        while self._idle:
            since_s, reader, writer = self._idle.pop()
            if time.monotonic() - since_s < _REUSED_S:
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._load.port)


async def one_after_another(load: Load) -> list[Came]:
    """Asks so many questions, each client its next one when the one before it is answered."""
    numbers, client = iter(range(load.count)), _Client(load)

    async def ask() -> list[Came]:
        return [await client.ask(*_question(load.questions, one), time.perf_counter()) for one in numbers]

    return [came for some in await asyncio.gather(*(ask() for _ in range(load.clients))) for came in some]


async def at_a_rate(load: Load) -> list[Came]:
    """Sends each question when it is due; those that find `_MOST_OPEN` unanswered count as hanging."""
    client, began_s, open_now = _Client(load), time.perf_counter(), set[asyncio.Task[Came]]()
    came: list[Came] = []
    for number in range(int(load.rate * load.seconds)):
        due_s = began_s + number / load.rate
        if (ahead_s := due_s - time.perf_counter()) > 0:
            await asyncio.sleep(ahead_s)
        kind, text = _question(load.questions, number)
        if len(open_now) >= _MOST_OPEN:
            came.append(Came(kind, -1, HANGS_S * 1000))
            continue
        task = asyncio.create_task(client.ask(kind, text, due_s))
        open_now.add(task)
        task.add_done_callback(open_now.discard)
        task.add_done_callback(lambda done: came.append(done.result()))
    await asyncio.gather(*open_now)
    await asyncio.sleep(0)
    return came


def _question(questions: Sequence[tuple[str, str]], number: int) -> tuple[str, str]:
    return questions[number % len(questions)]


def main() -> None:
    """Reads a load as JSON from standard input, and writes what came of it."""
    sent = json.loads(sys.stdin.read())
    load = Load(**sent)
    came = asyncio.run(at_a_rate(load) if load.rate else one_after_another(load))
    json.dump([asdict(one) for one in came], sys.stdout)


if __name__ == "__main__":
    main()
