"""Sends spans and metrics to an OpenTelemetry collector: OTLP over HTTP, from threads that no request waits for."""

import logging
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version

import requests
import uuid_utils
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from gateway.telemetry import Field, Measure
from gateway.telemetry_settings import TelemetrySettings
from gateway.tracing import Fields, Span

SERVICE = "canongate"
LINGER_S = 1.0
"""How long the first spans wait for others."""
BATCH = 200
"""Requests whose spans are sent together."""
CLOSING_S = 2.0
"""A collector that does not answer holds up the end of the gateway no longer."""
_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_BUCKETS: dict[Measure, tuple[str, str, tuple[float, ...]]] = {
    Measure.TOKENS: ("{token}", "Tokens that the model read and wrote.", tuple(4.0**power for power in range(14))),
    Measure.DURATION: ("s", "Time of an answer in the model.", _SECONDS),
    Measure.FIRST_TOKEN: ("s", "Time to its first token.", _SECONDS),
    Measure.PER_TOKEN: ("s", "Time of each token after the first.", tuple(second / 10 for second in _SECONDS)),
}
"""Unit, text and bounds of each histogram; bounds as the semantic conventions advise."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Counted:
    """Spans since the gateway started, by what became of them."""

    sent: int = 0
    dropped: int = 0
    """There was no room for them to wait."""
    refused: int = 0
    """The collector did not take them."""


class Collector:
    """Takes spans without waiting and sends them from a thread of its own. Thread-safe."""

    def __init__(self, settings: TelemetrySettings) -> None:
        self._limit = settings.waiting
        self._resource = _resource()
        self._waiting: deque[tuple[Span, ...]] = deque()
        self._awake = threading.Condition()
        self._is_closing = False
        self._has_failed = False
        self.counted = Counted()
        for name in ("opentelemetry", "urllib3", "requests"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # our own lines say what matters, once
        self._spans = OTLPSpanExporter(
            endpoint=_address(settings, "traces"),
            headers=settings.headers,
            timeout=settings.timeout_s,
            compression=Compression.Gzip,
            session=_session(),
        )
        self._metrics = MeterProvider(
            [
                PeriodicExportingMetricReader(
                    OTLPMetricExporter(
                        endpoint=_address(settings, "metrics"),
                        headers=settings.headers,
                        timeout=settings.timeout_s,
                        compression=Compression.Gzip,
                        session=_session(),
                    ),
                    export_interval_millis=settings.metrics_s * 1000,
                    export_timeout_millis=settings.timeout_s * 1000,
                )
            ],
            resource=self._resource,
            shutdown_on_exit=False,
        )
        meter = self._metrics.get_meter(SERVICE, version(SERVICE))
        self._histograms = {
            name: meter.create_histogram(name, unit, said, explicit_bucket_boundaries_advisory=bounds)
            for name, (unit, said, bounds) in _BUCKETS.items()
        }
        self._sender = threading.Thread(target=self._send_all, name="otlp", daemon=True)
        self._sender.start()

    @property
    def waiting(self) -> int:
        """Requests whose spans wait."""
        return len(self._waiting)

    def tell(self, spans: tuple[Span, ...]) -> None:
        """Takes the spans of a request, or counts them as dropped."""
        with self._awake:
            if len(self._waiting) >= self._limit or self._is_closing:
                self._count(dropped=len(spans))
                return
            self._waiting.append(spans)
            if len(self._waiting) in (1, BATCH):
                self._awake.notify()

    def measure(self, name: Measure, value: float, fields: Fields) -> None:
        """Adds to a histogram; it is sent with all others."""
        self._histograms[name].record(value, fields)

    def close(self) -> None:
        """Sends what waits, if that can be done within `CLOSING_S`."""
        with self._awake:
            self._is_closing = True
            self._awake.notify()
        ending = threading.Thread(target=self._metrics.shutdown, name="otlp-end", daemon=True)
        ending.start()
        self._sender.join(CLOSING_S)
        self._spans.shutdown()  # type: ignore[no-untyped-call] # the library's own gap
        ending.join(CLOSING_S)

    def _send_all(self) -> None:
        while batch := self._next_batch():
            self._send([span for spans in batch for span in spans])

    def _next_batch(self) -> list[tuple[Span, ...]]:
        """Waits for spans, and a moment for more; returns none when there are to be no more."""
        with self._awake:
            self._awake.wait_for(lambda: self._waiting or self._is_closing)
            self._awake.wait_for(lambda: len(self._waiting) >= BATCH or self._is_closing, LINGER_S)
            return [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]

    def _send(self, spans: Sequence[Span]) -> None:
        result = self._spans.export([_readable(span, self._resource) for span in spans])
        is_sent = result is SpanExportResult.SUCCESS
        with self._awake:
            self._count(sent=len(spans) if is_sent else 0, refused=0 if is_sent else len(spans))
        if is_sent == self._has_failed:
            self._has_failed = not is_sent
            fields = {"dropped": self.counted.dropped + self.counted.refused}
            if is_sent:
                _LOG.warning("collector_takes_spans_again", extra=fields)
            else:
                _LOG.warning("collector_takes_no_spans", extra=fields)

    def _count(self, *, sent: int = 0, dropped: int = 0, refused: int = 0) -> None:
        before = self.counted
        self.counted = Counted(before.sent + sent, before.dropped + dropped, before.refused + refused)


@contextmanager
def open_collector(settings: TelemetrySettings) -> Iterator[Collector]:
    """Tells the collector at `settings.endpoint`, and on leaving what is left."""
    collector = Collector(settings)
    try:
        yield collector
    finally:
        collector.close()


def _address(settings: TelemetrySettings, signal: str) -> str:
    return f"{settings.endpoint.rstrip('/')}/v1/{signal}"


def _session() -> requests.Session:
    """Speaks to the collector itself: through no proxy of the environment, and following it nowhere else."""
    session = requests.Session()  # nosemgrep: calls-have-a-time-limit -- the exporter gives each call its own
    session.trust_env = False
    session.max_redirects = 0
    return session


def _resource() -> Resource:
    told = {
        Field.SERVICE: SERVICE,
        Field.SERVICE_VERSION: version(SERVICE),
        Field.INSTANCE: str(uuid_utils.uuid7()),
    }
    return Resource({name.value: value for name, value in told.items()})


def _readable(span: Span, resource: Resource) -> ReadableSpan:
    return ReadableSpan(
        name=str(span.name),
        context=_context(span.trace_id, span.span_id),
        parent=_context(span.trace_id, span.parent_id) if span.parent_id else None,
        resource=resource,
        attributes=span.fields,
        events=[Event(str(event.name), event.fields, event.at_ns) for event in span.events],
        kind=SpanKind.SERVER if span.is_server else SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR if span.has_failed else StatusCode.UNSET),
        start_time=span.began_ns,
        end_time=span.ended_ns,
        instrumentation_scope=InstrumentationScope(SERVICE, version(SERVICE)),
    )


def _context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
