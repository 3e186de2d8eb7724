"""Clients that send a byte of a request each second, and come again whenever they are cut off."""

import asyncio
import json
import sys

_HEAD = b"POST /v1/chat HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n"
_BETWEEN_S = 1.0
_AT_ONCE = 20
"""New connections each 20 ms: the listener's backlog is not what is measured."""


async def _drip(port: int, key: str) -> None:
    head = _HEAD.replace(b"\r\n\r\n", f"\r\nauthorization: Bearer {key}\r\n\r\n".encode())
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head)
            while True:
                await asyncio.sleep(_BETWEEN_S)
                writer.write(b"x")
                await writer.drain()
        except OSError:
            await asyncio.sleep(_BETWEEN_S)


async def _all(port: int, key: str, count: int) -> None:
    clients = []
    for number in range(count):
        clients.append(asyncio.create_task(_drip(port, key)))
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0.02)
    await asyncio.gather(*clients)


if __name__ == "__main__":
    chosen = json.loads(sys.stdin.read())
    asyncio.run(_all(chosen["port"], chosen["key"], chosen["count"]))
