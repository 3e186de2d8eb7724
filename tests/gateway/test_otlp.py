"""The collector's side: what arrives there, and that its trouble is nobody else's."""

import logging
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from gateway import otlp
from gateway.errors import SettingsInvalid
from gateway.otlp import open_collector
from gateway.settings import load_settings
from gateway.telemetry import Field, Measure
from gateway.telemetry_settings import TelemetrySettings
from gateway.tracing import Span
from tests.collector import collecting, fields

SPAN = Span("GET /x", "a" * 32, "b" * 16, "", 1_000, 2_000, {Field.ROUTE: "/x", Field.STATUS: 200}, is_server=True)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(otlp, "LINGER_S", 0.01)
    monkeypatch.setattr(otlp, "CLOSING_S", 0.3)
    yield
    for name in ("opentelemetry", "urllib3", "requests"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def settle(collector, **wanted: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if all(getattr(collector.counted, name) >= number for name, number in wanted.items()):
            return
        time.sleep(0.01)
    raise AssertionError(collector.counted)


def test_spans_and_metrics_arrive_with_the_headers_that_are_set():
    with collecting() as seen:
        settings = TelemetrySettings(endpoint=f"{seen.url}/", headers={"authorization": "Bearer of ours"})
        with open_collector(settings) as collector:
            collector.tell((SPAN, replace(SPAN, name="inner", span_id="c" * 16, parent_id="b" * 16, is_server=False)))
            collector.measure(Measure.TOKENS, 12, {Field.TOKEN_TYPE: "input"})
            outer, inner = seen.wait_for(2)
            settle(collector, sent=2)
    assert (outer.name, outer.trace_id.hex(), outer.span_id.hex(), outer.kind) == ("GET /x", "a" * 32, "b" * 16, 2)
    assert (inner.parent_span_id.hex(), inner.kind, fields(outer)["http.route"]) == ("b" * 16, 1, "/x")
    assert (outer.start_time_unix_nano, outer.end_time_unix_nano) == (1_000, 2_000)
    assert seen.resources[0]["service.name"] == "canongate"
    assert [metric.name for metric in seen.metrics] == ["gen_ai.client.token.usage"], "on closing all is sent"
    assert {headers["authorization"] for headers in seen.seen_headers} == {"Bearer of ours"}


def test_a_collector_that_hangs_holds_up_nobody_and_what_has_no_room_is_counted():
    with collecting() as seen:
        seen.hangs = True
        with open_collector(TelemetrySettings(endpoint=seen.url, waiting=5, timeout_s=60)) as collector:
            began = time.monotonic()
            for _ in range(3000):
                collector.tell((SPAN, SPAN))
            assert time.monotonic() - began < 5
            assert collector.waiting <= 5
            assert collector.counted.dropped >= 2 * (3000 - otlp.BATCH - 5)
            assert collector.counted.sent == 0
            began = time.monotonic()
        assert time.monotonic() - began < 10, "closing waits for it no longer than it says"


def test_a_collector_that_refuses_or_is_away_is_told_of_once_and_taken_up_again(caplog):
    with collecting() as seen, open_collector(TelemetrySettings(endpoint=seen.url, timeout_s=1)) as collector:
        seen.status = 400
        for number in (1, 2):
            collector.tell((SPAN,))
            settle(collector, refused=number)
        seen.status = 200
        collector.tell((SPAN,))
        seen.wait_for(1)
        settle(collector, sent=1)
    told = [record.message for record in caplog.records]
    assert told == ["collector_takes_no_spans", "collector_takes_spans_again"]
    with open_collector(TelemetrySettings(endpoint=seen.url, timeout_s=1)) as collector:
        collector.tell((SPAN,))
        settle(collector, refused=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "collector:4318"},
        {"endpoint": "ftp://collector"},
        {"endpoint": "http://me:secret-word@collector"},
        {"endpoint": "http://collector?key=secret-word"},
        {"endpoint": "http://collector:4318", "headers": {"authorization": "secret-word"}},
        {"endpoint": "https://collector", "headers": {"authorization": "secret-word\n"}},
        {"endpoint": "https://collector", "headers": {"Not A Name": "secret-word"}},
    ],
)
def test_addresses_and_headers_that_would_leak_or_break_are_refused(tmp_path, wrong):
    path = tmp_path / "canongate.toml"
    headers = ", ".join(f"{name!r} = {value!r}".replace("'", '"') for name, value in wrong.get("headers", {}).items())
    path.write_text(f'[telemetry]\nendpoint = "{wrong["endpoint"]}"\nheaders = {{ {headers} }}\n')
    with pytest.raises(SettingsInvalid) as refused:
        load_settings(path, {})
    assert "telemetry" in refused.value.message
    assert "secret-word" not in refused.value.message


def test_headers_are_in_no_printed_settings():
    settings = TelemetrySettings(endpoint="https://collector", headers={"authorization": "secret-word"})
    assert "secret-word" not in repr(settings)


LOADED = """
import sys, gateway.bootstrap, gateway.app
sending = ("opentelemetry.sdk", "opentelemetry.exporter", "gateway.otlp")
print([name for name in sys.modules if name.startswith(sending)])
"""


def test_without_an_endpoint_nothing_that_sends_is_loaded():
    call = [sys.executable, "-c", LOADED]
    done = subprocess.run(call, capture_output=True, text=True, timeout=120, check=True)  # noqa: S603 -- our own words
    assert done.stdout.strip() == "[]"


def test_a_collector_is_of_the_gateway_alone_and_no_library_can_send_by_it():
    with collecting() as seen, open_collector(TelemetrySettings(endpoint=seen.url)):
        assert not isinstance(trace.get_tracer_provider(), TracerProvider)
        assert not isinstance(metrics.get_meter_provider(), MeterProvider)
