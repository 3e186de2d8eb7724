"""The question at the start: until it was answered as it should be, no requests should be sent here."""

import logging
from collections.abc import Awaitable, Callable

import anyio

from gateway.credentials import Principal
from gateway.errors import GatewayError
from gateway.limits import Deadline
from gateway.readiness import PartReport, PartState
from gateway.server_settings import StartupSettings
from gateway.turn import Question, Reply
from store.types import KeyScope, Outcome

CANARY = "canary"
AGAIN_S = 5.0
SOON_S = 0.5
_ANSWERS = (Outcome.ANSWERED, Outcome.DEGRADED)
"""An approved fallback is an answer; that the model is away is said by its own part of readiness."""

_LOG = logging.getLogger(__name__)


class _Unconfirmed(Exception):
    """Nobody may answer yet: after a slow start the first look at what is published comes a moment later."""


class Canary:
    """Asks one question the whole way, again and again until its answer is right; then never again."""

    def __init__(
        self, settings: StartupSettings, answer: Callable[[Question], Awaitable[Reply]], *, deadline_s: float
    ) -> None:
        self._settings = settings
        self._answer = answer
        self._deadline_s = deadline_s
        self._report = PartReport(PartState.NOT_READY, "the question is not answered yet; the log tells of failures")

    @property
    def probes(self) -> dict[str, Callable[[], PartReport]]:
        """What `/readyz` asks; nothing when there is no question."""
        return {CANARY: self.report} if self._settings.canary else {}

    @property
    def background(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """What runs beside serving."""
        return (self.follow,) if self._settings.canary else ()

    def report(self) -> PartReport:
        """Tells whether the question was answered, and if not, what came instead."""
        return self._report

    async def follow(self) -> None:
        """Asks until it is ready, and then waits for ever: work beside serving that returns is begun again."""
        while self._report.state is not PartState.READY:
            try:
                self._report = await self._ask()
            except _Unconfirmed:
                await anyio.sleep(SOON_S)
                continue
            if self._report.state is not PartState.READY:
                _LOG.warning("canary_not_answered", extra={"error": self._report.reason})
                await anyio.sleep(AGAIN_S)
        await anyio.sleep_forever()

    async def _ask(self) -> PartReport:
        wanted, assistant = self._settings.canary_prompt, self._settings.canary_assistant
        principal = Principal(CANARY, "question at the start", frozenset({KeyScope.CHAT}), frozenset({assistant}), 60)
        question = Question(
            text=self._settings.canary,
            assistant=assistant,
            principal=principal,
            deadline=Deadline.after(self._deadline_s),
        )
        try:
            reply = await self._answer(question)
        except GatewayError as error:
            if error.code == "revision_not_confirmed":
                raise _Unconfirmed from error
            return PartReport(PartState.NOT_READY, f"expected {wanted}, got the error {error.code}")
        found = reply.decision.prompt_key
        if reply.decision.outcome not in _ANSWERS or found != wanted:
            what = f"{reply.decision.outcome.value}{f' of {found}' if found else ''}"
            return PartReport(PartState.NOT_READY, f"expected {wanted}, got {what}")
        return PartReport(PartState.READY, f"answered by {wanted}, from {reply.decision.source}")
