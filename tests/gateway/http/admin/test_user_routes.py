"""Administrators look after people, within what they have themselves."""

import pytest

from store.people import OPERATOR, Grant, Role
from tests.administration import AdminWorld, person

pytestmark = pytest.mark.anyio
USERS = "/v1/admin/users"
ADA = person("ada", Role.ADMIN)


def sent(name: str = "bob", **more: object) -> dict[str, object]:
    return {"name": name, "grants": [{"role": "approver", "areas": ["it", "hr"]}], **more}


async def test_a_user_is_made_with_a_token_that_is_shown_once(admin: AdminWorld) -> None:
    async with admin.client(ADA) as client:
        made = await client.post(USERS, json=sent(mail="bob@tarnwick.example"))
        assert made.status_code == 201
        token, user = made.json()["token"], made.json()["user"]
        read = await client.get(f"{USERS}/{user['id']}")
    assert read.json() == user
    assert read.headers["etag"] == '"1"'
    assert (user["has_password"], user["grants"]) == (False, [{"role": "approver", "areas": ["hr", "it"]}])
    assert token not in read.text
    assert token.encode() not in admin.dump()


@pytest.mark.parametrize("name", ["", "@", "a@b", "\x07bell", " bob", "x" * 65, "bob\n", "<b>"])
async def test_a_name_that_cannot_be_told_from_an_address_is_refused(admin: AdminWorld, name: str) -> None:
    async with admin.client(ADA) as client:
        assert (await client.post(USERS, json={"name": name})).status_code == 422


@pytest.mark.parametrize("more", [{"name": "BOB"}, {"name": "eve", "mail": "Bob@tarnwick.example"}])
async def test_a_name_or_an_address_is_one_persons(admin: AdminWorld, more: dict[str, str]) -> None:
    admin.user("bob", mail="bob@tarnwick.example")
    async with admin.client(ADA) as client:
        assert (await client.post(USERS, json=more)).status_code == 409


async def test_roles_are_replaced_over_the_state_that_was_read(admin: AdminWorld) -> None:
    bob = admin.user("bob", Role.EDITOR)
    new = {"grants": [{"role": "viewer"}], "assistants": ["helpdesk"]}
    async with admin.client(ADA) as client:
        read = await client.get(f"{USERS}/{bob.id}")
        assert (await client.put(f"{USERS}/{bob.id}/grants", json=new)).status_code == 428
        headers = {"if-match": read.headers["etag"]}
        changed = await client.put(f"{USERS}/{bob.id}/grants", json=new, headers=headers)
        late = await client.put(f"{USERS}/{bob.id}/grants", json=new, headers=headers)
    assert changed.json()["grants"] == [{"role": "viewer", "areas": []}]
    assert changed.json()["assistants"] == ["helpdesk"]
    assert late.status_code == 409


async def test_nobody_changes_their_own_roles_or_locks_themselves_out(admin: AdminWorld) -> None:
    ada = admin.user("ada", Role.ADMIN)
    admin.user("eve", Role.ADMIN)
    async with admin.browser() as browser:
        await admin.sign_in(browser, "ada")
        headers = {"if-match": (await browser.get(f"{USERS}/{ada.id}")).headers["etag"]}
        more = {"grants": [{"role": "admin"}, {"role": "approver"}], "assistants": []}
        assert (await browser.put(f"{USERS}/{ada.id}/grants", json=more, headers=headers)).status_code == 409
        assert (await browser.post(f"{USERS}/{ada.id}/disable", json={}, headers=headers)).status_code == 409


