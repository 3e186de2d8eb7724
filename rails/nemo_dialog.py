"""The adapter to NeMo's Colang engine: it gets a generated source, and can say nothing but what that source says."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from nemoguardrails import LLMRails, RailsConfig
from nemoguardrails.embeddings.index import IndexItem
from nemoguardrails.types import LLMResponse, LLMResponseChunk

from rails.dialog_colang import SEARCH_PROVIDER
from rails.errors import PolicyInvalid
from rails.nemo import request
from rails.types import RailContext, Stage

# What NeMo says of its own accord when an action fails; as an approved text it would hide the failure.
_FAILURE = "inform internal error occurred"
_FAILURE_TEXT = "I'm sorry, an internal error has occurred."
_TEMPLATE = ("{", "}", "$")
# NeMo brings 65 actions that a flow could call: requests to other hosts, files, evaluation of text. These are enough.
_NEEDED_ACTIONS = frozenset(
    {"generate_user_intent", "generate_bot_message", "create_event", "retrieve_relevant_chunks"}
)
_FOLDER_CODE = ("actions.py", "actions")


class NemoFailed(Exception):
    """NeMo raised, or its answer is not of the form, or not from the source, that it can only have."""


@dataclass(slots=True)
class _Turn:
    """What belongs to the message that is being answered now."""

    find_intent: Callable[[], str | None]
    complete: Callable[[], Awaitable[str]] | None
    is_asked: bool = False
    intent: str | None = None


_turn: ContextVar[_Turn] = ContextVar("canongate_dialog_turn")


class _Index:
    """NeMo's view of the matcher: it is asked for the one intent of the current message, and keeps nothing."""

    embedding_size = 0

    def __init__(self) -> None:
        self._is_of_intents = False

    async def add_item(self, item: IndexItem) -> None:
        self._is_of_intents = "intent" in item.meta

    async def add_items(self, items: Sequence[IndexItem]) -> None:
        for item in items:
            await self.add_item(item)

    async def build(self) -> None:
        """Has nothing to build."""

    async def search(self, text: str, max_results: int = 1, threshold: float | None = None) -> list[IndexItem]:
        """Returns the intent that our side found; NeMo's own text, number and threshold have no say."""
        if not self._is_of_intents:
            return []  # examples for NeMo's own prompts, which nothing reads
        turn = _turn.get()
        # Embedding blocks; the loop of the rails has others to serve.
        turn.intent = await asyncio.to_thread(turn.find_intent)
        turn.is_asked = True
        return [] if turn.intent is None else [IndexItem(text="", meta={"intent": turn.intent})]


class _ApprovedModel:
    """NeMo's language model: whatever NeMo would have it read, it gives this turn's answer, or fails."""

    model_name = "approved-prompts"
    provider_name = "canongate"
    provider_url = None

    async def generate_async(self, prompt: object, *, stop: Sequence[str] | None = None, **_: object) -> LLMResponse:
        return LLMResponse(content=await self._answer())

    async def stream_async(
        self, prompt: object, *, stop: Sequence[str] | None = None, **_: object
    ) -> AsyncIterator[LLMResponseChunk]:
        yield LLMResponseChunk(delta_content=await self._answer())

    @staticmethod
    async def _answer() -> str:
        complete = _turn.get().complete
        if complete is None:
            raise NemoFailed("a model was asked where none may be")
        return await complete()


@dataclass(frozen=True, slots=True)
class Heard:
    """What NeMo made of one message."""

    intent: str | None
    """As our side found it."""
    text: str


