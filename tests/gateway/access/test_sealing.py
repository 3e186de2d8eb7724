"""What is sealed opens with the same key, for the same purpose, in the same place, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.sealing import Purpose, Seals, new_token
from gateway.errors import SettingsInvalid

SEALS = Seals(b"x" * 32)


@given(st.binary(max_size=100), st.text(max_size=20))
def test_what_was_sealed_comes_back(data: bytes, place: str) -> None:
    sealed = SEALS.seal(Purpose.TOTP, data, place=place)
    assert SEALS.unseal(Purpose.TOTP, sealed, place=place) == data
    assert len(data) < 8 or data not in sealed


@pytest.mark.parametrize(
    ("seals", "purpose", "place"),
    [
        (Seals(b"y" * 32), Purpose.TOTP, "user 7"),
        (SEALS, Purpose.REPLY, "user 7"),
        (SEALS, Purpose.TOTP, "user 8"),
    ],
)
def test_with_anything_else_it_does_not_open(seals: Seals, purpose: Purpose, place: str) -> None:
    sealed = SEALS.seal(Purpose.TOTP, b"secret", place="user 7")
    with pytest.raises(SettingsInvalid, match="access-key"):
        seals.unseal(purpose, sealed, place=place)


@given(st.integers(0, 33), st.integers(1, 255))
def test_a_changed_byte_is_noticed(position: int, change: int) -> None:
    sealed = bytearray(SEALS.seal(Purpose.TOTP, b"secret", place="user 7"))
    sealed[position % len(sealed)] ^= change
    with pytest.raises(SettingsInvalid):
        SEALS.unseal(Purpose.TOTP, bytes(sealed), place="user 7")


def test_marks_of_two_purposes_and_two_keys_differ() -> None:
    marks = {seals.mark(one, b"x") for seals in (SEALS, Seals(b"y" * 32)) for one in Purpose}
    assert len(marks) == 2 * len(Purpose)


def test_tokens_have_256_bits_and_none_is_made_twice() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(one) == 43 and one.isalnum() and one.isascii() for one in tokens)
