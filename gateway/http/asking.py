"""A question on its way through the pipeline, watched by whoever waits for the answer."""

import asyncio
import weakref
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from litestar import Request
from litestar.types import Receive, Scope

from gateway.errors import InvalidRequest, NotServing
from gateway.limits import Deadline
from gateway.lines import PLACE
from gateway.pipeline import ChatPipeline
from gateway.turn import Admitted, News, Question, Reply, Step

TIMEOUT_HEADER = "x-canongate-timeout-ms"
_T = TypeVar("_T")
READY_S = "ready_s"
"""Key in a request's state of when it had arrived with its whole body, on the monotonic clock."""
PING_S = 15.0
"""Proxies cut connections that are silent for 30 to 60 seconds."""


class ClientGone(Exception):
    """The client closed the connection before the answer; the work was stopped."""


class Asking:
    """One question at work in its own task; the client leaving, or `stop`, cancels it down to the model."""

    def __init__(self, pipeline: ChatPipeline, question: Question) -> None:
        self._news: asyncio.Queue[News | None] = asyncio.Queue()
        self._begun = asyncio.Event()
        self._worded = asyncio.Event()
        self._refused: NotServing | None = None
        self.admitted: Admitted | None = None
        """There once the question was counted."""
        self._work = asyncio.create_task(pipeline.answer(question, self._hear))
        self._work.add_done_callback(self._end)
        _AT_WORK.add(self)
        if (place := PLACE.get()) is not None:
            let_go = place.hold()
            self._work.add_done_callback(lambda _: let_go())

    async def until_begun(self, receive: Receive) -> None:
        """Waits until the question is admitted, or settled. Raises `ClientGone`."""
        await watch(self._work, receive, self._begun.wait())

    async def until_worded(self, receive: Receive, *, at_most_s: float) -> None:
        """Waits for the first words of an answer, or for the outcome, at most that long. Raises `ClientGone`."""
        await watch(self._work, receive, self._worded.wait(), at_most_s=at_most_s)

    async def until_settled(self, receive: Receive, *, at_most_s: float | None = None) -> None:
        """Waits for the outcome, at most that long. Raises `ClientGone`."""
        await watch(self._work, receive, at_most_s=at_most_s)

    @property
    def is_settled(self) -> bool:
        """Whether there is a reply, or an error."""
        return self._work.done()

    def reply(self) -> Reply:
        """Returns the reply of a settled question, or raises its error."""
        if self._refused is not None:
            raise self._refused
        return self._work.result()

    @property
    def error(self) -> BaseException | None:
        """The error that a settled question ended in."""
        if self._refused is not None:
            return self._refused
        return ClientGone() if self._work.cancelled() else self._work.exception()

    async def news(self, *, ping_s: float = PING_S) -> AsyncIterator[News | None]:
        """Gives each piece of news, and None whenever there was none for a while; ends with the question."""
        while True:
            try:
                news = await asyncio.wait_for(self._news.get(), ping_s)
            except TimeoutError:
                yield None
                continue
            if news is None:
                return
            yield news

    def stop(self) -> None:
        """Cancels the work, if it is not done."""
        self._work.cancel()

    def refuse(self, error: NotServing) -> None:
        """Cancels the work, if it is not done, and lets it end in that error: whoever waits is told."""
        if self._work.cancel():
            self._refused = error

    async def _hear(self, news: News | Admitted) -> None:
        if isinstance(news, Admitted):
            self.admitted = news
            return
        self._news.put_nowait(news)
        self._begun.set()
        if not isinstance(news, Step):
            self._worded.set()

    def _end(self, work: asyncio.Task[Reply]) -> None:
        self._news.put_nowait(None)
        if not work.cancelled():
            work.exception()  # marks it as seen: nobody may be left to ask for it


_AT_WORK: "weakref.WeakSet[Asking]" = weakref.WeakSet()
"""Of the whole process: it ends as one."""


def refuse_all(error: NotServing) -> int:
    """Ends every question that is at work, streams with a proper end; returns how many there were."""
    at_work = [one for one in _AT_WORK if not one.is_settled]
    for one in at_work:
        one.refuse(error)
    return len(at_work)


async def watch(
    work: asyncio.Task[Any],
    receive: Receive,
    other: Coroutine[Any, Any, Any] | None = None,
    *,
    at_most_s: float | None = None,
) -> None:
    """Waits for work, or for `other`, at most that long; the client leaving cancels the work. Raises `ClientGone`."""
    gone = asyncio.create_task(_client_gone(receive))
    helpers = [gone] if other is None else [gone, asyncio.create_task(other)]
    try:
        await asyncio.wait([work, *helpers], timeout=at_most_s, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        work.cancel()
        raise
    finally:
        for helper in helpers:
            helper.cancel()
    if gone.done() and not work.done():
        work.cancel()
        raise ClientGone


async def watched(work: Coroutine[Any, Any, _T], receive: Receive) -> _T:
    """Returns what work comes to, or raises its error; the client leaving cancels it. Raises `ClientGone`."""
    at_work = asyncio.create_task(work)
    await watch(at_work, receive)
    return at_work.result()


async def _client_gone(receive: Receive) -> None:
    """Returns when the client has closed the connection; the body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass


def deadline_of(request: Request[Any, Any, Any], longest_s: float) -> Deadline:
    """Returns the request's deadline; a header may shorten it. Raises `InvalidRequest` when it is not a number."""
    sent, since = request.headers.get(TIMEOUT_HEADER), ready_s(request.scope)
    if sent is None:
        return Deadline.after(longest_s, since=since)
    if not (sent.isascii() and sent.isdigit() and 0 < len(sent) <= 9 and int(sent) > 0):  # noqa: PLR2004 - 11 days
        raise InvalidRequest(
            "invalid_header", f"{TIMEOUT_HEADER} takes a whole number of milliseconds above 0.", param=TIMEOUT_HEADER
        )
    return Deadline.after(longest_s, callers_s=int(sent) / 1000, since=since)


def ready_s(scope: Scope) -> float | None:
    """Returns when a request had arrived, None when nobody noted it: its time in a line counts too."""
    noted = scope["state"].get(READY_S)
    return noted if isinstance(noted, float) else None
