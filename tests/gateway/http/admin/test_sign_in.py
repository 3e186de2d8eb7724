"""People sign in with a password, stay for a while, and leave; everybody else is told the same."""

import re

import httpx
import pytest

from gateway.access.sealing import hash_of
from gateway.access.totp import code_at
from gateway.access.users import Awaited
from gateway.access_settings import AccessSettings
from store.people import OPERATOR, Grant, Role
from tests.administration import PASSWORD, AdminWorld

pytestmark = pytest.mark.anyio
SESSION = "/v1/admin/session"
COOKIE = "__Host-canongate"


def body(name: str = "ada", password: str = PASSWORD, **more: str) -> dict[str, str]:
    return {"name": name, "password": password, **more}


async def test_a_sign_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use(admin: AdminWorld) -> None:
    admin.user("ada", Role.EDITOR, mail="ada@tarnwick.example")
    async with admin.browser() as browser:
        told = await browser.post(SESSION, json=body())
        assert told.status_code == 201
        cookie = next(one for one in told.headers.get_list("set-cookie") if one.startswith(f"{COOKIE}="))
        assert re.match(rf"{COOKIE}=[A-Za-z0-9]{{43}};", cookie)
        for attribute in ("HttpOnly", "Secure", "SameSite=strict", "Path=/", "Max-Age=43200"):
            assert attribute.lower() in cookie.lower()
        assert "domain" not in cookie.lower()
        whoami = await browser.get("/v1/admin/whoami")
    assert (whoami.status_code, whoami.json()["name"]) == (200, "ada")


async def test_name_and_address_are_taken_in_any_spelling(admin: AdminWorld) -> None:
    admin.user("Ada", Role.EDITOR, mail="Ada@Tarnwick.example")
    async with admin.browser() as browser:
        for name in ("ada", " ADA ", "ada@tarnwick.EXAMPLE"):
            assert (await browser.post(SESSION, json=body(name))).status_code == 201


async def test_the_token_is_nowhere_in_the_database_and_neither_is_the_password(admin: AdminWorld) -> None:
    admin.user("ada", Role.EDITOR)
    async with admin.browser() as browser:
        await browser.post(SESSION, json=body())
        token = browser.cookies[COOKIE]
    dump = admin.dump()
    assert b"ada" in dump
    assert token.encode() not in dump
    assert PASSWORD.encode() not in dump


async def test_unknown_wrong_and_disabled_are_told_the_same(admin: AdminWorld) -> None:
    admin.user("ada", Role.EDITOR)
    gone = admin.user("bob", Role.EDITOR)
    admin.access.users.disable(OPERATOR, gone.id, rev=gone.rev)
    told = []
    async with admin.browser() as browser:
        for sent in (body("nobody"), body(password="something else"), body("bob"), body("no@where.example")):
            reply = await browser.post(SESSION, json=sent)
            del reply.headers["x-request-id"], reply.headers["traceparent"]
            told.append((reply.status_code, reply.headers.raw, {**reply.json(), "request_id": None}))
    assert all(one == told[0] for one in told)
    assert told[0][0] == 401
    assert told[0][2]["code"] == "sign_in_failed"


async def test_a_failed_sign_in_is_in_the_trail_with_a_count_and_without_what_was_typed(admin: AdminWorld) -> None:
    ada = admin.user("ada", Role.EDITOR)
    async with admin.browser() as browser:
        for sent in (body(password="one heron"), body(password="two herons"), body("my password in the wrong field")):
            await browser.post(SESSION, json=sent)
        await browser.post(SESSION, json=body())
    rows = [(one.action, one.target, one.details) for one in admin.audit.entries() if one.action.startswith("session.")]
    assert [row[:2] for row in rows] == [
        ("session.refused", f"user {ada.id}"),
        ("session.refused", f"user {ada.id}"),
        ("session.refused", "unknown account"),
        ("session.started", f"user {ada.id}"),
    ]
    assert [row[2].get("failures") for row in rows] == [1, 2, 1, 2]
    assert b"heron" not in admin.dump()
    assert b"wrong field" not in admin.dump()


async def test_after_five_tries_there_is_a_pause_that_is_told_and_is_over_when_it_says(admin: AdminWorld) -> None:
    admin.user("ada", Role.EDITOR)
    async with admin.browser() as browser:
        for _ in range(5):
            assert (await browser.post(SESSION, json=body(password="wrong"))).status_code == 401
        told = await browser.post(SESSION, json=body())
    assert told.status_code == 429
    assert 0 < int(told.headers["retry-after"]) <= 60


