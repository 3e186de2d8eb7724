"""Puts webhooks together, for the composition root."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gateway.reviewing.recorder import DecisionListener
from gateway.reviewing.service import Reviewing
from gateway.webhook_settings import WebhookSettings
from gateway.webhooks.delivering import Deliveries, Route
from gateway.webhooks.events import WebhookEvent
from gateway.webhooks.sending import Receiver
from gateway.webhooks.signing import read_secret
from gateway.webhooks.watching import ClusterWatch, HandoffWatch, TrailWatch
from store.audit import AuditTrail
from store.people import OPERATOR
from store.review.types import Cluster, Wanted

PLACE = "webhooks-told"
"""File in the data folder that says how far the audit trail was told."""
_CLUSTERS = 200
"""That are read at once."""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What listens, and what runs as long as the gateway does."""

    listener: DecisionListener
    background: tuple[Callable[[], Awaitable[None]], ...]
    once: tuple[Callable[[], Awaitable[None]], ...] = ()
    """What one of several gateways does for all."""


def make_webhooks(
    settings: WebhookSettings, listener: DecisionListener, trail: AuditTrail, reviewing: Reviewing, folder: Path
) -> Webhooks:
    """Returns what tells the endpoints of the settings; without any, `listener` alone and nothing that runs."""
    if not settings.endpoints:
        return Webhooks(listener, ())
    routes = [
        Route(
            urlsplit(one.url).netloc,
            Receiver(one.url, timeout_s=settings.timeout_s),
            read_secret(one.secret),
            frozenset(one.events),
        )
        for one in settings.endpoints
    ]
    deliveries = Deliveries(routes, attempts=settings.attempts, most_waiting=settings.waiting)
    watches: list[Callable[[], Awaitable[None]]] = [TrailWatch(trail, deliveries, folder / PLACE).follow]
    if WebhookEvent.QUESTION_CLUSTER_GREW in deliveries.wants:
        watches.append(ClusterWatch(_largest_of(reviewing), deliveries, settings.cluster_sizes).follow)
    return Webhooks(HandoffWatch(deliveries, listener), deliveries.followers(), tuple(watches))


def _largest_of(reviewing: Reviewing) -> Callable[[int], tuple[Cluster, ...]]:
    def largest(least: int) -> tuple[Cluster, ...]:
        page = reviewing.clusters(OPERATOR, Wanted(), least=least, after=None, limit=_CLUSTERS)
        found = page.items
        while page.next is not None:
            page = reviewing.clusters(OPERATOR, Wanted(), least=least, after=page.next, limit=_CLUSTERS)
            found += page.items
        return found

    return largest
