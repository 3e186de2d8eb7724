"""Delivers events: one bounded queue for each receiver, in order, tried again with growing pauses, then given up."""

import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

import anyio

from gateway.webhooks.events import Event, WebhookEvent
from gateway.webhooks.sending import SendFailed
from gateway.webhooks.signing import sign

PAUSES_S: Final = (5.0, 30.0, 120.0, 600.0, 1800.0)
"""Between the tries; further ones wait as long as the last."""
JITTER: Final = 0.2
"""Share by which a pause is shorter or longer, so that many events do not come back at once."""
_GONE: Final = 410
_LOG = logging.getLogger(__name__)


class Receiving(Protocol):
    """Where events are posted to."""

    async def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Returns the status of the answer. Raises `SendFailed`."""


@dataclass(slots=True)
class Route:
    """A receiver with its queue. `name` stands for it in the log: its host, and no path that may hold a token."""

    name: str
    receiver: Receiving
    secret: bytes
    kinds: frozenset[WebhookEvent]
    waiting: deque[Event] = field(default_factory=deque)
    dropped: int = 0
    has_given_up: bool = False
    """Whether its last event was never taken."""
    came: anyio.Event = field(default_factory=anyio.Event)


class Deliveries:
    """All receivers. Everything runs on the loop; nothing here waits for a thread."""

    def __init__(
        self,
        routes: Sequence[Route],
        *,
        attempts: int,
        most_waiting: int,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._routes = tuple(routes)
        self._attempts = attempts
        self._most_waiting = most_waiting
        self._sleep = sleep
        self._now = now

    @property
    def wants(self) -> frozenset[WebhookEvent]:
        """Kinds that anybody wants."""
        return frozenset().union(*(route.kinds for route in self._routes))

    def is_full(self, kinds: frozenset[WebhookEvent]) -> bool:
        """Whether somebody who wants such events has no place for one more.

        A receiver that was given up on is not waited for, so that it holds no other back, unless all of them were.
        """
        wanting = [route for route in self._routes if route.kinds & kinds]
        taking = [route for route in wanting if not route.has_given_up] or wanting
        return any(len(route.waiting) >= self._most_waiting for route in taking)

    @property
    def oldest_row(self) -> int | None:
        """The first row of the audit trail that somebody is still to be told of."""
        rows = [event.row for route in self._routes for event in route.waiting if event.row is not None]
        return min(rows, default=None)

    def tell(self, event: Event) -> None:
        """Puts an event into the queues of those who want it. Never waits: without a place it is dropped."""
        for route in self._routes:
            if event.kind not in route.kinds:
                continue
            if len(route.waiting) >= self._most_waiting:
                route.dropped += 1
                _LOG.warning(
                    "webhook_dropped: %s to %s, the queue is full, %d so far", event.kind, route.name, route.dropped
                )
                continue
            route.waiting.append(event)
            route.came.set()

    def followers(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """Returns what delivers, one for each receiver, for ever: a slow one holds no other back."""
        return tuple(partial(self._follow, route) for route in self._routes)

    async def _follow(self, route: Route) -> None:
        while True:
            while route.waiting:
                await self._deliver(route, route.waiting[0])
                route.waiting.popleft()
            route.came = anyio.Event()
            await route.came.wait()

    async def _deliver(self, route: Route, event: Event) -> None:
        """Tries until the event is taken or given up. A later event waits: receivers get them in order."""
        why = ""
        for number in range(self._attempts):
            if number:
                pause_s = PAUSES_S[min(number, len(PAUSES_S)) - 1]
                await self._sleep(pause_s * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311 -- no secret
            try:
                status = await self._post(route, event)
            except SendFailed as error:
                why = str(error)
                continue
            if 200 <= status < 300:  # noqa: PLR2004 -- every success
                _LOG.info("webhook_delivered: %s %s to %s, try %d", event.kind, event.id, route.name, number + 1)
                route.has_given_up = False
                return
            why = f"status {status}"
            if status == _GONE:
                break
        route.has_given_up = True
        _LOG.error("webhook_given_up: %s %s to %s, %s, %s", event.kind, event.id, route.name, why, dict(event.data))

    async def _post(self, route: Route, event: Event) -> int:
        body, timestamp = event.body(), int(self._now())
        headers = {
            "content-type": "application/json",
            "user-agent": "canongate",
            "webhook-id": event.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(route.secret, event.id, timestamp, body),
        }
        return await route.receiver.post(body, headers)
