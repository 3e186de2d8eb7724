"""Getting in and being let in: keys, people, an authenticator, and a password that is wrong."""

import base64
import time

import httpx

from gateway.access.totp import STEP_S, code_at
from store.people import Role
from tests.administration import PASSWORD
from tests.journeys.town import Somebody, Town


def status_with(town: Town, token: str) -> int:
    """Gives what the gateway answers a program that shows the key."""
    return httpx.get(f"{town.address}/v1/models", headers={"authorization": f"Bearer {token}"}).status_code


def test_a_key_is_made_used_replaced_and_revoked(town: Town) -> None:
    kira = town.somebody("Kira Olsen", Role.ADMIN)
    kira.go("/admin/keys/new")
    kira.fill(name="Shop window")
    kira.page.check("#f-scope-CHAT")
    kira.press("Make a key")
    kira.see("This key is shown only now.")
    first = kira.page.locator("#token").input_value()
    assert town.ask("guest wifi", first)["outcome"] == "answered"
    kira.follow("I have stored it")
    kira.page.select_option("#f-overlap", "0")
    kira.press("Replace")
    kira.see("The old key has ended.")
    second = kira.page.locator("#token").input_value()
    assert (status_with(town, first), status_with(town, second)) == (401, 200)
    kira.follow("I have stored it")
    kira.fill(confirm="Shop")
    kira.press("Revoke")
    kira.see("This is not the name of the key. It was not revoked.")
    kira.fill(confirm=kira.page.locator("h1 bdi").inner_text())
    kira.press("Revoke")
    kira.see("Revoked")
    assert status_with(town, second) == 401
    keys = town.administration.access.keys.all(town.user("Kira Olsen").actor)
    assert all(one.revoked_at for one in keys if one.id in second)


def test_a_person_is_invited_changed_and_disabled_and_their_sessions_end(town: Town) -> None:
    lars = town.somebody("Lars Amin", Role.ADMIN)
    lars.go("/admin/people/new")
    lars.fill(name="Mona Reyes")
    lars.page.check("#f-role-viewer")
    lars.press("Add a person")
    token = lars.page.locator("input.secret").input_value()
    mona = town.stranger()
    mona.go("/admin/setup")
    mona.fill(token=token, password=PASSWORD, again=PASSWORD)
    mona.press("Set password")
    sign_in(mona, "Mona Reyes")
    mona.see("Overview")
    assert not mona.page.get_by_role("link", name="New prompt").count()
    lars.follow("I have stored it")
    lars.page.check("#f-role-editor")
    lars.press("Save rights")
    mona.go("/admin/prompts")
    mona.see("Sign in")
    sign_in(mona, "Mona Reyes")
    mona.see("New prompt")
    lars.press("Disable")
    lars.see("Disabled")
    mona.go("/admin/prompts")
    mona.see("Sign in")
    sign_in(mona, "Mona Reyes")
    mona.see("Name or password is wrong.")
    users = town.administration.access.users
    kept = users.named("Mona Reyes")
    assert kept.disabled_at is not None
    assert {grant.role for grant in kept.grants} == {Role.VIEWER, Role.EDITOR}


def sign_in(somebody: Somebody, name: str, password: str = PASSWORD) -> None:
    somebody.fill(name=name, password=password)
    somebody.press("Sign in")


def test_an_authenticator_is_set_up_and_asked_for(town: Town) -> None:
    nils = town.somebody("Nils Ahmed", Role.VIEWER)
    nils.go("/admin/profile/authenticator")
    nils.fill(password=PASSWORD)
    nils.press("Set up an authenticator")
    nils.see("Scan this code with your authenticator app.")
    assert nils.page.locator("svg").count()
    text = "".join(nils.page.locator("#secret").input_value().split())
    secret = base64.b32decode(text + "=" * (-len(text) % 8))
    nils.fill(code=code_at(secret, int(time.time()) // STEP_S))
    nils.press("Turn it on")
    nils.see("Your recovery codes")
    recovery = nils.page.locator("ol.codes code").first.inner_text()
    assert town.administration.access.users.named("Nils Ahmed").has_totp
    again = town.stranger()
    again.go("/admin/sign-in")
    sign_in(again, "Nils Ahmed")
    again.see("One more step")
    again.fill(code="000000")
    again.press("Sign in")
    again.see("The code is wrong or was used before.")
    again.fill(code=recovery)
    again.press("Sign in")
    again.see("Overview")


def test_after_five_wrong_passwords_the_right_one_has_to_wait(town: Town) -> None:
    town.user("Olga Petit", Role.VIEWER)
    olga = town.stranger()
    olga.go("/admin/sign-in")
    for _ in range(5):
        sign_in(olga, "Olga Petit", "not the password")
        olga.see("Name or password is wrong.")
        assert olga.page.locator("[name=name]").input_value() == "Olga Petit"
        assert not olga.page.locator("[name=password]").input_value()
    sign_in(olga, "Olga Petit")
    olga.see("Too many tries. Wait a minute, then try again.")
    refused = [one for one in town.trail("session.refused") if one.at]
    assert len(refused) >= 5
