"""Codes of an authenticator: those of RFC 6238, within one step, and none of them twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.totp import STEP_S, address, base32, code_at, new_secret, step_of

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("at_s", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_are_those_of_the_rfc(at_s: int, code: str) -> None:
    assert code_at(SECRET, at_s // STEP_S) == code
    assert step_of(SECRET, code, at_s=at_s, after=0) == at_s // STEP_S


@given(st.integers(100, 10**9), st.integers(-5, 5))
def test_a_code_counts_one_step_before_and_after_its_own(step: int, away: int) -> None:
    found = step_of(SECRET, code_at(SECRET, step + away), at_s=step * STEP_S, after=0)
    assert (found == step + away) if abs(away) <= 1 else found is None


@given(st.integers(100, 10**9), st.integers(-1, 1))
def test_a_code_that_was_used_is_worth_nothing_and_neither_is_one_before_it(step: int, away: int) -> None:
    code = code_at(SECRET, step + away)
    used = step_of(SECRET, code, at_s=step * STEP_S, after=0)
    assert used is not None
    assert step_of(SECRET, code, at_s=step * STEP_S, after=used) is None


@pytest.mark.parametrize("code", ["", "28708", "2870820", "287083", "२८७०८२", "28708\udc80"])
def test_what_is_no_code_of_now_is_refused(code: str) -> None:
    assert step_of(SECRET, code, at_s=59, after=0) is None


def test_a_secret_has_160_bits_and_an_address_that_apps_read() -> None:
    secret = new_secret()
    assert len(secret) == 20
    assert secret != new_secret()
    told = address(secret, name="Ada L.")
    assert told.startswith("otpauth://totp/canongate:Ada%20L.?")
    assert f"secret={base32(secret)}" in told
