"""How a reply looks in the terminal and as JSON: the trace shows what the model got, and only when it is asked for."""

import json
from dataclasses import replace
from io import StringIO

import anyio
import msgspec
import pytest
from rich.console import Console

from gateway.commands.trace import describe, show_reply, show_trace
from gateway.http.explanation import explain
from models.fakes import FakeModel
from store.learning.limits import NEVER
from tests.building import ASSISTANT, GROUNDED, LIMITS, PROMPTS, UNSURE, build, question


def reply_to(text: str, *, model: FakeModel | None = None, limits=LIMITS, **changes):
    here = build(*PROMPTS, model=model or FakeModel(answer=GROUNDED), limits=limits)
    return anyio.run(here.pipeline.answer, question(text, **changes))


def shown(show, reply) -> str:
    console = Console(width=200, record=True, file=StringIO())
    show(console, reply)
    return console.export_text()


def test_a_reply_without_its_trace_has_no_scores_and_no_prompt_text():
    described = describe(reply_to("I forgot my password"), with_trace=False)
    assert (described["outcome"], described["source"], described["text"]) == ("answered", "generate", GROUNDED)
    assert described["prompt"] == {"id": "it.reset", "version": 1, "title": "Reset a forgotten password"}
    assert "trace" not in described
    assert "Explain how" not in json.dumps(msgspec.to_builtins(described))


def test_the_trace_shows_what_the_model_got_and_said():
    trace = describe(reply_to("When is the Leeds office open?"), with_trace=True)["trace"]
    assert trace["message"] == "When is the Leeds office open?"
    assert {"kind": "slot", "text": "Leeds"} in trace["sent"]["question"]
    assert trace["sent"]["instructions"] == [{"kind": "approved", "text": ASSISTANT["instructions"]}]
    assert trace["model_said"] == GROUNDED
    assert (trace["gate"], trace["method"], trace["model_error"]) == ("exact_phrase", "exact", None)
    assert trace["candidates"][0]["prompt"] == "it.hours"
    assert {rail["name"] for rail in trace["rails"]} >= {"length", "grounding"}
    assert json.loads(msgspec.json.encode(trace))["prompt_tokens"] > 0


def test_the_trace_of_a_message_that_reached_no_model_says_so():
    trace = describe(reply_to("zebras graze quietly"), with_trace=True)["trace"]
    assert (trace["sent"], trace["model_said"], trace["sent_sha256"]) == (None, None, None)
    refused = describe(reply_to("a\u200bb"), with_trace=True)
    assert (refused["trace"]["candidates"], refused["prompt"]) == ([], None)


def test_the_counterexample_is_part_of_the_trace():
    described = describe(reply_to("How do I change my password?", limits=UNSURE), with_trace=True)
    assert [one["counter_similarity"] is not None for one in described["trace"]["candidates"]].count(True) == 1
    assert {"id": "it.reset", "title": "Reset a forgotten password"} in described["suggestions"]


def test_an_answer_is_printed_with_what_it_is_based_on():
    text = shown(show_reply, reply_to("I forgot my password"))
    assert "● answered (generate)" in text
    assert GROUNDED in text
    assert "Based on: Reset a forgotten password (it.reset, version 1)" in text


def test_a_handoff_is_printed_with_who_takes_over():
    assert "Service Desk · 4100" in shown(show_reply, reply_to("Let me talk to a human being"))


def test_choices_are_printed_with_their_keys():
    text = shown(show_reply, reply_to("How do I change my password?", limits=UNSURE))
    assert "● clarify" in text
    assert "Reset a forgotten password" in text
    assert "it.reset" in text
    assert "Based on" not in text


@pytest.mark.parametrize(
    "message", ["I forgot my password", "How do I change my password?", "zebras graze", "a\u200bb"]
)
def test_a_trace_is_printed_for_every_outcome(message):
    text = shown(show_trace, reply_to(message))
    assert "Rails" in text
    assert "answers from 0.7, margin 0.05, suggest 0.4, floor -1" in text
    assert "ms: " in text


def test_limits_that_no_score_reaches_are_said_in_words():
    text = shown(show_trace, reply_to("zebras graze", limits=replace(LIMITS, answer=NEVER)))
    assert "answers word for word only, margin" in text
    assert explain(reply_to("zebras graze", limits=replace(LIMITS, answer=NEVER))).limit is None
    assert explain(reply_to("zebras graze")).limit == LIMITS.answer


def test_the_trace_says_which_words_contradict():
    reply = reply_to("I never forgot my password", limits=replace(LIMITS, answer=0.3, margin=0.0))
    trace = describe(reply, with_trace=True)["trace"]
    assert trace["gate"] == "contradiction"
    assert trace["difference"].startswith("negation: ")
    assert f"gate contradiction ({trace['difference']})" in shown(show_trace, reply)
    assert explain(reply).difference == trace["difference"]
    assert describe(reply_to("zebras graze"), with_trace=True)["trace"]["difference"] is None


def test_the_printed_trace_holds_the_models_input_words_and_failure():
    text = shown(show_trace, reply_to("When is the Leeds office open?"))
    assert "Sent to the model" in text
    assert "Say when the Leeds office is open." in text
    assert "The model said" in text
    failed = shown(show_trace, reply_to("I forgot my password", model=FakeModel(is_busy=True)))
    assert "The model did not answer: ModelBusy" in failed
    assert "The model said" not in failed


def test_words_in_square_brackets_are_printed_as_they_are():
    answer = "The link is valid for 15 minutes [bold]now[/bold]."
    assert "[bold]now[/bold]" in shown(show_reply, reply_to("I forgot my password", model=FakeModel(answer=answer)))
