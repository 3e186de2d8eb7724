import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reviewing.redaction import redact


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("How do I reset my password?", "How do I reset my password?"),
        ("Write to jo.miller@post.example today", "Write to [email] today"),
        ("My card 4111 1111 1111 1111 was stolen", "My card [card] was stolen"),
        ("my key is " + "ghp_" + "a1B2c3D4e5" * 4, "my key is [secret]"),
        ("Is INC-123456 done?", "Is INC-123456 done?"),
    ],
)
def test_personal_data_and_secrets_are_masked(text: str, kept: str) -> None:
    assert redact(text) == kept


@given(st.text(max_size=200))
def test_what_is_kept_has_nothing_left_to_mask(text: str) -> None:
    kept = redact(text)
    assert kept is None or redact(kept) == kept
