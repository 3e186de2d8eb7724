"""A collector on the loopback: takes OTLP over HTTP, decodes it, and keeps what came; or hangs, or refuses."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass
class FakeCollector:
    """What a test sees of it."""

    url: str = ""
    status: int = 200
    hangs: bool = False
    seen_headers: list[dict[str, str]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    spans: list[Any] = field(default_factory=list)
    resources: list[dict[str, object]] = field(default_factory=list)
    metrics: list[Any] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    go_on: threading.Event = field(default_factory=threading.Event)

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        with self.changed:
            self.seen_headers.append(headers)
            self.raw.append(body)
            if path == "/v1/traces":
                for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                    self.resources.append(fields(group.resource))
                    self.spans.extend(span for scope in group.scope_spans for span in scope.spans)
            elif path == "/v1/metrics":
                for group in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                    self.metrics.extend(metric for scope in group.scope_metrics for metric in scope.metrics)
            self.changed.notify_all()

    def wait_for(self, count: int, *, within_s: float = 30.0) -> list[Any]:
        """Returns the spans once there are that many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.spans) >= count, within_s), f"{len(self.spans)} spans came"
            return list(self.spans)


def fields(told) -> dict[str, object]:
    """The attributes of a span, an event or a resource."""
    found = {}
    for one in told.attributes:
        kind = one.value.WhichOneof("value")
        value = getattr(one.value, kind)
        found[one.key] = [item.string_value for item in value.values] if kind == "array_value" else value
    return found


@contextmanager
def collecting() -> Iterator[FakeCollector]:
    collector = FakeCollector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if collector.hangs:
                collector.go_on.wait(60)
            if collector.status == 200:
                unpacked = gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body
                collector.take(self.path, {name.lower(): value for name, value in self.headers.items()}, unpacked)
            self.send_response(collector.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield collector
    finally:
        collector.go_on.set()
        server.shutdown()
        thread.join(10)
        server.server_close()
