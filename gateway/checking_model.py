"""Lends the language model to rails that ask one: a few questions at a time, each within its time, or a failure."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import BoundedSemaphore

from gateway.render import quoted_part
from models.absent import AbsentModel
from models.errors import ModelBusy, ModelRefused
from models.markers import require_unmarked
from models.ports import ApprovedPrompt, Cancellation, LanguageModel, PartKind, PromptPart, RenderedPrompt, Sampling
from models.remote.model import RemoteModel
from models.upstream.model import UpstreamModel
from models.worker.engine import LlamaModel
from models.worker.limits import ModelState
from rails.definition import Ask, QuestionPart
from rails.errors import TextRefused

ANSWER_S = 1.5
"""How long one question may take, as long as the rail waits."""
READY_S = 60.0
"""How long a policy that asks waits for a model that is still loading its weights, when it is compiled."""
AT_ONCE = 2
"""Questions that may be under way; one more fails at once, as it does when the model's own queue is full."""
_SAMPLING = Sampling(max_tokens=4)
_POLL_S = 0.05


def approved_question(question: Sequence[QuestionPart]) -> ApprovedPrompt:
    """Returns the prompt for a question of a rail: its own words, and texts that are quoted like `quoted_text` slots.

    Raises `TextRefused` for a quoted text with the mark of a turn.
    """
    parts = (quoted_part(one.text) if one.is_quoted else PromptPart(one.text, PartKind.APPROVED) for one in question)
    rendered = RenderedPrompt((), tuple(parts))
    try:
        require_unmarked(rendered)
    except ModelRefused as error:
        raise TextRefused("a text carries the mark of another turn") from error
    return ApprovedPrompt(rendered)


class CheckingModel:
    """The configured model as rails see it; thread-safe."""

    def __init__(self, model: Callable[[], LanguageModel]) -> None:
        """`model` is called when the first policy wants to ask."""
        self._model = model
        self._places = BoundedSemaphore(AT_ONCE)
        # Threads of its own: the loop's shared ones embed texts for other rails.
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="canongate-self-check")

    def ask_of(self, name: str) -> Ask:
        """Returns what asks the model of this name; raises `ValueError` when that is not the configured one.

        Blocks for a model that is still starting.
        """
        model = self._model()
        is_absent = isinstance(model, AbsentModel)
        if is_absent:
            raise ValueError(f"no language model is configured, so {name!r} cannot be asked. Configure it.")
        if model.name != name:
            raise ValueError(f"the configured language model is {model.name!r} and not {name!r}. Name that one.")
        until_s = time.monotonic() + READY_S
        while _is_starting(model) and time.monotonic() < until_s:
            time.sleep(_POLL_S)
        return partial(self._ask, model)

    async def _ask(self, model: LanguageModel, question: Sequence[QuestionPart]) -> str:
        prompt = approved_question(question)
        if not self._places.acquire(blocking=False):
            raise ModelBusy(ANSWER_S)
        cancellation = Cancellation()
        try:
            work = self._threads.submit(self._complete, model, prompt, cancellation)
        except BaseException:
            self._places.release()
            raise
        work.add_done_callback(lambda _: self._places.release())  # also of one that is given up before it began
        try:
            return await asyncio.wrap_future(work)
        finally:
            cancellation.cancel()  # a rail that is given up frees the model; after an answer it changes nothing

    @staticmethod
    def _complete(model: LanguageModel, prompt: ApprovedPrompt, cancellation: Cancellation) -> str:
        deadline_s = time.monotonic() + ANSWER_S
        return model.complete(prompt, _SAMPLING, deadline_s=deadline_s, cancellation=cancellation).text


def _is_starting(model: LanguageModel) -> bool:
    return isinstance(model, LlamaModel | UpstreamModel | RemoteModel) and model.state is ModelState.STARTING
