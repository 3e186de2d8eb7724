"""Tests of what a person reads when the model declines, goes in circles or speaks of something else."""

import anyio
import pytest

from models.fakes import FakeModel
from rails.engine import compile_policy
from rails.policy import load_policy
from store.types import Outcome
from tests.building import POLICY, RESET, build, question
from tests.world import PATIENT

_OUTPUT = [{"rail": "repetition"}, {"rail": "refusal"}, {"rail": "relevance"}, {"rail": "grounding"}]


def _answer(said):
    policy = compile_policy(load_policy({**POLICY, "output": _OUTPUT}), 3, runner=PATIENT)
    here = build(RESET, model=FakeModel(answer=said), policy=policy)
    return anyio.run(here.pipeline.answer, question("I forgot my password"))


@pytest.mark.parametrize(
    ("said", "rail"),
    [
        ("I'm sorry, but I can't help with that.", "refusal"),
        ("As an AI language model, I cannot open links.", "refusal"),
        ("Open the link. " * 6, "repetition"),
        ("Whales sing in the sea.", "relevance"),
        ("Open the password link. The building has a swimming pool on its roof.", "grounding"),
    ],
)
def test_a_useless_answer_gives_way_to_the_approved_fallback(said, rail):
    reply = _answer(said)
    assert reply.decision.outcome is Outcome.BLOCKED_OUTPUT
    assert [record["name"] for record in reply.decision.rails if record["status"] == "blocked"] == [rail]
    assert RESET["reply"]["fallback"] in reply.text
    assert said.strip() not in reply.text


def test_a_good_answer_goes_through_them():
    said = "To reset your password, open https://portal.tarnwick.example/password within 15 minutes."
    reply = _answer(said)
    assert (reply.decision.outcome, reply.text) == (Outcome.ANSWERED, said)
