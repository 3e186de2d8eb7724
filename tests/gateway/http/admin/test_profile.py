"""People look after their own account."""

import pytest

from store.people import Role
from tests.administration import PASSWORD, AdminWorld, person

pytestmark = pytest.mark.anyio
PROFILE = "/v1/admin/profile"
OTHER = "eleven quiet bicycles"


async def test_a_password_is_changed_with_the_old_one_and_other_sessions_end(admin: AdminWorld) -> None:
    admin.user("ada", Role.VIEWER)
    async with admin.browser() as here, admin.browser() as there:
        await admin.sign_in(there, "ada")
        await admin.sign_in(here, "ada")
        wrong = await here.post(f"{PROFILE}/password", json={"old": "wrong", "new": OTHER})
        assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_password")
        weak = await here.post(f"{PROFILE}/password", json={"old": PASSWORD, "new": "short"})
        assert weak.status_code == 422
        assert (await here.post(f"{PROFILE}/password", json={"old": PASSWORD, "new": OTHER})).status_code == 200
        assert (await here.get("/v1/admin/whoami")).status_code == 200
        assert (await there.get("/v1/admin/whoami")).status_code == 401
        assert (await there.post("/v1/admin/session", json={"name": "ada", "password": PASSWORD})).status_code == 401
        assert (await there.post("/v1/admin/session", json={"name": "ada", "password": OTHER})).status_code == 201


async def test_an_open_session_is_no_way_to_guess_the_password(admin: AdminWorld) -> None:
    admin.user("ada", Role.VIEWER)
    async with admin.browser() as browser:
        await admin.sign_in(browser, "ada")
        sent = {"old": "wrong", "new": OTHER}
        statuses = [(await browser.post(f"{PROFILE}/password", json=sent)).status_code for _ in range(6)]
    assert statuses == [403] * 5 + [429]


async def test_an_address_is_changed_over_the_state_that_was_read(admin: AdminWorld) -> None:
    admin.user("ada", Role.VIEWER)
    admin.user("bob", Role.VIEWER, mail="bob@tarnwick.example")
    async with admin.browser() as browser:
        await admin.sign_in(browser, "ada")
        read = await browser.get(PROFILE)
        sent = {"mail": "ada@tarnwick.example"}
        assert (await browser.patch(PROFILE, json=sent)).status_code == 428
        assert (await browser.patch(PROFILE, json=sent, headers={"if-match": "x"})).status_code == 412
        changed = await browser.patch(PROFILE, json=sent, headers={"if-match": read.headers["etag"]})
        assert (changed.status_code, changed.json()["mail"]) == (200, "ada@tarnwick.example")
        late = await browser.patch(PROFILE, json={"mail": None}, headers={"if-match": read.headers["etag"]})
        assert late.status_code == 409
        taken = {"mail": "BOB@tarnwick.example"}
        assert (
            await browser.patch(PROFILE, json=taken, headers={"if-match": changed.headers["etag"]})
        ).status_code == 409
        bad = await browser.patch(PROFILE, json={"mail": "no address"}, headers={"if-match": changed.headers["etag"]})
        assert bad.status_code == 422


async def test_an_authenticator_counts_after_its_first_code_and_goes_with_the_password(admin: AdminWorld) -> None:
    admin.user("ada", Role.VIEWER)
    async with admin.browser() as browser:
        await admin.sign_in(browser, "ada")
        assert (await browser.post(f"{PROFILE}/totp/confirm", json={"code": "123456"})).status_code == 409
        assert (await browser.post(f"{PROFILE}/totp", json={"password": "wrong"})).status_code == 403
        assert (await browser.post(f"{PROFILE}/totp", json={"password": PASSWORD})).status_code == 200
        wrong = await browser.post(f"{PROFILE}/totp/confirm", json={"code": "000000"})
        assert wrong.json()["code"] == "code_wrong"
        assert (await browser.get(PROFILE)).json()["has_totp"] is False
        await admin.enrol(browser)
        assert (await browser.get(PROFILE)).json()["has_totp"] is True
        assert (await browser.post(f"{PROFILE}/totp", json={"password": PASSWORD})).status_code == 409
        assert (await browser.post(f"{PROFILE}/totp/disable", json={"password": "wrong"})).status_code == 403
        off = await browser.post(f"{PROFILE}/totp/disable", json={"password": PASSWORD})
        assert (off.status_code, off.json()["has_totp"]) == (200, False)


async def test_a_caller_without_a_session_has_no_account(admin: AdminWorld) -> None:
    async with admin.client(person("ada", *Role)) as client:
        assert (await client.get(PROFILE)).status_code == 403
        assert (await client.get("/v1/admin/session")).status_code == 403


async def test_every_change_is_in_the_trail(admin: AdminWorld) -> None:
    ada = admin.user("ada", Role.VIEWER)
    async with admin.browser() as browser:
        await admin.sign_in(browser, "ada")
        await browser.post(f"{PROFILE}/password", json={"old": PASSWORD, "new": OTHER})
        await browser.patch(PROFILE, json={"mail": "a@b.example"}, headers={"if-match": '"3"'})
        await admin.enrol(browser, password=OTHER)
        await browser.post(f"{PROFILE}/totp/disable", json={"password": OTHER})
    done = [one.action for one in admin.audit.entries() if one.actor == f"user:{ada.id}"]
    assert done == [
        "user.password_set",
        "session.started",
        "user.password_changed",
        "user.mail_changed",
        "user.totp_enrolled",
        "user.totp_confirmed",
        "user.totp_disabled",
    ]
