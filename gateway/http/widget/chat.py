"""The widget's question: asked once, followed as often as it takes, and made to its end whoever listens."""

import hashlib
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.params import FromPath
from litestar.types import Scope

from gateway.components import Components
from gateway.errors import InvalidRequest, NotServing
from gateway.http.asking import PING_S, Asking, ready_s
from gateway.http.bodies import convert, read_object
from gateway.http.chat import BlockedReply, SentenceReply
from gateway.http.headers import request_id
from gateway.http.problems import problem_of
from gateway.http.replies import contact_reply, prompt_reply, slot_reply, suggestion_replies
from gateway.http.streams import EVENT_STREAM, EventStream, comment
from gateway.http.widget.bodies import ConversationReply, WidgetChatReply, WidgetChatRequest
from gateway.http.widget.calls import ANSWER, CHAT, Parts, widget_of
from gateway.http.widget.elsewhere import Elsewhere, framed, told_elsewhere, whole
from gateway.http.widget.guard import QUESTION, visit_of
from gateway.limits import Deadline
from gateway.turn import News, Question, Released, Reply, Step, Withheld
from gateway.widget.answers import Answer, AnswersAtWork, Told, gone
from gateway.widget.conversations import Conversation
from gateway.widget.sessions import Visit
from store.types import Outcome

_KEY = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_EVENT_ID = re.compile(r"[0-9]{1,6}")
_CONTEXT_BYTES = 1024
_SLOW_DOWN, _SERVER_ERRORS = 429, 500


@post(CHAT, status_code=200, operation_id="widget_chat", opt={QUESTION: True})
async def widget_chat(request: Request[Any, Any, Any], components: Parts) -> Response[Any]:
    """Answers a question, as events or at once; the same key again follows the same answer."""
    visit, widget = visit_of(request), widget_of(components)
    key, after = _key(request.headers.getall("idempotency-key", [])), _after(request)
    asked = convert(await read_object(request), WidgetChatRequest, code="validation_error")
    _require_small(asked, visit)
    fingerprint = hashlib.sha256(msgspec.json.encode([asked.message, asked.slots], order="sorted")).digest()
    elsewhere = _elsewhere(components, visit, key)
    await _drop_forgotten(widget.answers, visit, key, elsewhere)
    answer = widget.answers.known(visit, key, fingerprint)
    if answer is not None:
        return await _told(request, answer, after)
    if elsewhere is not None and await elsewhere.knows(fingerprint):
        return await told_elsewhere(request, elsewhere, after)
    if elsewhere is not None and asked.conversation and await elsewhere.has(asked.conversation):
        widget.conversations.adopt(visit, asked.conversation)
    conversation = widget.conversations.ask(visit, asked.conversation, key, asked.message)
    if elsewhere is not None and not await elsewhere.begins(fingerprint, conversation.id, asked.message):
        return await told_elsewhere(request, elsewhere, after)
    answer = _begin(request, components, asked, key=key, fingerprint=fingerprint, conversation=conversation)
    await answer.until(2)
    turned_away = answer.ended
    if turned_away is not None and turned_away.name == "error" and answer.count == 2:  # noqa: PLR2004 - no work began
        widget.conversations.withdraw(conversation, key)
        widget.answers.drop(visit, key)
        if elsewhere is not None:
            await elsewhere.take_back()
        return whole(turned_away)
    return await _told(request, answer, after)


@get(ANSWER, operation_id="follow_widget_answer")
async def follow_widget_answer(request: Request[Any, Any, Any], key: FromPath[str], components: Parts) -> Response[Any]:
    """Gives the events that were missed and those to come, or the finished answer."""
    visit, widget, key = visit_of(request), widget_of(components), _key([key])
    elsewhere = _elsewhere(components, visit, key)
    await _drop_forgotten(widget.answers, visit, key, elsewhere)
    answer = widget.answers.find(visit, key)
    if answer is not None:
        return await _told(request, answer, _after(request))
    if elsewhere is None or not await elsewhere.is_there():
        raise gone()
    return await told_elsewhere(request, elsewhere, _after(request))


@delete(ANSWER, operation_id="stop_widget_answer", status_code=204)
async def stop_widget_answer(request: Request[Any, Any, Any], key: FromPath[str], components: Parts) -> None:
    """Stops the work on an answer, down to the model."""
    visit, widget, key = visit_of(request), widget_of(components), _key([key])
    widget.answers.stop(visit, key)
    if widget.shared is not None:
        await widget.shared.stop(visit, key)


