"""Numbers beside the navigation: on every page, in words too, and told to a page that stays open."""

import pytest

from gateway.http.pages.texts import LANGUAGES
from store.errors import StoreUnavailable
from tests.administration import AdminWorld
from tests.gateway.http.pages.page_content import draft, fill, reviewed, step
from tests.plain_browser import PlainBrowser

pytestmark = pytest.mark.anyio
SAME = {"sec-fetch-site": "same-origin"}


async def told(browser: PlainBrowser) -> dict[str, dict[str, str]]:
    reply = await browser.client.get("/admin/waiting", headers=SAME)
    assert (reply.status_code, reply.headers["cache-control"]) == (200, "no-store")
    return reply.json()


async def test_whoever_can_decide_sees_how_much_waits_and_it_goes_as_they_do(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada, bob, vic = await signed_in("ada"), await signed_in("bob"), await signed_in("vic")
    change = await draft(ada, title="Better words")
    await reviewed(ada, change)
    await bob.open("/admin/profile")
    assert 'data-count="changes" title="waiting for you: 1">' in bob.reply.text
    assert "(waiting for you: 1)" in bob.text
    assert (await told(bob))["changes"] == {"shown": "1", "said": "waiting for you: 1"}
    for browser in (ada, vic):
        await browser.open("/admin/profile")
        assert "waiting for you" not in browser.text
    assert await told(vic) == {}
    await step(bob, change, "request_changes", reason="Name the team.")
    assert "waiting for you" not in bob.text
    assert (await told(bob))["changes"] == {"shown": "", "said": ""}
    await ada.open("/admin/prompts")
    assert "(waiting for you: 1)" in ada.text


async def test_numbers_speak_the_language_of_the_page(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada, bob = await signed_in("ada"), await signed_in("bob", language="ar")
    await reviewed(ada, await draft(ada, title="Better words"))
    await bob.open("/admin/profile")
    one = LANGUAGES["ar"].number(1)
    assert f"(بانتظارك: {one})" in bob.text
    assert (await told(bob))["changes"] == {"shown": one, "said": f"بانتظارك: {one}"}


async def test_a_page_opens_although_nothing_can_be_counted(
    admin: AdminWorld, signed_in, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(admin)
    bob = await signed_in("bob")
    await bob.open("/admin/profile")
    work = admin.administration.open_work
    work.changed()

    def away(*_: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(type(work), "of", away)
    await bob.open("/admin/profile")
    assert bob.status == 200
    assert (await told(bob))["changes"]["shown"] == ""


@pytest.mark.usefixtures("admin")
async def test_nobody_is_told_anything_without_a_session(browser: PlainBrowser) -> None:
    await browser.open("/admin/waiting")
    assert browser.path.startswith("/admin/sign-in")
