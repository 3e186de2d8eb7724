import pytest
from contradiction_pairs import ALIKE, DIFFERENT
from store_content import version

from store.contradiction import contradicts, explain
from store.gates import decide
from store.matches import Ambiguous, Candidate, Gate
from store.scoring import Limits

_PAIRS = [(kind, *pair) for kind, pairs in DIFFERENT.items() for pair in pairs]


@pytest.mark.parametrize(("kind", "one", "other"), _PAIRS)
def test_a_pair_that_differs_in_one_thing_is_told_apart_both_ways(kind: str, one: str, other: str) -> None:
    assert contradicts(one, other), kind
    assert contradicts(other, one), kind


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_a_pair_that_means_the_same_is_not_told_apart(one: str, other: str) -> None:
    assert explain(one, other) is None
    assert explain(other, one) is None


@pytest.mark.parametrize("pair", [pair for pairs in DIFFERENT.values() for pair in pairs])
def test_a_sentence_never_contradicts_itself(pair: tuple[str, str]) -> None:
    assert [explain(text, text) for text in pair] == [None, None]


def test_the_kind_of_difference_and_its_words_are_named() -> None:
    assert explain("How do I close an account?", "How do I open an account?") == "opposite: open/close"
    assert explain("I was ill for 3 days", "I was ill for 2 days") == "number: duration"
    assert explain("My manager approves me", "I approve my manager") == "role: approv"


def test_what_stands_at_a_blank_never_contradicts() -> None:
    assert not contradicts(
        "Can I park in Porto on Monday for 3 days?", "Can I park in {site} on {day} for {count} days?"
    )
    assert contradicts("Can I park in Porto on Monday?", "Can I park in Lisbon on {day}?")


def test_a_number_that_only_the_message_has_is_a_detail() -> None:
    assert not contradicts("I moved 3 weeks ago, how do I change my address?", "How do I change my address?")


def test_a_difference_that_the_prompts_own_phrasings_show_does_not_matter() -> None:
    message, phrasing = "When is the office closed?", "When is the office closing?"
    open_phrasing = "When is the office open?"
    assert not contradicts(message, phrasing)
    assert contradicts("When does the office close?", open_phrasing)
    assert not contradicts("When does the office close?", open_phrasing, ["When will the office close?"])
    assert contradicts("When does the office close?", open_phrasing, ["How do I get into the office?"])


def test_a_sibling_excuses_only_its_own_difference() -> None:
    phrasing, siblings = "When is the office open on Monday?", ["When does the office close on Monday?"]
    assert explain("When does the office close on Friday?", phrasing, siblings) == "opposite: weekday"


@pytest.mark.parametrize(
    ("siblings", "expected"),
    [
        (["Return it within 30 days"], "number: duration"),
        (["Return it within 90 days"], None),
        (["Return it within {count} days"], None),
        (["Return it on {day}"], "number: duration"),
        (["Return {count} things"], "number: duration"),
        (["Return it within 30 days", "Return it within 90 days"], None),
    ],
)
def test_a_sibling_excuses_a_number_only_by_that_number_or_a_blank_for_it(
    siblings: list[str], expected: str | None
) -> None:
    assert explain("Return it within 90 days", "Return it within 14 days", siblings) == expected


def test_a_blank_takes_one_number() -> None:
    phrasing = "I was ill for {count} days within 14 days"
    assert explain("I was ill for 2 days within 14 days", phrasing) is None
    assert explain("I was ill for 2 days within 30 days", phrasing) == "number: duration"


def test_a_sibling_excuses_only_the_name_that_it_has() -> None:
    phrasing, siblings = "Do you ship with DHL?", ["Do you ship with FedEx?"]
    assert explain("Do you ship with FedEx?", phrasing, siblings) is None
    assert explain("Do you ship with UPS?", phrasing, siblings) == "name: ups"


@pytest.mark.parametrize(
    "text", ["", "?!", "{site}", "'s", "1", "1.2.3", "9:75:3", "\u0661\u0662 days", "x" * 4000, "not " * 900]
)
def test_odd_messages_are_read_without_an_error(text: str) -> None:
    assert isinstance(contradicts(text, "How do I not send 2 files from {site} to my manager?"), bool)
    assert explain(text, text) is None


@pytest.mark.parametrize(
    ("message", "phrasing"),
    [
        ("Wie kann ich 3 Tage Urlaub nehmen?", "Wie kann ich 2 Tage Urlaub nehmen?"),
        ("Wie fahre ich nach Porto?", "Wie fahre ich nach Porto morgen?"),
    ],
)
def test_other_languages_differ_in_numbers_and_are_left_alone_otherwise(message: str, phrasing: str) -> None:
    assert contradicts(message, phrasing) is ("3" in message)


def test_an_opposite_is_asked_about_and_not_answered() -> None:
    near = Candidate(version("it.reset"), 0.95, "How do I reset my password?", 0.95)
    limits = Limits(answer=0.8, margin=0.1, suggest=0.5, floor=-1.0, follow_up=0.8)
    result = decide("How do I avoid resetting my password?", [near], limits)
    assert isinstance(result, Ambiguous)
    assert result.evidence.gate is Gate.CONTRADICTION


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("2 days", "2 hours"),
        ("6 weeks", "6 months"),
        ("48 hours", "14 days"),
        ("30 seconds", "30 minutes"),
        ("13 months", "1 year"),
        ("EUR 100", "50 EUR"),
        ("100€", "50€"),
        ("1.000 euros", "1 euro"),
        ("1,000 days", "10 days"),
        ("2 MB", "2 GB"),
        ("5 km", "5 miles"),
        ("500 grams", "5 kg"),
        ("1.500 km", "3 km"),
    ],
)
def test_amounts_of_one_kind_are_compared_on_one_scale(mine: str, theirs: str) -> None:
    for one, other in ((mine, theirs), (theirs, mine)):
        assert (explain(f"Can I claim {one}", f"Can I claim {other}") or "").startswith("number: ")


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("2 days", "48 hours"),
        ("30 days", "1 month"),
        ("12 months", "1 year"),
        ("two fortnights", "4 weeks"),
        ("EUR 100", "100 euros"),
        ("€50", "50 €"),
        ("1.000 euros", "1,000 euros"),
        ("1 000 euros", "1000 euros"),
        ("1\u00a0000 euros", "1.000 euros"),
        ("1'000 euros", "1\u2019000 euros"),
        ("1'000 euros", "1,000 euros"),
        ("1.000,50 euros", "1,000.50 euros"),
        ("1.000.000 euros", "1000000 euros"),
        ("2 GB", "2048 MB"),
        ("5 km", "3.1 miles"),
        ("11 lb", "5 kg"),
    ],
)
def test_the_same_amount_in_another_unit_or_spelling_is_no_contradiction(mine: str, theirs: str) -> None:
    for one, other in ((mine, theirs), (theirs, mine)):
        assert explain(f"Can I claim {one}", f"Can I claim {other}") is None


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [("1.500 km", "1500 km"), ("1.500 km", "1.5 km"), ("10 500 euros", "10500 euros"), ("10 500 euros", "500 euros")],
)
def test_a_number_that_can_be_read_two_ways_contradicts_neither(mine: str, theirs: str) -> None:
    assert explain(f"Can I claim {mine}", f"Can I claim {theirs}") is None


def test_another_word_for_the_same_device_is_no_other_name() -> None:
    assert explain("How do I log in to my PC?", "How do I log in to my Laptop?") is None
    assert explain("How do I log in to my Phone?", "How do I log in to my Laptop?") == "name: phone"
