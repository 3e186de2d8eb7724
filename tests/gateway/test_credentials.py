"""Keys: made once, kept as a keyed hash, and refused in the same words whatever is wrong with them."""

import datetime as dt
import re
import stat
import time
from dataclasses import replace

import pytest

from gateway import credentials
from gateway.credentials import TRUSTED_S, KeyRing, is_valid, key_id_of, load_pepper, new_key, write_secret
from gateway.errors import NotAllowed, SettingsInvalid
from store.errors import NotFound, StoreUnavailable
from store.types import KeyScope

PEPPER = b"p" * 32
NOW = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)


class KeptKeys(dict):
    """A key store in memory."""

    def get(self, key_id):
        if key_id not in self:
            raise NotFound("there is no such API key")
        return self[key_id]


def made(**changes):
    return new_key("intranet", PEPPER, scopes=(KeyScope.CHAT,), **changes)


def ring(*records, pepper=PEPPER):
    return KeyRing(KeptKeys({record.id: record for record in records}), pepper, requests_per_minute=7)


def test_the_pepper_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "pepper"
    pepper = load_pepper(path)
    assert len(pepper) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_pepper(path) == pepper
    assert load_pepper(tmp_path / "other") != pepper


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o602, 0o610])
def test_a_pepper_that_others_may_touch_is_refused(tmp_path, mode):
    path = tmp_path / "pepper"
    load_pepper(path)
    path.chmod(mode)
    with pytest.raises(SettingsInvalid, match="chmod 600"):
        load_pepper(path)


@pytest.mark.parametrize("content", [b"", b"p" * 31, b"p" * 33])
def test_a_damaged_pepper_is_refused_and_kept(tmp_path, content):
    path = tmp_path / "pepper"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SettingsInvalid, match="damaged"):
        load_pepper(path)
    assert path.read_bytes() == content


def test_a_pepper_that_cannot_be_written_is_our_error(tmp_path):
    with pytest.raises(SettingsInvalid, match="cannot write"):
        load_pepper(tmp_path / "missing" / "pepper")


def test_a_pepper_that_cannot_be_read_is_our_error(tmp_path):
    path = tmp_path / "pepper"
    path.mkdir(mode=0o700)
    with pytest.raises(SettingsInvalid, match="cannot read"):
        load_pepper(path)


def test_a_key_has_a_mark_an_id_and_256_bits_and_none_is_made_twice():
    keys = [made() for _ in range(50)]
    assert all(re.fullmatch(r"cg_[A-Za-z0-9]{8}_[A-Za-z0-9]{43}", key.token) for key in keys)
    assert len({key.token for key in keys}) == len({key.record.id for key in keys}) == 50
    assert all(key_id_of(key.token) == key.record.id for key in keys)


def test_the_record_does_not_hold_the_secret():
    key = made()
    secret = key.token.rpartition("_")[2]
    assert secret not in repr(key.record)
    assert secret.encode() not in key.record.secret_hash
    assert len(key.record.secret_hash) == 32


def test_a_lifetime_becomes_an_expiry():
    key = made(lifetime=dt.timedelta(days=2), assistants=("desk",)).record
    assert key.expires_at - key.created_at == dt.timedelta(days=2)
    assert made().record.expires_at is None
    assert key.assistants == ("desk",)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "cg",
        "cg__",
        "cg_abcdefgh",
        f"cg_abcdefgh_{'x' * 42}",
        f"cg_abcdefgh_{'x' * 44}",
        f"cg_abcdefg_{'x' * 43}",
        f"cg_abcdefghi_{'x' * 43}",
        f"xx_abcdefgh_{'x' * 43}",
        f"CG_abcdefgh_{'x' * 43}",
        f"cg_abcdefgh_{'x' * 42}_",
        f"cg_abcdefgh_{'x' * 42}é",
        f"cg_abcdefg'_{'x' * 43}",
        f"cg_abcdefgh_{'x' * 42}\n",
        f"cg_abcd\x00fgh_{'x' * 43}",
        f"cg_abcdefg²_{'x' * 43}",
    ],
)
def test_a_token_of_another_form_has_no_id(token):
    assert key_id_of(token) is None


