import asyncio
import time

import pytest

from models.errors import ModelBusy, ModelRefused, ModelTimeout, ModelUnavailable
from models.fakes import FakeEmbedder, FakeModel, prompt_text
from models.ports import Cancellation, FinishReason, Sampling
from tests.models.prompts import approved


def ask(model, prompt, timeout_s=5.0, **sampling):
    return model.complete(
        prompt, Sampling(**sampling), deadline_s=time.monotonic() + timeout_s, cancellation=Cancellation()
    )


def test_the_model_keeps_every_prompt_also_those_it_does_not_answer():
    model = FakeModel(is_unavailable=True)
    prompt = approved("hello")
    with pytest.raises(ModelUnavailable):
        ask(model, prompt)
    assert model.prompts == [prompt]


def test_the_answer_can_be_computed_from_the_prompt():
    model = FakeModel(answer=lambda prompt: prompt_text(prompt).upper())
    assert ask(model, approved("where", slot=" Lisbon")).text == "WHERE LISBON"


def test_stop_texts_and_max_tokens_limit_the_answer_as_in_the_real_one():
    model = FakeModel(answer="one two three four")
    assert ask(model, approved("x"), stop=("three",)).text == "one two "
    limited = ask(model, approved("x"), max_tokens=2)
    assert (limited.text, limited.finish_reason) == ("one two", FinishReason.LENGTH)


def test_it_can_be_busy_slow_or_too_small():
    with pytest.raises(ModelBusy):
        ask(FakeModel(is_busy=True), approved("x"))
    with pytest.raises(ModelTimeout):
        ask(FakeModel(delay_s=60.0), approved("x"), timeout_s=0.05)
    with pytest.raises(ModelRefused):
        ask(FakeModel(context_tokens=80), approved("x"))


@pytest.mark.parametrize("call", [lambda: FakeEmbedder().embed(["x"]), lambda: ask(FakeModel(), approved("x"))])
def test_a_call_on_the_event_loop_fails_the_test(call):
    async def on_the_loop():
        call()

    with pytest.raises(AssertionError, match="event loop"):
        asyncio.run(on_the_loop())


def test_similar_wordings_are_nearer_than_others():
    password, variant, holiday = FakeEmbedder().embed(
        ["How do I reset my password?", "How can I reset my password?", "When does the canteen open on Friday?"]
    )
    assert float(password @ variant) > 0.7
    assert float(password @ holiday) < 0.5
