"""What is kept of a text has no personal data and no secrets, however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reviewing.redaction import redact as review
from rails.checks import personal, secrets
from rails.checks.secrets import SecretsParams
from rails.recognisers.finding import Reading
from rails.redaction import redact

SAMPLES = ("jo.miller@post.example", "4111 1111 1111 1111", "GB82 WEST 1234 5698 7654 32", "+1 212 555 0142")


@pytest.mark.parametrize("sample", SAMPLES)
def test_personal_data_is_masked(sample: str) -> None:
    assert sample not in redact(f"My data is {sample}, thank you.")


def test_secrets_are_masked_and_other_words_stay() -> None:
    key = "ghp_" + "a1B2c3D4e5" * 4
    assert redact(f"my key is {key} ok") == "my key is [secret] ok"
    assert redact("the password is " + "hunter2") == "the [secret]"
    assert redact("When is the office open?") == "When is the office open?"


@pytest.mark.parametrize("redacted", [redact, review])
def test_a_stretched_word_hides_no_secret_and_stays_where_there_is_none(redacted) -> None:
    assert redacted("كلمـــة السـر هي " + "hunter22") == "[secret]"
    assert redact("متى يفتـح المكتب؟") == "متى يفتـح المكتب؟"


@given(st.lists(st.sampled_from([*SAMPLES, "word", "7", "is", "-", "my password is", "x@y", "1985-03-12", "born"])))
def test_what_comes_out_has_nothing_more_to_mask(parts: list[str]) -> None:
    try:
        text = redact(" ".join(parts))
    except ValueError:
        return  # it is not kept
    assert not list(secrets.find(text, SecretsParams()))
    assert not personal.find(Reading.of(text))