async def test_tries_by_name_and_by_address_count_for_one_account(admin: AdminWorld) -> None:
    admin.user("ada", Role.EDITOR, mail="ada@tarnwick.example")
    statuses = []
    for number, name in enumerate(["ada", "ada@tarnwick.example"] * 3):
        async with admin.browser(address=f"198.51.100.{number}") as browser:
            statuses.append((await browser.post(SESSION, json=body(name, "wrong"))).status_code)
    assert statuses == [401] * 5 + [429]
    refused = [one.details["failures"] for one in admin.audit.entries() if one.action == "session.refused"]
    assert refused == [1, 2, 3, 4, 5]


async def test_nobody_is_kept_out_by_the_tries_of_others(admin: AdminWorld) -> None:
    admin.user("ada", Role.EDITOR)
    async with admin.browser() as hers, admin.browser(address="198.51.100.7") as theirs:
        assert (await hers.post(SESSION, json=body())).status_code == 201
        for _ in range(9):
            last = await theirs.post(SESSION, json=body(password="wrong"))
        assert last.status_code == 429
        assert (await hers.post(SESSION, json=body())).status_code == 201


async def test_a_mark_of_ones_own_browser_does_not_serve_for_another_account(admin: AdminWorld) -> None:
    admin.user("ada", Role.EDITOR)
    admin.user("bob", Role.EDITOR)
    async with admin.browser() as browser:
        assert (await browser.post(SESSION, json=body("bob"))).status_code == 201
        statuses = [(await browser.post(SESSION, json=body(password="wrong"))).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]


async def test_each_sign_in_gives_a_new_token_and_ends_the_one_before(admin: AdminWorld) -> None:
    admin.user("ada", Role.EDITOR)
    async with admin.browser() as browser, admin.browser() as thief:
        await browser.post(SESSION, json=body())
        thief.cookies = httpx.Cookies(browser.cookies)
        assert (await thief.get("/v1/admin/whoami")).status_code == 200
        await browser.post(SESSION, json=body())
        assert browser.cookies[COOKIE] != thief.cookies[COOKIE]
        assert (await thief.get("/v1/admin/whoami")).status_code == 401
        assert (await browser.get("/v1/admin/whoami")).status_code == 200


async def test_a_session_is_over_after_half_an_hour_without_requests(admin: AdminWorld) -> None:
    admin.user("ada", Role.EDITOR)
    async with admin.browser() as browser:
        await browser.post(SESSION, json=body())
        for _ in range(5):
            admin.clock.pass_by(minutes=29)
            assert (await browser.get("/v1/admin/whoami")).status_code == 200
        admin.clock.pass_by(minutes=30)
        told = await browser.get("/v1/admin/whoami")
    assert (told.status_code, told.json()["code"]) == (401, "session_ended")


async def test_a_session_is_over_after_twelve_hours_whatever_happens(admin: AdminWorld) -> None:
    admin.user("ada", Role.EDITOR)
    async with admin.browser() as browser:
        await browser.post(SESSION, json=body())
        for _ in range(35):
            admin.clock.pass_by(minutes=20)
            assert (await browser.get("/v1/admin/whoami")).status_code == 200
        admin.clock.pass_by(minutes=20)
        assert (await browser.get("/v1/admin/whoami")).status_code == 401


@pytest.mark.parametrize("change", ["disable", "demote", "reset-password", "reset-totp"])
async def test_whoever_is_disabled_or_changed_is_out_at_once(admin: AdminWorld, change: str) -> None:
    ada = admin.user("ada", Role.EDITOR, Role.APPROVER)
    users = admin.access.users
    async with admin.browser() as browser:
        await browser.post(SESSION, json=body())
        assert (await browser.get("/v1/admin/whoami")).status_code == 200
        rev = users.get(OPERATOR, ada.id).rev
        if change == "disable":
            users.disable(OPERATOR, ada.id, rev=rev)
        elif change == "demote":
            users.give(OPERATOR, ada.id, grants={Grant(Role.VIEWER)}, assistants=(), rev=rev)
        elif change == "reset-password":
            users.reset_password(OPERATOR, ada.id)
        else:
            users.reset_totp(OPERATOR, ada.id)
        assert (await browser.get("/v1/admin/whoami")).status_code == 401


