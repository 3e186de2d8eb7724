"""Whoever could act as an author of a change, or as whom an author could act, takes no last step of it by any path."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.oidc import OidcSignIn
from gateway.access.oidc_provider import Claims
from gateway.access_settings import OidcGrantSettings, OidcSettings
from store.accounts import User
from store.catalog import load_catalog
from store.database import open_database
from store.people import OPERATOR, SETTLES_AFTER, SYSTEM, Actor, Grant, Role, SetUp, hands_behind
from tests.administration import PASSWORD, AdminWorld
from tests.gateway.http.admin.change_steps import BOB, CHANGES, EDDA, Editing, publish_first
from tests.migrated import migrate_new
from tests.world import World

pytestmark = pytest.mark.anyio
USERS = "/v1/admin/users"
LAST = {
    "approve": {},
    "publish": None,
    "schedule": {"publish_at": "2027-01-31T08:00:00Z"},
    "emergency-publish": {"reason": "I say so."},
}
GRANTS = [{"role": role.value} for role in Role]


@pytest.fixture
def filled(world: World, tmp_path: Path) -> Iterator[AdminWorld]:
    url = f"sqlite:///{tmp_path / 'admin.db'}"
    migrate_new(url)
    database = open_database(url)
    admin = AdminWorld(world, database, tmp_path, keeps_changes=True)
    publish_first(admin)
    yield admin
    database.close()


def now(admin: AdminWorld, user: User) -> Editing:
    """Gives the person at work as their account is at this moment."""
    return Editing(admin, admin.access.users.get(OPERATOR, user.id).actor)


async def made_by(editing: Editing, name: str) -> User:
    """Makes an account with every role over REST, and plays it: its password is set with the token that came back."""
    told = await editing.send("POST", USERS, {"name": name, "grants": GRANTS})
    assert told.status_code == 201, told.text
    return editing.admin.access.profiles.set_up(told.json()["token"], PASSWORD)


async def reset_by(editing: Editing, user: User) -> None:
    told = await editing.send("POST", f"{USERS}/{user.id}/reset-password")
    assert told.status_code in (200, 201), told.text
    editing.admin.access.profiles.set_up(told.json()["token"], PASSWORD)


async def refused(one: Editing, change: str) -> None:
    """Tries every last step, and finds none offered."""
    before = load_catalog(one.admin.database).revision
    for verb, sent in LAST.items():
        told = await one.step(change, verb, sent)
        assert (told.status_code, told.json()["code"]) == (403, "own_change"), (verb, told.text)
    shown = await one.read(f"{CHANGES}/{change}")
    assert not {"approve", "publish", "schedule", "emergency"} & set(shown["possible"])
    assert load_catalog(one.admin.database).revision == before


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_second_account_of_an_author_is_the_author(filled: AdminWorld, *, is_first: bool) -> None:
    ada = now(filled, filled.user("ada", *Role))
    second = await made_by(ada, "bertha") if is_first else None
    change = await ada.submitted()
    second = second or await made_by(ada, "bertha")
    await refused(now(filled, second), change)
    await Editing(filled, BOB).took(change, "approve", {})
    await refused(now(filled, second), change)


async def test_an_account_of_an_account_of_an_author_is_the_author(filled: AdminWorld) -> None:
    ada = now(filled, filled.user("ada", *Role))
    change = await ada.submitted()
    second = await made_by(ada, "bertha")
    third = await made_by(now(filled, second), "carla")
    await refused(now(filled, third), change)


@pytest.mark.parametrize("path", ["password-reset", "totp-reset", "grants"])
async def test_whoever_was_reset_or_given_roles_by_an_author_counts_as_the_author(
    filled: AdminWorld, path: str
) -> None:
    ada, other = now(filled, filled.user("ada", *Role)), filled.user("olga", Role.APPROVER, Role.ADMIN)
    change = await ada.submitted()
    if path == "password-reset":
        await reset_by(ada, other)
    elif path == "totp-reset":
        filled.access.users.reset_totp(ada.actor, other.id)
    else:
        grants = [Grant(Role.APPROVER), Grant(Role.ADMIN)]
        filled.access.users.give(ada.actor, other.id, grants=grants, assistants=(), rev=other.rev)
    await refused(now(filled, other), change)


async def test_an_own_new_password_or_another_administrator_does_not_wash_it_off(filled: AdminWorld) -> None:
    ada, other = now(filled, filled.user("ada", *Role)), filled.user("olga", *Role)
    change = await ada.submitted()
    await reset_by(ada, other)
    async with filled.browser() as browser:
        await filled.sign_in(browser, "olga")
        sent = {"old": PASSWORD, "new": "nine quite other otters"}
        assert (await browser.post("/v1/admin/profile/password", json=sent)).status_code < 300
    await refused(now(filled, other), change)
    await reset_by(now(filled, filled.user("berta", *Role)), other)
    filled.access.users.reset_password(OPERATOR, other.id)
    filled.clock.pass_by(days=SETTLES_AFTER.days + 1)
    await refused(now(filled, other), change)


async def test_whoever_set_up_an_authors_account_takes_no_last_step(filled: AdminWorld) -> None:
    ada = now(filled, filled.user("ada", *Role))
    author = await made_by(ada, "edgar")
    change = await now(filled, author).submitted()
    await refused(ada, change)


async def test_an_author_who_is_reset_on_the_way_counts_from_then_on(filled: AdminWorld) -> None:
    ada, author = now(filled, filled.user("ada", *Role)), filled.user("edgar", Role.EDITOR)
    change = await now(filled, author).submitted()
    assert "approve" in (await ada.read(f"{CHANGES}/{change}"))["possible"]
    await reset_by(ada, author)
    await refused(ada, change)


async def test_others_approve_and_an_account_settles_for_changes_that_begin_later(filled: AdminWorld) -> None:
    ada = now(filled, filled.user("ada", *Role))
    second = await made_by(ada, "bertha")
    of_another = await Editing(filled, EDDA).submitted()
    assert (await now(filled, second).took(of_another, "approve", {}))["change"]["state"] == "approved"
    early = await ada.titled("Early")
    filled.clock.pass_by(days=SETTLES_AFTER.days)
    late = await ada.submitted("Late")
    await ada.took(early, "submit")
    await ada.took(early, "gate-runs")
    await refused(now(filled, second), early)
    told = await now(filled, second).took(late, "approve", {})
    assert told["change"]["approved_by"] == f"user:{second.id}"


async def test_two_accounts_of_the_machines_operator_are_two_people(filled: AdminWorld) -> None:
    change = await now(filled, filled.user("edgar", Role.EDITOR)).submitted()
    told = await now(filled, filled.user("olga", Role.APPROVER)).took(change, "approve", {})
    assert told["change"]["state"] == "approved"


class Provider:
    """Knows one person."""

    groups = ("chiefs",)

    def address(self, *, state: str, nonce: str, verifier: str) -> str:
        return f"https://id.example/?state={state}"

    def claims(self, code: str, *, nonce: str, verifier: str) -> Claims:
        return Claims("https://id.example", "sub-1", {"preferred_username": "olga", "groups": list(self.groups)})


def signed_in(filled: AdminWorld) -> Actor:
    """Signs somebody in at a provider, whose groups give roles."""
    roles = (OidcGrantSettings(value="chiefs", role=Role.ADMIN), OidcGrantSettings(value="chiefs", role=Role.APPROVER))
    settings = OidcSettings(
        issuer="https://id.example",
        client_id="x",
        redirect_url="https://gateway.test/v1/admin/oidc/callback",
        grants=roles,
    )
    oidc = OidcSignIn(filled.database, filled.audit, filled.access.keeper, Provider(), settings, now=filled.clock.now)
    address, browser = oidc.start()
    made = oidc.finish(state=address.partition("=")[2], code="x", browser=browser, agent="", old_token=None)
    return made.signed_in.user.actor


async def test_an_account_of_a_provider_that_an_author_gave_a_password_or_roles_is_the_author(
    filled: AdminWorld,
) -> None:
    ada = now(filled, filled.user("ada", *Role))
    change = await ada.submitted()
    olga = signed_in(filled)
    assert olga.set_up_by == frozenset(), "the provider says who they are, and what they may"
    told = await Editing(filled, olga).read(f"{CHANGES}/{change}")
    assert {"approve", "emergency"} <= set(told["possible"])
    user = filled.access.users.named("olga")
    filled.access.users.give(ada.actor, user.id, grants=[Grant(Role.VIEWER)], assistants=(), rev=user.rev)
    again = signed_in(filled)
    assert again.may(Role.APPROVER), "the provider gives the roles back, and takes nothing away of what was done"
    await refused(Editing(filled, again), change)


def test_neither_the_gateway_nor_the_operator_is_behind_anybody(filled: AdminWorld) -> None:
    user = filled.user("ada", Role.VIEWER)
    assert user.set_up(SYSTEM, filled.clock.at).set_up(OPERATOR, filled.clock.at).set_up_by == frozenset()
    assert user.set_up(user.actor, filled.clock.at).set_up_by == frozenset()


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.timedeltas(dt.timedelta(0), dt.timedelta(days=20))),
        max_size=12,
    )
)
def test_what_an_account_counts_as_never_shrinks(steps: list[tuple[int, int, dt.timedelta]]) -> None:
    at = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)
    users = [replace(_USER, id=str(number)) for number in range(6)]
    began = at
    for by, whom, passed in steps:
        at += passed
        before = [hands_behind(one.set_up_by, began) for one in users]
        users[whom] = users[whom].set_up(users[by].actor, at)
        after = [hands_behind(one.set_up_by, began) for one in users]
        assert all(old <= new for old, new in zip(before, after, strict=True))
        if by != whom:
            assert users[by].actor.person in after[whom]
        assert not any(one.actor.person in now for one, now in zip(users, after, strict=True))
        assert all(len({entry.by for entry in one.set_up_by}) == len(one.set_up_by) for one in users)


_USER = User(
    id="0",
    name="x",
    mail=None,
    password_hash=None,
    grants=frozenset(),
    assistants=frozenset(),
    disabled_at=None,
    totp_secret=None,
    totp_confirmed=False,
    totp_step=0,
    created_at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
)


def test_a_person_of_nobody_else_counts_as_themselves_alone() -> None:
    at = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)
    told = [SetUp("user:a", at), SetUp("user:b", at - SETTLES_AFTER)]
    assert hands_behind(told, at) == {"user:a"}
