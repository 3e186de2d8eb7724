"""The very widget in the playground: of sites that answer whoever sees them, and of no other."""

import pytest

from gateway.http import static
from gateway.http.static import StaticFile
from store.people import OPERATOR, Role
from tests.administration import AdminWorld
from tests.widget_world import make_site

pytestmark = pytest.mark.anyio
PAGE = "/admin/playground"


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(static.FILES, "widget.js", StaticFile.of(b"export {};", ".js"))


def frames(browser) -> list[dict[str, str | None]]:
    return [values for tag, values in browser.page.tags if tag == "iframe"]


async def test_without_such_a_site_it_is_said_and_who_may_is_led_to_add_one(admin: AdminWorld, signed_in) -> None:
    make_site(admin)
    for name, role, is_led in (("ada", Role.ADMIN, True), ("vera", Role.VIEWER, False)):
        admin.user(name, role)
        browser = await signed_in(name)
        await browser.open(PAGE)
        assert "once a site of this assistant lets unknown visitors ask" in browser.text
        assert ('href="/admin/widget/new"' in browser.reply.text) is is_led
        assert not frames(browser)


async def test_the_widget_is_asked_what_was_asked_beside_it(admin: AdminWorld, signed_in) -> None:
    make_site(admin, "open-site", sign_in="none", title="Open site")
    make_site(admin, "closed-site")
    admin.user("vera", Role.VIEWER)
    browser = await signed_in("vera")
    await browser.open(PAGE)
    assert "Open site" in browser.text
    assert "closed-site" not in browser.reply.text
    assert "frame-src" not in browser.reply.headers["content-security-policy"]
    question = 'Why "so" <b>?'
    await browser.send(PAGE, question=question, widget="open-site")
    (frame,) = frames(browser)
    assert (frame["src"], frame["data-ask"]) == ("/embed/chat?client=open-site&lang=en", question)
    assert browser.reply.headers["content-security-policy"].endswith("; frame-src 'self'")
    assert "Reply of what is live" in browser.text, "the trace stays beside it"


@pytest.mark.parametrize("client", ["closed-site", "off-site", "of-others", "nobody", "<b>"])
async def test_no_other_site_is_shown(admin: AdminWorld, signed_in, client: str) -> None:
    make_site(admin, "closed-site")
    make_site(admin, "off-site", sign_in="none")
    make_site(admin, "of-others", sign_in="none", assistant="shop")
    admin.administration.widgets.disable(OPERATOR, "off-site")
    admin.user("vera", Role.VIEWER, assistants=("helpdesk",))
    browser = await signed_in("vera")
    await browser.open(f"{PAGE}?widget={client}")
    assert browser.status == 200
    assert not frames(browser)


async def test_an_address_shows_the_widget_and_asks_nothing(admin: AdminWorld, signed_in) -> None:
    make_site(admin, "open-site", sign_in="optional")
    admin.user("vera", Role.VIEWER)
    browser = await signed_in("vera")
    await browser.open(f"{PAGE}?widget=open-site&question=Hello")
    assert [one["data-ask"] for one in frames(browser)] == [""]
