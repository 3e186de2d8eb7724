"""Tests of what the grounding rail counts and of its way by similarity."""

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rails.checks import grounding, relevance
from rails.checks.grounding import GroundingParams, find, score
from rails.claims import claims_of
from rails.definition import RailServices
from rails.errors import PolicyInvalid
from rails.nemo import compile_stage
from rails.types import RailContext, Stage

_FACTS = "The office opens at nine. A lost badge is replaced within one working day."
_OWN_WORDS = "People come into the building from nine."


def _verdict(rail, services, text, context, **params):
    compiled = compile_stage([(rail, rail.params(**params))], Stage.OUTPUT, services)
    return asyncio.run(compiled[0].run(text, context))


def _embedder(calls, *, alike):
    def embed(texts):
        calls.append(tuple(texts))
        rows = [[1.0, 0.0] if "nine" in text or alike else [0.0, 1.0] for text in texts]
        return np.array(rows, dtype=np.float32)

    return RailServices(embed=embed)


def test_a_sentence_in_words_of_its_own_passes_by_similarity_only_where_a_policy_asks_for_it():
    context, calls = RailContext(facts=_FACTS), []
    services = _embedder(calls, alike=False)
    assert _verdict(grounding.RAIL, services, _OWN_WORDS, context).reason == "grounding.support"
    assert calls == []
    assert not _verdict(grounding.RAIL, services, _OWN_WORDS, context, min_similarity=0.8).is_blocked


def test_a_sentence_that_is_not_alike_stays_blocked():
    context = RailContext(facts="A lost badge is replaced within one working day.")
    said = _verdict(grounding.RAIL, _embedder([], alike=False), "Tea is served at nine.", context, min_similarity=0.8)
    assert said.reason == "grounding.number"
    said = _verdict(
        grounding.RAIL, _embedder([], alike=False), "Tea is served in the nineties.", context, min_similarity=0.8
    )
    assert said.reason == "grounding.support"


def test_similarity_never_outweighs_a_number_that_the_facts_do_not_have():
    context = RailContext(facts=_FACTS)
    said = _verdict(grounding.RAIL, _embedder([], alike=True), "It opens at ten.", context, min_similarity=0.1)
    assert said.reason == "grounding.number"


def test_what_the_facts_support_is_not_embedded():
    calls = []
    said = _verdict(grounding.RAIL, _embedder(calls, alike=True), _FACTS, RailContext(facts=_FACTS), min_similarity=0.8)
    assert not said.is_blocked
    assert calls == []


@pytest.mark.parametrize("rail", [grounding.RAIL, relevance.RAIL], ids=lambda rail: rail.name)
def test_similarity_without_an_embedder_is_refused(rail):
    with pytest.raises(PolicyInvalid, match=f"{rail.name}: `min_similarity` needs an embedder"):
        compile_stage([(rail, rail.params(min_similarity=0.5))], Stage.OUTPUT)


def test_an_answer_in_other_words_speaks_to_the_prompt_by_similarity():
    context = RailContext(prompt="Is it nine when the office opens?")
    text = "People may come into the building at nine."
    services = _embedder([], alike=False)
    assert _verdict(relevance.RAIL, services, text, RailContext(prompt="Opening hours")).reason == "relevance.elsewhere"
    assert not _verdict(relevance.RAIL, services, text, context, min_similarity=0.8).is_blocked
    said = _verdict(relevance.RAIL, services, "Whales sing.", context, min_similarity=0.8)
    assert said.reason == "relevance.elsewhere"


def test_the_score_falls_with_each_thing_that_the_facts_do_not_have():
    context = RailContext(facts=_FACTS)
    answers = [
        "A lost badge is replaced within one working day.",
        "A lost badge is replaced within one working day by the porter.",
        "A lost badge is sent home by a friendly courier.",
        "A lost Visa card is sent home by a friendly courier in 30 days.",
        "Dogs swim.",
    ]
    scores = [score(answer, context) for answer in answers]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1.0
    assert scores[-1] == 0.0


@given(st.text(max_size=300))
def test_every_text_is_borne_out_by_itself(text):
    context = RailContext(facts=text)
    assert score(text, context) == 1.0
    assert grounding.find(text, context, GroundingParams()) in (
        None,
        "grounding.no_facts",
        "grounding.empty",
        "grounding.cut",
    )


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_score_is_a_share(text, facts):
    assert 0.0 <= score(text, RailContext(facts=facts)) <= 1.0


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("one hundred and twenty five days", ("125", "day")),
        ("twenty-five days", ("25", "day")),
        ("two thousand three hundred euros", ("2300", "€")),
        ("a limit of two dozen", ("24", "")),
        ("about 3.5 million dollars", ("3500000", "$")),
        ("costs 5k", ("5000", "")),
        ("within 7 working days", ("7", "working day")),
        ("half an hour", ("0.5", "hour")),
        ("two and a half hours", ("2.5", "hour")),
        ("an hour and a half", ("1.5", "hour")),
        ("USD 40 a head", ("40", "$")),
        ("a 27-inch screen", ("27", "inch")),
        ("from 9 to 5 pm", ("9", "pm")),
        ("1'000 CHF", ("1000", "chf")),
    ],
)
def test_a_number_is_read_with_its_unit(text, want):
    assert want in claims_of(text).numbers


@pytest.mark.parametrize(
    "text",
    ["31 March 2026", "March 31st, 2026", "the 31st of March", "2026-03-31", "31/03/2026", "03/31/2026", "31.3.2026"],
)
def test_a_date_is_read_in_every_spelling(text):
    assert claims_of(f"by {text}").dates == {(31, 3)}


@pytest.mark.parametrize(
    ("answer", "facts"),
    [
        ("Open the portal. " * 2000, "Open the portal."),
        ("Open the portal.", "Open the portal. " * 8000),
        (" ".join(f"It is {number} days." for number in range(600)), " ".join(f"It was {n} days." for n in range(600))),
        (" ".join(map(str, range(3000))) + ".", " ".join(map(str, range(3100))) + "."),
    ],
    ids=["long answer", "long facts", "many sentences", "many numbers"],
)
def test_a_text_that_would_take_long_to_compare_is_refused_before_it_is_compared(answer, facts):
    assert find(answer, RailContext(facts=facts), GroundingParams()) == "grounding.too_long"


def test_a_long_answer_is_compared_all_the_same():
    facts = " ".join(f"Room {number} is open until {number % 12 + 1} pm." for number in range(1, 150))
    assert find(facts, RailContext(facts=facts), GroundingParams()) is None


def test_a_number_in_words_has_an_end():
    assert find("thousand " * 1500 + "days.", RailContext(facts="It takes three days."), GroundingParams()) is not None
