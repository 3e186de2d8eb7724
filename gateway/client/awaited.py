"""The client for event loops: the same calls as the blocking one, awaited."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeVar

import httpx2

from gateway.client import calls
from gateway.client.addresses import DEFAULT_TIMEOUT_S, address_of, assistant_for, headers_of
from gateway.client.calls import Asked, Call
from gateway.client.errors import Disconnected
from gateway.client.events import Event, EventReader
from gateway.client.exchange import USUALLY, Lost, Pause, Received, Retrying, Send, Steps, exchange, opening
from gateway.client.replies import Answer, Check, Feedback, FeedbackReason, MatchTrial, Model, StageName, Verdict

T = TypeVar("T")


class AsyncCanongate:
    """Talks to a gateway as `Canongate` does; for one event loop, and to be closed, best by `async with`.

    >>> from gateway.client import AsyncCanongate
    >>> async def ask():
    ...     async with AsyncCanongate(address, key=key, assistant="helpdesk") as gateway:
    ...         return await gateway.chat("I forgot my password")
    >>> asyncio.run(ask()).outcome
    'answered'
    """

    def __init__(
        self,
        address: str,
        *,
        key: str,
        assistant: str | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retrying: Retrying = USUALLY,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """As `Canongate`; the transport is httpx2's for event loops."""
        self._assistant = assistant
        self._timeout_s = timeout_s
        self._retrying = retrying
        self._http = httpx2.AsyncClient(base_url=address_of(address), headers=headers_of(key), transport=transport)

    async def chat(
        self,
        message: str,
        *,
        assistant: str | None = None,
        conversation: str | None = None,
        slots: Mapping[str, str] | None = None,
        max_tokens: int | None = None,
        user: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> Answer:
        """Asks, and returns the answer. As `Canongate.chat`."""
        asked = Asked(
            assistant=assistant_for(assistant, self._assistant),
            message=message,
            conversation=conversation,
            slots=slots,
            max_tokens=max_tokens,
            user=user,
        )
        return await self._do(calls.chat(asked, idempotency_key=idempotency_key, timeout_s=self._within(timeout_s)))

    def stream(
        self,
        message: str,
        *,
        assistant: str | None = None,
        conversation: str | None = None,
        slots: Mapping[str, str] | None = None,
        max_tokens: int | None = None,
        user: str | None = None,
        idempotency_key: str | None = None,
        timeout_s: float | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Asks, and gives events as they come, for `async for`. As `Canongate.stream`.

        Whoever may leave the loop early wraps it in `contextlib.aclosing`, which closes the stream and frees the model.
        """
        asked = Asked(
            assistant=assistant_for(assistant, self._assistant),
            message=message,
            conversation=conversation,
            slots=slots,
            max_tokens=max_tokens,
            user=user,
        )
        return self._events(
            calls.chat(asked, idempotency_key=idempotency_key, timeout_s=self._within(timeout_s), is_streamed=True)
        )

    async def match(
        self,
        message: str,
        *,
        assistant: str | None = None,
        conversation: str | None = None,
        slots: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> MatchTrial:
        """Tries what a message would be matched to. As `Canongate.match`."""
        named = assistant_for(assistant, self._assistant)
        asked = Asked(assistant=named, message=message, conversation=conversation, slots=slots)
        return await self._do(calls.match(asked, timeout_s=self._within(timeout_s)))

    async def checks(
        self,
        text: str,
        *,
        stage: StageName = "input",
        facts: str = "",
        assistant: str | None = None,
        timeout_s: float | None = None,
    ) -> Check:
        """Tries a text against the rails. As `Canongate.checks`."""
        named = assistant_for(assistant, self._assistant)
        return await self._do(calls.check(named, stage, text, facts=facts, timeout_s=self._within(timeout_s)))

    async def feedback(
        self,
        decision: str,
        verdict: Verdict,
        *,
        reasons: Sequence[FeedbackReason] = (),
        comment: str = "",
        better: str = "",
        timeout_s: float | None = None,
    ) -> Feedback:
        """Says whether an answer helped. As `Canongate.feedback`."""
        return await self._do(
            calls.feedback(
                decision, verdict, reasons=reasons, comment=comment, better=better, timeout_s=self._within(timeout_s)
            )
        )

    async def models(self, *, timeout_s: float | None = None) -> tuple[Model, ...]:
        """Lists the assistants that the key may talk to."""
        return await self._do(calls.models(timeout_s=self._within(timeout_s)))

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _within(self, timeout_s: float | None) -> float:
        return self._timeout_s if timeout_s is None else timeout_s

    async def _do(self, call: Call[T]) -> T:
        return await self._drive(exchange(call, self._retrying), [])

    async def _events(self, call: Call[Answer]) -> AsyncGenerator[Event, None]:
        opened: list[httpx2.Response] = []
        received = await self._drive(opening(call, self._retrying), opened)
        reader = EventReader(received.headers.get("x-request-id"))
        try:
            async for piece in opened[-1].aiter_bytes():
                for event in reader.feed(piece):
                    yield event
        except httpx2.TransportError as error:
            words = "The stream broke before the answer was complete."
            raise Disconnected(words, code="stream_broken", may_retry=True) from error
        finally:
            await opened[-1].aclose()
        reader.end()

    async def _drive(self, steps: Steps[T], opened: list[httpx2.Response]) -> T:
        """Does each step of a call; a stream that is open is left in `opened`."""
        heard: Received | Lost | None = None
        while True:
            try:
                step = steps.send(heard)
            except StopIteration as done:
                result: T = done.value
                return result
            heard = await self._take(step, opened)

    async def _take(self, step: Send | Pause, opened: list[httpx2.Response]) -> Received | Lost | None:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        try:
            request = self._http.build_request(
                step.method, step.path, headers=dict(step.headers), content=step.body, timeout=step.timeout_s
            )
            response = await self._http.send(request, stream=step.is_streamed)
            if not step.is_streamed or not response.is_success:
                return Received(response.status_code, response.headers, await response.aread())
        except httpx2.TransportError as error:
            return Lost(is_late=isinstance(error, httpx2.TimeoutException))
        opened.append(response)
        return Received(response.status_code, response.headers)
