"""What a refusal costs the event loop: through the application, and at the door. Time of the processor, not of a clock.

One client on loopback asks again and again while the only place is taken; an approved answer stands beside, without
embedder and model, whose work other threads do.
"""

import argparse
import asyncio
import json
import logging
import socket
import time
from contextlib import nullcontext

import structlog
import uvicorn
import uvloop

from gateway.http.connections import Door, connections
from gateway.http.doorkeeper import Doorkeeper
from gateway.http.edge import Edge
from gateway.http.hosts import Hosts
from gateway.limit_settings import LimitSettings
from rails.engine import compile_policy
from rails.policy import load_policy
from tests.world import PATIENT, POLICY, World

UNLIMITED = 10**9
WARM = 50
LIMITS = LimitSettings(concurrent=1, waiting=0, requests_per_minute=UNLIMITED, address_requests_per_minute=UNLIMITED)


def main() -> None:
    """Prints microseconds of the loop's thread for each request."""
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python -m benchmarks.refusals --count 2000")
    parser.add_argument("--count", type=int, default=2000, help="requests of each kind")
    chosen = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    world = World(compile_policy(load_policy(POLICY), 5, runner=PATIENT), limits=LIMITS)
    door = Doorkeeper(world.admission.lines.chat, world.telemetry)
    for name, at, is_full in (
        ("refused by the application", None, True),
        ("refused at the door", door, True),
        ("answered", door, False),
    ):
        took_us, statuses = uvloop.run(_measured(world, at, chosen.count, is_full=is_full))
        print(f"{name}: {took_us:.0f} µs, statuses {sorted(statuses)}")


async def _measured(world: World, door: Door | None, count: int, *, is_full: bool) -> tuple[float, set[int]]:
    config = uvicorn.Config(
        Edge(world.app, Hosts({"127.0.0.1"}), world.telemetry),
        port=0,
        http=connections(lambda: LIMITS, door),
        log_config=None,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())  # noqa: SLF001 - `serve` takes the process's signals
    while not server.started:  # noqa: ASYNC110 - it has no event for that
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with world.admission.lines.chat.place_now() if is_full else nullcontext():
        await asyncio.to_thread(_ask, port, world.key(), WARM)
        began_s = time.thread_time()
        statuses = await asyncio.to_thread(_ask, port, world.key(), count)
        took_s = time.thread_time() - began_s
    server.should_exit = True
    await serving
    return took_s / count * 1e6, statuses


def _ask(port: int, key: str, count: int) -> set[int]:
    body = json.dumps({"assistant": "helpdesk", "message": "I forgot my password"}).encode()
    head = (
        f"POST /v1/chat HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    statuses = set()
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as replies:
        for _ in range(count):
            connection.sendall(head.encode() + body)
            statuses.add(int(replies.readline().split()[1]))
            headers = dict(line.lower().split(b": ", 1) for line in iter(replies.readline, b"\r\n"))
            replies.read(int(headers[b"content-length"]))
    return statuses


if __name__ == "__main__":
    main()
