"""Turns and keys for the tests of kept answers."""

from gateway.answer_keys import answer_key
from gateway.model_use import WeightsUsed
from gateway.turn import Turn
from models.ports import PartKind, PromptPart, RenderedPrompt, Sampling
from tests.building import HOURS, RESET, question

WEIGHTS = "e" * 64
CACHED = {**RESET, "reply": {**RESET["reply"], "cache": "1h"}}
HOURS_CACHED = {**HOURS, "reply": {**HOURS["reply"], "cache": "1h"}}
SAMPLING = Sampling()
SENT = RenderedPrompt(
    (PromptPart("Answer.", PartKind.APPROVED),), (PromptPart("Explain the reset.", PartKind.APPROVED),)
)


def turn_for(state, prompt="it.reset", values=()) -> Turn:
    (assistant,) = state.catalog.assistants.values()
    turn = Turn(question("x", assistant=assistant.name), state, assistant)
    turn.prompt, turn.values = state.catalog.prompts.get(prompt), values
    return turn


def key_of(state, *, sent=SENT, sampling=SAMPLING, weights=WEIGHTS, adapter="", **of):
    return answer_key(turn_for(state, **of), sent, sampling, WeightsUsed(weights, adapter))
