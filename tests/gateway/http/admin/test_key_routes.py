"""Administrators look after API keys; a key is never more than its owner."""

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import anyio
import pytest

from gateway.access.keys import KeyWish
from store.errors import InvalidContent
from store.people import OPERATOR, Grant, Role
from store.repositories.decisions import Decisions
from store.types import Decision, KeyScope
from tests.administration import AdminWorld, person
from tests.building import build, question

pytestmark = pytest.mark.anyio
KEYS = "/v1/admin/keys"
ADA = person("ada", Role.ADMIN)


async def test_a_key_is_shown_once_and_its_maker_answers_for_it(admin: AdminWorld) -> None:
    sent = {"name": "intranet", "scopes": ["chat", "admin:read"], "assistants": ["helpdesk"], "days": 9}
    async with admin.client(ADA) as client:
        made = (await client.post(KEYS, json={**sent, "rate_class": "scan"})).json()
        read = await client.get(f"{KEYS}/{made['key']['id']}")
        listed = await client.get(KEYS)
    assert read.json() == made["key"]
    assert (made["key"]["owner"], made["key"]["client"], made["key"]["rate_class"]) == ("ada", "intranet", "scan")
    assert dt.datetime.fromisoformat(made["key"]["expires_at"]) == admin.clock.at + dt.timedelta(days=9)
    secret = made["token"].rpartition("_")[2]
    assert secret not in read.text + listed.text
    assert secret.encode() not in admin.dump()
    assert admin.ring.principal(made["token"]).requests_per_minute == 6000


@pytest.mark.parametrize(
    ("maker", "sent"),
    [
        (person("ada", Role.ADMIN, areas=("it",)), {"scopes": ["admin:edit"]}),
        (person("ada", Role.ADMIN, areas=("it",)), {"scopes": ["chat"]}),
        (person("ada", Role.ADMIN, assistants=("helpdesk",)), {}),
        (person("ada", Role.ADMIN, assistants=("helpdesk",)), {"assistants": ["helpdesk", "shop"]}),
        (ADA, {"rate_class": "unlimited"}),
        (ADA, {"scopes": []}),
        (ADA, {"name": "  "}),
    ],
)
async def test_a_key_gets_no_more_than_its_maker_has(admin: AdminWorld, maker, sent) -> None:
    async with admin.client(maker) as client:
        assert (await client.post(KEYS, json={"name": "key", **sent})).status_code == 422


async def test_an_administrator_of_some_areas_makes_replaces_and_ends_no_key(admin: AdminWorld) -> None:
    made = admin.access.keys.create(OPERATOR, KeyWish(name="hr service"))
    key, looks_at_all = f"{KEYS}/{made.record.id}", Grant(Role.VIEWER)
    asked = [(KEYS, {"name": "own"}), (f"{key}/rotate", {"overlap_hours": 0}), (f"{key}/revoke", {})]
    ida = person("ida", Role.ADMIN, areas=("it",))
    async with admin.client(replace(ida, grants=ida.grants | {looks_at_all})) as client:
        for path, body in asked:
            refused = await client.post(path, json=body)
            assert (refused.status_code, refused.json()["code"]) == (403, "everywhere_needed"), path
    assert admin.ring.principal(made.token)


async def test_a_key_rotates_with_both_alive_for_a_while(admin: AdminWorld) -> None:
    async with admin.client(ADA) as client:
        old = (await client.post(KEYS, json={"name": "shop", "client": "shop", "days": 90})).json()
        path = f"{KEYS}/{old['key']['id']}/rotate"
        new = await client.post(path, json={"overlap_hours": 24})
        assert new.status_code == 201
        assert new.json()["key"]["client"] == "shop"
        lifetimes = {
            dt.datetime.fromisoformat(one["expires_at"]) - dt.datetime.fromisoformat(one["created_at"])
            for one in (old["key"], new.json()["key"])
        }
        assert lifetimes == {dt.timedelta(days=90)}
        assert len((await client.get(KEYS, params={"client": "shop"})).json()["keys"]) == 2
        for token in (old["token"], new.json()["token"]):
            assert admin.ring.principal(token)
        again = await client.post(path, json={"overlap_hours": 24})
        assert (again.status_code, new.json()["key"]["id"] in again.json()["detail"]) == (409, True)
        admin.clock.pass_by(hours=24)
        assert admin.ring.known(old["token"]) is None
        assert (await client.post(path, json={})).status_code == 409
        at_once = await client.post(f"{KEYS}/{new.json()['key']['id']}/rotate", json={"overlap_hours": 0})
        assert admin.ring.known(new.json()["token"]) is None
        assert admin.ring.principal(at_once.json()["token"])


async def test_a_revoked_key_is_worth_nothing_at_once(admin: AdminWorld) -> None:
    async with admin.client(ADA) as client:
        made = (await client.post(KEYS, json={"name": "intranet", "scopes": ["admin:read"]})).json()
        admin.ring.principal(made["token"])
        assert admin.ring.known(made["token"])
        revoked = await client.post(f"{KEYS}/{made['key']['id']}/revoke", json={})
        assert revoked.json()["revoked_at"]
        assert admin.ring.known(made["token"]) is None
        assert (await client.post(f"{KEYS}/{made['key']['id']}/rotate", json={})).status_code == 409