async def test_people_list_and_end_their_own_sessions_and_nobody_elses(admin: AdminWorld) -> None:
    admin.user("ada", Role.EDITOR)
    admin.user("bob", Role.EDITOR)
    async with admin.browser() as here, admin.browser() as there, admin.browser() as bobs:
        await admin.sign_in(there, "ada")
        await admin.sign_in(here, "ada")
        await admin.sign_in(bobs, "bob")
        listed = (await here.get("/v1/admin/sessions")).json()["sessions"]
        assert [one["is_this"] for one in listed] == [True, False]
        (his,) = (await bobs.get("/v1/admin/sessions")).json()["sessions"]
        assert (await here.delete(f"/v1/admin/sessions/{his['id']}")).status_code == 404
        assert (await here.delete(f"/v1/admin/sessions/{listed[1]['id']}")).status_code == 204
        assert (await there.get("/v1/admin/whoami")).status_code == 401
        assert (await here.get("/v1/admin/whoami")).status_code == 200
        assert (await bobs.get("/v1/admin/whoami")).status_code == 200


async def test_signing_out_ends_the_session_and_takes_the_cookie_away(admin: AdminWorld) -> None:
    admin.user("ada", Role.EDITOR)
    async with admin.browser() as browser:
        await admin.sign_in(browser, "ada")
        kept = httpx.Cookies(browser.cookies)
        assert (await browser.delete(SESSION)).status_code == 204
        assert COOKIE not in browser.cookies
        browser.cookies = kept
        assert (await browser.get("/v1/admin/whoami")).status_code == 401


@pytest.mark.parametrize("headers", [{}, {"x-canongate-csrf": ""}, {"x-canongate-csrf": "0" * 64}])
async def test_a_write_by_cookie_needs_the_token_of_its_session(admin: AdminWorld, headers: dict[str, str]) -> None:
    admin.user("ada", Role.ADMIN)
    admin.user("bob", Role.ADMIN)
    async with admin.browser() as browser, admin.browser() as other:
        await admin.sign_in(browser, "ada")
        await admin.sign_in(other, "bob")
        del browser.headers["x-canongate-csrf"]
        for sent in (headers, {"x-canongate-csrf": other.headers["x-canongate-csrf"]}):
            told = await browser.post("/v1/admin/users", json={"name": "eve"}, headers=sent)
            assert (told.status_code, told.json()["code"]) == (403, "wrong_csrf")


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://gateway.test.evil.example"},
    ],
)
async def test_a_write_from_another_site_is_refused_also_with_the_token(
    admin: AdminWorld, headers: dict[str, str]
) -> None:
    admin.user("ada", Role.ADMIN)
    async with admin.browser() as browser:
        await admin.sign_in(browser, "ada")
        told = await browser.post("/v1/admin/users", json={"name": "eve"}, headers=headers)
        assert (told.status_code, told.json()["code"]) == (403, "cross_site")
        assert (await browser.post(SESSION, json=body(), headers=headers)).status_code == 403


async def test_a_page_of_ours_may_write(admin: AdminWorld) -> None:
    admin.user("ada", Role.ADMIN)
    async with admin.browser() as browser:
        await admin.sign_in(browser, "ada")
        headers = {"sec-fetch-site": "same-origin", "origin": "https://gateway.test"}
        assert (await browser.post("/v1/admin/users", json={"name": "eve"}, headers=headers)).status_code == 201


async def test_a_cookie_beside_a_token_and_two_cookies_are_refused(admin: AdminWorld) -> None:
    admin.user("ada", Role.ADMIN)
    async with admin.browser() as browser:
        await admin.sign_in(browser, "ada")
        token = browser.cookies[COOKIE]
        both = await browser.get("/v1/admin/whoami", headers={"authorization": "Bearer cg_x_y"})
        browser.cookies.clear()
        twice = await browser.get("/v1/admin/whoami", headers={"cookie": f"{COOKIE}={token}; {COOKIE}=other"})
    assert (both.status_code, both.json()["code"]) == (400, "two_credentials")
    assert (twice.status_code, twice.json()["code"]) == (400, "two_credentials")


