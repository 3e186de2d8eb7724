"""Rails that misbehave on purpose, for tests of everything that must hold when a rail does not."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Any

import msgspec

from rails.definition import Ask, OnFail, Probes, QuestionPart, RailDefinition, RailParams, probes_of
from rails.nemo import RailOutcome, request_context, rewritten, verdict
from rails.runner import RailLimits, RailRunner
from rails.sandbox_child import try_policy
from rails.sandbox_reports import SandboxReport
from rails.types import Stage

_BLOCKED_PROBE, _PASSED_PROBE = "probe: block", "probe: pass"
_LONG_S = 3600.0

RELEASE = threading.Event()
"""Ends every fake that sleeps, at once; a test that sets it clears it again."""


class FakeAct(StrEnum):
    """What a fake rail does with a text that is not its probe."""

    PASS = "pass"  # noqa: S105 - the name of an act, not a password
    BLOCK = "block"
    LEAK = "leak"
    RAISE = "raise"
    RAISE_TIMEOUT = "raise_timeout"
    RAISE_CANCELLED = "raise_cancelled"
    RAISE_EXIT = "raise_exit"
    HANG_AWAITING = "hang_awaiting"
    HANG_SLEEPING = "hang_sleeping"
    HANG_COMPUTING = "hang_computing"
    HANG_UNCANCELLABLE = "hang_uncancellable"
    RETURN_NONE = "return_none"
    RETURN_STR = "return_str"
    RETURN_TRUE = "return_true"
    RETURN_DICT = "return_dict"
    RETURN_OBJECT = "return_object"
    REWRITE = "rewrite"
    FAIL_PROBES = "fail_probes"


class FakeParams(RailParams, frozen=True, kw_only=True, tag="fake"):
    """What the fake does, and for how long it sleeps when that is what it does."""

    does: FakeAct = FakeAct.PASS
    sleep_s: float = 1.5


class FakeRewriteParams(RailParams, frozen=True, kw_only=True, tag="fake_rewrite"):
    """What the rewriting fake appends."""

    on_fail: OnFail = OnFail.TRANSFORM
    suffix: str = "!"


_RETURNS: Mapping[FakeAct, Any] = MappingProxyType(
    {
        FakeAct.RETURN_NONE: None,
        FakeAct.RETURN_STR: "no, this is unsafe",
        FakeAct.RETURN_TRUE: True,
        FakeAct.RETURN_DICT: {"decision": "allow"},
        FakeAct.RETURN_OBJECT: object(),
    }
)
_RAISES: Mapping[FakeAct, type[BaseException]] = MappingProxyType(
    {
        FakeAct.RAISE: RuntimeError,
        FakeAct.RAISE_TIMEOUT: TimeoutError,
        FakeAct.RAISE_CANCELLED: asyncio.CancelledError,
        FakeAct.RAISE_EXIT: SystemExit,
    }
)


async def check(text: str, params: FakeParams) -> Any:
    """Returns whatever the act asks for, if it returns."""
    if text in (_BLOCKED_PROBE, _PASSED_PROBE) and params.does is not FakeAct.FAIL_PROBES:
        return verdict("fake.probe" if text == _BLOCKED_PROBE else None)
    if params.does in _RAISES:
        raise _RAISES[params.does](f"broken on: {text}")
    if params.does in _RETURNS:
        return _RETURNS[params.does]
    await _hang(params)
    if params.does in (FakeAct.BLOCK, FakeAct.LEAK):
        return RailOutcome.block(reason="fake.block" if params.does is FakeAct.BLOCK else text)
    if params.does is FakeAct.REWRITE:
        return rewritten(text + "!", "fake.rewrite")
    return verdict(None)


async def _hang(params: FakeParams) -> None:
    if params.does is FakeAct.HANG_AWAITING:
        await asyncio.sleep(_LONG_S)
    if params.does is FakeAct.HANG_SLEEPING:
        RELEASE.wait(params.sleep_s)
    while params.does is FakeAct.HANG_COMPUTING:
        pass
    while params.does is FakeAct.HANG_UNCANCELLABLE:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(_LONG_S)


async def check_rewrite(text: str, params: FakeRewriteParams) -> Any:
    """Returns the text with the suffix appended; the facts stand in for the suffix `@facts`."""
    if text == _PASSED_PROBE:
        return verdict(None)
    suffix = request_context().facts if params.suffix == "@facts" else params.suffix
    return rewritten(text + suffix if suffix else "", "fake_rewrite.appended")


@dataclass(slots=True, eq=False)
class FakeJudge:
    """A `RailServices.ask` that finds fault with a text by its words, and keeps what it was asked."""

    bad_words: tuple[str, ...] = ("bomb", "hurt", "forget")
    answer: Callable[[bool], str] = lambda is_bad: "Yes." if is_bad else "no"
    delay_s: float = 0.0
    asked: list[tuple[str, tuple[QuestionPart, ...]]] = field(default_factory=list)

    def __call__(self, model: str) -> Ask:
        """Returns what asks the judge."""
        return partial(self._judge, model)

    async def _judge(self, model: str, question: Sequence[QuestionPart]) -> str:
        """Judges by the last quoted text, which is the text under check."""
        self.asked.append((model, tuple(question)))
        await asyncio.sleep(self.delay_s)
        text = [part.text for part in question if part.is_quoted][-1].casefold()
        return self.answer(any(word in text for word in self.bad_words))


def _probes(_params: RailParams) -> Probes:
    return probes_of(blocked=[_BLOCKED_PROBE], passed=[_PASSED_PROBE])


_PATIENT = RailRunner(RailLimits(rail_s=20.0, stage_s=60.0))
"""A machine that runs tests beside may be slow."""


class InProcessSandbox:
    """A sandbox without walls: builds policies here, in milliseconds, for tests of what comes after it."""

    def try_document(self, document: Mapping[str, Any]) -> SandboxReport:
        return try_policy(msgspec.json.encode(document), _PATIENT)


FAKE = RailDefinition(name="fake", stages=frozenset(Stage), params=FakeParams, check=check, probes=_probes)
FAKE_REWRITE = RailDefinition(
    name="fake_rewrite",
    stages=frozenset(Stage),
    params=FakeRewriteParams,
    check=check_rewrite,
    probes=_probes,
    may_rewrite=True,
)
FAKE_RAILS: Mapping[str, RailDefinition] = MappingProxyType({FAKE.name: FAKE, FAKE_REWRITE.name: FAKE_REWRITE})
"""Pass these to `compile_policy` as its definitions, beside or instead of the shipped rails."""