def test_a_good_key_says_who_asks_and_what_they_may():
    key = new_key("intranet", PEPPER, scopes=(KeyScope.CHAT, KeyScope.DEBUG), assistants=("desk",))
    principal = ring(key.record).principal(key.token)
    assert (principal.id, principal.name, principal.requests_per_minute) == (key.record.id, "intranet", 7)
    assert principal.scopes == {KeyScope.CHAT, KeyScope.DEBUG}
    assert principal.may_use("desk")
    assert not principal.may_use("other")


def test_a_key_without_assistants_may_talk_to_all():
    key = made()
    assert ring(key.record).principal(key.token).may_use("anything")


def refusal(keys: KeyRing, token: str) -> tuple[str, str]:
    with pytest.raises(NotAllowed) as stopped:
        keys.principal(token)
    return stopped.value.code, stopped.value.message


def test_every_bad_key_is_refused_in_the_same_words():
    key = made()
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    wrong = key.token[:-1] + ("a" if key.token[-1] != "a" else "b")
    refusals = {
        refusal(ring(key.record), ""),
        refusal(ring(key.record), "no key"),
        refusal(ring(key.record), wrong),
        refusal(ring(), key.token),
        refusal(ring(replace(key.record, expires_at=past)), key.token),
        refusal(ring(replace(key.record, revoked_at=past)), key.token),
        refusal(ring(key.record, pepper=b"q" * 32), key.token),
        refusal(ring(replace(made().record, id=key.record.id)), key.token),
    }
    assert refusals == {("invalid_api_key", "The API key is missing, wrong, expired or revoked.")}


def test_a_key_ends_at_its_expiry_and_not_after_it():
    key = made()
    record = replace(key.record, expires_at=NOW)
    assert is_valid(key.token, record, PEPPER, NOW - dt.timedelta(microseconds=1))
    assert not is_valid(key.token, record, PEPPER, NOW)


def test_a_store_that_is_away_is_not_mistaken_for_a_wrong_key():
    class Away:
        def get(self, key_id):
            raise StoreUnavailable("told to be down")

    with pytest.raises(StoreUnavailable):
        KeyRing(Away(), PEPPER, requests_per_minute=1).principal(made().token)


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_good_key_is_believed_for_a_moment_and_a_revoked_one_no_longer_than_that():
    key, clock = made(), Clock()
    store = KeptKeys({key.record.id: key.record})
    keys = KeyRing(store, PEPPER, requests_per_minute=7, clock=clock)
    assert keys.known(key.token) is None
    principal = keys.principal(key.token)
    store[key.record.id] = replace(key.record, revoked_at=NOW)
    assert keys.known(key.token) == principal
    clock.now_s += TRUSTED_S
    assert keys.known(key.token) is None
    with pytest.raises(NotAllowed):
        keys.principal(key.token)


def test_a_key_for_metrics_is_believed_for_longer_until_it_is_refused():
    key, clock = new_key("prometheus", PEPPER, scopes=(KeyScope.METRICS,)), Clock()
    store = KeptKeys({key.record.id: key.record})
    keys = KeyRing(store, PEPPER, requests_per_minute=7, clock=clock)
    assert keys.scraper(key.token) is None
    principal = keys.principal(key.token)
    clock.now_s += TRUSTED_S
    assert (keys.known(key.token), keys.scraper(key.token)) == (None, principal)
    store[key.record.id] = replace(key.record, revoked_at=NOW)
    with pytest.raises(NotAllowed):
        keys.principal(key.token)
    assert keys.scraper(key.token) is None


def test_no_more_than_some_keys_for_metrics_are_remembered(monkeypatch):
    monkeypatch.setattr(credentials, "_MOST_SCRAPERS", 2)
    several = [new_key("prometheus", PEPPER, scopes=(KeyScope.METRICS,)) for _ in range(3)]
    keys = ring(*(one.record for one in several))
    for one in several:
        keys.principal(one.token)
    assert [keys.scraper(one.token) is not None for one in several] == [False, False, True]


def test_time_that_a_slow_look_up_took_is_not_added_to_the_moment():
    key, clock = made(), Clock()

    class SlowKeys(KeptKeys):
        def get(self, key_id):
            clock.now_s += TRUSTED_S
            return super().get(key_id)

    keys = KeyRing(SlowKeys({key.record.id: key.record}), PEPPER, requests_per_minute=7, clock=clock)
    keys.principal(key.token)
    assert keys.known(key.token) is None


