"""Any OpenAI-compatible server (llama-server, vLLM) as a `LanguageModel`."""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from functools import partial

from models.errors import ModelRefused, ModelTimeout, ModelUnavailable, RequestCancelled
from models.flights import Flights
from models.last_look import LastLook
from models.ports import ApprovedPrompt, Cancellation, Completion, OnText, Sampling
from models.upstream.breaker import Breaker, BreakerLimits, Pass, Verdict
from models.upstream.client import UpstreamClient
from models.upstream.prompts import (
    UpstreamRequest,
    chat_request,
    require_sendable,
    segments,
    text_request,
    token_request,
)
from models.upstream.target import PromptStyle, UpstreamTarget
from models.upstream.tokens import UpstreamTokens
from models.worker.limits import ModelState

HEALTH_S = 5.0
"""Between two looks at the server's health."""

AWAY_LOOKS = 2
"""So many in a row without an answer, after one with one, and no text of an answer between: the server is left alone
until it answers. Looks may be late because it has much to do, and one that never answers any may have odd routes."""

MAX_BYTES_PER_TOKEN = 16
"""A text of more bytes than this times the context cannot fit; word pieces of English have about 4."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UpstreamLimits:
    """How much is asked of the server at once, and when it is left alone."""

    requests: int = 8
    """In flight at once; one more is `ModelBusy`."""
    context_tokens: int = 2048
    """What the server gives one request; a prompt that cannot fit is not sent."""
    breaker: BreakerLimits = field(default_factory=BreakerLimits)

    def __post_init__(self) -> None:
        if self.requests < 1 or self.context_tokens < 1:
            raise ValueError("requests and context_tokens must be at least 1")


class UpstreamModel:
    """A `LanguageModel` on another server. Thread-safe.

    Callers block on their own threads; one thread of this object does all the network's work.
    """

    def __init__(self, target: UpstreamTarget, limits: UpstreamLimits) -> None:
        self.name = target.model
        self.sha256 = target.sha256
        self._target = target
        self._limits = limits
        self._client = UpstreamClient(target, connections=limits.requests + 1)
        self._tokens = (
            UpstreamTokens(self._client, target.format)
            if target.style is PromptStyle.TOKENS and target.format is not None
            else None
        )
        self._breaker = Breaker(limits.breaker)
        self._flights = Flights(limits.requests, self._watch)
        self._look = LastLook(f"upstream {self.name}", _LOG)
        self._unanswered: int | None = None
        """Looks since the last that was answered, or since a text came; None before the first that was answered."""

    def adapter(self, assistant: str) -> str:
        """Adds nothing for anybody: what else runs there is part of the revision that its operator names."""
        del assistant
        return ""

    @property
    def fault(self) -> str | None:
        """Why the server was not ready when it was last looked at, in words for the operator."""
        return self._look.fault

    @property
    def state(self) -> ModelState:
        """What can be expected of it now."""
        if not self._flights.is_running:
            return ModelState.DOWN
        if self._breaker.is_open():
            return ModelState.OPEN
        if not self._look.was:
            return ModelState.STARTING
        return ModelState.READY if self.fault is None else ModelState.DOWN

    def start(self, wait_s: float = 0.0) -> None:
        """Starts to watch the server and to take requests; waits for the first look as long as `wait_s`."""
        self._flights.start()
        self._look.wait(wait_s)

    def close(self) -> None:
        """Closes every connection and fails whoever still waits; the model cannot be started again."""
        self._flights.close()

    def complete(
        self,
        prompt: ApprovedPrompt,
        sampling: Sampling,
        *,
        deadline_s: float,
        cancellation: Cancellation,
        on_text: OnText | None = None,
    ) -> Completion:
        require_sendable(prompt, sampling, self._target, self._limits.context_tokens * MAX_BYTES_PER_TOKEN)
        if cancellation.is_cancelled:
            raise RequestCancelled("the request was cancelled before it started")
        if not time.monotonic() < deadline_s:
            raise ModelTimeout("the deadline had passed before the request started")
        if (self._unanswered or 0) >= AWAY_LOOKS:
            raise ModelUnavailable("the upstream does not answer; it is asked again as soon as it does")
        given = self._breaker.admit(time.monotonic())
        if given is None:
            raise ModelUnavailable("the upstream failed too often; it is tried again in a moment")
        verdict = Verdict.NONE
        try:
            completion = self._flights.run(
                lambda: self._answer(prompt, sampling, on_text or _unheard, deadline_s),
                deadline_s=deadline_s,
                cancellation=cancellation,
            )
            verdict = Verdict.WORKED
        except ModelRefused:
            verdict = Verdict.WORKED  # a server that says no is there
            raise
        except ModelUnavailable:
            verdict = Verdict.FAILED if self._flights.is_running else Verdict.NONE
            raise
        finally:
            self._judge(given, verdict)
        return completion

    async def _answer(
        self, prompt: ApprovedPrompt, sampling: Sampling, on_text: OnText, deadline_s: float
    ) -> Completion:
        try:
            request = await self._request(prompt, sampling)
            return await self._client.answer(request, partial(self._hear, on_text), deadline_s=deadline_s)
        except (ModelRefused, ModelUnavailable):
            if self._tokens is not None:
                self._tokens.forget()
            raise

    def _hear(self, on_text: OnText, text: str) -> None:
        """Passes a text on. A server that gives one is there, however late its looks are."""
        if self._unanswered:
            self._unanswered = 0
        on_text(text)

    async def _request(self, prompt: ApprovedPrompt, sampling: Sampling) -> UpstreamRequest:
        if self._tokens is not None:
            tokens = await self._tokens.of(segments(prompt, self._target))
            return token_request(tokens, sampling, self._target)
        make = chat_request if self._target.style is PromptStyle.CHAT else text_request
        return make(prompt, sampling, self._target)

    def _judge(self, given: Pass, verdict: Verdict) -> None:
        if not self._breaker.give_back(given, verdict, time.monotonic()):
            return
        if self._breaker.is_open():
            limits = self._limits.breaker
            _LOG.error("upstream breaker open for %.0f s after %d failures", limits.open_s, limits.failures)
        else:
            _LOG.info("upstream breaker closed")

    async def _watch(self) -> None:
        """Looks at the server's health again and again; closes the connections at the end."""
        try:
            while True:
                try:
                    self._note(await self._client.fault())
                    self._unanswered = 0
                except ModelUnavailable as error:
                    self._note(str(error))
                    self._unanswered = None if self._unanswered is None else self._unanswered + 1
                await asyncio.sleep(HEALTH_S)
        finally:
            await self._client.close()

    def _note(self, fault: str | None) -> None:
        if fault is not None and self._tokens is not None:
            self._tokens.forget()
        self._look.note(fault)


def _unheard(_: str) -> None:
    """Nobody wants to hear the answer before it is whole."""
