"""What makes two questions one to the answer cache: every value that the words of an answer, or its checks, rest on."""

from dataclasses import dataclass
from hashlib import sha256

import msgspec

from gateway.live import LiveState
from gateway.model_use import WeightsUsed
from gateway.turn import Turn
from models.ports import RenderedPrompt, Sampling
from store.content import Assistant, Generate, PromptVersion

_FORM = "canongate-answer-2"
"""Part of every hash: another composition of the key is another form, and finds nothing of this one."""


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """Names one answer exactly; equal keys mean equal input to the model and equal checks of its words."""

    digest: bytes
    """SHA-256 over everything below and over slots, prompt text, facts, instructions, sampling, weights and adapter."""
    assistant: str
    prompt: str
    origin: bytes
    """SHA-256 over the published content alone: assistant, prompt version, policy revision."""


def answer_key(turn: Turn, sent: RenderedPrompt, sampling: Sampling, weights: WeightsUsed) -> AnswerKey | None:
    """Returns the key under which the answer may be kept; None when it must not be.

    Kept are answers of prompts that say so, that can be repeated, and whose model input is approved text and checked
    slot values alone. Weights without a hash are no known weights.
    """
    prompt = turn.prompt
    if prompt is None or not isinstance(prompt.content.reply, Generate) or prompt.content.reply.cache_s is None:
        return None
    is_quoted = sent.has_quoted_text or prompt.content.has_quoted_text
    can_be_repeated = sampling.temperature == 0 or sampling.seed > 0
    if is_quoted or not can_be_repeated or not weights.sha256:
        return None
    origin = _origin(turn.state, turn.assistant, prompt)
    slots = [(value.slot.name, value.text, value.fact) for value in turn.values]
    try:
        digest = _hash(_FORM, origin.hex(), slots, sent, sampling, weights.sha256, weights.adapter)
    except UnicodeEncodeError:  # half a surrogate pair has no bytes to hash
        return None
    return AnswerKey(digest, turn.assistant.name, prompt.key, origin)


def is_live(key: AnswerKey, state: LiveState) -> bool:
    """Whether the content that an answer rests on is still what is published."""
    assistant, prompt = state.catalog.assistants.get(key.assistant), state.catalog.prompts.get(key.prompt)
    return assistant is not None and prompt is not None and _origin(state, assistant, prompt) == key.origin


def _origin(state: LiveState, assistant: Assistant, prompt: PromptVersion) -> bytes:
    """Hashes the whole assistant, not the fields that matter today: a later field cannot be forgotten."""
    policy = state.policies[assistant.policy]
    return _hash(_FORM, assistant, prompt.key, prompt.number, prompt.sha256, policy.name, policy.revision)


def _hash(*values: object) -> bytes:
    """Hashes values as one JSON array, in which no two lists of values look the same."""
    return sha256(msgspec.json.encode(values)).digest()