async def test_the_last_administrator_stays(admin: AdminWorld) -> None:
    ada = admin.user("ada", Role.ADMIN)
    admin.user("bob", Role.ADMIN, areas=("it",))
    users = admin.access.users
    headers = {"if-match": f'"{ada.rev}"'}
    async with admin.client(person("root", Role.ADMIN)) as client:
        assert (await client.post(f"{USERS}/{ada.id}/disable", json={}, headers=headers)).status_code == 409
        none = {"grants": [], "assistants": []}
        assert (await client.put(f"{USERS}/{ada.id}/grants", json=none, headers=headers)).status_code == 409
        users.create(OPERATOR, "eve", grants=[Grant(Role.ADMIN)])
        assert (await client.post(f"{USERS}/{ada.id}/disable", json={}, headers=headers)).status_code == 200


async def test_an_administrator_of_areas_gives_no_more_than_those(admin: AdminWorld) -> None:
    whole, part = admin.user("whole", Role.ADMIN), admin.user("part", Role.EDITOR, areas=("it",))
    async with admin.client(person("ada", Role.ADMIN, areas=("it", "hr"))) as client:
        assert (await client.post(USERS, json=sent())).status_code == 201
        for grant in ({"role": "viewer"}, {"role": "viewer", "areas": ["it", "legal"]}):
            assert (await client.post(USERS, json={"name": "eve", "grants": [grant]})).status_code == 422
        for verb in ("disable", "enable", "reset-password", "reset-totp"):
            headers = {"if-match": f'"{whole.rev}"'}
            assert (await client.post(f"{USERS}/{whole.id}/{verb}", json={}, headers=headers)).status_code == 422
        assert (await client.post(f"{USERS}/{part.id}/reset-password", json={})).status_code == 200


async def test_an_administrator_of_a_tenant_sees_and_makes_only_its_people(admin: AdminWorld) -> None:
    mine = admin.user("mine", Role.VIEWER, assistants=("helpdesk",))
    others = [admin.user("theirs", Role.VIEWER, assistants=("shop",)), admin.user("all", Role.VIEWER)]
    others.append(admin.user("both", Role.VIEWER, assistants=("helpdesk", "shop")))
    async with admin.client(person("ada", Role.ADMIN, assistants=("helpdesk",))) as client:
        listed = (await client.get(USERS)).json()["users"]
        assert [one["id"] for one in listed] == [mine.id]
        for other in others:
            assert (await client.get(f"{USERS}/{other.id}")).status_code == 404
            assert (await client.post(f"{USERS}/{other.id}/reset-password", json={})).status_code == 404
        assert (await client.post(USERS, json={"name": "eve"})).status_code == 422
        assert (await client.post(USERS, json={"name": "eve", "assistants": ["shop"]})).status_code == 422
        assert (await client.post(USERS, json={"name": "eve", "assistants": ["helpdesk"]})).status_code == 201


async def test_pages_follow_one_another(admin: AdminWorld) -> None:
    made = [admin.user(f"person {number}").id for number in range(5)]
    seen, after = [], ""
    async with admin.client(ADA) as client:
        while after is not None:
            page = (await client.get(USERS, params={"limit": 2, "after": after})).json()
            seen += [one["id"] for one in page["users"]]
            after = page["next"]
    assert seen == made


async def test_a_password_and_an_authenticator_can_be_taken_away(admin: AdminWorld) -> None:
    bob = admin.user("bob", Role.VIEWER)
    async with admin.browser() as browser:
        await admin.sign_in(browser, "bob")
        await admin.enrol(browser)
    async with admin.client(ADA) as client:
        reset = await client.post(f"{USERS}/{bob.id}/reset-password", json={})
        assert reset.json()["user"]["has_password"] is False
        without = await client.post(f"{USERS}/{bob.id}/reset-totp", json={})
        assert without.json()["has_totp"] is False


async def test_a_change_whose_row_in_the_trail_cannot_be_written_is_not_made(admin: AdminWorld, monkeypatch) -> None:
    bob = admin.user("bob", Role.VIEWER)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no trail")

    monkeypatch.setattr(admin.audit, "append", broken)
    with pytest.raises(RuntimeError):
        admin.access.users.disable(OPERATOR, bob.id, rev=bob.rev)
    assert admin.access.users.get(OPERATOR, bob.id).disabled_at is None
