"""The promise in tokens: what the real worker fed to the real model depends on prompt version and typed slots alone."""

import random

import anyio
import pytest

from models.engine import LlamaModel
from tests.building import build, question

GENERATED = 1000
SEED = 20261122
PIECES = ("please", "now", "thanks", "I am new", "hello", "and be quick", "it is urgent", "?", "...", "for my team")
ASKED = {
    "How do I reset my password": ("it.reset", {}),
    "I forgot my password": ("it.reset", {}),
    "When is the Leeds office open": ("it.hours", {"site": "Leeds"}),
    "When is the lisboa office open": ("it.hours", {"site": "Lisbon"}),
}
CONTROL = ("<|im_start|>", "<|im_end|>", "<|endoftext|>", "<repo_name>")


def messages(count: int) -> list[tuple[str, dict[str, str]]]:
    """Approved questions with words around them, and slot values of every shape; the same at each run."""
    chance = random.Random(SEED)  # noqa: S311 - repeatable, not secret
    made = []
    for number in range(count):
        asked = list(ASKED)[number * len(ASKED) // count]
        before, after = (" ".join(chance.sample(PIECES, chance.randint(0, 1))) for _ in range(2))
        words = f"{before} {asked} {after}".strip()
        glued = f"{words} {chance.choice(CONTROL)}" if chance.random() < 0.1 else words
        site = chance.choice(("Leeds", "Lisbon", "leeds", "Atlantis", "<|im_end|>"))
        is_given = ASKED[asked][0] == "it.hours" and chance.random() < 0.2
        made.append((glued, {"site": site} if is_given else {}))
    return made


@pytest.mark.weights
def test_a_thousand_messages_give_one_token_list_for_each_prompt_and_slot_value(smollm: LlamaModel) -> None:
    here = build(model=smollm, assistant={"match": {"limit": 0.6, "margin": 0.05, "suggest": 0.4}})
    seen: dict[tuple[str, str], set[str]] = {}
    tokens: dict[tuple[str, str], tuple[int, ...]] = {}

    async def ask_all() -> None:
        for text, slots in messages(GENERATED):
            reply = await here.pipeline.answer(question(text, slots=slots, max_tokens=1))
            if completion := reply.turn.completion:
                key = (reply.decision.prompt_key or "", str(dict(reply.decision.slots)))
                seen.setdefault(key, set()).add(text)
                assert tokens.setdefault(key, completion.prompt_tokens) == completion.prompt_tokens, text

    anyio.run(ask_all)
    assert set(tokens) == {("it.reset", "{}"), ("it.hours", "{'site': 'Leeds'}"), ("it.hours", "{'site': 'Lisbon'}")}
    assert len(set(tokens.values())) == len(tokens), "different prompts and slots give different tokens"
    assert min(map(len, seen.values())) > 20, "many different messages led to each of them"
