"""Places that embed the widget, and visits, on both databases."""

import dataclasses
import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_content import AT

from store.database import Database, migrate, migrate_down
from store.errors import Conflict, NotFound
from store.repositories.widget_clients import WidgetClients
from store.repositories.widget_sessions import WidgetSessions
from store.widgets import WidgetClient, WidgetSecret, WidgetSession, WidgetSettings, contrast, require_origin
from tests.migrated import migrate_new

MINUTE = dt.timedelta(minutes=1)


def settings(**more) -> WidgetSettings:
    document = {"title": "HR", "assistant": "desk", "origins": ["https://hr.example"], **more}
    return msgspec.convert(document, WidgetSettings)


HR = WidgetClient(
    id="hr-portal",
    settings=settings(texts={"en": {"heading": "Ask HR"}}, contact={"name": "HR"}),
    secrets=(WidgetSecret("s1", b"\x00\xff", AT, None),),
    created_at=AT,
    disabled_at=None,
)
VISIT = WidgetSession(
    id="v1",
    client="hr-portal",
    origin="https://hr.example",
    person="p" * 64,
    created_at=AT,
    expires_at=AT + 10 * MINUTE,
)


def test_a_client_is_read_back_as_stored(database: Database):
    clients = WidgetClients(database)
    clients.add(HR)
    other = dataclasses.replace(HR, id="shop", secrets=(), disabled_at=AT)
    clients.add(other)
    assert clients.get("hr-portal") == HR
    assert clients.all() == (HR, other)
    for wrong in ("nobody", "", "a\x00b", "HR-PORTAL"):
        with pytest.raises(NotFound):
            clients.get(wrong)
    with pytest.raises(Conflict):
        clients.add(HR)


def test_a_change_replaces_settings_and_secrets_over_the_state_that_was_read(database: Database):
    clients = WidgetClients(database)
    clients.add(HR)
    secrets = (dataclasses.replace(HR.secrets[0], ends_at=AT + MINUTE), WidgetSecret("s2", b"2", AT + MINUTE, None))
    wanted = dataclasses.replace(HR, settings=settings(sign_in="none"), secrets=secrets, disabled_at=AT)
    with database.writing() as session:
        after = clients.change(wanted, session=session)
    assert after == dataclasses.replace(wanted, rev=2) == clients.get("hr-portal")
    with pytest.raises(Conflict, match="rev 2"), database.writing() as session:
        clients.change(wanted, session=session)
    with database.writing() as session:
        clients.change(dataclasses.replace(after, secrets=after.secrets[1:]), session=session)
    assert [one.id for one in clients.get("hr-portal").secrets] == ["s2"]


def test_every_change_shows_in_the_state(database: Database):
    clients = WidgetClients(database)
    seen = [clients.state()]
    clients.add(HR)
    seen.append(clients.state())
    for _ in range(2):
        with database.writing() as session:
            clients.change(clients.get("hr-portal", session), session=session)
        seen.append(clients.state())
    clients.add(dataclasses.replace(HR, id="shop", secrets=()))
    seen.append(clients.state())
    assert len(set(seen)) == len(seen)


def test_a_token_is_exchanged_once_also_when_it_comes_many_times_at_once(database: Database):
    WidgetClients(database).add(HR)
    sessions = WidgetSessions(database)

    def exchange(number: int) -> bool:
        try:
            sessions.add(bytes([number]), VISIT, token_id=b"jti", kept_until=AT + 10 * MINUTE)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(exchange, range(12))) == 1


def test_visits_are_found_forgotten_and_cut_loose(database: Database):
    clients = WidgetClients(database)
    clients.add(HR)
    clients.add(dataclasses.replace(HR, id="shop", secrets=()))
    sessions = WidgetSessions(database)
    sessions.add(b"a", VISIT, token_id=b"1", kept_until=AT + 20 * MINUTE)
    sessions.add(b"b", dataclasses.replace(VISIT, client="shop"), token_id=b"1", kept_until=AT + 10 * MINUTE)
    sessions.add(b"c", dataclasses.replace(VISIT, person=None), token_id=None, kept_until=AT + 10 * MINUTE)
    sessions.add(b"d", dataclasses.replace(VISIT, person=None), token_id=None, kept_until=AT + 10 * MINUTE)
    assert sessions.find(b"a") == VISIT
    assert sessions.find(b"e") is None
    with database.writing() as session:
        assert sessions.cut_loose(VISIT.person or "", now=AT + MINUTE, session=session) == 2
    assert sessions.find(b"a") == dataclasses.replace(VISIT, person=None, expires_at=AT + MINUTE)
    with pytest.raises(Conflict):
        sessions.add(b"f", VISIT, token_id=b"1", kept_until=AT)
    assert sessions.forget(before=AT + 15 * MINUTE) == 3
    assert sessions.find(b"a") is not None


