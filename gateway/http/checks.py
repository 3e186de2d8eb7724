"""Tries a text against the rails: in the form of NeMo Guardrails, or in the gateway's own with the whole trace."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from msgspec import Meta

from gateway.components import Components
from gateway.credentials import Principal
from gateway.errors import InvalidRequest
from gateway.http.access import principal_of
from gateway.http.asking import watched
from gateway.http.bodies import convert, read_object
from gateway.http.headers import request_id
from gateway.http.openai_request import MAX_MESSAGES, PartRequest
from gateway.http.problems import rate_headers
from gateway.rail_checks import Checked, CheckQuestion, CheckStatus
from rails.types import RailRecord, RailStatus, Stage
from rails.wordlists import word_set

MAX_ANSWER = 8000
MAX_FACTS = 32_000
MOST_BYTES = 12 * (MAX_ANSWER + MAX_FACTS) + 32_768
"""What is promised in characters is taken in any script: JSON may write a character in 12 bytes, as two escapes."""
_Text = Annotated[str, Meta(min_length=1, max_length=MAX_ANSWER)]
_ROLES = {Stage.INPUT: "user", Stage.OUTPUT: "assistant"}
_FACTS = "relevant_chunks"
"""The context variable in which NeMo's rails find the knowledge that an answer is checked against."""
_IDLE = word_set(
    "stream temperature top_p max_tokens stop presence_penalty frequency_penalty logit_bias logprobs tools tool_choice "
    "parallel_tool_calls modalities"
)
"""Fields of a chat completion that clients send along; nothing is generated, so they change nothing."""


class CheckRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One text for one stage."""

    assistant: str
    stage: Literal["input", "output"]
    text: _Text
    facts: Annotated[str, Meta(max_length=MAX_FACTS)] = ""
    """What an answer may draw on (stage `output`); without facts, a policy with `grounding` blocks every answer."""


class CheckMessageRequest(msgspec.Struct, frozen=True):
    """One message; the last one of the user's and the last one of the assistant's are checked."""

    role: Literal["developer", "system", "user", "assistant", "tool", "function", "context"]
    content: str | Annotated[list[PartRequest], Meta(max_length=64)] | dict[str, Any] | None = None


class GuardrailsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What NeMo Guardrails takes beside a chat completion's fields."""

    config_id: str | None = None
    """Name of the assistant's policy; another one is an error."""
    config_ids: Annotated[list[str], Meta(max_length=1)] | None = None
    rail_types: Annotated[list[Literal["input", "output"]], Meta(min_length=1)] | None = None
    """Stages to run; without it, those whose role has a message."""
    context: dict[str, Any] | None = None
    """`relevant_chunks` is read: what the answer may draw on."""
    thread_id: str | None = None
    options: dict[str, Any] | None = None
    """Has no effect: a caller cannot choose fewer rails of a stage."""


class NemoCheckRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The request of NeMo Guardrails' `/v1/checks`; `model` is the assistant."""

    model: str
    messages: Annotated[list[CheckMessageRequest], Meta(min_length=1, max_length=MAX_MESSAGES)]
    guardrails: GuardrailsRequest = GuardrailsRequest()


class NemoCheckReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """The reply of NeMo Guardrails' `/v1/checks`."""

    status: CheckStatus
    content: str
    """The text as it may go on, or what a person would read instead."""
    rail: str | None = None
    """The rail that blocked."""


class CheckedRailReply(msgspec.Struct, frozen=True):
    """One rail's verdict; `not_run` when something before it stopped the text."""

    name: str
    stage: Stage
    status: RailStatus
    reason: str | None
    duration_ms: float
    monitored: bool
    """Whether it only watches: its verdict is not acted on."""


class CheckReply(msgspec.Struct, frozen=True):
    """The verdict with the whole trace."""

    status: CheckStatus
    text: str
    rail: str | None
    rails: tuple[CheckedRailReply, ...]
    policy_version: str
    reference: str


