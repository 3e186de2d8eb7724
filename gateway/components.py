"""The parts that the HTTP surface is made of; `bootstrap.py` makes the real ones, tests make others."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

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
