"""Sites that embed the widget: added, changed, refused, turned off, and their secrets, in a browser without scripts."""

import datetime as dt
import re

import httpx
import pytest

from gateway.access.keys import KeyWish
from gateway.http import static
from gateway.http.static import StaticFile
from store.people import OPERATOR, Role
from tests.administration import OWN_ORIGIN, AdminWorld
from tests.gateway.http.pages.test_page_escaping import PAYLOADS
from tests.plain_browser import PlainBrowser
from tests.widget_world import INTRANET, make_site, settings_of

pytestmark = pytest.mark.anyio
NEW, ONE = "/admin/widget/new", "/admin/widget/hr-portal"


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(static.FILES, "widget.js", StaticFile.of(b"export {};", ".js"))


@pytest.fixture
async def ada(admin: AdminWorld, signed_in) -> PlainBrowser:
    admin.user("ada", Role.ADMIN)
    return await signed_in("ada")


def stored(admin: AdminWorld, client: str = "hr-portal"):
    return admin.administration.widgets.get(OPERATOR, client)


def frames(browser: PlainBrowser) -> list[str]:
    return [str(values["src"]) for tag, values in browser.page.tags if tag == "iframe"]


async def test_an_administrator_of_some_areas_is_offered_no_change_of_sites_and_keys(
    admin: AdminWorld, signed_in
) -> None:
    make_site(admin)
    key = admin.access.keys.create(OPERATOR, KeyWish(name="hr service")).record
    admin.user("ida", Role.ADMIN, areas=("it",))
    ida = await signed_in("ida")
    for path in ("/admin/widget", ONE, "/admin/keys", f"/admin/keys/{key.id}"):
        await ida.open(path)
        assert ida.status == 200
        assert not [one for one in ida.page.forms if one["action"].startswith(("/admin/widget/", "/admin/keys/"))]
        assert NEW not in ida.reply.text
        assert f"{ONE}/edit" not in ida.reply.text
        assert "/admin/keys/new" not in ida.reply.text
    assert "Only an administrator of all areas replaces or revokes keys." in ida.text
    await ida.open(ONE)
    assert "Only an administrator of all areas changes sites." in ida.text


async def test_without_a_site_the_page_says_what_belongs_there(ada: PlainBrowser) -> None:
    await ada.open("/admin/widget")
    assert "No site embeds the widget yet" in ada.text
    assert "Widget" in [entry.strip() for entry in ada.page.text.split("\n")], "it is in the navigation"
    assert 'data-go="w"' in ada.reply.text


async def test_a_site_is_added_and_its_secret_is_shown_once(admin: AdminWorld, ada: PlainBrowser) -> None:
    await ada.open(NEW)
    await ada.send(NEW, id="hr-portal", title="HR", assistant="helpdesk", origins=f"{INTRANET}\n")
    assert ada.status == 201
    assert "This secret is shown only now." in ada.text
    secret = next(str(values["value"]) for _, values in ada.page.tags if values.get("id") == "secret")
    assert len(secret) > 40
    await ada.open(ONE)
    assert ada.status == 200
    assert secret not in ada.reply.text
    assert stored(admin).settings == settings_of()
    assert 'data-client="hr-portal"' in ada.text
    assert "integrity=" in ada.text
    assert "script-src" in ada.text
    assert '"aud": "hr-portal"' in ada.text


async def test_a_site_of_unknown_visitors_has_no_secret(admin: AdminWorld, ada: PlainBrowser) -> None:
    await ada.open(NEW)
    await ada.send(NEW, id="shop", title="Shop", origins="https://shop.example", sign_in="none")
    assert ada.path == "/admin/widget/shop"
    assert "The site is added." in ada.text
    assert "hmac" not in ada.text
    assert not ada.page.text.count("New secret")
    assert not stored(admin, "shop").secrets


async def test_all_that_is_wrong_is_said_at_its_field_and_nothing_is_lost(admin: AdminWorld, ada: PlainBrowser) -> None:
    await ada.open(NEW)
    said = {
        "id": "HR portal",
        "title": "Mine",
        "origins": "intranet.example",
        "accent": "#777777",
        "greeting_en": "Hey",
    }
    await ada.send(NEW, **said)
    assert ada.status == 422
    assert ada.text.count("Nothing was saved yet") == 1
    for words in ("Id: Small letters", "intranet.example is not an origin", "What stands on it: The contrast"):
        assert words in ada.text
    assert "below" not in ada.text
    assert dict(ada.page.form(NEW)["fields"]).items() >= said.items()
    assert not admin.administration.widgets.all(OPERATOR)


async def test_an_id_that_is_taken_is_said_at_its_field(admin: AdminWorld, ada: PlainBrowser) -> None:
    make_site(admin)
    await ada.open(NEW)
    await ada.send(NEW, id="hr-portal", title="Other", origins="https://other.example")
    assert ada.status == 409
    assert 'href="#f-id"' in ada.reply.text
    assert dict(ada.page.form(NEW)["fields"])["title"] == "Other"


