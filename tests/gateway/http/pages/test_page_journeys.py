"""What people do on the pages, in a browser without JavaScript."""

import re
from dataclasses import replace

import pytest
from msgspec import structs

from gateway.access.totp import STEP_S, code_at
from gateway.access_settings import AccessSettings
from gateway.server_settings import ServerSettings
from store.people import OPERATOR, Grant, Role
from tests.administration import PASSWORD, AdminWorld
from tests.gateway.http.pages.page_content import fill
from tests.plain_browser import PlainBrowser

pytestmark = pytest.mark.anyio


def base32_secret(browser: PlainBrowser) -> bytes:
    import base64  # noqa: PLC0415 - only here

    text = next(values["value"] for tag, values in browser.page.tags if values.get("id") == "secret")
    return base64.b32decode(text + "=" * (-len(text) % 8))


def secret_field(browser: PlainBrowser) -> str:
    return next(values["value"] for tag, values in browser.page.tags if values.get("class") == "secret")


def code_of(admin: AdminWorld, secret: bytes) -> str:
    return code_at(secret, int(admin.clock.at.timestamp()) // STEP_S)


async def test_the_first_administrator_sets_a_password_and_sees_the_first_steps(admin: AdminWorld, browser) -> None:
    token = admin.access.users.first_administrator().token
    await browser.open("/admin/setup")
    await browser.send("/admin/setup", token=token, password="short", again="short")
    assert browser.status == 422
    assert "12 to 256 characters" in browser.text
    await browser.send("/admin/setup", token=token, password=PASSWORD, again=PASSWORD + "x")
    assert "The two passwords are not the same." in browser.text
    await browser.send("/admin/setup", token=token, password=PASSWORD, again=PASSWORD)
    assert browser.path == "/admin/sign-in"
    assert "Your password is set." in browser.text
    await browser.send("/admin/sign-in", name="admin", password=PASSWORD)
    assert browser.path == "/admin"
    assert "1 of 5 done." in browser.text
    await browser.open("/admin/setup")
    await browser.send("/admin/setup", token=token, password=PASSWORD, again=PASSWORD)
    assert "The token is wrong, was used, or is too old." in browser.text


async def test_a_wrong_password_keeps_the_name_and_no_password(admin: AdminWorld, browser) -> None:
    admin.user("ada", Role.ADMIN)
    await browser.open("/admin/sign-in?next=/admin/people")
    await browser.send("/admin/sign-in", name="ada", password="not this one")
    assert browser.status == 401
    assert "Name or password is wrong." in browser.text
    assert dict(browser.page.form("/admin/sign-in")["fields"])["name"] == "ada"
    assert "not this one" not in browser.reply.text
    await browser.send("/admin/sign-in", name="ada", password=PASSWORD)
    assert browser.path == "/admin/people"


async def test_too_many_tries_are_told_and_end(admin: AdminWorld, browser) -> None:
    admin.user("ada", Role.ADMIN)
    await browser.open("/admin/sign-in")
    for _ in range(6):
        await browser.send("/admin/sign-in", name="ada", password="not this one")
    assert browser.status == 429
    assert "Too many tries." in browser.text


async def test_an_authenticator_is_enrolled_used_and_taken_away(admin: AdminWorld, signed_in, browser) -> None:
    admin.user("ada", Role.ADMIN)
    first: PlainBrowser = await signed_in("ada")
    await first.open("/admin/profile/authenticator")
    await first.send("/admin/profile/authenticator", password="wrong")
    assert "The password is wrong." in first.text
    await first.send("/admin/profile/authenticator", password=PASSWORD)
    assert first.page.count("path") == 1
    secret = base32_secret(first)
    await first.send("/admin/profile/authenticator/confirm", code="000000")
    assert "The code is wrong" in first.text
    await first.send("/admin/profile/authenticator/confirm", code=code_of(admin, secret))
    codes = re.findall(r"<code>([a-z0-9-]{19})</code>", first.reply.text)
    assert len(codes) == 10
    admin.clock.pass_by(minutes=1)
    await browser.open("/admin/sign-in")
    await browser.send("/admin/sign-in", name="ada", password=PASSWORD)
    assert "One more step" in browser.text
    assert PASSWORD not in browser.reply.text
    await browser.send("/admin/sign-in", code="123")
    assert "The code is wrong" in browser.text
    await browser.send("/admin/sign-in", code=code_of(admin, secret))
    assert browser.path == "/admin"
    other = PlainBrowser(admin.browser())
    await other.open("/admin/sign-in")
    await other.send("/admin/sign-in", name="ada", password=PASSWORD)
    await other.send("/admin/sign-in", code=codes[0])
    assert other.path == "/admin"
    await other.open("/admin/profile/authenticator")
    await other.send("/admin/profile/authenticator/disable", password=PASSWORD)
    assert "Your authenticator is taken away." in other.text


async def test_a_code_that_comes_too_late_begins_the_sign_in_again(admin: AdminWorld, signed_in, browser) -> None:
    admin.user("ada", Role.ADMIN)
    first = await signed_in("ada")
    await first.open("/admin/profile/authenticator")
    await first.send("/admin/profile/authenticator", password=PASSWORD)
    secret = base32_secret(first)
    await first.send("/admin/profile/authenticator/confirm", code=code_of(admin, secret))
    await browser.open("/admin/sign-in")
    await browser.send("/admin/sign-in", name="ada", password=PASSWORD)
    admin.clock.pass_by(minutes=6)
    await browser.send("/admin/sign-in", code=code_of(admin, secret))
    assert (browser.status, "This took too long." in browser.text) == (401, True)
    tampered = [("ticket", "AAAA" * 20), ("code", "123456")]
    await browser.post("/admin/sign-in", tampered)
    assert browser.status == 401


async def test_a_role_that_needs_an_authenticator_opens_nothing_before(make_admin) -> None:
    strict = make_admin(AccessSettings(totp_roles=(Role.ADMIN,)))
    strict.user("ada", Role.ADMIN)
    browser = PlainBrowser(strict.browser())
    await browser.open("/admin/sign-in")
    await browser.send("/admin/sign-in", name="ada", password=PASSWORD)
    assert browser.path == "/admin/profile/authenticator"
    assert "Your role needs an authenticator." in browser.text
    for path in ("/admin/people", "/admin/profile", "/admin/keys/new"):
        await browser.open(path)
        assert browser.path == "/admin/profile/authenticator"
    await browser.send("/admin/profile/authenticator", password=PASSWORD)
    await browser.send("/admin/profile/authenticator/confirm", code=code_of(strict, base32_secret(browser)))
    await browser.open("/admin/people")
    assert browser.path == "/admin/people"


async def test_a_key_is_made_used_replaced_and_revoked(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.ADMIN)
    browser: PlainBrowser = await signed_in("ada")
    await browser.open("/admin/keys")
    assert "No API client yet" in browser.text
    await browser.open("/admin/keys/new")
    await browser.send("/admin/keys/new", name="intranet", client="", days="30", scopes=("chat", "debug"))
    assert browser.status == 201
    first = secret_field(browser)
    assert admin.ring.principal(first).name == "intranet"
    await browser.open("/admin/keys")
    assert first not in browser.reply.text
    assert "intranet" in browser.text
    link = re.search(r'class="row-link" href="(/admin/keys/[^"]+)"', browser.reply.text)[1]
    await browser.open(link)
    await browser.send(f"{link}/rotate", overlap="24")
    second = secret_field(browser)
    assert admin.ring.principal(first).id != admin.ring.principal(second).id
    await browser.open(link)
    await browser.send(f"{link}/revoke", confirm="intranet 2")
    assert (browser.status, "It was not revoked." in browser.text) == (422, True)
    assert admin.ring.principal(first)
    await browser.send(f"{link}/revoke", confirm="intranet")
    assert "The key is revoked." in browser.text
    assert "Revoked" in browser.text
    await browser.open(link)
    assert "The key is revoked." not in browser.text, "it is told once"
    await browser.open("/admin/audit?action=key.")
    assert "replaced a key" in browser.text
    assert "revoked a key" in browser.text


async def test_the_request_beside_a_new_key_names_the_address_of_the_data_plane(admin: AdminWorld, signed_in) -> None:
    server = ServerSettings(public_url="https://chat.example")
    settings = structs.replace(admin.components.settings, server=server)
    admin.components = replace(admin.components, settings=settings)
    admin.user("ada", Role.ADMIN)
    browser: PlainBrowser = await signed_in("ada")
    await browser.open("/admin/keys/new")
    await browser.send("/admin/keys/new", name="intranet", client="", days="30", scopes=("chat",))
    assert "curl https://chat.example/v1/models" in browser.reply.text


async def test_a_person_is_added_given_rights_disabled_and_let_in_again(admin: AdminWorld, signed_in, browser) -> None:
    admin.user("ada", Role.ADMIN)
    ada: PlainBrowser = await signed_in("ada")
    await ada.open("/admin/people/new")
    await ada.send(
        "/admin/people/new",
        name="Bo",
        mail="bo@tarnwick.example",
        role="editor",
        where_editor="some",
        areas_editor=("it", "hr"),
    )
    assert ada.status == 201
    token = secret_field(ada)
    await browser.open("/admin/setup")
    await browser.send("/admin/setup", token=token, password=PASSWORD, again=PASSWORD)
    await browser.send("/admin/sign-in", name="Bo", password=PASSWORD)
    bo = admin.access.users.named("Bo")
    assert bo.grants == {Grant(Role.EDITOR, frozenset({"it", "hr"}))}
    await browser.open("/admin/people")
    assert browser.status == 403
    assert "It takes one of these roles: Administrator, Auditor." in browser.text
    path = f"/admin/people/{bo.id}"
    await ada.open(path)
    await ada.send(f"{path}/grants", role=("viewer", "auditor"), assistants="helpdesk")
    assert "The rights are changed." in ada.text
    assert {one.role for one in admin.access.users.named("Bo").grants} == {Role.VIEWER, Role.AUDITOR}
    await browser.open("/admin")
    assert browser.path.startswith("/admin/sign-in"), "the session has ended"
    await ada.send(f"{path}/disable")
    assert "can no longer sign in" in ada.text
    await browser.send("/admin/sign-in", name="Bo", password=PASSWORD)
    assert browser.status == 401
    await ada.send(f"{path}/enable")
    await browser.send("/admin/sign-in", name="Bo", password=PASSWORD)
    assert browser.path == "/admin"
    await ada.open(path)
    await ada.send(f"{path}/reset-password")
    assert "The password of Bo is taken away" in ada.text
    await browser.open("/admin/profile")
    assert browser.path.startswith("/admin/sign-in")


async def test_a_session_lost_in_the_middle_of_editing_keeps_what_was_typed(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.ADMIN)
    browser: PlainBrowser = await signed_in("ada")
    await browser.open("/admin/people/new")
    admin.clock.pass_by(hours=1)
    await browser.send("/admin/people/new", name="Bo Long-Typed", mail="bo@tarnwick.example", role=("editor", "viewer"))
    assert browser.status == 401
    assert "Your session is over." in browser.text
    await browser.send("/admin/sign-in", name="ada", password="wrong")
    await browser.send("/admin/sign-in", name="ada", password=PASSWORD)
    assert "Bo Long-Typed" in browser.text
    await browser.send("/admin/people/new")
    assert browser.status == 201
    made = admin.access.users.named("Bo Long-Typed")
    assert {one.role for one in made.grants} == {Role.EDITOR, Role.VIEWER}


async def test_typed_text_is_given_back_in_plain_words_with_a_way_to_its_form(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    browser: PlainBrowser = await signed_in("ada")
    await browser.open("/admin/prompts/it.vpn/edit")
    read = dict(browser.page.form("/admin/prompts/it.vpn/edit")["fields"])["read"]
    admin.clock.pass_by(hours=1)
    browser.client.headers["referer"] = "https://gateway.test/admin/prompts/it.vpn/edit"
    await browser.send("/admin/prompts/it.vpn/edit", title="Typed by Ada", facts="A fact of mine.", slot_0_ask="Where?")
    await browser.send("/admin/sign-in", name="ada", password=PASSWORD)
    told = dict(re.findall(r'<dt>([^<]+)</dt><dd class="typed" dir="auto">([^<]+)</dd>', browser.reply.text))
    assert told["Title"] == "Typed by Ada"
    assert told["Facts"] == "A fact of mine."
    assert told["Blanks 1: Question when it is missing"] == "Where?"
    for placed in ("slot_count", "counterexamples", "review_by", "generate", read):
        assert placed not in browser.text
    assert '<a href="/admin/prompts/it.vpn/edit">Go back to the form</a>' in browser.reply.text
    await browser.send("/admin/prompts/it.vpn/edit")
    assert "Typed by Ada" in browser.text


async def test_typed_text_of_one_person_is_never_shown_to_another(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    path = "/admin/prompts/it.vpn/edit"
    ada, vic = await signed_in("ada"), await signed_in("vic")
    await ada.open(path)
    fields = [*ada.page.form(path)["fields"], ("title", "Typed by Ada")]
    for other in (vic, await signed_in("edda")):
        await other.post(path, fields)
        assert (other.status, "Typed by Ada" in other.reply.text) == (403, False)
    again = await signed_in("ada")
    await again.post(path, fields)
    assert (again.status, "Typed by Ada" in again.text) == (403, True)
    admin.clock.pass_by(hours=1)
    await ada.post(path, fields)
    assert ada.status == 401
    await ada.send("/admin/sign-in", name="vic", password=PASSWORD)
    assert (ada.status, "Typed by Ada" in ada.reply.text) == (200, False)


async def test_a_password_that_was_typed_when_the_session_ended_is_given_to_no_page(admin, signed_in) -> None:
    admin.user("ada", Role.ADMIN)
    browser = await signed_in("ada")
    await browser.open("/admin/profile")
    admin.clock.pass_by(hours=1)
    await browser.send("/admin/profile/password", old=PASSWORD, new="five quiet lamps", again="five quiet lamps")
    assert "five quiet lamps" not in browser.reply.text
    assert PASSWORD not in browser.reply.text


async def test_nobody_is_made_without_a_role_or_with_a_role_for_no_area(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.ADMIN)
    bo = admin.user("Bo", Role.VIEWER)
    ada = await signed_in("ada")
    for path, typed in (("/admin/people/new", {"name": "Cy"}), (f"/admin/people/{bo.id}", {})):
        action = path if typed else f"{path}/grants"
        await ada.open(path)
        await ada.send(action, without=("role",), **typed)
        assert (ada.status, "Give at least one role." in ada.text) == (422, True)
        await ada.send(action, role="editor", where_editor="some")
        assert (ada.status, "Tick an area, or choose everywhere." in ada.text) == (422, True)
    assert admin.count("users") == len(("ada", "Bo"))
    assert admin.access.users.named("Bo").grants == {Grant(Role.VIEWER)}


async def test_the_sessions_of_a_person_are_ended_at_once(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.ADMIN)
    bo = admin.user("Bo", Role.VIEWER)
    ada, browser = await signed_in("ada"), await signed_in("Bo")
    path = f"/admin/people/{bo.id}"
    await ada.open(path)
    await ada.send(f"{path}/sessions/end")
    assert "The sessions have ended." in ada.text
    assert f"{path}/sessions/end" not in ada.reply.text, "there is none any more"
    await browser.open("/admin")
    assert browser.path.startswith("/admin/sign-in")
    assert admin.count("audit WHERE action = 'user.sessions_ended'") == 1


async def test_a_person_without_a_role_is_shown_as_such_and_given_one(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.ADMIN)
    bo = admin.user("Bo")
    ada = await signed_in("ada")
    await ada.open("/admin/people")
    assert "no role" in ada.text
    await ada.open(f"/admin/people/{bo.id}")
    assert "This person has no role and can open nothing." in ada.text
    await ada.send(f"/admin/people/{bo.id}/grants", role="viewer")
    assert "has no role" not in ada.text
    assert admin.access.users.named("Bo").grants == {Grant(Role.VIEWER)}


async def test_of_two_who_edit_one_person_the_second_sees_it_and_loses_nothing(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.ADMIN)
    admin.user("eve", Role.ADMIN)
    bo = admin.user("Bo", Role.VIEWER)
    first, second = await signed_in("ada"), await signed_in("eve")
    path = f"/admin/people/{bo.id}"
    await first.open(path)
    await second.open(path)
    await first.send(f"{path}/grants", role="editor")
    await second.send(f"{path}/grants", role=("auditor", "approver"), where_approver="some", areas_approver="it")
    assert second.status == 409
    assert "Somebody else changed this meanwhile." in second.text
    fields = second.page.form(f"{path}/grants")["fields"]
    assert [value for name, value in fields if name == "role"] == ["approver", "auditor"]
    assert dict(fields)["areas_approver"] == "it"
    assert {one.role for one in admin.access.users.named("Bo").grants} == {Role.EDITOR}
    await second.send(f"{path}/grants")
    assert {one.role for one in admin.access.users.named("Bo").grants} == {Role.APPROVER, Role.AUDITOR}


async def test_nobody_changes_their_own_rights_or_removes_the_last_administrator(admin: AdminWorld, signed_in) -> None:
    ada = admin.user("ada", Role.ADMIN)
    browser = await signed_in("ada")
    path = f"/admin/people/{ada.id}"
    await browser.open(path)
    assert "Nobody changes their own rights." in browser.text
    csrf = admin.session(ada).signed_in.csrf
    assert csrf
    own = dict(browser.page.form("/admin/sign-out")["fields"])["csrf"]
    await browser.post(f"{path}/disable", [("csrf", own), ("rev", str(ada.rev))])
    assert browser.status == 409
    assert admin.access.users.get(OPERATOR, ada.id).disabled_at is None


async def test_the_look_is_kept_in_the_browser(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.ADMIN)
    browser: PlainBrowser = await signed_in("ada")
    await browser.open("/admin/profile")
    await browser.send("/admin/look", language="ar", theme="dark", density="compact")
    html = next(values for tag, values in browser.page.tags if tag == "html")
    assert html.items() >= {"lang": "ar", "dir": "rtl", "data-theme": "dark", "data-density": "compact"}.items()
    assert browser.path == "/admin/profile"


async def test_another_session_of_ones_own_is_ended(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.ADMIN)
    first, second = await signed_in("ada"), await signed_in("ada")
    await first.open("/admin/profile")
    await first.send("/admin/profile/sessions/end")
    assert "The session has ended." in first.text
    await second.open("/admin")
    assert second.path.startswith("/admin/sign-in")
    await first.send("/admin/sign-out")
    assert "You are signed out." in first.text
    await first.open("/admin")
    assert first.path.startswith("/admin/sign-in")