@post("/v1/checks", status_code=200, operation_id="check_text", request_max_body_size=MOST_BYTES)
async def check_text(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> Response[Any]:
    """Runs the rails on a text and nothing else. A body with `messages` is NeMo's form, every other one ours."""
    sent = await read_object(request)
    if "messages" in sent:
        checked = await _checked(request, components, _nemo_question(sent, principal_of(request)), "model")
        body: NemoCheckReply | CheckReply = NemoCheckReply(checked.status, checked.text, checked.stopped_by)
    else:
        checked = await _checked(request, components, _own_question(sent, principal_of(request)), "assistant")
        body = _reply(checked, request)
    rate = checked.rate
    headers = rate_headers(rate) | {"x-canongate-policy-version": _version(checked)}
    return Response(body, media_type="application/json", headers=headers)


async def _checked(
    request: Request[Any, Any, Any], components: Components, question: CheckQuestion, param: str
) -> Checked:
    try:
        return await watched(components.checks.check(question), request.receive)
    except InvalidRequest as error:
        if error.code != "model_not_found":
            raise
        raise InvalidRequest(error.code, error.message, param=param) from error


def _own_question(sent: dict[str, Any], principal: Principal) -> CheckQuestion:
    asked = convert(sent, CheckRequest, code="validation_error")
    if asked.facts and asked.stage == Stage.INPUT.value:
        words = "Facts are what an answer may draw on: a message has none. Send `stage: output`, or leave `facts` out."
        raise InvalidRequest("validation_error", words, param="facts")
    return CheckQuestion(
        assistant=asked.assistant, principal=principal, texts={Stage(asked.stage): asked.text}, facts=asked.facts
    )


def _nemo_question(sent: dict[str, Any], principal: Principal) -> CheckQuestion:
    known = {name: value for name, value in sent.items() if name not in _IDLE}
    asked = convert(known, NemoCheckRequest, code="validation_error")
    chosen = asked.guardrails
    return CheckQuestion(
        assistant=asked.model,
        principal=principal,
        texts=_texts(asked),
        facts=_facts(asked),
        policy=chosen.config_id or next(iter(chosen.config_ids or ()), None),
    )


def _texts(asked: NemoCheckRequest) -> dict[Stage, str]:
    """Returns the last message of each role that is checked. Raises `InvalidRequest` when there is none."""
    found: dict[Stage, str] = {}
    for stage in Stage:
        texts = [_text(message) for message in asked.messages if message.role == _ROLES[stage]]
        is_wanted = asked.guardrails.rail_types is None or stage.value in asked.guardrails.rail_types
        if texts and is_wanted:
            found[stage] = texts[-1]
        elif is_wanted and asked.guardrails.rail_types is not None:
            raise _nothing(f"There is no message of the role `{_ROLES[stage]}`, which `{stage.value}` rails check.")
    if not found:
        raise _nothing("There is nothing to check: send a message of the role `user` or `assistant`.")
    if len(found.get(Stage.OUTPUT, "x")) not in range(1, MAX_ANSWER + 1):
        raise _nothing(f"The last message of the role `assistant` must have 1 to {MAX_ANSWER} characters.")
    return found


def _text(message: CheckMessageRequest) -> str:
    if isinstance(message.content, list):
        return "\n".join(part.text or "" for part in message.content)
    return message.content if isinstance(message.content, str) else ""


def _facts(asked: NemoCheckRequest) -> str:
    given = [asked.guardrails.context, *(message.content for message in asked.messages if message.role == "context")]
    facts = [context[_FACTS] for context in given if isinstance(context, dict) and _FACTS in context]
    texts = [text for one in facts for text in (one if isinstance(one, list) else [one])]
    if not all(isinstance(text, str) for text in texts):
        raise InvalidRequest(
            "validation_error", f"`{_FACTS}` takes a text or a list of texts.", param="guardrails.context"
        )
    joined = "\n".join(texts)
    if len(joined) > MAX_FACTS:
        words = f"`{_FACTS}` takes at most {MAX_FACTS} characters, all texts together."
        raise InvalidRequest("validation_error", words, param="guardrails.context")
    return joined


def _reply(checked: Checked, request: Request[Any, Any, Any]) -> CheckReply:
    return CheckReply(
        status=checked.status,
        text=checked.text,
        rail=checked.stopped_by,
        rails=tuple(_rail(record) for record in checked.records),
        policy_version=_version(checked),
        reference=request_id(request.scope),
    )


def _rail(record: RailRecord) -> CheckedRailReply:
    return CheckedRailReply(
        name=record.name,
        stage=record.stage,
        status=record.status,
        reason=record.reason,
        duration_ms=round(record.duration_ms, 3),
        monitored=record.is_monitored,
    )


def _version(checked: Checked) -> str:
    return f"{checked.policy.name}@{checked.policy.revision}"


def _nothing(words: str) -> InvalidRequest:
    return InvalidRequest("validation_error", words, param="messages")