async def test_the_form_shows_everything_and_sent_back_as_it_is_changes_nothing(
    admin: AdminWorld, ada: PlainBrowser
) -> None:
    more = {
        "contact": {"name": "Ada", "phone": "12"},
        "texts": {"ar": {"heading": "مرحبا", "strings": {"send": "اسأل"}}},
    }
    make_site(admin, languages=["en", "ar"], feedback=False, rates={"session": 7}, theme={"radius": 3}, **more)
    before = stored(admin)
    await ada.open(f"{ONE}/edit")
    await ada.send(f"{ONE}/edit")
    assert "The site is changed." in ada.text
    assert stored(admin).settings == before.settings
    assert stored(admin).secrets == before.secrets


async def test_a_colour_that_cannot_be_read_is_refused_and_the_number_is_on_the_page(
    admin: AdminWorld, ada: PlainBrowser
) -> None:
    make_site(admin)
    await ada.open(f"{ONE}/edit")
    assert "Contrast 7.1" in ada.text
    await ada.send(f"{ONE}/edit", accent="#ffd400", greeting_en="Kept")
    assert ada.status == 422
    assert "What stands on it: The contrast to the main colour is 1.4" in ada.text
    assert "Contrast 1.4" in ada.text
    assert dict(ada.page.form(f"{ONE}/edit")["fields"])["greeting_en"] == "Kept"
    await ada.send(f"{ONE}/edit", on_accent="#000000")
    assert "The site is changed." in ada.text
    assert stored(admin).settings.theme.accent == "#ffd400"
    assert stored(admin).settings.texts["en"].greeting == "Kept"


async def test_of_two_who_change_a_site_the_second_sees_both_and_can_write_over(
    admin: AdminWorld, ada: PlainBrowser
) -> None:
    make_site(admin)
    await ada.open(f"{ONE}/edit")
    admin.administration.widgets.change(OPERATOR, "hr-portal", {"title": "Theirs"}, rev=1)
    await ada.send(f"{ONE}/edit", title="Mine")
    assert ada.status == 409
    assert "Somebody else changed this meanwhile." in ada.text
    assert re.search(r"<del>.*Theirs", ada.reply.text)
    assert dict(ada.page.form(f"{ONE}/edit")["fields"])["title"] == "Mine"
    assert stored(admin).settings.title == "Theirs"
    await ada.send(f"{ONE}/edit")
    assert stored(admin).settings.title == "Mine"


async def test_a_site_that_begins_to_sign_gets_a_secret(admin: AdminWorld, ada: PlainBrowser) -> None:
    make_site(admin, sign_in="none")
    await ada.open(f"{ONE}/edit")
    await ada.send(f"{ONE}/edit", sign_in="required")
    assert (ada.status, len(stored(admin).secrets)) == (201, 1)
    assert "This secret is shown only now." in ada.text


async def test_a_secret_is_replaced_and_both_count_for_a_while(admin: AdminWorld, ada: PlainBrowser) -> None:
    make_site(admin)
    await ada.open(ONE)
    await ada.send(f"{ONE}/rotate", overlap="24")
    assert ada.status == 201
    assert "Hours for which the old secret goes on: 24." in ada.text
    old, new = stored(admin).secrets
    assert old.ends_at == admin.clock.at + dt.timedelta(hours=24)
    assert new.ends_at is None
    await ada.open(ONE)
    await ada.post(f"{ONE}/rotate", [*ada.page.form(f"{ONE}/rotate")["fields"][:1], ("overlap", "5")])
    assert ada.status == 400


async def test_a_site_is_turned_off_and_on(admin: AdminWorld, ada: PlainBrowser) -> None:
    make_site(admin)
    await ada.open(ONE)
    assert frames(ada) == ["/embed/chat?client=hr-portal&lang=en"]
    await ada.send(f"{ONE}/disable")
    assert not stored(admin).is_active
    assert "The widget is off." in ada.text
    assert not frames(ada)
    await ada.send(f"{ONE}/enable")
    assert stored(admin).is_active
    assert frames(ada)


async def test_the_preview_is_shown_as_the_address_wants_it(admin: AdminWorld, ada: PlainBrowser) -> None:
    make_site(admin, languages=["en", "ar"])
    await ada.open(f"{ONE}?look=dark&shown=ar&width=phone")
    assert frames(ada) == ["/embed/chat?client=hr-portal&lang=ar&theme=dark"]
    told = await ada.client.get(frames(ada)[0])
    assert told.status_code == 200
    assert '<html lang="ar" dir="rtl">' in told.text
    assert 'theme="dark"' in told.text
    assert told.headers["content-security-policy"].endswith(f"frame-ancestors {INTRANET} {OWN_ORIGIN}")
    await ada.open(f"{ONE}?look=<b>&shown=xx&width=9")
    assert frames(ada) == ["/embed/chat?client=hr-portal&lang=en"]


