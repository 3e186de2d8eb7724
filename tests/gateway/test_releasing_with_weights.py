"""The real model's words, let out sentence by sentence under real rails."""

import anyio
import pytest

from gateway.turn import Released, Reply
from rails.engine import compile_policy
from rails.policy import load_policy
from store.types import Outcome
from tests.building import HOURS, POLICY, RESET, build, question
from tests.world import PATIENT

pytestmark = pytest.mark.weights

LONG = {
    **RESET,
    "reply": {**RESET["reply"], "prompt": "Explain in three sentences how to reset a forgotten password."},
}
QUESTIONS = ["I forgot my password", "When is the Leeds office open?", "When is the Lisbon office open?"]


def ask(here, text: str, *, listens: bool) -> tuple[Reply, list[str]]:
    told: list[str] = []

    async def watch(news):
        if isinstance(news, Released):
            told.append(news.text)

    return anyio.run(here.pipeline.answer, question(text), *([watch] * listens)), told


@pytest.mark.parametrize("text", QUESTIONS)
def test_its_words_leave_as_sentences_and_come_to_the_same(smollm, text):
    policies = [
        compile_policy(load_policy({**POLICY, "output": [{"rail": "secrets"}], "streaming": mode}), 3, runner=PATIENT)
        for mode in ("checked_sentences", "whole_answer")
    ]
    by_sentence, whole = (build(LONG, HOURS, model=smollm, policy=policy) for policy in policies)
    streamed, told = ask(by_sentence, text, listens=True)
    plain, _ = ask(by_sentence, text, listens=False)
    at_once, untold = ask(whole, text, listens=True)
    assert streamed.decision.outcome is Outcome.ANSWERED
    assert "".join(told) == streamed.text == plain.text == at_once.text
    assert untold == []
    assert streamed.decision.sent_sha256 == plain.decision.sent_sha256 == at_once.decision.sent_sha256