def _begin(
    request: Request[Any, Any, Any],
    components: Components,
    asked: WidgetChatRequest,
    *,
    key: str,
    fingerprint: bytes,
    conversation: Conversation,
) -> Answer:
    """Begins the work on a question; whatever becomes of the request, it goes on."""
    visit, widget = visit_of(request), widget_of(components)
    question = Question(
        text=asked.message,
        assistant=visit.client.settings.assistant,
        principal=visit.principal,
        deadline=Deadline.after(components.settings.limits.deadline_s, since=ready_s(request.scope)),
        slots=asked.slots or {},
        conversation=conversation.id,
        person=visit.session.person,
        context=msgspec.json.encode(asked.context).decode() if asked.context else "",
        is_streamed=True,
    )
    asking = Asking(components.pipeline, question)
    answer = widget.answers.begin(visit, key, fingerprint, asking.stop)
    answer.tell(Told("conversation", msgspec.json.encode(ConversationReply(conversation.id))))

    async def events() -> AsyncIterator[Told]:
        async for told in _events(asking, conversation, request.scope):
            if told.name == "done":
                widget.conversations.answer(conversation, key, told.data)
            if told.status is not None and widget.shared is not None:
                await widget.shared.ended(visit, key, told)
            yield told

    widget.answers.fill(visit, key, answer, events())
    return answer


async def _drop_forgotten(answers: AnswersAtWork, visit: Visit, key: str, elsewhere: Elsewhere | None) -> None:
    """Drops an answer that was made here and forgotten at another gateway."""
    answer = answers.find(visit, key)
    if elsewhere is None or answer is None or answer.ended is None or await elsewhere.is_there():
        return
    if answers.find(visit, key) is answer:  # and not one that was begun meanwhile
        answers.drop(visit, key)


async def _told(request: Request[Any, Any, Any], answer: Answer, after: int) -> Response[Any]:
    if EVENT_STREAM in request.headers.get("accept", ""):
        return EventStream(_frames(answer, after, request.scope), on_close=lambda: None)  # the work goes on
    return whole(await answer.end())


async def _frames(answer: Answer, after: int, scope: Scope) -> AsyncIterator[bytes]:
    async for one in answer.follow(after=after, ping_s=PING_S):
        if one is None:
            yield comment("ping")
        else:
            number, told = one
            yield framed(told, number, scope)


async def _events(asking: Asking, conversation: Conversation, scope: Scope) -> AsyncIterator[Told]:
    has_begun = False
    async for news in asking.news():
        if news is not None:
            has_begun = True
            yield _news(news)
    if (error := asking.error) is None:
        reply = _reply(asking.reply(), conversation, scope)
        yield Told("done", msgspec.json.encode(reply), status=200)
        return
    if isinstance(error, InvalidRequest) and error.code == "model_not_found":
        error = NotServing("assistant_unavailable", "The assistant behind this page is not live.")
    problem = problem_of(error, scope)
    yield Told(
        "error",
        msgspec.json.encode(problem.envelope()),
        status=problem.status,
        headers=tuple(problem.headers.items()),
        may_come_again=not has_begun or problem.status == _SLOW_DOWN or problem.status >= _SERVER_ERRORS,
    )


def _news(news: News) -> Told:
    match news:
        case Released(text=text):
            return Told("sentence", msgspec.json.encode(SentenceReply(text)))
        case Withheld():
            return Told("blocked", msgspec.json.encode(BlockedReply(Outcome.BLOCKED_OUTPUT)))
        case Step() as step:
            return Told("stage", msgspec.json.encode({"stage": step.value}))


def _reply(reply: Reply, conversation: Conversation, scope: Scope) -> WidgetChatReply:
    return WidgetChatReply(
        id=reply.decision.id,
        outcome=reply.decision.outcome,
        text=reply.text,
        source=reply.decision.source,
        prompt=prompt_reply(reply),
        suggestions=suggestion_replies(reply),
        slot=slot_reply(reply.slot),
        contact=contact_reply(reply),
        has_quoted_text=reply.decision.has_quoted_text,
        reference=request_id(scope),
        conversation=conversation.id,
    )


def _require_small(asked: WidgetChatRequest, visit: Visit) -> None:
    longest = visit.client.settings.max_length
    if len(asked.message) > longest:
        raise InvalidRequest("message_too_long", f"A question here has at most {longest} characters.", param="message")
    if asked.context is not None and len(msgspec.json.encode(asked.context)) > _CONTEXT_BYTES:
        raise InvalidRequest("validation_error", f"`context` takes at most {_CONTEXT_BYTES} bytes.", param="context")


def _elsewhere(components: Components, visit: Visit, key: str) -> Elsewhere | None:
    """Returns a question as other gateways may know it; None where there can be no other."""
    shared = widget_of(components).shared
    return Elsewhere(shared, visit, key, components.settings.limits.deadline_s) if shared else None


def _key(sent: list[str]) -> str:
    if len(sent) != 1 or not _KEY.fullmatch(sent[0]):
        raise InvalidRequest("invalid_idempotency_key", "Idempotency-Key takes a UUID, once.", param="idempotency-key")
    return sent[0].lower()


def _after(request: Request[Any, Any, Any]) -> int:
    sent = request.headers.get("last-event-id", "")
    if not sent:
        return 0
    if not _EVENT_ID.fullmatch(sent):
        raise InvalidRequest("invalid_header", "Last-Event-ID takes the number of an event.", param="last-event-id")
    return int(sent)
