"""The adapter to NeMo Guardrails: compiles rails with its manifest engine and runs them.

Importing this module costs about one second, nearly all of it in `nemoguardrails/__init__.py`, which loads
both of its engines and the Colang grammars whatever submodule is asked for.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# NeMo decides about its usage reports from the environment alone, each time an engine of its own is built. None is
# built here; the variable is set all the same, before the import, so that no later change can start the reports.
# An inherited value must not switch them on again.
os.environ["NEMO_GUARDRAILS_NO_USAGE_STATS"] = "1"  # noqa: TID251 - NeMo has no other switch
os.environ["DO_NOT_TRACK"] = "1"  # noqa: TID251 - as above

import nemoguardrails
from nemoguardrails.actions.rail_outcome import (
    RailDecision,
    RailOutcome,
    TransformTarget,
    require_rail_outcome,
)
from nemoguardrails.colang import parse_colang_file
from nemoguardrails.guardrails.compiled_rail import (
    CompiledRail,
    RailCompilationError,
    RailDependencies,
    compile_rail,
)
from nemoguardrails.guardrails.rail_guard import rail_error_outcome
from nemoguardrails.manifests import (
    ActionRef,
    Binding,
    RailActions,
    RailCatalog,
    RailDirection,
    RailManifest,
    RailManifestRecord,
    RailSpec,
    RailSurface,
)

from rails.definition import NO_SERVICES, OnFail, RailDefinition, RailParams, RailServices
from rails.errors import PolicyInvalid, TextTooLong
from rails.types import RailContext, Stage

__all__ = [
    "CompiledCheck",
    "RailOutcome",
    "Verdict",
    "compile_stage",
    "request_context",
    "request_stage",
    "rewritten",
    "verdict",
]

_log = logging.getLogger("canongate.rails.nemo")

_DIRECTIONS = {Stage.INPUT: RailDirection.INPUT, Stage.OUTPUT: RailDirection.OUTPUT}
_TEXT_KEYS = {Stage.INPUT: "user_message", Stage.OUTPUT: "bot_message"}
_TEXT = "text"
"""The parameter of every check that takes the text."""
_TARGETS = {Stage.INPUT: TransformTarget.USER_MESSAGE, Stage.OUTPUT: TransformTarget.BOT_MESSAGE}
# The rails of canongate reach no model and need nothing of NeMo's runtime.
_DEPENDENCIES = RailDependencies(llms={}, llm_task_manager=None, config=None)


running: ContextVar[str | None] = ContextVar("canongate_running_rail", default=None)
"""The stage and the name of the rail that runs now, such as `input.length`; None where none does."""


class _NoticeHandler(logging.Handler):
    """Passes on that NeMo logged something, and never what: its messages quote texts and exceptions.

    Empties the record as well, for handlers that others attach behind this one.
    """

    def emit(self, record: logging.LogRecord) -> None:
        record.msg, record.args = "nemo_message", None
        record.exc_info = record.exc_text = record.stack_info = None
        told = {"rail": running.get(), "nemo_logger": record.name, "nemo_line": record.lineno}
        _log.log(record.levelno, "nemo_message", extra=told)


def _quieten() -> None:
    logger = logging.getLogger("nemoguardrails")
    logger.setLevel(logging.WARNING)
    logger.handlers = [_NoticeHandler(level=logging.WARNING)]
    logger.propagate = False


_quieten()


_request: ContextVar[tuple[Stage, RailContext]] = ContextVar("canongate_rail_request")
"""What belongs to the check that is running now."""


@contextmanager
def request(stage: Stage, context: RailContext) -> Iterator[None]:
    """Says what the checks within belong to."""
    token = _request.set((stage, context))
    try:
        yield
    finally:
        _request.reset(token)


def request_context() -> RailContext:
    """Returns the context of the check that is running; raises `LookupError` outside of one."""
    return _request.get()[1]


def request_stage() -> Stage:
    """Returns the stage of the check that is running; raises `LookupError` outside of one."""
    return _request.get()[0]


class _PlannedRail(CompiledRail):  # type: ignore[misc]  # NeMo is not typed
    """NeMo's compiled rail, which puts the arguments of its check together once and not at every text.

    What NeMo does around each check beside that is a list of its calls to models and a span of its own. Rails call no
    model here and NeMo has no tracer: the two took as long as a short check.
    """

    def __init__(self, rail: CompiledRail) -> None:
        self.__dict__.update(vars(rail))
        self._arguments = super()._call_kwargs([], None)

    async def judge(self, text: str) -> RailOutcome:
        """Returns what `execute` has for an outcome: a check that raises, or says something else, has failed.

        A text that the embedder cannot read is stopped: it says more than the rail could look at.
        """
        try:
            return require_rail_outcome(await self._action(**{**self._arguments, _TEXT: text}))
        except TextTooLong:
            return verdict(f"{self.surface_name}.too_long")
        except Exception as error:  # noqa: BLE001 - as NeMo does it: the outcome is a failure, and stops the text
            return rail_error_outcome(None, self.surface_name, error)


PACKAGE = Path(nemoguardrails.__file__).parent
"""Where NeMo is installed, with the files of its library."""

_PASSED = RailOutcome.allow()
"""Immutable, and as costly to make as a short check."""


def verdict(reason: str | None) -> RailOutcome:
    """Returns a block with this reason code, or lets the text pass when there is none."""
    return _PASSED if reason is None else RailOutcome.block(reason=reason)


def rewritten(text: str, reason: str) -> RailOutcome:
    """Returns an outcome that puts `text` in the place of the text under check."""
    return RailOutcome.transform([(_TARGETS[request_stage()], text)], reason=reason)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rail said, in words that do not belong to NeMo."""

    is_blocked: bool
    reason: str | None
    text: str
    """The text that goes on: the rewritten one, or the one that came."""
    is_rewritten: bool = False
    has_failed: bool = False
    """The check raised or returned something that is not an outcome."""


