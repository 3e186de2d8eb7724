"""People, sessions and kept replies on both databases."""

import dataclasses
import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy
from sqlalchemy import NullPool, text
from store_content import AT

from store.accounts import Session, SignInAttempt, User, folded
from store.database import Database, migrate, migrate_down
from store.errors import Conflict, NotFound
from store.people import Grant, Role
from store.repositories.kept_replies import KeptReplies
from store.repositories.sessions import Sessions
from store.repositories.users import Users
from tests.migrated import migrate_new

ADA = User(
    id="0190-a",
    name="Ada",
    mail="Ada@Tarnwick.example",
    password_hash=None,
    grants=frozenset({Grant(Role.APPROVER, frozenset({"it", "hr"})), Grant(Role.VIEWER)}),
    assistants=frozenset({"desk"}),
    disabled_at=None,
    totp_secret=b"\x00\xff",
    totp_confirmed=False,
    totp_step=2**40,
    created_at=AT,
)
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


def test_a_user_is_read_back_as_stored_and_found_in_any_spelling(database: Database):
    users = Users(database)
    users.add(ADA)
    assert users.get(ADA.id) == ADA
    assert users.named("aDA ") == ADA
    assert users.named("ada@TARNWICK.example") == ADA
    for wrong in ("bob", "ada@", "a\x00b"):
        assert users.named(wrong) is None
    for wrong in ("0190-b", "a\x00b"):
        with pytest.raises(NotFound):
            users.get(wrong)


@pytest.mark.parametrize("same", [{"name": "ADA", "mail": None}, {"name": "Bob"}])
def test_a_name_and_an_address_are_one_persons(database: Database, same):
    users = Users(database)
    users.add(ADA)
    with pytest.raises(Conflict):
        users.add(dataclasses.replace(ADA, id="0190-b", **same))


def test_of_two_changes_over_one_state_the_second_is_refused(database: Database):
    users = Users(database)
    users.add(ADA)
    with database.writing() as session:
        after = users.change(dataclasses.replace(ADA, mail=None), session=session)
    assert after.rev == 2
    with pytest.raises(Conflict, match="rev 2"), database.writing() as session:
        users.change(dataclasses.replace(ADA, name="Eve"), session=session)
    assert users.get(ADA.id) == after


def test_changes_at_once_lose_none(database: Database):
    users = Users(database)
    users.add(ADA)

    def change(number: int) -> bool:
        for _ in range(200):
            try:
                with database.writing() as session:
                    now = users.get(ADA.id, session)
                    users.change(dataclasses.replace(now, totp_step=now.totp_step + number), session=session)
            except Conflict:
                continue
            return True
        return False

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(change, range(1, 17)))
    after = users.get(ADA.id)
    assert (after.totp_step - ADA.totp_step, after.rev) == (sum(range(1, 17)), 17)


def test_a_setup_token_and_a_recovery_code_are_used_once(database: Database):
    users = Users(database)
    users.add(ADA)
    with database.writing() as session:
        users.put_setup_token(ADA.id, b"old", expires_at=AT + DAY, session=session)
        users.put_setup_token(ADA.id, b"new", expires_at=AT + DAY, session=session)
        users.put_recovery_codes(ADA.id, [b"1", b"2"], session=session)
    with database.writing() as session:
        assert users.take_setup_token(b"old", now=AT, session=session) is None
        assert users.take_setup_token(b"new", now=AT, session=session) == ADA
        assert users.take_setup_token(b"new", now=AT, session=session) is None
        taken = [users.take_recovery_code(ADA.id, code, session=session) for code in (b"1", b"1", b"2", b"3")]
    assert taken == [True, False, True, False]


def test_an_identity_is_one_persons_and_known_by_both_its_parts(database: Database):
    users = Users(database)
    users.add(ADA)
    with database.writing() as session:
        users.link(ADA.id, "https://a.example", "7", session=session)
    assert users.with_identity("https://a.example", "7") == ADA
    assert users.with_identity("https://b.example", "7") is None
    assert users.with_identity("https://a.example", "8") is None
    with pytest.raises(Conflict), database.writing() as session:
        users.link(ADA.id, "https://a.example", "7", session=session)


def session_of(number: int, **changes) -> Session:
    made = Session(
        id=f"s{number}",
        user_id=ADA.id,
        method="password",
        agent="a browser",
        created_at=AT + dt.timedelta(seconds=number),
        seen_at=AT,
        expires_at=AT + DAY,
    )
    return dataclasses.replace(made, **changes)


