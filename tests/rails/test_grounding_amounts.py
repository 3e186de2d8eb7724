# ruff: noqa: RUF001 - digits of other scripts are the point
"""Tests of answers that turn facts around, and of answers that say the same amounts in other units and digits."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rails.checks.grounding import GroundingParams, find
from rails.claims import claims_of
from rails.measures import measure_of
from rails.types import RailContext

FACTS = (
    "Call the Facilities Team on extension 4400. "
    "A new badge takes 14 days and costs 1,250 euros. "
    "Apply at least two weeks before you travel. "
    "The office is open from 9:00 to 17:00, Monday to Friday. "
    "Anna Weber manages Finance and Bruno Keller manages Legal. "
    "Refunds are paid within 90 minutes. "
    "Passwords need 12 characters. "
    "Do not share your badge. "
    "Contractors cannot borrow laptops; employees can. "
    "The pool car seats five people. "
    "Parking is free. "
    "Visitors must register at the gate. "
    "Only managers may approve overtime. "
    "The archive is kept for 2 years. "
    "The meeting lasts 30 minutes. "
)
WRONG = (
    "Call extension ٤٤٠١.",
    "Call extension ４４０１.",
    "Call extension ४४०१.",
    "Call extension ⁴⁴⁰¹.",
    "A new badge takes ¹⁵ days.",
    "A new badge takes ②① days.",
    "A new badge takes 三十 days.",
    "It costs ½ euro.",
    "Bruno Keller manages Finance and Anna Weber manages Legal.",
    "Anna Weber manages Legal.",
    "Bruno Keller manages Finance.",
    "Contractors can borrow laptops.",
    "Parking is not free.",
    "Parking isn't free.",
    "You can share your badge.",
    "Share your badge.",
    "Visitors need not register at the gate.",
    "Visitors don't have to register at the gate.",
    "Visitors must not register at the gate.",
    "Everyone may approve overtime.",
    "Managers may not approve overtime.",
    "Apply at most two weeks before you travel.",
    "Apply two weeks after you travel.",
    "The archive is kept for 30 years.",
    "The archive is kept for 2 months.",
    "Refunds are paid within 30 minutes.",
    "The meeting lasts 90 minutes.",
    "A new badge takes 12 days.",
    "Passwords need 14 characters.",
    "The office is open from 17:00 to 9:00.",
    "The office is closed from 9:00 to 17:00, Monday to Friday.",
    "The office is never open.",
    "A new badge takes three weeks.",
    "Refunds are never paid.",
    "A new badge costs 14 euros and takes 1,250 days.",
    "Refunds are paid after 90 minutes.",
    "The pool car seats two people.",
    "The pool car seats a dozen people.",
    "Refunds are paid without delay within 2 hours.",
    "No visitors must register.",
)
RIGHT = (
    "Call extension ٤٤٠٠.",
    "Call extension ４４００.",
    "Call extension ४४००.",
    "A new badge takes two weeks.",
    "A new badge takes fourteen days.",
    "Apply at least 14 days before you travel.",
    "Refunds are paid within an hour and a half.",
    "Refunds are paid within 1.5 hours.",
    "The archive is kept for 24 months.",
    "The meeting lasts half an hour.",
    "The office is open from 9 am to 5 pm, Monday to Friday.",
    "The office is open from 9:00 to 17:00.",
    "Anna Weber manages Finance.",
    "Bruno Keller manages Legal.",
    "Bruno Keller manages Legal and Anna Weber manages Finance.",
    "Contractors cannot borrow laptops.",
    "Contractors can't borrow laptops.",
    "Parking is free.",
    "Never share your badge.",
    "You must not share your badge.",
    "Visitors have to register at the gate.",
    "Only managers may approve overtime.",
    "Overtime can be approved by managers only.",
    "The pool car seats 5.",
    "It costs EUR 1250.",
    "A badge takes 2 weeks and costs €1,250.",
    "Passwords need twelve characters.",
    "Finance is managed by Anna Weber.",
    "You should apply two weeks before travel.",
)


def _said(answer, facts=FACTS):
    return find(answer, RailContext(facts=facts), GroundingParams())


@pytest.mark.parametrize("answer", WRONG)
def test_an_answer_that_the_facts_do_not_bear_out_is_stopped(answer):
    assert _said(answer) is not None


@pytest.mark.parametrize("answer", RIGHT)
def test_an_answer_in_other_digits_units_and_words_passes(answer):
    assert _said(answer) is None


@pytest.mark.parametrize(
    ("answer", "facts", "want"),
    [
        ("Bob leads Sales.", "Ann leads Law. The team of Bob Stone leads Trade.", "grounding.name"),
        ("Ann Lee leads Trade.", "Ann Lee leads Law. Bob Stone leads Trade.", "grounding.swapped"),
        ("Room 7 opens at 9:00.", "Room 7 opens at 8:00. Room 8 opens at 9:00.", "grounding.swapped"),
        ("Room 7 opens at 8:00.", "Room 7 opens at 8:00. Room 8 opens at 9:00.", None),
        ("Ann Lee studied in Ulm.", "Ann Lee wrote to Bob Stone. Ann Lee studied in Ulm.", None),
        ("Ann Lee wrote to Bob Stone of Ulm.", "Ann Lee wrote to Bob Stone. Bob Stone lives in Ulm.", None),
        ("It is open from 18:00 to 8:00.", "It is open from 8:00 to 18:00.", "grounding.quantity"),
        ("The gate to the yard is closed.", "The gate to the yard is not open.", None),
        ("It is not closed.", "It is closed.", "grounding.negation"),
        ("Parking there is not free.", "Parking is free.", "grounding.opposite"),
        ("It takes one week.", "It takes 7 working days.", "grounding.number"),
        ("It takes 7 working days.", "It takes 7 days.", "grounding.number"),
        ("It takes 7 days.", "It takes 7 working days.", None),
        ("It takes one month.", "It takes four weeks.", "grounding.number"),
        ("It is 200 cm wide.", "It is 2 m wide.", None),
        ("It opens at 5 pm.", "It opens at 5:00.", "grounding.number"),
        ("It opens at 12 am.", "It opens at 0:00.", None),
    ],
)
def test_what_belongs_together_and_what_is_the_same_amount(answer, facts, want):
    assert _said(answer, facts) == want


_ZEROS = st.sampled_from("0٠۰०০๐\uff10\U0001d7ce")


@given(st.integers(1, 10**6), st.integers(1, 10**6), _ZEROS)
def test_a_number_counts_by_its_value_in_the_digits_of_every_script(told, known, zero):
    written = "".join(chr(ord(zero) + int(digit)) for digit in str(told))
    assert unicodedata.digit(written[0]) == int(str(told)[0])
    assert (_said(f"Call {written}.", f"Call {known}.") is None) == (told == known)


@given(st.integers(1, 500))
def test_weeks_are_days_and_hours_are_minutes(count):
    assert measure_of(str(count), "week") == measure_of(str(7 * count), "day")
    assert measure_of(str(count), "hour") == measure_of(str(60 * count), "minute")
    assert measure_of(str(count), "week") != measure_of(str(7 * count + 1), "day")


@given(st.text(max_size=40))
def test_a_measure_of_any_text_is_read_or_none(text):
    for kind in ("day", "pm", "", "month", "%"):
        measure_of(text, kind)
        assert measure_of(text, "%") is None
    claims_of(text)
