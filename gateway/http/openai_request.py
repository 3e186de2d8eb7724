"""What of OpenAI's chat completion request is read, what is accepted without effect, and what is refused."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request
from msgspec import Meta

from gateway.errors import InvalidRequest
from gateway.http.bodies import convert, plain_name, read_object
from gateway.http.chat import Conversation, SlotTexts
from store.answer_form import canonical

MAX_MESSAGES = 20

MaxTokens = Annotated[int, Meta(ge=1)]
_Penalty = Annotated[float, Meta(ge=-2, le=2)]
_Stop = Annotated[str, Meta(min_length=1, max_length=256)]


class PartRequest(msgspec.Struct, frozen=True):
    """A part of a message's content; only text is read."""

    type: str
    text: str | None = None


class MessageRequest(msgspec.Struct, frozen=True):
    """One message; only the last one is matched, and it must be the user's."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | Annotated[list[PartRequest], Meta(max_length=64)] | None = None


class StreamOptionsRequest(msgspec.Struct, frozen=True):
    """How a stream ends."""

    include_usage: bool | None = None


class JsonSchemaRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form that an answer shall have: the very schema that was approved with one of the assistant's prompts."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
    schema: dict[str, Any]
    strict: bool | None = None
    """An approved form is always kept to, whatever is sent here."""
    description: str | None = None


class ResponseFormatRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks for an answer in an approved form, or for none at all."""

    type: Literal["json_schema"]
    json_schema: JsonSchemaRequest


class ExtensionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What this gateway reads beyond OpenAI's fields."""

    conversation: Conversation | None = None
    """Links follow-up questions; seen only by the same key."""
    slots: SlotTexts | None = None
    """Values for the prompt's blanks, each checked by the blank's type."""


class ChatCompletionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """OpenAI's chat completion request. Approved settings win: sampling fields are accepted and have no effect."""

    model: str
    messages: Annotated[list[MessageRequest], Meta(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool | None = None
    stream_options: StreamOptionsRequest | None = None
    max_tokens: MaxTokens | None = None
    max_completion_tokens: MaxTokens | None = None
    canongate: ExtensionRequest | None = None
    n: Literal[1] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    frequency_penalty: _Penalty | None = None
    presence_penalty: _Penalty | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    stop: _Stop | Annotated[list[_Stop], Meta(max_length=4)] | None = None
    response_format: ResponseFormatRequest | None = None
    """Plain text, or a form that was approved with a prompt of the assistant's."""
    logit_bias: dict[str, Annotated[float, Meta(ge=-100, le=100)]] | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    user: Annotated[str, Meta(max_length=256)] | None = None
    """Your id of the person who asks; kept as a keyed hash, by which their data can be purged."""
    safety_identifier: Annotated[str, Meta(max_length=256)] | None = None
    """OpenAI's newer name of `user`; where both are sent this one counts."""
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    service_tier: str | None = None
    store: bool | None = None
    metadata: dict[str, str] | None = None

    @property
    def text(self) -> str:
        """The words of the last message; several text parts are joined by line breaks."""
        content = self.messages[-1].content
        if isinstance(content, list):
            return "\n".join(part.text or "" for part in content)
        return content or ""

    @property
    def ignored(self) -> tuple[str, ...]:
        """Names of the fields that were sent and had no effect, because the approved settings win."""
        return tuple(name for name in _SAMPLING if getattr(self, name) not in (None, [], {}))

    @property
    def form(self) -> bytes | None:
        """The form that is asked for, as `store.answer_form` compares it."""
        return canonical(self.response_format.json_schema.schema) if self.response_format else None

    @property
    def person(self) -> str | None:
        """The caller's id of the person who asks."""
        return self.safety_identifier or self.user or None

    @property
    def most_tokens(self) -> int | None:
        """The lower of the two limits on the answer's length."""
        return min((limit for limit in (self.max_tokens, self.max_completion_tokens) if limit), default=None)


_SAMPLING = (
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "stop",
    "logit_bias",
    "reasoning_effort",
    "verbosity",
)
"""How a caller would have the words chosen. They are checked, so that a program that is wrong about them learns it."""

_UNSUPPORTED = frozenset(
    {
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "functions",
        "function_call",
        "logprobs",
        "top_logprobs",
        "response_format",
        "modalities",
        "audio",
        "prediction",
        "web_search_options",
        "moderation",
    }
)
"""Fields that would change what is answered if they worked, so that ignoring them would be a lie."""

_HARMLESS: Mapping[str, tuple[object, ...]] = {
    "tools": ([],),
    "functions": ([],),
    "tool_choice": ("none", "auto"),
    "function_call": ("none", "auto"),
    "parallel_tool_calls": (True, False),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
}
"""Values of those fields that ask for what this gateway does anyway; null always does."""


_REASONS = {
    "response_format": "`response_format` asks for a form of the answer that is approved with none of this assistant's "
    "prompts: a `json_schema` has to be the `answer_schema` of one.",
    "n": "`n` can only be 1: a question has one checked answer.",
    "logprobs": "`logprobs` asks for what was nearly said, and no check has passed that.",
    "top_logprobs": "`top_logprobs` asks for what was nearly said, and no check has passed that.",
}


async def read_request(request: Request[Any, Any, Any]) -> ChatCompletionRequest:
    """Returns the request, checked. Raises `InvalidRequest` that names the first field to change."""
    sent = await read_object(request)
    known: dict[str, Any] = {}
    for name, value in sent.items():
        if name in _UNSUPPORTED and not _is_form(name, value):
            if value is not None and value not in _HARMLESS.get(name, ()):
                raise unsupported(name)
        elif name not in ChatCompletionRequest.__struct_fields__:
            raise InvalidRequest(
                "unknown_parameter", f"Unknown field{_named(name)}. Remove it.", param=plain_name(name)
            )
        else:
            known[name] = value
    if isinstance(known.get("n"), int) and known["n"] != 1:
        raise unsupported("n")
    checked = convert(known, ChatCompletionRequest, code="invalid_value")
    _check_messages(checked.messages)
    return checked


def _is_form(name: str, value: object) -> bool:
    return name == "response_format" and isinstance(value, dict) and value.get("type") == "json_schema"


def _check_messages(messages: list[MessageRequest]) -> None:
    for number, message in enumerate(messages):
        for place, part in enumerate(message.content if isinstance(message.content, list) else ()):
            if part.type != "text":
                raise unsupported(f"messages[{number}].content[{place}].type")
    if messages[-1].role != "user":
        raise InvalidRequest(
            "invalid_value", "The last message must have the role `user`.", param=f"messages[{len(messages) - 1}].role"
        )


def unsupported(name: str) -> InvalidRequest:
    """Returns the refusal of a field that would change what is answered."""
    words = _REASONS.get(name, f"`{name}` asks for something that approved prompts do not do.")
    return InvalidRequest("unsupported_parameter", f"{words} Remove it.", param=name)


def _named(name: str) -> str:
    return f" `{name}`" if plain_name(name) else ""
