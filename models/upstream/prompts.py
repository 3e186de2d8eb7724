"""The body of a request to an upstream: the approved prompt, and no text that the server could take for markup."""

import hashlib
import re
from functools import cache

import msgspec
from msgspec import UNSET, UnsetType

from models.errors import ModelRefused
from models.formats import Segment, format_names, prompt_format
from models.markers import require_unmarked
from models.ports import ApprovedPrompt, PromptPart, Sampling
from models.upstream.target import PromptStyle, UpstreamTarget

RANDOM_SEED = 0xFFFFFFFF
"""llama.cpp draws a seed of its own for this one."""

MARKER_EDGE = re.compile(
    r"<\s?[|\uff5c]|[|\uff5c]\s?>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>", re.IGNORECASE
)
"""The edges of most families' control tokens: nobody knows which model a server runs, nor its whole vocabulary."""


class _Message(msgspec.Struct, frozen=True):
    role: str
    content: str


class _StreamOptions(msgspec.Struct, frozen=True):
    include_usage: bool = True


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    """What both routes take. Nothing that only one server knows, where it may be another: it would answer 400."""

    model: str
    messages: tuple[_Message, ...] | UnsetType = UNSET
    prompt: str | tuple[int, ...] | UnsetType = UNSET
    max_tokens: int
    temperature: float
    top_p: float
    seed: int
    stop: tuple[str, ...] | UnsetType
    grammar: str | UnsetType
    stream: bool = True
    stream_options: _StreamOptions = _StreamOptions()


class UpstreamRequest(msgspec.Struct, frozen=True):
    """One request as it is sent: the same prompt and sampling always give the same bytes."""

    path: str
    body: bytes
    sampling: Sampling
    tokens: tuple[int, ...] = ()
    """The prompt's tokens, where the server gets tokens."""

    @property
    def sha256(self) -> str:
        """Hash of the body, hex."""
        return hashlib.sha256(self.body).hexdigest()


def require_sendable(prompt: ApprovedPrompt, sampling: Sampling, target: UpstreamTarget, max_bytes: int) -> None:
    """Raises `ModelRefused` for what is too long, no Unicode, beyond the server, or would be read as markup by it.

    Slot values are free of every family's markers in any style. Unless tokens are sent, the server also reads approved
    text for control tokens; the turns are looked at whole, because a marker may begin in one part and end in the next.
    """
    if sampling.grammar and target.style is not PromptStyle.TOKENS:
        raise ModelRefused('a grammar is llama-server\'s alone: send tokens (upstream.prompts = "tokens") to one')
    texts = [_joined(parts) for parts in (prompt.instructions, prompt.question)]
    try:
        size = sum(len(text.encode()) for text in texts)
    except UnicodeEncodeError as error:
        raise ModelRefused("the prompt is not valid Unicode") from error
    if size > max_bytes:
        raise ModelRefused(f"the prompt has {size} bytes; the model's context cannot hold more than {max_bytes}")
    require_unmarked(prompt)
    if target.style is not PromptStyle.TOKENS and any(_has_control(text) for text in texts):
        raise ModelRefused(
            "the approved prompt holds a control marker of a model family, which the server would take for markup. "
            'Take it out, or send tokens (upstream.prompts = "tokens") to a llama-server.'
        )


def chat_request(prompt: ApprovedPrompt, sampling: Sampling, target: UpstreamTarget) -> UpstreamRequest:
    """Returns the request that leaves the format to the server."""
    turns = (("system", _joined(prompt.instructions)), ("user", _joined(prompt.question)))
    messages = tuple(_Message(role, text) for role, text in turns if text.strip())
    return _request("chat/completions", sampling, target, messages=messages)


def text_request(prompt: ApprovedPrompt, sampling: Sampling, target: UpstreamTarget) -> UpstreamRequest:
    """Returns the request with the prompt in our format. The server puts a beginning-of-sequence token in front."""
    text = "".join(segment.text for segment in segments(prompt, target))
    return _request("completions", sampling, target, prompt=text)


def token_request(tokens: tuple[int, ...], sampling: Sampling, target: UpstreamTarget) -> UpstreamRequest:
    """Returns the request with the prompt as the tokens that the model gets, with nothing in front."""
    return _request("completions", sampling, target, prompt=tokens)


def segments(prompt: ApprovedPrompt, target: UpstreamTarget) -> tuple[Segment, ...]:
    """Returns the prompt in the target's format."""
    if target.format is None:
        raise ModelRefused("an upstream without a format was asked for one. This is a bug.")
    return tuple(target.format.layout(prompt))


def _request(
    path: str,
    sampling: Sampling,
    target: UpstreamTarget,
    *,
    messages: tuple[_Message, ...] | UnsetType = UNSET,
    prompt: str | tuple[int, ...] | UnsetType = UNSET,
) -> UpstreamRequest:
    format_stop = target.format.stop if target.format else ()
    body = _Body(
        model=target.model,
        messages=messages,
        prompt=prompt,
        max_tokens=sampling.max_tokens,
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        seed=min(sampling.seed, RANDOM_SEED - 1),
        stop=(*format_stop, *sampling.stop) or UNSET,
        grammar=sampling.grammar or UNSET,
    )
    tokens = prompt if isinstance(prompt, tuple) else ()
    return UpstreamRequest(path, msgspec.json.encode(body), sampling, tokens)


def _joined(parts: tuple[PromptPart, ...]) -> str:
    return "".join(part.text for part in parts)


def _has_control(text: str) -> bool:
    return bool(MARKER_EDGE.search(text)) or any(marker in text for marker in _control_markers())


@cache
def _control_markers() -> frozenset[str]:
    """All families' markers; not those that are mere words (`sop`), which the approved text may well hold."""
    formats = [prompt_format(name) for name in format_names()]
    return frozenset(marker for one in formats for marker in one.control_markers if not marker.isalnum())
