"""Has the language model word an answer for an approved prompt, or says that the approved fallback has to do."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from anyio import CapacityLimiter, to_thread

from gateway.errors import NotServing
from gateway.limits import Admission
from gateway.lines import away
from gateway.model_use import TokensUsed
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


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked, and what stands before it."""

    model: LanguageModel
    admission: Admission
    threads: CapacityLimiter


async def word(asked: Asked, turn: Turn, wanted: Wanted, on_text: OnText | None) -> str | None:
    """Returns the model's whole sentences, or None when the approved fallback has to do.

    The completion, or the reason why there is none, is kept with the turn. Cancelling it frees the model. While the
    model works, or others wait for it, the request's own place is free for others.
    """
    if asked.admission.skips_model:
        _skip(asked, turn)
        return None
    wait_s = min(asked.admission.limits.model_wait_s, max(0.0, wanted.deadline_s - time.monotonic()))
    try:
        async with away(), asked.admission.lines.model.place(within_s=wait_s):
            return await _complete(asked, turn, wanted, on_text)
    except NotServing:
        _skip(asked, turn)
        return None


def _skip(asked: Asked, turn: Turn) -> None:
    turn.model_error = "Skipped"
    asked.admission.skipped.count += 1


async def _complete(asked: Asked, turn: Turn, wanted: Wanted, on_text: OnText | None) -> str | None:
    cancellation = Cancellation()
    work = partial(
        asked.model.complete, wanted.prompt, wanted.sampling, deadline_s=wanted.deadline_s, cancellation=cancellation
    )
    if on_text is not None:
        work = partial(work, on_text=_counting(turn, wanted.prompt, on_text))
    try:
        require_unmarked(wanted.prompt)
        with turn.timed("generate"):
            completion = await to_thread.run_sync(work, abandon_on_cancel=True, limiter=asked.threads)
    except (ModelBusy, ModelUnavailable, ModelTimeout, ModelRefused) as error:
        turn.model_error = type(error).__name__
        return None
    finally:
        cancellation.cancel()  # a caller that left frees the worker; after an answer it changes nothing
    turn.completion, turn.used = completion, TokensUsed.of(completion)
    if not (answer := tidy_answer(completion)):
        turn.model_error = "NoWholeSentence"
        return None
    return answer


def _counting(turn: Turn, prompt: ApprovedPrompt, on_text: OnText) -> OnText:
    """Keeps with the turn what the model takes as it goes on: it may be stopped, and what it said shown."""
    read, written = "".join(part.text for part in (*prompt.instructions, *prompt.question)), ""

    def hear(stretch: str) -> None:
        nonlocal written
        written += stretch
        turn.used = TokensUsed.estimated(read, written)
        on_text(stretch)

    return hear
