"""A prompt's tokens from the server that will read them: markup as control tokens, everything else as plain text."""

import asyncio
from typing import TypeVar

import msgspec

from models.errors import ModelRefused, ModelUnavailable
from models.formats import PromptFormat, Segment
from models.upstream.client import UpstreamClient
from models.upstream.stream import BROKEN_JSON


class _Asked(msgspec.Struct, frozen=True):
    content: str
    parse_special: bool
    add_special: bool = False


class _Tokens(msgspec.Struct, frozen=True):
    tokens: tuple[int, ...]


class _Properties(msgspec.Struct, frozen=True):
    bos_token: str = ""


_Reply = TypeVar("_Reply", _Tokens, _Properties)


class UpstreamTokens:
    """llama-server's tokenizer, which can leave control tokens unread (`parse_special`). Used on one event loop."""

    def __init__(self, client: UpstreamClient, form: PromptFormat) -> None:
        self._client = client
        self._format = form
        self._markup: dict[str, tuple[int, ...]] = {}
        self._control: frozenset[int] | None = None
        self._begin: tuple[int, ...] = ()
        self._lock = asyncio.Lock()

    def forget(self) -> None:
        """Drops what is known of the vocabulary: the server failed, and may come back with another model."""
        self._control = None

    async def of(self, segments: tuple[Segment, ...]) -> tuple[int, ...]:
        """Returns the prompt's tokens; raises `ModelRefused` when the format does not fit the server's vocabulary."""
        control = await self._learned()
        tokens = list(self._begin)
        for segment in segments:
            if segment.is_markup:
                if segment.text not in self._markup:
                    self._markup[segment.text] = await self._ask(segment.text, is_markup=True)
                tokens += self._markup[segment.text]
                continue
            new = await self._ask(segment.text, is_markup=False)
            if not control.isdisjoint(new):
                raise ModelRefused("a text of the prompt became a control token")
            tokens += new
        return tuple(tokens)

    async def _learned(self) -> frozenset[int]:
        """Learns the format's control tokens once; each marker must be one token that its plain text is not."""
        async with self._lock:
            if self._control is not None:
                return self._control
            self._markup.clear()
            found = set()
            for marker in self._format.control_markers:
                tokens = await self._ask(marker, is_markup=True)
                if len(tokens) != 1 or tokens == await self._ask(marker, is_markup=False):
                    raise ModelRefused(f"the prompt format does not fit this model: {marker} is no control token of it")
                found.add(tokens[0])
            self._begin = await self._begin_token() if self._format.begin_of_sequence else ()
            self._control = frozenset(found) | frozenset(self._begin)
            return self._control

    async def _begin_token(self) -> tuple[int, ...]:
        name = _decoded(await self._client.json("props"), _Properties).bos_token
        tokens = await self._ask(name, is_markup=True) if name else ()
        if len(tokens) != 1:
            raise ModelRefused("the prompt format needs a beginning-of-sequence token, and the server names none")
        return tokens

    async def _ask(self, text: str, *, is_markup: bool) -> tuple[int, ...]:
        if not text:
            return ()
        body = msgspec.json.encode(_Asked(text, parse_special=is_markup))
        return _decoded(await self._client.json("tokenize", body), _Tokens).tokens


def _decoded(body: bytes, kind: type[_Reply]) -> _Reply:
    try:
        return msgspec.json.decode(body, type=kind)
    except BROKEN_JSON as error:
        raise ModelUnavailable(
            'the upstream does not tokenise as a llama-server does; use upstream.prompts = "chat" or "text"'
        ) from error
