"""Passwords: which are taken, and how they are kept."""

import threading

import pytest

from gateway.access import passwords as module
from gateway.access.passwords import Passwords, require_good
from store.errors import InvalidContent

QUICK = Passwords(memory_kib=64)
GOOD = "seven tired herons"


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "elevenchars",
        "x" * 257,
        "password1234",
        "PassWord-1234",
        "qwertyuiop123",
        "aaaaaaaaaaaaaaaa",
        "abcdabcdabcdabcd",
        "correct horse battery staple",
        "adalovelace1815",
        "1815 Ada.Lovelace",
        "ada.lovelace-mail",
    ],
)
def test_a_password_that_is_tried_first_is_refused(password: str) -> None:
    with pytest.raises(InvalidContent):
        require_good(password, name="Ada Lovelace", mail="ada.lovelace.mail@tarnwick.example")


@pytest.mark.parametrize(
    "password", [GOOD, "Ü" * 3 + "ber den Dächern", "x" * 240 + "0123456789", "ada wrote nine letters"]
)
def test_a_long_password_of_ones_own_is_taken(password: str) -> None:
    require_good(password, name="ada", mail=None)


def test_what_is_kept_tells_its_own_password_from_others_and_is_salted() -> None:
    kept = QUICK.hash(GOOD)
    assert kept.startswith("$argon2id$")
    assert GOOD not in kept
    assert kept != QUICK.hash(GOOD)
    assert QUICK.is_right(kept, GOOD)
    assert not QUICK.is_right(kept, GOOD + " ")


def test_nobody_has_any_password_not_even_the_one_that_is_compared() -> None:
    assert not QUICK.is_right(None, "nobody has this password")
    assert not QUICK.is_right("damaged", GOOD)


def test_one_password_typed_on_two_keyboards_is_one() -> None:
    assert QUICK.is_right(QUICK.hash("caf\u00e9 by the canal"), "cafe\u0301 by the canal")


def test_the_parameters_are_those_that_are_promised_and_others_are_outdated() -> None:
    real = Passwords()
    kept = real.hash(GOOD)
    assert "m=47104,t=1,p=1" in kept
    assert not real.is_outdated(kept)
    assert real.is_outdated(QUICK.hash(GOOD))


def test_no_more_than_two_are_hashed_at_once() -> None:
    passwords, at_once, most = Passwords(memory_kib=64), 0, 0
    lock = threading.Lock()

    class Watched:
        def hash(self, _: str) -> str:
            nonlocal at_once, most
            with lock:
                at_once += 1
                most = max(most, at_once)
            threading.Event().wait(0.01)
            with lock:
                at_once -= 1
            return "kept"

    passwords._hasher = Watched()
    threads = [threading.Thread(target=passwords.hash, args=(GOOD,)) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert most == 2


def test_the_bundled_list_holds_only_what_is_long_enough_to_be_taken_without_it() -> None:
    listed = module._COMMON.read_text().split("\n")
    assert len(listed) > 200
    assert all(len(one) >= module.MIN_CHARS for one in listed if one)