@dataclass(frozen=True, slots=True)
class CompiledCheck:
    """One rail of a policy, compiled; safe to run many times at once."""

    name: str
    stage: Stage
    on_fail: OnFail
    is_monitored: bool
    _rail: _PlannedRail
    deadline_s: float | None = None
    """As in the rail's definition."""

    @property
    def may_rewrite(self) -> bool:
        """Whether it may put another text in the place of the one it checks."""
        return self.on_fail is OnFail.TRANSFORM

    async def run(self, text: str, context: RailContext) -> Verdict:
        """Returns the rail's verdict on `text`.

        What the check raises comes back as `has_failed`; a check that neither allows, blocks nor rewrites its own
        stage's text, or leaves nothing of it, has failed as well.
        """
        token = _request.set((self.stage, context))
        try:
            outcome = await self._rail.judge(text)
        finally:
            _request.reset(token)
        return self._read(outcome, text)

    def _read(self, outcome: RailOutcome, text: str) -> Verdict:
        if outcome is _PASSED:
            return Verdict(is_blocked=False, reason=None, text=text)
        if outcome.failed:
            return Verdict(is_blocked=True, reason=None, text=text, has_failed=True)
        if outcome.decision is RailDecision.ALLOW:
            return Verdict(is_blocked=False, reason=outcome.reason, text=text)
        if outcome.decision is RailDecision.BLOCK:
            return Verdict(is_blocked=True, reason=outcome.reason, text=text)
        rewrites = [spec.text for spec in outcome.transforms if spec.target is _TARGETS[self.stage]]
        if self.may_rewrite and len(outcome.transforms) == 1 and rewrites and rewrites[0].strip():
            return Verdict(is_blocked=False, reason=outcome.reason, text=rewrites[0], is_rewritten=True)
        return Verdict(is_blocked=True, reason=None, text=text, has_failed=True)


def compile_stage(
    rails: Sequence[tuple[RailDefinition, RailParams]], stage: Stage, services: RailServices = NO_SERVICES
) -> tuple[CompiledCheck, ...]:
    """Returns the rails of one stage, compiled in the given order.

    Raises `PolicyInvalid` when a check cannot be found, does not take the parameters it is given, or lacks a service.
    """
    try:
        records = [
            RailManifestRecord(_manifest(definition, params, stage, services), "canongate")
            for definition, params in rails
        ]
        catalog = RailCatalog(records)
        return tuple(_compile(definition, params, stage, catalog) for definition, params in rails)
    except (RailCompilationError, ValueError) as error:
        raise PolicyInvalid(f"{stage.value}: a rail cannot be compiled. {error}") from error


def _compile(definition: RailDefinition, params: RailParams, stage: Stage, catalog: RailCatalog) -> CompiledCheck:
    rail = _PlannedRail(compile_rail(definition.name, _DIRECTIONS[stage], _DEPENDENCIES, catalog=catalog))
    return CompiledCheck(definition.name, stage, params.on_fail, params.monitor, rail, definition.deadline_s)


def _manifest(definition: RailDefinition, params: RailParams, stage: Stage, services: RailServices) -> RailManifest:
    check: Any = definition.check
    action = ActionRef(name=definition.name, target=f"{check.__module__}:{check.__qualname__}")
    bindings = [Binding.context(_TEXT, _TEXT_KEYS[stage]), Binding.literal("params", params)]
    if definition.prepare is not None:
        bindings.append(Binding.literal("prepared", definition.prepare(params, services)))
    surface = RailSurface(
        name=definition.name,
        direction=_DIRECTIONS[stage],
        action=action,
        bindings=tuple(bindings),
        transform_target=_TARGETS[stage] if params.on_fail is OnFail.TRANSFORM else None,
    )
    return RailManifest(name=definition.name, spec=RailSpec(actions=RailActions(refs=(action,)), surfaces=(surface,)))


class ColangInvalid(Exception):
    """NeMo's parser gave up at a line."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class NemoColang:
    """What NeMo's parser made of a Colang 1.0 text."""

    user_messages: Mapping[str, Sequence[str]]
    bot_messages: Mapping[str, Sequence[str]]
    flow_lines: Mapping[str, frozenset[int]]
    """By flow: the lines that it made a step of."""


def parse_colang(text: str) -> NemoColang:
    """Reads Colang 1.0 with NeMo's own parser, which runs nothing. Raises `ColangInvalid`.

    Its parser guesses at what it does not understand: `colang_lint` takes the guesses out.
    """
    try:
        parsed = parse_colang_file("policy.co", text)
    except Exception as error:
        line = getattr(error, "line", 1)
        raise ColangInvalid(str(getattr(error, "error", error)), line if isinstance(line, int) else 1) from error
    flows = {flow["id"]: flow["elements"] for flow in parsed.get("flows", ())}
    lines = {
        name: frozenset(step["_source_mapping"]["line_number"] for step in steps if "_source_mapping" in step)
        for name, steps in flows.items()
    }
    return NemoColang(parsed.get("user_messages", {}), parsed.get("bot_messages", {}), lines)
