"""Empty, long, filtered, broken: what each page shows besides the ordinary."""

import dataclasses
import datetime as dt
import gzip
import re

import pytest
import sqlalchemy

from gateway.access.keys import KeyWish
from gateway.http.static import FILES
from store.errors import StoreUnavailable
from store.people import OPERATOR, Role
from store.repositories.decisions import Decisions
from store.types import Decision, Outcome
from tests.administration import AdminWorld
from tests.plain_browser import PlainBrowser

pytestmark = pytest.mark.anyio
CSS_BYTES = 12 * 1024


def keep_decisions(admin: AdminWorld, count: int, **more) -> None:
    fields = {field.name: None for field in dataclasses.fields(Decision)}
    fields |= {"assistant": "helpdesk", "principal": "caller", "outcome": Outcome.ANSWERED, "source": "generate"}
    fields |= {"message_chars": 5, "slots": {}, "has_quoted_text": False, "rails": (), "timings_ms": {}, "policy": "p"}
    fields |= {"store_revision": 1, "policy_revision": 1, "prompt_tokens": 0, "completion_tokens": 0, "failed": False}
    for number in range(count):
        at = admin.clock.at - dt.timedelta(minutes=number)
        Decisions(admin.database).add(Decision(**(fields | {"id": f"0190dec0-{number:04}", "at": at} | more)))


async def through(browser: PlainBrowser, path: str, pattern: str) -> list[str]:
    """Gives what the pattern finds on all pages of a table."""
    found: list[str] = []
    await browser.open(path)
    while True:
        found += re.findall(pattern, browser.reply.text)
        further = re.search(r'href="([^"]+)" rel="next"', browser.reply.text)
        if further is None:
            return found
        await browser.open(further[1].replace("&amp;", "&"))


async def test_a_long_table_is_walked_through_page_by_page(admin: AdminWorld, signed_in) -> None:
    ada = admin.user("ada", Role.ADMIN)
    for number in range(120):
        admin.access.users.create(OPERATOR, f"Person {number:03}")
        admin.access.keys.create(ada.actor, KeyWish(name=f"key {number:03}"))
        admin.clock.pass_by(seconds=1)
    keep_decisions(admin, 120)
    browser = await signed_in("ada")
    people = await through(browser, "/admin/people", r"<bdi>(Person \d{3})</bdi></a>")
    assert people == [f"Person {number:03}" for number in range(120)]
    keys = await through(browser, "/admin/keys?client=key", r"<bdi>(key \d{3})</bdi></a>")
    assert keys == [f"key {number:03}" for number in reversed(range(120))]
    decisions = await through(browser, "/admin/requests?outcome=answered", r"/admin/requests/(0190dec0-\d{4})")
    assert decisions == [f"0190dec0-{number:04}" for number in range(120)]
    rows = await through(browser, "/admin/audit?action=user.", r"· Row ([\d,]+)|· Row \u2068?([\d,]+)")
    assert len(rows) == admin.count("audit WHERE action LIKE 'user.%'")


async def test_an_empty_table_says_what_belongs_there_and_a_filtered_one_how_to_clear_it(
    admin: AdminWorld, signed_in
) -> None:
    admin.user("ada", Role.ADMIN)
    browser = await signed_in("ada")
    for path, words in (("/admin/requests", "No requests yet"), ("/admin/keys", "No API client yet")):
        await browser.open(path)
        assert words in browser.text
        assert browser.page.count("table") == 0
    for path in ("/admin/requests?prompt=none", "/admin/audit?actor=nobody"):
        await browser.open(path)
        assert "Nothing matches these filters." in browser.text
        assert "Clear filters" in browser.text


async def test_figures_are_of_a_week_and_lead_to_the_requests(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.VIEWER)
    keep_decisions(admin, 3)
    keep_decisions(admin, 1, id="blocked", outcome=Outcome.BLOCKED_INPUT)
    keep_decisions(admin, 1, id="old", at=admin.clock.at - dt.timedelta(days=8))
    browser = await signed_in("ada")
    assert "4 questions" in browser.text
    assert "75 %" in browser.text
    assert "First steps" not in browser.text, "they are for administrators"
    await browser.open("/admin/requests?outcome=answered")
    assert browser.reply.text.count("row-link") == 4


