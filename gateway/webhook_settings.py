"""The settings of webhooks: who is told of what."""

from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from gateway.access_settings import is_safe_address
from gateway.sections import Section
from gateway.webhooks.events import WebhookEvent
from gateway.webhooks.signing import read_secret


class WebhookEndpointSettings(Section, frozen=True):
    """One receiver."""

    url: Annotated[str, Meta(min_length=1, max_length=2000)]
    """Where events are posted to: `https://`, or `http://` on this machine. A name must lead to public addresses; a
    private one is called only when its address stands here literally, such as `https://10.0.0.7/hooks`."""

    secret: str
    """What the requests are signed with: `whsec_` and the base64 of 24 to 64 random bytes, one for each receiver."""

    events: Annotated[tuple[WebhookEvent, ...], Meta(min_length=1)]
    """Kinds of events, such as `["handoff.requested", "change.submitted"]`; docs/guides/webhooks.md has all."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if not is_safe_address(self.url) or not parts.hostname or parts.username or parts.password or parts.fragment:
            raise ValueError("webhooks.endpoints.url is https://, or http:// on loopback, without name and password")
        read_secret(self.secret)

    def __repr__(self) -> str:
        """Leaves the secret out, wherever settings are printed."""
        return f"WebhookEndpointSettings(url={self.url!r}, events={[one.value for one in self.events]})"


class WebhookSettings(Section, frozen=True):
    """Signed requests to other systems. Nothing is sent unless there are endpoints."""

    endpoints: tuple[WebhookEndpointSettings, ...] = ()
    """Receivers; write `[[webhooks.endpoints]]` with `url`, `secret` and `events` for each. Of several gateways on one
    database set the same in each: the one that leads tells of changes, and each of its own handoffs. Receivers that are
    told twice know it by `webhook-id`."""

    attempts: Annotated[int, Meta(ge=1, le=10)] = 6
    """Tries for one event: at once, then after about 5 s, 30 s, 2 min, 10 min and 30 min. Then it is given up, with the
    line `webhook_given_up` in the log."""

    timeout_s: Annotated[float, Meta(gt=0, le=60)] = 10.0
    """Seconds that a receiver may take to answer; let it answer first and work then."""

    waiting: Annotated[int, Meta(ge=1, le=100000)] = 1000
    """Events that may wait for one receiver, in memory. When they are reached, events of the review wait in the
    database, and further handoffs are dropped and counted in the log. For a receiver that was given up on nothing waits
    there as long as another takes events of the review: they are dropped, too."""

    cluster_sizes: tuple[Annotated[int, Meta(ge=2)], ...] = (5, 20, 100)
    """Messages of a group of questions at which `question.cluster_grew` is told."""
