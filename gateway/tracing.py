"""Makes spans of what was decided, stage by stage, after the fact: ids, hashes, revisions, times, and never a word.

A span has no attribute that comes from a message, a slot's value or an exception's text; tests/guarantees holds it.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.decisions import status_of
from gateway.privacy import UNLINKED, Privacy
from gateway.telemetry import OTHER_METHOD, Field, Measure, SpanEvent, SpanName, known_method
from gateway.trace_context import CURRENT, Trace
from gateway.turn import Passed, Turn
from models.ports import Completion
from rails.types import RailRecord, RailStatus, Stage
from store.types import Decision

Value = str | int | float | bool | tuple[str, ...]
Fields = Mapping[str, Value]

PROMPTS = "canongate.prompts"
"""The data source that messages are matched against."""
_NS = 1_000_000_000
_FIRED = frozenset({RailStatus.MODIFIED, RailStatus.BLOCKED, RailStatus.ERROR})
_RAIL_STAGES = {f"{stage.value}_rails": stage for stage in Stage}
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was found at a moment of a span."""

    name: SpanEvent
    at_ns: int
    fields: Fields


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a request; times in nanoseconds since 1970."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    began_ns: int
    ended_ns: int
    fields: Fields
    events: tuple[Event, ...] = ()
    has_failed: bool = False
    is_server: bool = False
    """Whether it is the request itself, as its caller sees it."""


class SpanSink(Protocol):
    """Where spans and measurements go. Nothing of it blocks or raises."""

    def tell(self, spans: tuple[Span, ...]) -> None:
        """Takes spans, or drops and counts them."""

    def measure(self, name: Measure, value: float, fields: Fields) -> None:
        """Adds a measurement to a histogram."""


class NoSink:
    """Takes nothing."""

    def tell(self, spans: tuple[Span, ...]) -> None:
        """Drops them."""

    def measure(self, name: Measure, value: float, fields: Fields) -> None:
        """Drops it."""


NOWHERE = NoSink()


@dataclass(frozen=True, slots=True)
class Tracing:
    """Tells a collector of requests and decisions; does next to nothing when there is none."""

    sink: SpanSink = NOWHERE
    sampling: float = 0.0
    """Share of the traces that are told."""
    provider: str = ""
    model: str = ""
    privacy: Privacy = field(default=UNLINKED)

    def requested(self, trace: Trace, method: str, route: str, status: int, *, seconds: float) -> None:
        """Tells of a request that has just ended; `route` is the template of its path."""
        if not trace.is_told:
            return
        ended_ns, verb = time.time_ns(), known_method(method)
        fields: dict[str, Value] = {Field.METHOD: verb, Field.ROUTE: route, Field.STATUS: status}
        fields[Field.REQUEST_ID] = trace.request_id
        has_failed = status >= _SERVER_ERROR
        if has_failed:
            fields[Field.ERROR] = str(status)
        span = Span(
            f"{'HTTP' if verb == OTHER_METHOD else verb} {route}",
            trace.trace_id,
            trace.span_id,
            trace.parent_id,
            ended_ns - int(seconds * _NS),
            ended_ns,
            fields,
            has_failed=has_failed,
            is_server=True,
        )
        self.sink.tell((span,))

    def decided(self, turn: Turn, decision: Decision, *, error: str | None) -> None:
        """Tells of a decision that was just made; `error` is a code or a class of ours."""
        if self.sink is NOWHERE:
            return
        if turn.completion is not None:
            self._measure(turn.completion)
        trace = CURRENT.get()
        if trace is not None and trace.is_told:
            self.sink.tell(tuple(self._spans(trace, turn, decision, error)))

    def _spans(self, trace: Trace, turn: Turn, decision: Decision, error: str | None) -> Iterator[Span]:
        since_boot_ns = time.time_ns() - time.monotonic_ns()
        whole = _new_span_id()
        ends = [passed.ended_s for passed in turn.passed]
        ended_s = max([turn.started + decision.timings_ms.get("total", 0.0) / 1000, *ends])
        fields = _decision_fields(decision)
        fields[Field.REQUEST_ID] = trace.request_id
        if decision.conversation and (conversation := self.privacy.pseudonym(decision.conversation)):
            fields[Field.CONVERSATION] = conversation
        if error:
            fields[Field.ERROR] = error

        def span(name: str, parent: str, span_id: str, passed: Passed, found: Fields, *events: Event) -> Span:
            began, ended = (since_boot_ns + int(at_s * _NS) for at_s in (passed.began_s, passed.ended_s))
            has_failed = decision.failed and span_id == whole
            return Span(name, trace.trace_id, span_id, parent, began, ended, found, events, has_failed=has_failed)

        yield span(SpanName.DECISION, trace.span_id, whole, Passed("", turn.started, ended_s), fields)
        last = {passed.stage: passed for passed in turn.passed}
        for passed in turn.passed:
            at_ns = since_boot_ns + int(passed.ended_s * _NS)
            is_last = last[passed.stage] is passed
            stage = _RAIL_STAGES.get(passed.stage)
            events = _findings(turn.records, stage, at_ns) if stage is not None and is_last else ()
            name, found = self._stage(passed.stage, turn, decision, is_last=is_last)
            yield span(name, whole, _new_span_id(), passed, found, *events)

    def _stage(self, stage: str, turn: Turn, decision: Decision, *, is_last: bool) -> tuple[str, dict[str, Value]]:
        """Returns the name of a stage's span and its fields; those of its result go with the last of several."""
        fields: dict[str, Value] = {Field.STAGE: stage}
        if stage in _RAIL_STAGES:
            fields |= {Field.OPERATION: SpanName.GUARDRAIL.value, Field.POLICY: decision.policy}
            fields[Field.POLICY_REVISION] = str(decision.policy_revision)
            return f"{SpanName.GUARDRAIL} {_RAIL_STAGES[stage].value}", fields
        if stage == "match":
            fields |= {Field.OPERATION: SpanName.RETRIEVAL.value, Field.DATA_SOURCE: PROMPTS}
            fields |= _given({Field.GATE: decision.gate, Field.SCORE: decision.score})
            return f"{SpanName.RETRIEVAL} {PROMPTS}", fields
        if stage == "generate":
            fields |= self._model_fields | (_completion_fields(turn.completion) if turn.completion and is_last else {})
            fields |= _given({Field.ERROR: turn.model_error})
            return f"{SpanName.CHAT} {self.model}", fields
        return SpanName.DIALOG if stage == "dialog" else SpanName.WAIT, fields

    @property
    def _model_fields(self) -> dict[str, Value]:
        return {
            Field.OPERATION: SpanName.CHAT.value,
            Field.PROVIDER: self.provider,
            Field.REQUEST_MODEL: self.model,
            Field.RESPONSE_MODEL: self.model,
        }

    def _measure(self, completion: Completion) -> None:
        fields = self._model_fields
        first_s, whole_s = completion.first_token_ms / 1000, completion.duration_ms / 1000
        self.sink.measure(Measure.TOKENS, completion.prompt_token_count, {**fields, Field.TOKEN_TYPE: "input"})
        self.sink.measure(Measure.TOKENS, completion.completion_tokens, {**fields, Field.TOKEN_TYPE: "output"})
        self.sink.measure(Measure.DURATION, whole_s, fields)
        self.sink.measure(Measure.FIRST_TOKEN, first_s, fields)
        if completion.completion_tokens > 1:
            per_token_s = max(0.0, whole_s - first_s) / (completion.completion_tokens - 1)
            self.sink.measure(Measure.PER_TOKEN, per_token_s, fields)