class ColangEngine:
    """One `LLMRails` over one generated source; makes one call for one message and remembers none.

    `texts` is everything that the source can say. Building takes some 0.2 s. Raises `PolicyInvalid` for a source that
    NeMo does not take.
    """

    def __init__(
        self, colang: str, settings: str, actions: Mapping[str, Callable[..., Awaitable[Any]]] | None = None
    ) -> None:
        _require_no_code_in_the_working_folder()
        with ThreadPoolExecutor(1) as beside:
            self._rails, self.texts = beside.submit(_build, colang, settings).result()
        for name, action in (actions or {}).items():
            self._rails.register_action(action, name)

    async def converse(
        self,
        message: str,
        variables: Mapping[str, str | int],
        find_intent: Callable[[], str | None],
        complete: Callable[[], Awaitable[str]] | None = None,
    ) -> Heard:
        """Returns what the flows say to a message, which is made of the source's own texts.

        `find_intent` blocks for as long as matching takes. `complete` words this turn's approved prompt; without it a
        flow that asks the model fails, and with it the model's words are let through. Raises whatever goes wrong.
        """
        turn = _Turn(find_intent, complete)
        content: list[dict[str, Any]] = [
            {"role": "context", "content": dict(variables)},
            {"role": "user", "content": message},
        ]
        text = await self._generate(turn, content, None)
        if not turn.is_asked:
            raise NemoFailed("the intent was not asked for")
        if text == _FAILURE_TEXT or (complete is None and not self._is_from_the_source(text)):
            raise NemoFailed("a text that is not in the source")
        return Heard(turn.intent, text)

    async def check(self, stage: Stage, text: str, context: RailContext) -> str:
        """Returns what the source's flows of `stage` make of a text: the text itself, a rewritten one, or a refusal.

        Raises whatever goes wrong.
        """
        message = {"role": "user", "content": text}
        answer = {"role": "assistant", "content": text}
        messages = [message] if stage is Stage.INPUT else [{**message, "content": ""}, answer]
        with request(stage, context):
            said = await self._generate(_Turn(lambda: None, None), messages, stage)
        if said == _FAILURE_TEXT:
            raise NemoFailed("an action failed")
        return said

    async def _generate(self, turn: _Turn, messages: list[dict[str, Any]], stage: Stage | None) -> str:
        runs = {"input": stage is Stage.INPUT, "output": stage is Stage.OUTPUT, "dialog": stage is None}
        options = {"rails": {**runs, "retrieval": False}}
        # NeMo keeps what it is doing in context variables and does not clear them: a task of its own forgets them.
        said = await asyncio.create_task(self._call(turn, messages, options))
        match getattr(said, "response", None):
            case [{"role": "assistant", "content": str() as text}]:
                return text
        raise NemoFailed("an answer of another form")

    async def _call(self, turn: _Turn, messages: list[dict[str, Any]], options: dict[str, Any]) -> object:
        _turn.set(turn)
        # `state={}`: without a state NeMo keeps every conversation in a cache that it never empties.
        try:
            said: object = await self._rails.generate_async(messages=messages, options=options, state={})
        except Exception as error:
            raise NemoFailed("it raised") from error
        return said

    def _is_from_the_source(self, text: str) -> bool:
        """Whether it is an approved text, or several of them one below the other, as flows say them."""
        return text in self.texts or any(
            text.startswith(f"{one}\n") and self._is_from_the_source(text[len(one) + 1 :]) for one in self.texts
        )


def _build(colang: str, settings: str) -> tuple[LLMRails, frozenset[str]]:
    """Makes the engine on a thread of its own, because NeMo leaves an event loop behind wherever it is made."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        config = RailsConfig.from_content(colang_content=colang, yaml_content=settings)
        # Taken before NeMo adds the texts of its library.
        texts = _approved_texts(config.bot_messages)
        rails = LLMRails(config, llm=_ApprovedModel())
    except PolicyInvalid:
        raise
    except Exception as error:
        raise PolicyInvalid(f"dialog.colang: NeMo cannot read it: {error}. Check it line by line.") from error
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    for name in rails.runtime.action_dispatcher.get_registered_actions():
        if name not in _NEEDED_ACTIONS:
            rails.register_action(partial(_refuse, name), name)
    rails.register_embedding_search_provider(SEARCH_PROVIDER, _Index)
    return rails, texts


async def _refuse(name: str, **_: object) -> None:
    raise NemoFailed(f"the action {name} is not to be called")


def _approved_texts(messages: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Returns every text that the source can say. Raises `PolicyInvalid` for one that would not come out as it is."""
    for name, variants in messages.items():
        if len(variants) != 1:
            raise PolicyInvalid(f"dialog.colang: `bot {name}` has several texts, of which NeMo takes any. Keep one.")
        if name == _FAILURE or _FAILURE_TEXT in variants[0]:
            raise PolicyInvalid(f"dialog.colang: `bot {name}` would pass for NeMo's own failure. Take it out.")
        if not variants[0].strip() or any(mark in variants[0] for mark in _TEMPLATE):
            raise PolicyInvalid(f"dialog.colang: the text of `bot {name}` is blank or a template. Write it out.")
    return frozenset(variants[0].replace("\\n", "\n") for variants in messages.values())


def _require_no_code_in_the_working_folder() -> None:
    """Raises `PolicyInvalid` when NeMo would run files of the working folder, as it does without being asked."""
    for name in _FOLDER_CODE:
        if (Path.cwd() / name).exists():
            raise PolicyInvalid(f"dialog: NeMo would run {name} in the working folder. Start canongate elsewhere.")
