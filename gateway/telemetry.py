"""Every name under which the gateway tells what it does, and what counts it: Prometheus metrics of one process.

No label holds anything that a person wrote or that grows with use: names come from what is published, everything else
from closed lists. The names of stages and outcomes are those of decisions. Numbers that parts of the gateway keep
themselves have their names in `metering.py`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from store.types import Decision

STAGES: Final = frozenset({"input_rails", "match", "dialog", "wait", "generate", "output_rails"})
"""Of a decision's timings those that are stages; `total` is told by itself."""
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "QUERY"})
OTHER_METHOD: Final = "_OTHER"
"""As OpenTelemetry has it: a client may send any word for a method."""
_FAST_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_MS = 1000.0


class SpanName(StrEnum):
    """Spans. Some are followed by what they are about, such as `chat smollm2-135m-instruct`."""

    DECISION = "canongate.decision"
    GUARDRAIL = "run_guardrail"
    RETRIEVAL = "retrieval"
    CHAT = "chat"
    DIALOG = "canongate.dialog"
    WAIT = "canongate.wait"


class SpanEvent(StrEnum):
    """Events of spans; this one is proposed (semantic-conventions-genai, issue 427), like `gen_ai.security` below."""

    FINDING = "gen_ai.security.finding"


class Field(StrEnum):
    """Attributes of spans and of OpenTelemetry's metrics. The set `gen_ai` is in development, and so are these."""

    METHOD = "http.request.method"
    ROUTE = "http.route"
    STATUS = "http.response.status_code"
    ERROR = "error.type"
    SERVICE = "service.name"
    SERVICE_VERSION = "service.version"
    INSTANCE = "service.instance.id"
    OPERATION = "gen_ai.operation.name"
    PROVIDER = "gen_ai.provider.name"
    REQUEST_MODEL = "gen_ai.request.model"
    RESPONSE_MODEL = "gen_ai.response.model"
    FINISH_REASONS = "gen_ai.response.finish_reasons"
    FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
    INPUT_TOKENS = "gen_ai.usage.input_tokens"
    OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
    READY_TOKENS = "gen_ai.usage.cache_read.input_tokens"
    TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105 -- the name of an attribute
    CONVERSATION = "gen_ai.conversation.id"
    DATA_SOURCE = "gen_ai.data_source.id"
    RAIL = "gen_ai.security.guardrail.name"
    VERDICT = "gen_ai.security.verdict"
    VERDICT_REASON = "gen_ai.security.verdict.reason"
    POLICY = "gen_ai.security.policy.name"
    POLICY_REVISION = "gen_ai.security.policy.version"
    REQUEST_ID = "canongate.request.id"
    DECISION_ID = "canongate.decision.id"
    ASSISTANT = "canongate.assistant"
    OUTCOME = "canongate.outcome"
    SOURCE = "canongate.source"
    DECISION_STATUS = "canongate.status"
    PROMPT = "canongate.prompt.key"
    PROMPT_VERSION = "canongate.prompt.version"
    PROMPT_SHA256 = "canongate.prompt.sha256"
    SENT_SHA256 = "canongate.sent.sha256"
    MODEL_SHA256 = "canongate.model.sha256"
    STORE_REVISION = "canongate.store.revision"
    MATCHER = "canongate.matcher"
    GATE = "canongate.match.gate"
    SCORE = "canongate.match.score"
    CACHED_FROM = "canongate.cached_from"
    STAGE = "canongate.stage"
    IS_MONITORED = "canongate.rail.is_monitored"


class Measure(StrEnum):
    """OpenTelemetry's metrics of the language model."""

    TOKENS = "gen_ai.client.token.usage"
    DURATION = "gen_ai.server.request.duration"
    FIRST_TOKEN = "gen_ai.server.time_to_first_token"  # noqa: S105 -- the name of a metric
    PER_TOKEN = "gen_ai.server.time_per_output_token"  # noqa: S105 -- as above


@dataclass(frozen=True, slots=True)
class Reading:
    """A number that some part of the gateway keeps itself, read whenever metrics are asked for."""

    name: str
    help: str
    value: Callable[[], float | Mapping[str, float] | None]
    """One number, or one for each value of `label`; None when there is none at the moment."""
    label: str = ""
    is_counter: bool = False