def test_a_key_that_expires_within_the_moment_is_not_believed():
    key = made(lifetime=dt.timedelta(milliseconds=30))
    keys = KeyRing(KeptKeys({key.record.id: key.record}), PEPPER, requests_per_minute=7, clock=Clock())
    keys.principal(key.token)
    time.sleep(0.05)
    assert keys.known(key.token) is None


def test_a_token_that_shares_all_but_its_end_with_a_known_one_is_not_known():
    key = made()
    keys = ring(key.record)
    keys.principal(key.token)
    other = key.token[:-1] + ("a" if key.token[-1] != "a" else "b")
    assert keys.known(other) is None
    with pytest.raises(NotAllowed):
        keys.principal(other)
    assert keys.known("\udcff") is None


def test_a_key_that_turns_out_revoked_is_forgotten_at_once():
    key = made()
    store = KeptKeys({key.record.id: key.record})
    keys = KeyRing(store, PEPPER, requests_per_minute=7)
    keys.principal(key.token)
    store[key.record.id] = replace(key.record, revoked_at=NOW)
    with pytest.raises(NotAllowed):
        keys.principal(key.token)
    assert keys.known(key.token) is None


class Moved:
    """Both clocks, which a test moves."""

    def __init__(self) -> None:
        self.seconds, self.at = 0.0, NOW

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds
        self.at += dt.timedelta(seconds=seconds)


def timed(clock: Moved, store: object) -> KeyRing:
    return KeyRing(store, PEPPER, requests_per_minute=7, clock=lambda: clock.seconds, now=lambda: clock.at)


def test_a_key_whose_time_comes_while_it_is_believed_ends_then_and_not_later():
    clock, key = Moved(), made()
    record = replace(key.record, expires_at=NOW + dt.timedelta(seconds=0.5))
    keys = timed(clock, KeptKeys({record.id: record}))
    keys.principal(key.token)
    clock.pass_by(0.4)
    assert keys.known(key.token)
    clock.pass_by(0.1)
    assert keys.known(key.token) is None
    assert refusal(keys, key.token)


def test_a_database_that_is_away_lets_a_known_key_in_for_a_second_and_no_longer():
    clock, key = Moved(), made()

    class Away(KeptKeys):
        def get(self, key_id):
            if clock.seconds:
                raise StoreUnavailable("told to be down")
            return super().get(key_id)

    keys = timed(clock, Away({key.record.id: key.record}))
    keys.principal(key.token)
    clock.pass_by(0.999)
    assert keys.known(key.token)
    clock.pass_by(0.001)
    assert keys.known(key.token) is None
    with pytest.raises(StoreUnavailable):
        keys.principal(key.token)


def test_what_is_forgotten_in_this_process_is_not_believed_also_by_a_look_that_began_before():
    clock, key = Moved(), made()

    class Slow(KeptKeys):
        def get(self, key_id):
            record = super().get(key_id)
            keys.forget()
            return record

    keys = timed(clock, Slow({key.record.id: key.record}))
    keys.principal(key.token)
    assert keys.known(key.token) is None


def test_two_tokens_with_one_beginning_are_never_taken_for_each_other():
    clock, key = Moved(), made()
    keys = timed(clock, KeptKeys({key.record.id: key.record}))
    keys.principal(key.token)
    other = key.token[:-1] + ("a" if key.token[-1] != "a" else "b")
    assert keys.known(other) is None
    assert refusal(keys, other)
    assert keys.known(key.token)


def test_a_rate_class_that_is_no_longer_there_is_the_standard_one():
    key = new_key("scan", PEPPER, scopes=(KeyScope.CHAT,), rate_class="scan")
    store = KeptKeys({key.record.id: key.record})
    known = KeyRing(store, PEPPER, requests_per_minute=7, rate_classes={"scan": 6000})
    assert known.principal(key.token).requests_per_minute == 6000
    assert KeyRing(store, PEPPER, requests_per_minute=7).principal(key.token).requests_per_minute == 7


def test_a_secret_is_written_for_its_owner_alone_also_over_a_file_that_others_could_read(tmp_path):
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o644)
    write_secret(path, "new")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new\n", 0o600)