UNTRACED = Tracing()


def _decision_fields(decision: Decision) -> dict[str, Value]:
    return _given(
        {
            Field.DECISION_ID: decision.id,
            Field.ASSISTANT: decision.assistant,
            Field.OUTCOME: decision.outcome.value,
            Field.SOURCE: decision.source,
            Field.DECISION_STATUS: status_of(decision).value,
            Field.PROMPT: decision.prompt_key,
            Field.PROMPT_VERSION: decision.prompt_version,
            Field.PROMPT_SHA256: decision.prompt_sha256,
            Field.SENT_SHA256: decision.sent_sha256,
            Field.MODEL_SHA256: decision.model_sha256,
            Field.STORE_REVISION: decision.store_revision,
            Field.MATCHER: decision.matcher,
            Field.POLICY: decision.policy,
            Field.POLICY_REVISION: str(decision.policy_revision),
            Field.CACHED_FROM: decision.cached_from,
        }
    )


def _completion_fields(completion: Completion) -> dict[str, Value]:
    return {
        Field.FINISH_REASONS: (completion.finish_reason.value,),
        Field.FIRST_CHUNK: completion.first_token_ms / 1000,
        Field.INPUT_TOKENS: completion.prompt_token_count,
        Field.OUTPUT_TOKENS: completion.completion_tokens,
        Field.READY_TOKENS: completion.reused_tokens,
    }


def _findings(records: Sequence[RailRecord], stage: Stage, at_ns: int) -> tuple[Event, ...]:
    """Returns what rails of a stage found; their reasons are constants of ours."""
    return tuple(
        Event(
            SpanEvent.FINDING,
            at_ns,
            _given(
                {
                    Field.RAIL: record.name,
                    Field.VERDICT: record.status.value,
                    Field.VERDICT_REASON: record.reason,
                    Field.IS_MONITORED: record.is_monitored,
                }
            ),
        )
        for record in records
        if record.stage is stage and record.status in _FIRED
    )


def _given(fields: Mapping[str, Value | None]) -> dict[str, Value]:
    return {name: value for name, value in fields.items() if value is not None}


def _new_span_id() -> str:
    return os.urandom(8).hex()