def test_sessions_are_found_by_their_hash_and_end(database: Database):
    Users(database).add(ADA)
    sessions = Sessions(database)
    with database.writing() as session:
        for number in range(4):
            sessions.add(b"hash %d" % number, session_of(number), session=session)
    assert sessions.find(b"hash 1") == session_of(1)
    assert sessions.find(b"hash") is None
    sessions.touch(b"hash 1", at=AT + HOUR)
    assert sessions.find(b"hash 1").seen_at == AT + HOUR
    assert [one.id for one in sessions.of_user(ADA.id)] == ["s3", "s2", "s1", "s0"]
    with database.writing() as session:
        assert not sessions.end_one("s0", user_id="somebody else", session=session)
        assert sessions.end_one("s0", user_id=ADA.id, session=session)
        assert sessions.end(b"hash 1", session=session).id == "s1"
        assert sessions.end(b"hash 1", session=session) is None
        assert sessions.end_all(ADA.id, but="s3", session=session) == 1
    assert [one.id for one in sessions.of_user(ADA.id)] == ["s3"]


def test_what_is_over_goes_when_something_new_comes(database: Database):
    Users(database).add(ADA)
    sessions = Sessions(database)
    with database.writing() as session:
        sessions.add(b"old", session_of(1), session=session)
        sessions.add(b"new", session_of(2, created_at=AT + DAY, expires_at=AT + 2 * DAY), session=session)
    assert sessions.find(b"old") is None


def test_a_sign_in_on_its_way_comes_back_once(database: Database):
    sessions = Sessions(database)
    attempt = SignInAttempt(state_hash=b"s", browser_hash=b"b", nonce="n", verifier="v", expires_at=AT + HOUR)
    sessions.add_attempt(attempt, now=AT)
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: sessions.take_attempt(b"s"), range(4)))
    assert sorted(taken, key=str) == sorted([attempt, None, None, None], key=str)


def test_of_many_that_begin_at_once_one_holds_the_key(database: Database):
    replies = KeptReplies(database)

    def begin(_: int):
        return replies.begin("key:1", b"k", b"f", now=AT, kept=DAY, at_work=HOUR)

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(begin, range(6)))
    assert found.count(None) == 1
    assert {one.status for one in found if one} == {None}


def test_a_reply_is_kept_for_a_day_and_a_key_at_work_for_an_hour(database: Database):
    replies = KeptReplies(database)

    def begin(later: dt.timedelta, credential: str = "key:1"):
        return replies.begin(credential, b"k", b"f", now=AT + later, kept=DAY, at_work=HOUR)

    nothing = dt.timedelta(0)
    assert begin(nothing) is None
    assert begin(nothing, "key:2") is None
    assert begin(HOUR) is None
    replies.finish("key:1", b"k", status=201, headers=(("etag", '"1"'),), body=b"\x00")
    kept = begin(HOUR)
    assert (kept.status, kept.headers, kept.body) == (201, (("etag", '"1"'),), b"\x00")
    replies.release("key:1", b"k")
    assert begin(HOUR).status == 201, "what was answered is not given back"
    assert begin(HOUR + DAY) is None
    replies.release("key:1", b"k")
    assert begin(HOUR + DAY) is None
    assert replies.forget(before=AT + HOUR) == 1


def test_keys_from_before_have_a_client_and_the_standard_rate(url: str):
    migrate_new(url)
    migrate_down(url, "0008")
    row = {"id": "a1", "name": "intranet", "at": AT.replace(tzinfo=None).isoformat(" ")}
    with connect(url) as connection:
        connection.execute(
            text(
                "INSERT INTO api_keys (id, name, secret_hash, scopes, assistants, created_at) "
                "VALUES (:id, :name, :hash, '[]', '[]', :at)"
            ),
            {**row, "hash": b"x"},
        )
        connection.commit()
    migrate(url)
    with connect(url) as connection:
        assert connection.execute(text("SELECT client, rate_class, owner FROM api_keys")).all() == [
            ("intranet", "standard", None)
        ]
    migrate_down(url, "0008")
    with connect(url) as connection:
        assert connection.execute(text("SELECT name FROM api_keys")).scalars().all() == ["intranet"]


def connect(url: str) -> sqlalchemy.Connection:
    driver = "postgresql+psycopg" if url.startswith("postgresql") else "sqlite"
    return sqlalchemy.create_engine(sqlalchemy.make_url(url).set(drivername=driver), poolclass=NullPool).connect()


@pytest.mark.parametrize(("one", "other"), [("Ada", " ada"), ("STRASSE", "straße"), ("\uff21da", "ada")])
def test_two_spellings_of_a_name_are_one(one, other):
    assert folded(one) == folded(other)
