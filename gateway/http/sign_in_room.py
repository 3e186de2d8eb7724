"""How many people sign in at once: each look at a password costs 30 ms of a core."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from gateway.errors import NotServing

_SIGN_INS = CapacityLimiter(4)
_MOST_WAITING = 32
_Result = TypeVar("_Result")


async def in_turn(look: Callable[[], _Result]) -> _Result:
    """Calls in a thread what looks at a password. Raises `NotServing` when many wait."""
    if _SIGN_INS.statistics().tasks_waiting >= _MOST_WAITING:
        raise NotServing("queue_full", "Too many people sign in at once. Try again shortly.")
    return await to_thread.run_sync(look, limiter=_SIGN_INS)
