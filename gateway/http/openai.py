"""The surface of OpenAI's chat completions, and the one contract of blocked answers that stock clients understand."""

from collections.abc import AsyncIterator
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.components import Components
from gateway.errors import InvalidRequest
from gateway.http.access import principal_of
from gateway.http.asking import Asking, deadline_of
from gateway.http.openai_replies import BLOCKED, Chunks, completion_reply, extension_reply
from gateway.http.openai_request import ChatCompletionRequest, ExtensionRequest, read_request, unsupported
from gateway.http.problems import problem_of_stream
from gateway.http.replies import Clock, reply_headers, stream_headers
from gateway.http.streams import EventStream, comment, data
from gateway.turn import Question, Released, Withheld
from store.answer_form import is_approved

ON_BLOCK_HEADER = "x-canongate-on-block"
HOLD_S = 2.0
"""How long a stream's headers wait for words or the outcome. Most outcomes, and so most errors, keep their status."""
_IN_OPENAI_WORDS = {
    "message_too_long": ("context_length_exceeded", "messages"),
    "message_empty": ("invalid_value", "messages"),
    "invalid_slot": ("invalid_value", "canongate.slots"),
}


@post("/v1/chat/completions", status_code=200, operation_id="create_chat_completion")
async def create_chat_completion(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> Response[Any]:
    """Answers the last message. A refusal is a decision, status 200; streamed or not, it is the same one."""
    clock = Clock.start()
    asked = await read_request(request)
    _require_form(asked, request, components)
    fails_on_block = _fails_on_block(request)
    extension = asked.canongate or ExtensionRequest()
    may_open = bool(asked.stream) and not fails_on_block and asked.form is None
    question = Question(
        text=asked.text,
        assistant=asked.model,
        principal=principal_of(request),
        deadline=deadline_of(request, components.settings.limits.deadline_s),
        slots=extension.slots or {},
        conversation=extension.conversation,
        max_tokens=asked.most_tokens,
        user=asked.person,
        is_streamed=may_open,
    )
    asking = Asking(components.pipeline, question)
    if may_open:
        await asking.until_worded(request.receive, at_most_s=HOLD_S)
    else:
        await asking.until_settled(request.receive)
    if not asking.is_settled:
        headers = stream_headers(asking.admitted)
        return EventStream(_frames(asking, request, asked), on_close=asking.stop, headers=headers)
    try:
        reply = asking.reply()
    except InvalidRequest as error:
        raise _in_openai_words(error) from error
    if fails_on_block and reply.decision.outcome in BLOCKED:
        raise InvalidRequest("content_filter", reply.text, param="messages")
    headers = reply_headers(reply, clock)
    if asked.stream:
        return EventStream(_frames(asking, request, asked), on_close=asking.stop, headers=headers)
    return Response(
        completion_reply(reply, request, asked.ignored, asked.form), media_type="application/json", headers=headers
    )


async def _frames(
    asking: Asking, request: Request[Any, Any, Any], asked: ChatCompletionRequest
) -> AsyncIterator[bytes]:
    """Stages as comments, then checked words; an error that comes after the headers ends the stream."""
    chunks = Chunks(asked.model, asked.form)
    async for news in asking.news():
        match news:
            case Released():
                for chunk in chunks.released(news):
                    yield data(chunk)
            case Withheld():
                yield comment("blocked")
            case _:
                yield comment("ping" if news is None else f"stage {news.value}")
    if error := asking.error:
        told = _in_openai_words(error) if isinstance(error, InvalidRequest) else error
        yield data(problem_of_stream(told, request.scope).envelope())
        return
    reply = asking.reply()
    for chunk in chunks.rest(reply, extension_reply(reply, request, asked.ignored)):
        yield data(chunk)
    if asked.stream_options and asked.stream_options.include_usage:
        yield data(chunks.usage(reply))
    yield b"data: [DONE]\n\n"


def _require_form(asked: ChatCompletionRequest, request: Request[Any, Any, Any], components: Components) -> None:
    """Refuses a form that nobody approved for this assistant, before anything is decided."""
    if asked.form is None:
        return
    state = components.live.current
    if not is_approved(state.catalog, state.assistant(asked.model, principal_of(request)), asked.form):
        raise unsupported("response_format")


def _fails_on_block(request: Request[Any, Any, Any]) -> bool:
    sent = request.headers.get(ON_BLOCK_HEADER, "reply").lower()
    if sent not in ("reply", "error"):
        raise InvalidRequest("invalid_header", f"{ON_BLOCK_HEADER} takes `reply` or `error`.", param=ON_BLOCK_HEADER)
    return sent == "error"


def _in_openai_words(error: InvalidRequest) -> InvalidRequest:
    """Names the field of this surface, and the code that OpenAI clients know."""
    code, param = _IN_OPENAI_WORDS.get(error.code, (error.code, error.param))
    return InvalidRequest(code, error.message, param=param)
