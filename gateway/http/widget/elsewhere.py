"""Answers that another gateway makes, or made: waited for in the database, and told whole when they are done."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import anyio
import msgspec
from litestar import Request, Response
from litestar.types import Scope

from gateway.errors import InvalidRequest, NotServing
from gateway.http.asking import PING_S
from gateway.http.problems import STREAM_ENDED, problem_of_stream
from gateway.http.streams import EVENT_STREAM, EventStream, comment, event
from gateway.http.widget.bodies import ConversationReply
from gateway.widget.answers import Told, gone
from gateway.widget.sessions import Visit
from gateway.widget.sharing import SharedTurns
from store.repositories.widget_turns import WidgetTurn

LOOKED_EVERY_S = 0.5
_GRACE_S = 10.0
"""After the longest that a question may take: whoever worked on it is gone."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A question that this gateway does not work on."""

    shared: SharedTurns
    visit: Visit
    key: str
    longest_s: float

    async def knows(self, fingerprint: bytes) -> bool:
        """Whether the same question is there, and may not be asked anew. Raises `InvalidRequest` for another one."""
        return await self.shared.known(self.visit, self.key, fingerprint) is not None

    async def is_there(self) -> bool:
        """Whether there is a question with that key."""
        return await self.shared.find(self.visit, self.key) is not None

    async def has(self, conversation: str) -> bool:
        """Whether the visit has a conversation with that id."""
        return await self.shared.has(self.visit, conversation)

    async def begins(self, fingerprint: bytes, conversation: str, message: str) -> bool:
        """Says that this gateway works on it from now on; False when another one was quicker."""
        return await self.shared.asked(self.visit, self.key, fingerprint, conversation=conversation, message=message)

    async def take_back(self) -> None:
        """Forgets the question, for which no work was done."""
        await self.shared.take_back(self.visit, self.key)

    async def looks(self) -> AsyncIterator[WidgetTurn]:
        """Gives the question as it is, now and again, until it is done. Raises `InvalidRequest` when it is gone."""
        while True:
            turn = await self.shared.find(self.visit, self.key)
            if turn is None:
                raise gone()
            yield turn
            if turn.ended is not None:
                return
            if self.shared.age_s(turn) > self.longest_s + _GRACE_S:
                raise gone()
            await anyio.sleep(LOOKED_EVERY_S)


async def told_elsewhere(request: Request[Any, Any, Any], answer: Elsewhere, after: int) -> Response[Any]:
    """Returns the answer when it is done, or a stream that ends with it. Raises `InvalidRequest` when it is gone."""
    if EVENT_STREAM in request.headers.get("accept", ""):
        return EventStream(_frames(answer, after, request.scope), on_close=lambda: None)
    told = None
    async for turn in answer.looks():
        told = answer.shared.told(turn)
    if told is None:
        raise gone()
    return whole(told)


def whole(told: Told) -> Response[Any]:
    """Returns a last event as a reply."""
    return Response(
        msgspec.Raw(told.data),
        status_code=told.status or 200,
        media_type="application/json",
        headers=dict(told.headers),
    )


def framed(told: Told, number: int, scope: Scope) -> bytes:
    """Returns an event as a frame. The last one notes the status that it would have had as a reply."""
    if told.status is not None:
        scope["state"][STREAM_ENDED] = told.status
    return event(told.name, number, msgspec.Raw(told.data))


async def _frames(answer: Elsewhere, after: int, scope: Scope) -> AsyncIterator[bytes]:
    """Gives the conversation and the last event, with numbers after the one that was seen, whatever came between."""
    number, looked = after, 0
    try:
        async for turn in answer.looks():
            if not number:
                number = 1
                yield event("conversation", number, ConversationReply(turn.conversation))
            looked += 1
            if told := answer.shared.told(turn):
                yield framed(told, number + 1, scope)
            elif looked % int(PING_S / LOOKED_EVERY_S) == 0:
                yield comment("ping")
    except (InvalidRequest, NotServing) as error:
        yield event("error", number + 1, problem_of_stream(error, scope).envelope())