async def test_a_database_that_is_away_is_told_and_nothing_else_breaks(
    admin: AdminWorld, signed_in, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.user("ada", Role.ADMIN)
    browser = await signed_in("ada")

    def away(*_args, **_more):
        raise StoreUnavailable("the database at /secret/path is locked")

    monkeypatch.setattr(type(admin.administration.analysing), "report", away)
    await browser.open("/admin")
    assert browser.status == 200
    assert "The figures cannot be read at the moment." in browser.text
    monkeypatch.setattr(type(admin.access.users), "sorted_page", away)
    await browser.open("/admin/people")
    assert browser.status == 503
    assert "The database does not answer." in browser.text
    assert browser.reply.headers["x-request-id"] in browser.text
    assert "/secret" not in browser.reply.text
    monkeypatch.setattr(type(admin.access.keeper), "find", away)
    await browser.open("/admin/people")
    assert browser.status == 503


async def test_a_failure_that_nobody_foresaw_shows_a_number_and_keeps_what_was_typed(
    admin: AdminWorld, signed_in, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.user("ada", Role.ADMIN)
    browser = await signed_in("ada")
    await browser.open("/admin/people/new")

    def broken(*_args, **_more):
        raise ZeroDivisionError("secret words")

    monkeypatch.setattr(type(admin.access.users), "create", broken)
    await browser.send("/admin/people/new", name="Bo Typed", role="viewer")
    assert browser.status == 500
    assert "Something broke on our side" in browser.text
    assert "Bo Typed" in browser.text
    assert "secret words" not in browser.reply.text


async def test_an_address_that_is_not_there_is_told_in_the_readers_language(browser: PlainBrowser) -> None:
    await browser.open("/admin/nothing/here", **{"accept-language": "ar"})
    assert browser.status == 404
    assert "لا توجد صفحة كهذه" in browser.text
    await browser.post("/admin/people", [])
    assert browser.status in (401, 405)


@pytest.mark.parametrize("query", ["outcome=nothing", "since=yesterday", "until=99999-01-01"])
async def test_a_filter_that_cannot_be_is_told(admin: AdminWorld, signed_in, query: str) -> None:
    admin.user("ada", Role.ADMIN)
    browser = await signed_in("ada")
    await browser.open(f"/admin/requests?{query}")
    assert browser.status == 400
    assert "Clear the filters" in browser.text


async def test_the_check_of_the_trail_finds_it_whole_and_finds_a_row_that_was_changed(
    admin: AdminWorld, signed_in
) -> None:
    admin.user("ada", Role.AUDITOR)
    browser = await signed_in("ada")
    await browser.open("/admin/audit/check")
    assert "The trail is whole." in browser.text
    with admin.database.writing() as session:
        session.execute(sqlalchemy.text("DROP TRIGGER IF EXISTS audit_is_never_changed"))
        for name in session.scalars(sqlalchemy.text("SELECT name FROM sqlite_master WHERE type='trigger'")).all():
            if "audit" in name:
                session.execute(sqlalchemy.text(f"DROP TRIGGER {name}"))
        session.execute(sqlalchemy.text("UPDATE audit SET actor = 'user:somebody' WHERE number = 2"))
    await browser.open("/admin/audit/check")
    assert "A row was changed." in browser.text


async def test_how_long_the_trail_is_tells_a_tenant_nothing_of_others(admin: AdminWorld, signed_in) -> None:
    for name, assistants in (("all", ()), ("one", ("helpdesk",))):
        admin.user(name, Role.AUDITOR, assistants=assistants)
        browser = await signed_in(name)
        await browser.open("/admin/audit/check")
        assert "The trail is whole." in browser.text
        assert ("Rows found whole" in browser.text) is not bool(assistants)
        assert bool(re.search(r"All \d+ rows", browser.text.replace("\u2068", ""))) is not bool(assistants)


async def test_the_export_holds_the_rows_that_are_wanted(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.AUDITOR)
    browser = await signed_in("ada")
    reply = await browser.client.get("/admin/audit/export?action=user.", headers={"sec-fetch-site": "same-origin"})
    rows = reply.text.strip().split("\n")
    assert len(rows) == admin.count("audit WHERE action LIKE 'user.%'")
    assert reply.headers["content-disposition"] == 'attachment; filename="canongate-audit.jsonl"'


async def test_a_reveal_takes_a_reason_which_the_trail_keeps(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.AUDITOR)
    keep_decisions(admin, 1, slots={"site": "Lisbon"})
    browser = await signed_in("ada")
    path = "/admin/requests/0190dec0-0000"
    await browser.open(path)
    assert "Lisbon" not in browser.text
    await browser.send(f"{path}/reveal")
    assert (browser.status, "Choose a reason." in browser.text) == (422, True)
    await browser.send(f"{path}/reveal", reason="complaint")
    assert "Lisbon" in browser.text
    await browser.open("/admin/audit?action=decision.")
    assert "revealed a request" in browser.text
    assert "complaint" in browser.text


def test_the_styles_of_a_page_weigh_at_most_12_kilobytes() -> None:
    weight = sum(len(gzip.compress(FILES[name].content, 9)) for name in ("tokens.css", "admin.css"))
    assert weight <= CSS_BYTES


def test_the_styles_say_start_and_end_and_never_left_and_right() -> None:
    text = re.sub(r"text-align: left|inset: [^;]+;", "", FILES["admin.css"].content.decode())
    assert not re.findall(
        r"(?:margin|padding|border|inset|text-align|float)[a-z-]*(?:-left|-right|: left|: right)", text
    )
