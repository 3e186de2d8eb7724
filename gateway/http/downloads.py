"""Files that are made in a thread while they are sent, so that neither the loop waits nor memory fills."""

from collections.abc import AsyncIterator, Iterator, Mapping

from anyio import CapacityLimiter, to_thread
from litestar.response import Stream

_PIECE = 64 * 1024
_THREADS = CapacityLimiter(4)


async def download(pieces: Iterator[bytes], *, media_type: str, headers: Mapping[str, str]) -> Stream:
    """Returns the response. Raises what the first piece raises, before a status is sent."""
    first = await to_thread.run_sync(_some, pieces, limiter=_THREADS)
    return Stream(_sent(first, pieces), media_type=media_type, headers=dict(headers))


async def _sent(first: bytes, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    piece = first
    while piece:
        yield piece
        piece = await to_thread.run_sync(_some, pieces, limiter=_THREADS)


def _some(pieces: Iterator[bytes]) -> bytes:
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) >= _PIECE:
            break
    return bytes(found)
