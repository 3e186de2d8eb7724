"""One canonical form: what is accepted is its own canonical form, what hides something is refused and never cleaned."""

import unicodedata

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.canonicalize import MAX_CHARS, CanonicalMessage, RefusedMessage, canonicalize
from gateway.errors import InvalidRequest

SPACES = ("\u00a0", "\u2003", "\u3000", "\t", "\n", "\r", "\r\n", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c")
AWKWARD = (
    *SPACES,
    "e\u0301",
    "\u0301",
    "\u00b4",
    "\ufb01",
    "\u017f\u0323",
    "\uff21",
    "\ufdfa",
    "\u212b",
    "\u1e9b\u0323",
    "\u0344",
    "\u200d",
    "👨\u200d👩",
    "\u0430",
    "ß",
    "①",
    "½",
    "\uff9e",
    "\u1100\u1161",
    "{site}",
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(st.one_of(st.text(max_size=12), st.sampled_from(AWKWARD), st.just("word")), min_size=1).map("".join))
@example("\u00b4 accents that bring a space")
@example("\n\n\n\n a \t\n\n\n b \n")
@example("\u2028\u2029x")
def test_what_is_accepted_is_its_own_canonical_form(message):
    try:
        first = canonicalize(message)
    except InvalidRequest:
        return
    if isinstance(first, RefusedMessage):
        return
    again = canonicalize(first.text)
    assert isinstance(again, CanonicalMessage)
    assert again.text == first.text
    assert unicodedata.is_normalized("NFKC", first.text)
    assert first.text == first.text.strip()
    assert not set(first.text) & (set(SPACES) - {"\n", "\r\n"})
    assert "\n\n\n" not in first.text
    assert len(first.text) <= MAX_CHARS


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("How do I reset my password?", "How do I reset my password?"),
        ("  How  do\tI\u00a0reset ", "How do I reset"),
        ("\uff28\uff4f\uff57", "How"),
        ("cafe\u0301", "café"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("o\ufb03ce", "office"),
        ("👨\u200d👩\u200d👧 hello", "👨\u200d👩\u200d👧 hello"),
        ("\u2139\ufe0f Deskline\u2122\ufe0f", "i DesklineTM"),
        ("\u2764\ufe0f\u200d🔥 1\ufe0f\u20e3", "\u2764\u200d🔥 1\u20e3"),
    ],
)
def test_ways_to_write_the_same_become_one(sent, text):
    assert canonicalize(sent) == CanonicalMessage(text, len(sent))


@pytest.mark.parametrize(
    "message",
    [
        "reset\u200b my password",
        "reset \u202emy password",
        "hello\U000e0041",
        "reset my p\u0430ssword",
        "a\x00b",
        "a\ue000b",
        "\ud800",
        "\U0001d4fb\U0001d4ee\U0001d4fc\U0001d4ee\U0001d4fd",
    ],
)
def test_what_hides_something_is_refused_and_not_cleaned(message):
    refused = canonicalize(message)
    assert isinstance(refused, RefusedMessage)
    assert refused.reason.startswith("hidden.")
    assert refused.sent_chars == len(message)


def test_what_only_normalisation_brings_to_light_is_refused_too():
    assert canonicalize("\u0430\u00aa") == RefusedMessage("hidden.mixed_script", 2)  # NFKC makes the sign a Latin a


@pytest.mark.parametrize("message", ["", " ", "\n\t ", "\u3000\u00a0"])
def test_nothing_is_not_a_message(message):
    with pytest.raises(InvalidRequest) as stopped:
        canonicalize(message)
    assert (stopped.value.code, stopped.value.param) == ("message_empty", "message")


def test_the_longest_message_is_read_and_one_more_character_is_not():
    assert canonicalize("x" * MAX_CHARS) == CanonicalMessage("x" * MAX_CHARS, MAX_CHARS)
    with pytest.raises(InvalidRequest) as stopped:
        canonicalize("x" * (MAX_CHARS + 1))
    assert (stopped.value.code, stopped.value.param) == ("message_too_long", "message")
    assert str(MAX_CHARS + 1) in stopped.value.message


def test_a_message_that_grows_too_long_by_normalisation_is_refused():
    with pytest.raises(InvalidRequest) as stopped:
        canonicalize("\ufdfa" * 300)  # one sign of 18 letters
    assert stopped.value.code == "message_too_long"


def test_the_blank_that_a_lone_accent_brings_is_taken_away_again():
    assert canonicalize("\u00b4") == CanonicalMessage("\u0301", 1)
