"""The parts that the HTTP surface is made of; `bootstrap.py` makes the real ones, tests make others."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio

from gateway.administration import Administration
from gateway.credentials import KeyRing, Principal
from gateway.embeddings import Embeddings
from gateway.leading import Leading
from gateway.limits import Admission
from gateway.live import Live
from gateway.match_trial import MatchTrials
from gateway.pipeline import ChatPipeline
from gateway.publisher import Publisher
from gateway.rail_checks import RailChecks
from gateway.readiness import Readiness
from gateway.settings import Settings
from gateway.telemetry import Telemetry
from gateway.tracing import UNTRACED, Tracing
from gateway.warming import Warming
from gateway.widget.services import Widget

CLOSING_S = 2.0


@dataclass(frozen=True, slots=True)
class Components:
    """Everything that `create_app` needs; whoever made them closes them."""

    settings: Settings
    live: Live
    pipeline: ChatPipeline
    checks: RailChecks
    matches: MatchTrials
    embeddings: Embeddings
    keys: KeyRing
    admission: Admission
    readiness: Readiness
    telemetry: Telemetry
    warming: Warming | None
    """Has prompts ready in the model; None when no worker of ours answers."""
    publisher: Publisher | None
    """Follows what is published; None in tests whose content stands still."""
    administration: Administration | None
    """None in tests without a database: the admin surface is then closed."""
    visitor: Principal | None
    """Who the landing page's try-it form speaks for; None when there is no form."""
    widget: Widget | None = None
    """None in tests without a database: the widget's surface is then closed."""
    background: tuple[Callable[[], Awaitable[None]], ...] = ()
    """What else runs as long as the gateway does."""
    once: tuple[Callable[[], Awaitable[None]], ...] = ()
    """What one of several gateways on a database does for all."""
    tracing: Tracing = UNTRACED
    """Tells a collector, where there is one."""
    leading: Leading | None = None
    """Says whether this gateway is that one; None where nobody else can be."""
    closing: tuple[Callable[[], Awaitable[None]], ...] = ()
    """What lives on the event loop that asks questions, and is closed there."""

    @asynccontextmanager
    async def on_this_loop(self) -> AsyncIterator[None]:
        """On leaving, closes what belongs to the event loop, with a moment for it and not more."""
        try:
            yield
        finally:
            for close in self.closing:
                with anyio.CancelScope(shield=True), anyio.move_on_after(CLOSING_S):
                    await close()