async def test_where_the_gateway_is_not_reached_by_people_the_preview_says_so(
    admin: AdminWorld, ada: PlainBrowser
) -> None:
    make_site(admin)
    await ada.open(ONE, host="elsewhere.test")
    assert not frames(ada)
    assert "It is shown where people reach this gateway." in ada.text
    assert "frame-src" not in ada.reply.headers["content-security-policy"]


async def test_a_site_that_was_heard_of_is_named_with_its_page(admin: AdminWorld, ada: PlainBrowser) -> None:
    site = make_site(admin, origins=[INTRANET, "https://other.example"])
    await ada.open(ONE)
    assert "Open the site, open the chat" in ada.text
    assert ada.text.count("Silent") == 2
    async with site.browser() as page:
        await site.visit(page)
    await ada.open(ONE)
    assert "● Heard of just now" in ada.text
    assert "Open the site" not in ada.text
    assert ada.text.count("Silent") == 1
    admin.clock.pass_by(minutes=11)
    await ada.open(ONE)
    assert ada.text.count("Silent") == 2


async def test_an_auditor_reads_and_changes_nothing(admin: AdminWorld, signed_in) -> None:
    make_site(admin)
    admin.user("bo", Role.AUDITOR)
    browser = await signed_in("bo")
    await browser.open("/admin/widget")
    assert "hr-portal" in browser.text
    assert "Add a site" not in browser.text
    await browser.open(ONE)
    assert "Only an administrator of all areas changes sites." in browser.text
    assert not [one for one in browser.page.forms if one["action"].startswith(ONE)]
    await browser.open(f"{ONE}/edit")
    assert browser.status == 403


async def test_a_long_list_is_walked_through_and_searched(admin: AdminWorld, ada: PlainBrowser) -> None:
    for number in range(60):
        make_site(admin, f"site-{number:02}", title=f"Site {number:02} " + "long " * 30)
    await ada.open("/admin/widget")
    assert ada.reply.text.count("row-link") == 50
    await ada.open(re.search(r'href="([^"]+)" rel="next"', ada.reply.text)[1].replace("&amp;", "&"))
    assert ada.reply.text.count("row-link") == 10
    await ada.open("/admin/widget?site=SITE-07")
    assert ada.reply.text.count("row-link") == 1
    await ada.open("/admin/widget?site=nothing-like-it")
    assert "Nothing matches these filters." in ada.text


async def test_an_assistant_that_is_not_live_any_more_is_told_and_kept(admin: AdminWorld, ada: PlainBrowser) -> None:
    make_site(admin, assistant="shop")
    await ada.open(ONE)
    assert "Its assistant is not live." in ada.text
    await ada.open(f"{ONE}/edit")
    assert "shop (not live)" in ada.text
    await ada.send(f"{ONE}/edit", title="Renamed")
    assert stored(admin).settings.title == "Renamed"


async def test_whatever_is_typed_stays_text(admin: AdminWorld, ada: PlainBrowser) -> None:
    for number, payload in enumerate(PAYLOADS):
        await ada.open(NEW)
        await ada.send(NEW, **dict.fromkeys(("id", "title", "origins", "accent", "languages", "keys"), payload))
        assert ada.status == 422
        require_text(ada, payload)
        name = f"site-{number}"
        make_site(admin, name, title=payload, texts={"en": {"greeting": payload, "strings": {"send": payload}}})
        for path in (f"/admin/widget/{name}", f"/admin/widget/{name}/edit", "/admin/widget"):
            await ada.open(path)
            assert ada.status == 200
            require_text(ada, payload)


def require_text(browser: PlainBrowser, payload: str) -> None:
    for tag, values in browser.page.tags:
        assert tag != "script" or (values.get("src") or "").startswith("/static/"), payload
        assert tag not in ("style", "object", "img-x"), payload
        assert tag != "iframe" or str(values["src"]).startswith("/embed/chat?client=site-"), payload
        assert "srcdoc" not in values, payload
        assert not [one for one in values if one.startswith("on")], payload
        assert all((values.get(link) or "/").startswith(("/", "#")) for link in ("href", "src", "action")), payload


async def test_the_pages_are_arabic_for_who_reads_arabic(admin: AdminWorld, signed_in) -> None:
    admin.user("layla", Role.ADMIN)
    make_site(admin)
    browser = await signed_in("layla", language="ar")
    await browser.open(f"{ONE}/edit")
    await browser.send(f"{ONE}/edit", accent="#ffd400")
    assert "تباينه مع اللون الرئيسي" in browser.text
    assert not re.search(r'class="error"[^>]*>[^<]*<span[^>]*></span>\s*<span lang="en"', browser.reply.text)


async def test_without_live_assistants_nothing_can_be_added(admin: AdminWorld, ada: PlainBrowser) -> None:
    admin.user("kim", Role.ADMIN, assistants=("elsewhere",))
    async with admin.browser() as client:
        kim = PlainBrowser(client)
        await kim.open("/admin/sign-in")
        await kim.send("/admin/sign-in", name="kim", password="nine patient otters")
        await kim.open(NEW)
        assert "There is no live assistant yet." in kim.text
    assert isinstance(ada.reply, httpx.Response)