async def test_with_an_authenticator_a_code_is_needed_and_counts_once(admin: AdminWorld) -> None:
    admin.user("ada", Role.EDITOR)
    async with admin.browser() as browser, admin.browser() as other:
        await admin.sign_in(browser, "ada")
        secret, _ = await admin.enrol(browser)
        told = await other.post(SESSION, json=body())
        assert (told.status_code, told.json()["code"]) == (401, "code_required")
        admin.clock.pass_by(seconds=60)
        code = code_at(secret, int(admin.clock.at.timestamp()) // 30)
        assert (await other.post(SESSION, json=body(code=code))).status_code == 201
        again = await other.post(SESSION, json=body(code=code))
        assert (again.status_code, again.json()["code"]) == (401, "code_wrong")
        wrong = await other.post(SESSION, json=body(code="000000"))
        assert (wrong.status_code, wrong.json()["code"]) == (401, "code_wrong")
    assert secret not in admin.dump()


async def test_a_recovery_code_replaces_the_authenticator_once(admin: AdminWorld) -> None:
    admin.user("ada", Role.EDITOR)
    async with admin.browser() as browser:
        await admin.sign_in(browser, "ada")
        _, codes = await admin.enrol(browser)
        assert len(set(codes)) == 10
        spelt = codes[0].upper().replace("-", " ")
        assert (await browser.post(SESSION, json=body(code=spelt))).status_code == 201
        assert (await browser.post(SESSION, json=body(code=codes[0]))).status_code == 401
    assert codes[1].encode() not in admin.dump()


async def test_a_role_that_needs_an_authenticator_is_good_for_enrolling_one_until_then(make_admin) -> None:
    admin = make_admin(AccessSettings(totp_roles=(Role.ADMIN,)))
    admin.user("ada", Role.ADMIN)
    admin.user("bob", Role.EDITOR)
    async with admin.browser() as browser, admin.browser() as bobs:
        signed_in = await admin.sign_in(browser, "ada")
        assert signed_in["must_enrol"] is True
        told = await browser.get("/v1/admin/users")
        assert (told.status_code, told.json()["code"]) == (403, "totp_enrolment_required")
        await admin.enrol(browser)
        assert (await browser.get("/v1/admin/users")).status_code == 200
        refused = await browser.post("/v1/admin/profile/totp/disable", json={"password": PASSWORD})
        assert refused.status_code == 409
        await admin.sign_in(bobs, "bob")
        assert (await bobs.get("/v1/admin/whoami")).status_code == 200


async def test_without_tls_there_is_another_cookie_and_the_real_one_is_not_taken(make_admin) -> None:
    admin = make_admin(AccessSettings(plain_http=True))
    admin.user("ada", Role.EDITOR)
    async with admin.browser(base_url="http://127.0.0.1:8080") as browser:
        told = await browser.post(SESSION, json=body())
        assert all("__Host-" not in one for one in told.headers.get_list("set-cookie"))
        assert all("secure" not in one.lower() for one in told.headers.get_list("set-cookie"))
        assert (await browser.get("/v1/admin/whoami")).status_code == 200
        token = browser.cookies["canongate-plain"]
        browser.cookies.clear()
        assert (await browser.get("/v1/admin/whoami", headers={"cookie": f"{COOKIE}={token}"})).status_code == 401


async def test_a_password_kept_with_other_parameters_is_hashed_anew(admin: AdminWorld, monkeypatch) -> None:
    ada = admin.user("ada", Role.EDITOR)
    before = admin.access.users.get(OPERATOR, ada.id).password_hash
    monkeypatch.setattr(admin.access.sign_in._passwords, "is_outdated", lambda _: True)
    async with admin.browser() as browser:
        assert (await browser.post(SESSION, json=body())).status_code == 201
        after = admin.access.users.get(OPERATOR, ada.id).password_hash
        assert after != before
        assert (await browser.post(SESSION, json=body())).status_code == 201


async def test_a_setup_token_sets_a_password_once_and_for_a_day(admin: AdminWorld) -> None:
    first, second = (admin.access.users.create(OPERATOR, name, grants=()) for name in ("ada", "bob"))
    async with admin.browser() as browser:
        weak = await browser.post("/v1/admin/setup", json={"token": first.token, "password": "password1234"})
        assert weak.status_code == 422
        sent = {"token": first.token, "password": PASSWORD}
        assert (await browser.post("/v1/admin/setup", json=sent)).status_code == 200
        again = await browser.post("/v1/admin/setup", json=sent)
        assert (again.status_code, again.json()["code"]) == (401, "invalid_setup_token")
        admin.clock.pass_by(hours=24)
        late = await browser.post("/v1/admin/setup", json={"token": second.token, "password": PASSWORD})
        assert late.status_code == 401
    assert first.token.encode() not in admin.dump()


def test_the_first_administrator_is_invited_until_there_is_a_password(admin: AdminWorld) -> None:
    users = admin.access.users
    first = users.first_administrator()
    awaited = Awaited(first.user, first.expires_at, hash_of(first.token))
    assert users.first_administrator() == awaited, "its token is good still"
    admin.clock.pass_by(hours=24)
    second = users.first_administrator()
    assert (first.user.id, first.token == second.token) == (second.user.id, False)
    admin.access.profiles.set_up(second.token, PASSWORD)
    assert users.first_administrator() is None


def test_nobody_is_invited_who_is_not_the_first(admin: AdminWorld) -> None:
    admin.access.users.create(OPERATOR, "ada", grants=[Grant(Role.EDITOR)])
    assert admin.access.users.first_administrator() is None
