"""Has the beginnings of the prompts that are asked for most ready in the model, before somebody asks."""

import datetime as dt
import logging
from collections.abc import Iterator, Sequence

import anyio
from anyio import to_thread

from gateway.live import Live, LiveState
from gateway.render import render_opening
from models.ports import RenderedPrompt
from models.worker.engine import LlamaModel
from store.content import Generate
from store.errors import StoreError
from store.repositories.decisions import Decisions

MOST_WARMED = 48
"""Below what a worker keeps at once, so that the last ones do not drive out the first."""

SEEN_WITHIN = dt.timedelta(days=30)

POLL_S = 1.0
RETRY_S = 60.0

_LOG = logging.getLogger(__name__)


class Warming:
    """Tells the model's worker what to have ready, for each revision that becomes live."""

    def __init__(self, model: LlamaModel, decisions: Decisions) -> None:
        self._model = model
        self._decisions = decisions

    async def follow(self, live: Live) -> None:
        """Does so for ever. Without it answers are right all the same, only their first tokens come later."""
        done = None
        while True:
            state = live.current
            if done != state.catalog.revision:
                try:
                    now = dt.datetime.now(dt.UTC)
                    self._model.warm(await to_thread.run_sync(openings, state, self._decisions, now))
                    done = state.catalog.revision
                except StoreError as error:
                    _LOG.warning("prompts_not_warmed, tried again in %d s: %s", RETRY_S, error)
                    await anyio.sleep(RETRY_S)
            await anyio.sleep(POLL_S)


def openings(state: LiveState, decisions: Decisions, now: dt.datetime) -> list[RenderedPrompt]:
    """Returns what to have ready, what was answered most in the last month first, then the rest as the store has it.

    Raises `StoreUnavailable`.
    """
    used = decisions.most_answered(since=now - SEEN_WITHIN, limit=MOST_WARMED)
    wanted = list(dict.fromkeys((*used, *_answerable(state))))
    return list(_rendered(state, wanted))[:MOST_WARMED]


def _answerable(state: LiveState) -> Iterator[tuple[str, str]]:
    for assistant in state.catalog.assistants.values():
        for key, prompt in state.catalog.prompts.items():
            if prompt.content.area in assistant.areas:
                yield assistant.name, key


def _rendered(state: LiveState, wanted: Sequence[tuple[str, str]]) -> Iterator[RenderedPrompt]:
    for name, key in wanted:
        assistant, prompt = state.catalog.assistants.get(name), state.catalog.prompts.get(key)
        if assistant is not None and prompt is not None and isinstance(prompt.content.reply, Generate):
            yield render_opening(assistant, prompt.content)
