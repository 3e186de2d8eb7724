"""The settings of what is told to an OpenTelemetry collector."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from gateway.access_settings import is_safe_address
from gateway.sections import Section

_HEADER = re.compile(r"[a-z0-9-]{1,64}")
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")


class TelemetrySettings(Section, frozen=True):
    """Traces and metrics by OTLP over HTTP, with the package's extra `otel`: ids, hashes, revisions, statuses, times.

    Nothing is sent, and no exporter is loaded, unless there is an endpoint.
    """

    endpoint: Annotated[str, Meta(max_length=2000)] = ""
    """Address of the collector, such as `http://127.0.0.1:4318`; `/v1/traces` and `/v1/metrics` are added.
    Empty means none."""

    headers: dict[str, str] = {}  # noqa: RUF012 -- msgspec copies an empty default
    """Headers of each request to it, such as `{ authorization = "Bearer ..." }`. They are secret: the endpoint is then
    `https://` or on this machine, and no log shows them. Keep the file from others' eyes."""

    sampling: Annotated[float, Meta(ge=0.0, le=1.0)] = 1.0
    """Share of the traces that are told, chosen by their ids, whatever a caller asks for. Metrics count everything."""

    waiting: Annotated[int, Meta(ge=1, le=100000)] = 2000
    """Requests whose spans may wait while the collector is slow or away; more are dropped and counted."""

    timeout_s: Annotated[float, Meta(gt=0, le=60)] = 5.0
    """Seconds that the collector may take to answer. No request waits for it."""

    metrics_s: Annotated[float, Meta(ge=1, le=3600)] = 60.0
    """Seconds between two sendings of metrics."""

    def __post_init__(self) -> None:
        if not self.endpoint:
            return
        parts = urlsplit(self.endpoint)
        is_plain = not (parts.username or parts.password or parts.query or parts.fragment)
        if parts.scheme not in ("http", "https") or not parts.hostname or not is_plain:
            raise ValueError("telemetry.endpoint is http:// or https://, without name, password, query and fragment")
        if self.headers and not is_safe_address(self.endpoint):
            raise ValueError("telemetry.endpoint must begin with https://, or be loopback, when there are headers")
        if not all(_HEADER.fullmatch(name) and _VALUE.fullmatch(value) for name, value in self.headers.items()):
            raise ValueError("telemetry.headers takes names in small letters, and values in ASCII")

    def __repr__(self) -> str:
        """Leaves the headers out, wherever settings are printed."""
        return f"TelemetrySettings(endpoint={self.endpoint!r}, sampling={self.sampling!r})"