async def test_other_tenants_keys_are_not_there(admin: AdminWorld) -> None:
    made = {
        name: admin.access.keys.create(OPERATOR, KeyWish(name=name, assistants=assistants)).record.id
        for name, assistants in (("mine", ("helpdesk",)), ("theirs", ("shop",)), ("all", ()))
    }
    async with admin.client(person("ada", Role.ADMIN, assistants=("helpdesk",))) as client:
        assert [one["id"] for one in (await client.get(KEYS)).json()["keys"]] == [made["mine"]]
        for name in ("theirs", "all"):
            assert (await client.get(f"{KEYS}/{made[name]}")).status_code == 404
            assert (await client.post(f"{KEYS}/{made[name]}/revoke", json={})).status_code == 404
            assert (await client.post(f"{KEYS}/{made[name]}/rotate", json={})).status_code == 404
            assert (await client.get(KEYS, params={"after": made[name]})).status_code == 400


def key_of(admin: AdminWorld, *scopes: KeyScope, owner: str, assistants: tuple[str, ...] = ()) -> dict[str, str]:
    wish = KeyWish(name="tool", scopes=scopes, assistants=assistants)
    return {"authorization": f"Bearer {admin.access.keys.create(OPERATOR, wish, owner=owner).token}"}


async def whoami(admin: AdminWorld, headers: dict[str, str]):
    async with admin.browser() as client:
        return await client.get("/v1/admin/whoami", headers=headers)


async def test_a_key_acts_for_its_owner_and_as_far_as_the_owner_reaches_today(admin: AdminWorld) -> None:
    ada = admin.user("ada", Role.EDITOR)
    headers = key_of(admin, KeyScope.READ, KeyScope.EDIT, owner=ada.id)
    told = (await whoami(admin, headers)).json()
    assert told["person"] == f"user:{ada.id}"
    assert {one["role"] for one in told["grants"]} == {"viewer", "editor"}
    users = admin.access.users
    changed = users.give(OPERATOR, ada.id, grants={Grant(Role.VIEWER)}, assistants=("helpdesk",), rev=ada.rev)
    told = (await whoami(admin, headers)).json()
    assert {one["role"] for one in told["grants"]} == {"viewer"}
    assert told["assistants"] == ["helpdesk"]
    users.disable(OPERATOR, ada.id, rev=changed.rev)
    assert (await whoami(admin, headers)).status_code == 401


async def test_a_key_for_assistants_that_its_owner_lost_sees_none_instead_of_all(admin: AdminWorld) -> None:
    ada = admin.user("ada", Role.VIEWER)
    headers = key_of(admin, KeyScope.READ, owner=ada.id, assistants=("shop",))
    admin.access.users.give(OPERATOR, ada.id, grants=ada.grants, assistants=("helpdesk",), rev=ada.rev)
    assert (await whoami(admin, headers)).status_code == 403


async def test_a_key_approves_and_administers_nothing_whatever_its_owner_is(admin: AdminWorld) -> None:
    ada = admin.user("ada", *Role)
    told = (await whoami(admin, key_of(admin, *KeyScope, owner=ada.id))).json()
    assert {one["role"] for one in told["grants"]} == {"viewer", "editor"}


def test_a_key_that_drafts_has_an_owner(admin: AdminWorld) -> None:
    with pytest.raises(InvalidContent, match="owner"):
        admin.access.keys.create(OPERATOR, KeyWish(name="tool", scopes=(KeyScope.EDIT,)))


async def test_the_last_use_is_noted_away_from_the_request(admin: AdminWorld) -> None:
    made = admin.access.keys.create(OPERATOR, KeyWish(name="tool"))
    admin.ring.principal(made.token)
    admin.clock.pass_by(seconds=30)
    admin.ring.known(made.token)
    assert admin.access.keys.get(OPERATOR, made.record.id).last_used_at is None
    admin.access.keys.note_used()
    assert admin.access.keys.get(OPERATOR, made.record.id).last_used_at == admin.clock.at
    assert admin.ring.take_used() == {}


async def test_a_name_that_is_taken_is_told_in_words(admin: AdminWorld) -> None:
    async with admin.client(ADA) as client:
        await client.post(KEYS, json={"name": "shop"})
        again = await client.post(KEYS, json={"name": "shop"})
    assert again.status_code == 409
    assert again.json()["detail"] == "there is an API key with this name. Choose another one."


async def test_a_key_has_a_budget_of_tokens_and_shows_what_was_used_of_it_today(admin: AdminWorld) -> None:
    async with admin.client(ADA) as client:
        made = (await client.post(KEYS, json={"name": "shop", "tokens_per_day": 5000})).json()
        path = f"{KEYS}/{made['key']['id']}"
        unused = (await client.get(path)).json()
        today, yesterday = admin.clock.at, admin.clock.at - dt.timedelta(days=1)
        decisions = Decisions(admin.database)
        for at, tokens in ((today, 70), (today, 5), (yesterday, 900)):
            decisions.add(decided(at=at, principal=made["key"]["id"], prompt_tokens=tokens, completion_tokens=1))
        used = (await client.get(path)).json()
        free = (await client.post(KEYS, json={"name": "free"})).json()["key"]
        rotated = (await client.post(f"{path}/rotate", json={"overlap_hours": 1})).json()["key"]
        refused = await client.post(KEYS, json={"name": "none", "tokens_per_day": 0})
    assert (unused["tokens_per_day"], unused["tokens_today"], used["tokens_today"]) == (5000, 0, 77)
    assert (free["tokens_per_day"], free["tokens_today"]) == (None, None)
    assert rotated["tokens_per_day"] == 5000
    assert refused.status_code == 422
    assert admin.ring.principal(made["token"]).tokens_per_day == 5000


def decided(**changes) -> Decision:
    with ThreadPoolExecutor(1) as beside:  # this thread has an event loop already
        one = (
            beside.submit(lambda: anyio.run(build().pipeline.answer, question("I forgot my password")))
            .result()
            .decision
        )
    return replace(one, id=str(uuid.uuid4()), **changes)
