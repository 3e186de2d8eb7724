"""Has the language model word an answer for an approved prompt, or says that the approved fallback has to do."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from anyio import CapacityLimiter, to_thread

from gateway.render import tidy_answer
from gateway.turn import Turn
from models.errors import ModelBusy, ModelRefused, ModelTimeout, ModelUnavailable
from models.markers import require_unmarked
from models.ports import ApprovedPrompt, Cancellation, LanguageModel, OnText, Sampling

Generating = Callable[[OnText | None], Awaitable[str | None]]
"""Has the model answer, telling each stretch of it to whoever listens."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the model is asked for."""

    prompt: ApprovedPrompt
    sampling: Sampling
    deadline_s: float
    """On the monotonic clock."""


async def word(
    model: LanguageModel, places: CapacityLimiter, turn: Turn, wanted: Wanted, on_text: OnText | None
) -> str | None:
    """Returns the model's whole sentences, or None when the approved fallback has to do.

    The completion, or the reason why there is none, is kept with the turn. Cancelling it frees the model.
    """
    cancellation = Cancellation()
    work = partial(
        model.complete, wanted.prompt, wanted.sampling, deadline_s=wanted.deadline_s, cancellation=cancellation
    )
    if on_text is not None:
        work = partial(work, on_text=on_text)
    try:
        require_unmarked(wanted.prompt)
        with turn.timed("generate"):
            completion = await to_thread.run_sync(work, abandon_on_cancel=True, limiter=places)
    except (ModelBusy, ModelUnavailable, ModelTimeout, ModelRefused) as error:
        turn.model_error = type(error).__name__
        return None
    finally:
        cancellation.cancel()  # a caller that left frees the worker; after an answer it changes nothing
    turn.completion = completion
    if not (answer := tidy_answer(completion)):
        turn.model_error = "NoWholeSentence"
        return None
    return answer