class Telemetry:
    """Counts decisions and requests, and reads what others count. Thread-safe."""

    def __init__(self, readings: Iterable[Reading] = ()) -> None:
        self._registry = CollectorRegistry(auto_describe=True)
        self._decision = self._counter(
            "canongate_decisions", "Messages that got a decision.", "assistant", "outcome", "source"
        )
        self._failed = self._counter(
            "canongate_decisions_failed", "Decisions that stopped because a part failed, not by a verdict.", "assistant"
        )
        self._undecided = self._counter(
            "canongate_undecided",
            "Messages that ended without a decision: `caller_left` before anything was shown, `deadline_passed`, or "
            "the code of an error.",
            "reason",
        )
        self._seconds = self._histogram(
            "canongate_decision_seconds", "From admission to the reply.", "assistant", "outcome"
        )
        self._stage = self._histogram(
            "canongate_stage_seconds",
            "Time of `input_rails`, `match`, `dialog`, `wait`, `generate`, `output_rails`.",
            "stage",
        )
        self._rail = self._counter(
            "canongate_rail_verdicts",
            "Verdicts of rails: `passed`, `modified`, `blocked`, `error`, `not_run`.",
            "stage",
            "rail",
            "status",
        )
        self._rail_seconds = self._histogram("canongate_rail_seconds", "Time of one rail.", "stage", "rail")
        self._tokens = self._counter(
            "canongate_model_tokens", "Tokens that the model read (`prompt`) and wrote (`completion`).", "kind"
        )
        self._request = self._counter(
            "canongate_http_requests",
            "HTTP requests by the template of their path; a method that HTTP does not know is `_OTHER`, and a stream "
            "that ended in an error has the status that it would have had.",
            "method",
            "route",
            "status",
        )
        self._request_seconds = self._histogram(
            "canongate_http_request_seconds", "From the first byte of a request to the last of its reply.", "route"
        )
        self._registry.register(_Readings(tuple(readings)))

    def decided(self, decision: Decision) -> None:
        """Counts a decision."""
        outcome = decision.outcome.value
        self._decision(decision.assistant, outcome, decision.source).inc()
        if decision.failed:
            self._failed(decision.assistant).inc()
        for stage, taken_ms in decision.timings_ms.items():
            if stage in STAGES:
                self._stage(stage).observe(taken_ms / _MS)
        if (total_ms := decision.timings_ms.get("total")) is not None:
            self._seconds(decision.assistant, outcome).observe(total_ms / _MS)
        for rail in decision.rails:
            self._count_rail(rail)
        self._tokens("prompt").inc(decision.prompt_tokens)
        self._tokens("completion").inc(decision.completion_tokens)

    def undecided(self, reason: str) -> None:
        """Counts a message that ended without a decision; `reason` is one of the gateway's own codes."""
        self._undecided(reason).inc()

    def requested(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts an HTTP request; `route` is the template of its path."""
        self._request(known_method(method), route, str(status)).inc()
        self._request_seconds(route).observe(seconds)

    def text(self) -> bytes:
        """Returns all metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def _count_rail(self, rail: Mapping[str, Any]) -> None:
        self._rail(rail["stage"], rail["name"], rail["status"]).inc()
        self._rail_seconds(rail["stage"], rail["name"]).observe(rail["duration_ms"] / _MS)

    def _counter(self, name: str, said: str, *labels: str) -> Callable[..., Counter]:
        # A count lives as long as its metric, which looks for it under a lock: at forty a decision it shows.
        return cache(Counter(name, said, labels, registry=self._registry).labels)

    def _histogram(self, name: str, said: str, *labels: str) -> Callable[..., Histogram]:
        return cache(Histogram(name, said, labels, registry=self._registry, buckets=_FAST_S).labels)


def known_method(method: str) -> str:
    """Returns the method as it is told."""
    return method if method in METHODS else OTHER_METHOD


class _Readings(Collector):
    """Reads the numbers of others at the moment when they are asked for."""

    def __init__(self, readings: tuple[Reading, ...]) -> None:
        self._readings = readings

    def describe(self) -> Iterator[Metric]:
        """Names the metrics without reading them."""
        return (_family(one) for one in self._readings)

    def collect(self) -> Iterator[Metric]:
        """Reads them."""
        for one in self._readings:
            found = one.value()
            if found is None:
                continue
            family = _family(one)
            for label, number in found.items() if isinstance(found, Mapping) else (("", found),):
                family.add_metric([label] if one.label else [], number)
            yield family


def _family(reading: Reading) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if reading.is_counter else GaugeMetricFamily
    return kind(reading.name, reading.help, labels=[reading.label] if reading.label else [])


UNREAD: Final = Telemetry()
"""Takes the counts of what is not the gateway's own traffic: trials, test sets."""
