"""Lists of pages: columns that sort without JavaScript, the same toolbar and empty states, and what each row tells."""

import dataclasses
import datetime as dt
import re

import pytest

from gateway.access.keys import KeyWish
from store.people import OPERATOR, Role
from store.repositories.decisions import Decisions
from store.types import Decision, Outcome
from tests.administration import AdminWorld
from tests.plain_browser import PlainBrowser

pytestmark = pytest.mark.anyio
LISTS = {
    "/admin/requests": "latency",
    "/admin/prompts": "answers",
    "/admin/changes": "title",
    "/admin/unmatched": "last",
    "/admin/feedback": "verdict",
    "/admin/keys": "calls",
    "/admin/people": "name",
    "/admin/suites": "asked",
    "/admin/audit": "action",
}


@pytest.fixture(autouse=True)
def root(admin: AdminWorld) -> AdminWorld:
    admin.user("root", *Role)
    return admin


def keep(admin: AdminWorld, number: int, **changes: object) -> None:
    fields = {field.name: None for field in dataclasses.fields(Decision)}
    fields |= {"id": f"d{number}", "at": admin.clock.at, "assistant": "helpdesk", "principal": "caller"}
    fields |= {"outcome": Outcome.ANSWERED, "source": "verbatim", "message_chars": 5, "slots": {}, "rails": ()}
    fields |= {"has_quoted_text": False, "timings_ms": {"total": float(number)}, "store_revision": 1, "policy": "plain"}
    fields |= {"policy_revision": 1, "prompt_tokens": 0, "completion_tokens": 0, "failed": False}
    Decisions(admin.database).add(Decision(**{**fields, **changes}))


def shown(browser: PlainBrowser) -> list[str]:
    """Gives the requests that the page lists, in their order."""
    return re.findall(r'row-link" href="/admin/requests/(\w+)"', browser.reply.text)


async def test_every_list_opens_in_its_other_orders_and_refuses_one_that_it_has_not(signed_in) -> None:
    browser = await signed_in("root")
    for path, column in LISTS.items():
        for sort in (column, f"-{column}"):
            await browser.open(f"{path}?sort={sort}&after=nonsense")
            assert browser.status == 200, path
        await browser.open(f"{path}?sort=odd")
        assert browser.status == 400, path


async def test_a_head_says_the_order_and_leads_to_the_other_one(admin: AdminWorld, signed_in) -> None:
    for number in range(3):
        keep(admin, number)
    browser = await signed_in("root")
    await browser.open("/admin/requests?assistant=helpdesk")
    heads = [values for tag, values in browser.page.tags if tag == "th" and "aria-sort" in values]
    assert [one["aria-sort"] for one in heads] == ["descending"]
    links = [str(values["href"]) for tag, values in browser.page.tags if values.get("class") == "sort"]
    assert links[0] == "/admin/requests?assistant=helpdesk&sort=at"
    assert links[2] == "/admin/requests?assistant=helpdesk&sort=-latency"
    await browser.open(links[2])
    assert shown(browser) == ["d2", "d1", "d0"]
    links = [str(values["href"]) for tag, values in browser.page.tags if values.get("class") == "sort"]
    assert "sort=latency" in links[2]
    await browser.open("/admin/requests?sort=latency")
    assert shown(browser) == ["d0", "d1", "d2"]
    options = [values for tag, values in browser.page.tags if tag == "option" and "selected" in values]
    assert [one["value"] for one in options] == ["latency"]


async def test_requests_are_found_by_number_client_rail_and_time_taken(admin: AdminWorld, signed_in) -> None:
    made = admin.access.keys.create(OPERATOR, KeyWish(name="Staff Portal"))
    keep(admin, 1, principal=made.record.id)
    keep(admin, 2, outcome=Outcome.BLOCKED_INPUT, rails=({"name": "secrets", "status": "blocked"},))
    keep(admin, 900)
    browser = await signed_in("root")
    for query, found in (
        ("client=staff+por", ["d1"]),
        ("client=nobody", []),
        ("id=d2", ["d2"]),
        ("rail=secrets", ["d2"]),
        ("least_ms=900", ["d900"]),
    ):
        await browser.open(f"/admin/requests?{query}")
        assert shown(browser) == found, query
    await browser.open("/admin/requests?id=d404")
    assert "No result for" in browser.text
    await browser.open("/admin/requests?least_ms=soon")
    assert browser.status == 400
    await browser.open("/admin/requests/d1")
    assert "Staff Portal" in browser.text
    assert "Kept until" in browser.text


async def test_a_key_tells_its_calls_and_when_it_is_due_for_rotation(admin: AdminWorld, signed_in) -> None:
    old = admin.access.keys.create(OPERATOR, KeyWish(name="Old"))
    admin.clock.pass_by(days=90)
    new = admin.access.keys.create(OPERATOR, KeyWish(name="New"))
    for number in range(3):
        keep(admin, number, principal=new.record.id, at=admin.clock.at - dt.timedelta(hours=1))
    keep(admin, 9, principal=old.record.id, at=admin.clock.at - dt.timedelta(days=2))
    browser = await signed_in("root")
    await browser.open("/admin/keys?sort=-calls")
    names = re.findall(r"<bdi>(Old|New)</bdi>", browser.reply.text)
    assert names == ["New", "Old"]
    calls = re.findall(r'data-label="Calls in 24 h" class="number">(\d+)<', browser.reply.text)
    assert calls == ["3", "0"]
    assert browser.text.count("Rotation due") == 1
    assert "90 d ago" in browser.text


async def test_the_trail_is_narrowed_to_first_content_and_every_kind_has_words(admin: AdminWorld, signed_in) -> None:
    with admin.database.writing() as session:
        admin.audit.append(OPERATOR, "content.begun", "content", session=session)
    browser = await signed_in("root")
    await browser.open("/admin/audit?action=content.")
    assert re.findall(r"· Row \D*(\d+)", browser.text) != []
    rows = [tag for tag, values in browser.page.tags if tag == "th" and values.get("scope") == "row"]
    assert len(rows) == 1
