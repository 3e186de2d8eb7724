"""Tests of personal data: masking, what the parameters refuse, and numbers made up by their own rules."""

import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, luhn

from rails.checks.personal import PersonalParams, find, masked
from rails.engine import compile_policy
from rails.nemo import compile_stage
from rails.policy import load_policy
from rails.recognisers.finding import Entity, Reading
from rails.registry import SHIPPED_RAILS
from rails.types import RailContext, Stage

_HELP = {"de": 22, "gb": 22, "fr": 27, "nl": 18, "es": 24, "no": 15, "pl": 28, "ch": 21}


def _said(text, stage=Stage.OUTPUT, facts="", **params):
    definition = SHIPPED_RAILS["personal"]
    (compiled,) = compile_stage(
        [(definition, msgspec.convert({"rail": "personal", **params}, definition.params))], stage
    )
    return asyncio.run(compiled.run(text, RailContext(facts=facts)))


def _kinds(text):
    return [finding.entity for finding in find(Reading.of(text))]


@pytest.mark.parametrize("stage", list(Stage))
def test_a_masked_text_names_the_kinds_and_keeps_the_rest(stage):
    said = _said("Ask jo@post.example or +1 212 555 0142, it is urgent.", stage, on_fail="transform")
    assert said.text == "Ask [email] or [phone], it is urgent."
    assert said.reason == "personal.email"
    assert said.is_rewritten


def test_what_is_allowed_stays_beside_what_is_masked():
    said = _said("jo@post.example, 81.2.69.142", on_fail="transform", entities={"ip": "allow"})
    assert said.text == "[email], 81.2.69.142"


def test_what_is_approved_stays_beside_what_is_masked():
    said = _said("desk@a.example, jo@post.example", on_fail="transform", approved=["*@a.example"])
    assert said.text == "desk@a.example, [email]"


def test_one_blocked_kind_stops_a_text_that_would_be_masked():
    said = _said("jo@post.example, 4111 1111 1111 1111", on_fail="transform", entities={"card": "block"})
    assert said.is_blocked
    assert said.reason == "personal.card"


def test_invisible_characters_neither_hide_nor_survive():
    said = _said("jo@po\u200bst.example and 4111\u20601111 1111\u00ad1111", on_fail="transform")
    assert said.text == "[email] and [card]"


def test_a_text_without_personal_data_is_left_as_it_is():
    said = _said("soft\u00adware", on_fail="transform")
    assert (said.text, said.is_rewritten) == ("soft\u00adware", False)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"entities": {"email": "mask"}}, "on_fail: transform"),
        ({"entities": {entity.value: "allow" for entity in Entity}}, "does nothing"),
        ({"approved": ["---"]}, "neither letters nor digits"),
        ({"entities": {"emial": "allow"}}, "emial"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused_in_words(params, words):
    with pytest.raises(msgspec.ValidationError, match=words):
        msgspec.convert({"rail": "personal", **params}, PersonalParams)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"on_fail": "transform"},
        {"on_fail": "clarify"},
        {"entities": {entity.value: "allow" for entity in Entity if entity is not Entity.PASSPORT}},
        {"on_fail": "transform", "entities": {"card": "block", "email": "allow", "phone": "mask"}},
    ],
)
def test_the_probes_fit_every_way_to_treat_kinds(params):
    document = load_policy(
        {
            "name": "p",
            "input": [{"rail": "personal", **params}],
            "output": [{"rail": "markup"}],
            "refusals": {"en": {"default": "No."}},
        }
    )
    assert compile_policy(document, 1).rails(Stage.INPUT) == ("personal",)


_digits = st.text(st.sampled_from("0123456789"), min_size=11, max_size=11)


@given(_digits, st.sampled_from(["4000", "5100", "2221", "6011", "3528"]), st.sampled_from(["", " ", "-"]))
def test_a_card_with_a_right_check_digit_is_found_however_it_is_grouped(digits, issuer, gap):
    body = issuer + digits
    number = body + luhn.calc_check_digit(body)
    text = f"use {gap.join(number[at : at + 4] for at in range(0, 16, 4))} today"
    assert _kinds(text) == [Entity.CARD]
    assert masked(text, find(Reading.of(text))) == "use [card] today"


@given(_digits, st.sampled_from(["4000", "5100", "2221"]), st.integers(1, 9))
def test_a_card_with_a_wrong_check_digit_is_no_card_without_a_word(digits, issuer, error):
    body = issuer + digits
    wrong = (int(luhn.calc_check_digit(body)) + error) % 10
    assert Entity.CARD not in _kinds(f"batch {body}{wrong} failed")


@given(st.sampled_from(sorted(_HELP)), st.text(st.sampled_from("0123456789"), min_size=30, max_size=30), st.booleans())
def test_an_account_with_right_check_digits_is_found_in_the_lengths_of_its_country(country, digits, is_grouped):
    letters = {"gb": "WEST", "nl": "ABNA"}.get(country, "")
    rest = (letters + digits)[: _HELP[country] - 4]
    number = country.upper() + iban.calc_check_digits(country.upper() + "00" + rest) + rest
    written = " ".join(number[at : at + 4] for at in range(0, len(number), 4)) if is_grouped else number
    assert _kinds(f"pay to {written} by Friday") == [Entity.IBAN]


@given(st.text(max_size=80))
def test_findings_lie_in_the_text_in_order_and_apart(text):
    reading = Reading.of(text)
    ends = 0
    for finding in find(reading):
        assert ends <= finding.start < finding.end <= len(reading.text)
        ends = finding.end


@given(
    st.lists(st.sampled_from(["jo@post.example", "+49 30 901820", "4111 1111 1111 1111", "and", "room 7"]), max_size=6)
)
def test_nothing_is_found_in_a_masked_text(words):
    text = ", ".join(words)
    assert find(Reading.of(masked(text, find(Reading.of(text))))) == []
