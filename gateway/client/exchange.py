"""What a call does, step by step, without any network: send, wait, send again, or give up.

`exchange` is a generator. Whoever drives it does each step, with blocking calls or in an event loop, and sends back
what came of it; so there is one implementation of retries, deadlines and errors for both clients.
"""

import itertools
import random
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from gateway.client.calls import Call
from gateway.client.errors import CanongateError, Disconnected, Unavailable, class_of
from gateway.client.replies import Envelope

TIMEOUT_HEADER = "x-canongate-timeout-ms"
GRACE_S = 2.0
"""The gateway answers at its deadline, with an approved fallback if need be: the reply must have time to arrive."""
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 8.0
_SUCCESS = range(200, 300)
_WORTH_ANOTHER_TRY = (429, 502, 503, 504)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Send:
    """Send the request, and say what came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None
    timeout_s: float
    is_streamed: bool
    """Whether a body that succeeded is left to be read as it comes."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait before the next step."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Received:
    """A reply; its body is empty where it is read as it comes."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Lost:
    """No reply came."""

    is_late: bool
    """Whether the time was over, and not the connection broken."""


Steps = Generator[Send | Pause, Received | Lost | None, T]


@dataclass(frozen=True, slots=True)
class Retrying:
    """How often and when a request is sent again."""

    most: int = 2
    """Repetitions after the first request."""
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    """Numbers from 0 to 1: clients that were turned away together must not come back together."""

    def wait_s(self, error: CanongateError, attempt: int) -> float:
        """Returns how long to wait before the request is sent again: at least as long as the gateway said."""
        if error.retry_after_s is not None:
            return error.retry_after_s * (1 + self.chance() / 4)
        longest_s: float = min(_FIRST_PAUSE_S * 2**attempt, _LONGEST_PAUSE_S)
        return longest_s * (1 + self.chance()) / 2


USUALLY = Retrying()
"""Twice more; `Retrying(most=0)` never asks again."""


def exchange(call: Call[T], retrying: Retrying) -> Steps[T]:
    """Gives the steps of a call, and returns its reply. Raises `CanongateError`."""
    received = yield from opening(call, retrying)
    try:
        return call.read(received.body)
    except msgspec.DecodeError as error:
        words = "The reply is none of this gateway's: something between here and the gateway may have changed it."
        raise Unavailable(words, code="unreadable_reply", status=received.status) from error


def opening(call: Call[T], retrying: Retrying) -> Steps[Received]:
    """Gives the steps to a reply that succeeded, and returns it. Raises `CanongateError`."""
    until_s = retrying.clock() + call.timeout_s
    for attempt in itertools.count():
        heard = yield _sending(call, until_s - retrying.clock())
        if isinstance(heard, Received) and heard.status in _SUCCESS:
            return heard
        error = _error_of(heard)
        if attempt >= retrying.most or not error.may_retry:
            raise error
        wait_s = retrying.wait_s(error, attempt)
        if retrying.clock() + wait_s >= until_s:
            raise error
        yield Pause(wait_s)
    raise AssertionError("counting ends nowhere. This is a bug.")


def _sending(call: Call[T], left_s: float) -> Send:
    left_ms = max(1, int(left_s * 1000))
    headers = {**call.headers, TIMEOUT_HEADER: str(left_ms)}
    return Send(call.method, call.path, headers, call.body, left_ms / 1000 + GRACE_S, call.is_streamed)


def _error_of(heard: Received | Lost | None) -> CanongateError:
    if isinstance(heard, Received):
        return _told(heard)
    if isinstance(heard, Lost) and not heard.is_late:
        return Disconnected("The connection to the gateway failed.", code="connection_lost", may_retry=True)
    return Disconnected("The gateway did not answer in time.", code="timed_out")


def _told(received: Received) -> CanongateError:
    """Returns the error that a reply tells; one without the gateway's envelope comes from something before it."""
    status, request_id = received.status, received.headers.get("x-request-id")
    try:
        told = msgspec.json.decode(received.body, type=Envelope).error
    except msgspec.DecodeError:
        words = f"Status {status}, and not in this gateway's words: something before the gateway may have answered."
        return class_of(None, status)(
            words,
            code=f"http_{status}",
            status=status,
            request_id=request_id,
            retry_after_s=_retry_after_s(received),
            may_retry=_may_retry(received),
        )
    return class_of(told.type, status)(
        told.message,
        code=told.code or f"http_{status}",
        status=status,
        param=told.param,
        request_id=request_id,
        retry_after_s=_retry_after_s(received),
        may_retry=_may_retry(received),
    )


def _may_retry(received: Received) -> bool:
    """What the gateway says counts; without a word of it, the statuses that mean `later`."""
    said = received.headers.get("x-should-retry")
    return said == "true" if said in ("true", "false") else received.status in _WORTH_ANOTHER_TRY


def _retry_after_s(received: Received) -> float | None:
    sent = received.headers.get("retry-after", "")
    return float(sent) if sent.isascii() and sent.isdigit() else None