def test_the_last_visit_at_each_origin_of_a_client_is_told(database: Database):
    clients, sessions = WidgetClients(database), WidgetSessions(database)
    clients.add(HR)
    clients.add(dataclasses.replace(HR, id="shop", secrets=()))
    begun = [("hr-portal", "https://hr.example", 0), ("hr-portal", "https://hr.example", 3)]
    begun += [("hr-portal", "https://other.example", -1), ("shop", "https://shop.example", 4)]
    for number, (client, origin, minutes) in enumerate(begun):
        at = AT + minutes * MINUTE
        made = dataclasses.replace(VISIT, id=f"v{number}", client=client, origin=origin, created_at=at)
        sessions.add(b"%d" % number, made, token_id=None, kept_until=at)
    assert sessions.begun("hr-portal", since=AT) == {"https://hr.example": AT + 3 * MINUTE}
    assert sessions.begun("hr-portal", since=AT + 4 * MINUTE) == {}
    assert sessions.begun("nobody", since=AT) == {}


def test_the_tables_go_and_come(url: str):
    migrate_new(url)
    migrate_down(url, "0012")
    migrate(url)


@pytest.mark.parametrize(
    "good",
    [
        "https://intranet.example",
        "https://a-b.c.example:8443",
        "http://localhost:8090",
        "http://127.0.0.1",
        "http://[::1]:8080",
        "https://xn--bcher-kva.example",
        "https://10.0.0.7",
    ],
)
def test_an_origin_is_taken_as_browsers_say_it(good: str):
    require_origin(good)


@pytest.mark.parametrize(
    "bad",
    [
        *("", "*", "null", "intranet.example", "https://", "https://*.example", "https://intranet.example/"),
        *(
            "https://intranet.example/a",
            "https://intranet.example?a",
            "https://a@intranet.example",
            "HTTPS://a.example",
        ),
        *(
            "https://INTRANET.example",
            "https://intranet.example:443",
            "http://localhost:80",
            "https://intranet.example.",
        ),
        *("https://bücher.example", "http://intranet.example", "https://a.example:0", "https://a.example:99999"),
        *("https://-a.example", "https://a..example", "ftp://a.example", "https://a.example\n", " https://a.example"),
    ],
)
def test_what_no_browser_says_or_anybody_could_read_is_no_origin(bad: str):
    with pytest.raises(ValueError, match="an origin"):
        require_origin(bad)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"origins": []}, "length"),
        ({"origins": ["https://a.example"] * 2}, "twice"),
        ({"texts": {"fr": {}}}, "none of its languages"),
        ({"theme": {"accent": "#777777"}}, "contrast"),
        ({"algorithm": "RS256"}, "keys"),
        ({"keys": {"keys": [{"kty": "RSA", "kid": "a"}]}}, "keys"),
        ({"algorithm": "RS256", "keys": {"keys": [{"kty": "RSA", "kid": "a", "d": "secret"}]}}, "unknown field `d`"),
        ({"algorithm": "RS256", "keys": {"keys": [{"kty": "oct", "kid": "a"}]}}, "oct"),
        ({"algorithm": "RS256", "keys": {"keys": [{"kty": "RSA", "kid": "a"}] * 2}}, "same kid"),
        ({"rates": {"session": 0}}, ">= 1"),
        ({"more": 1}, "unknown field"),
    ],
)
def test_settings_that_could_not_be_meant_are_refused(more, reason: str):
    with pytest.raises(msgspec.ValidationError, match=reason):
        settings(**more)


@given(st.integers(0, 0xFFFFFF), st.integers(0, 0xFFFFFF))
def test_contrast_is_the_same_both_ways_and_black_on_white_is_the_most(one: int, other: int):
    first, second = f"#{one:06x}", f"#{other:06x}"
    assert contrast(first, second) == contrast(second, first)
    assert 1.0 <= contrast(first, second) <= contrast("#000000", "#ffffff") == pytest.approx(21.0)
