"""Whatever is typed stays text: fifteen ways to smuggle code, in every text that a page shows."""

import dataclasses
import datetime as dt

import pytest

from gateway.access.keys import KeyWish
from store.content import KeepsText
from store.database import Database
from store.people import OPERATOR, Role
from store.repositories.decisions import row_values
from store.tables import DecisionRow, DecisionTextRow
from store.types import Decision, Outcome, Recorded, Words
from tests.administration import AdminWorld
from tests.plain_browser import Page, PlainBrowser

pytestmark = pytest.mark.anyio
PAYLOADS = (
    "<script>canary()</script>",
    "</title><script>canary()</script>",
    "</textarea><script>canary()</script>",
    '"><img src=x onerror=canary()>',
    "' onmouseover='canary()",
    '" autofocus onfocus=canary() x="',
    "<svg onload=canary()>",
    "javascript:canary()",
    "data:text/html,<script>canary()</script>",
    "{{ 7 * 7 }}{% raw %}",
    "<!--<script>canary()//-->",
    "<a href=javascript:canary()>x</a>",
    "&lt;script&gt;canary()&lt;/script&gt;",
    "<style>*{background:url(//x)}</style>",
    "\u202e<iframe srcdoc=canary()>",
)


def require_harmless(page: Page, payload: str) -> None:
    for tag, values in page.tags:
        assert tag != "script" or (values.get("src") or "").startswith("/static/"), payload
        assert tag not in ("style", "iframe", "img-x", "object"), payload
        assert not [one for one in values if one.startswith("on")], payload
        assert "srcdoc" not in values, payload
        for link in ("href", "src", "action"):
            target = (values.get(link) or "/").lower()
            assert target.startswith(("/", "#")), (payload, target)
            assert not target.startswith("//"), (payload, target)
    images = [values for tag, values in page.tags if tag == "img"]
    assert all(str(values["src"]).startswith("/static/") for values in images), payload


def keep_decision(database: Database, payload: str, decision: str) -> None:
    fields = {field.name: None for field in dataclasses.fields(Decision)}
    fields |= {"id": decision, "at": dt.datetime(2026, 11, 29, 8, tzinfo=dt.UTC), "assistant": payload}
    fields |= {"principal": payload, "conversation": payload, "outcome": Outcome.BLOCKED_INPUT, "source": "none"}
    fields |= {"message_chars": 5, "slots": {payload: payload}, "has_quoted_text": False, "timings_ms": {}}
    rail = {"name": payload, "stage": payload, "status": "blocked", "reason": payload, "is_monitored": False}
    fields |= {"rails": (rail, {**rail, "status": payload}), "prompt_key": payload, "prompt_version": 1}
    fields |= {"store_revision": 1, "policy": payload, "policy_revision": 1, "prompt_tokens": 0, "failed": False}
    fields |= {"completion_tokens": 0, "sent_sha256": payload}
    row = Recorded(Decision(**fields), Words(KeepsText.REDACTED, payload, payload, payload))
    with database.writing() as session:
        session.add(DecisionRow(**row_values(row)))
        session.flush()
        session.add(
            DecisionTextRow(decision=decision, kept="redacted", message=payload, answer=payload, context=payload)
        )


async def test_what_is_stored_is_shown_as_text(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.ADMIN, Role.AUDITOR)
    for number, payload in enumerate(PAYLOADS):
        agent = payload.encode("ascii", "replace").decode()
        admin.session(admin.access.users.named("ada"), agent=agent)
        await require_shown_as_text(admin, await signed_in("ada"), payload, f"0190dec0-{number:04}")


async def require_shown_as_text(admin: AdminWorld, browser: PlainBrowser, payload: str, decision: str) -> None:
    keep_decision(admin.database, payload, decision)
    visible = payload if payload.isprintable() else "a key"
    ada = admin.access.users.named("ada")
    key = admin.access.keys.create(ada.actor, KeyWish(name=visible, client=visible)).record
    with admin.database.writing() as session:
        admin.audit.append(OPERATOR, payload, payload, {payload: payload}, session=session)
    paths = ["/admin/requests", f"/admin/requests/{decision}", "/admin/keys", f"/admin/keys/{key.id}", "/admin/audit"]
    for path in (*paths, "/admin", "/admin/profile", "/admin/people"):
        await browser.open(path)
        assert browser.status == 200, (path, browser.text)
        require_harmless(browser.page, payload)
    await browser.open(f"/admin/requests/{decision}")
    assert " ".join(payload.split()) in browser.text
    await browser.send(f"/admin/requests/{decision}/reveal", reason="quality")
    assert browser.status == 200
    require_harmless(browser.page, payload)


async def test_what_is_typed_comes_back_as_text(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.ADMIN)
    admin.user("Bo", Role.VIEWER)
    for payload in PAYLOADS:
        await require_typed_as_text(admin, await signed_in("ada"), payload)


async def require_typed_as_text(admin: AdminWorld, browser: PlainBrowser, payload: str) -> None:
    bo = admin.access.users.named("Bo")
    await browser.open("/admin/people/new")
    await browser.send(
        "/admin/people/new", name=payload, mail=payload, role="viewer", where_viewer="some", areas_viewer=payload
    )
    assert browser.status == 422
    require_harmless(browser.page, payload)
    form = dict(browser.page.form("/admin/people/new")["fields"])
    assert (form["name"], form["areas_viewer"].strip()) == (payload.strip(), payload.strip())
    await browser.open("/admin/keys/new")
    await browser.send("/admin/keys/new", name=payload, client=payload, days="90", scopes=())
    assert browser.status == 422
    require_harmless(browser.page, payload)
    await browser.open(f"/admin/people/{bo.id}")
    await browser.send(f"/admin/people/{bo.id}/grants", role="editor", where_editor="some", areas_editor=payload)
    require_harmless(browser.page, payload)
    csrf = dict(browser.page.form(f"/admin/people/{bo.id}/grants")["fields"])["csrf"]
    browser.client.cookies.clear()
    await browser.post("/admin/people/new", [("csrf", csrf), ("name", payload), (payload, payload)])
    assert browser.status == 401
    require_harmless(browser.page, payload)
    await browser.send("/admin/sign-in", name="ada", password="nine patient otters")
    assert payload.split(maxsplit=1)[0] in browser.text
    require_harmless(browser.page, payload)


async def test_what_an_address_holds_is_shown_as_text(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.ADMIN)
    browser = await signed_in("ada")
    for payload in PAYLOADS:
        await require_address_as_text(browser, payload)


async def require_address_as_text(browser: PlainBrowser, payload: str) -> None:
    names = ("actor", "action", "target", "assistant", "prompt", "rail", "conversation", "client", "after", payload)
    for path in ("/admin/audit", "/admin/requests", "/admin/keys", "/admin/people"):
        reply = await browser.client.get(path, params=dict.fromkeys(names, payload))
        assert reply.status_code == 200, reply.text
        require_harmless(Page(reply.text), payload)
    for path in ("/admin/sign-in", "/admin/setup"):
        reply = await browser.client.get(path, params={"next": payload, payload: payload})
        require_harmless(Page(reply.text), payload)
