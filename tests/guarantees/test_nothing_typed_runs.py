"""Promise: whatever somebody types, stores or a model says is text on every page, in a real browser, and never runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy

from gateway.access.keys import KeyWish
from gateway.access_settings import AccessSettings
from store.catalog import publish_bundle
from store.changes.types import Edit, EditKind
from store.content import KeepsText
from store.database import open_database
from store.feedback import Feedback, FeedbackTexts, Verdict
from store.formats.bundle import Bundle
from store.import_desk import ImportDesk
from store.people import OPERATOR, Actor, Grant, Role
from store.repositories.feedback import FeedbackStore
from store.repositories.imports import ImportState
from store.review.clusters import Clusters
from store.review.intake import Intake
from store.review.reading import Reading
from store.review.types import Bounds, Noted, Reason, Wanted
from tests.administration import AdminWorld
from tests.gateway.http.pages.test_page_escaping import keep_decision
from tests.migrated import migrate_new
from tests.real_browser import CHROMIUM, Watched, served, start
from tests.store.store_content import assistant, embed, prompt
from tests.world import World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here; run `make browser`"),
]
RUN = "window.__xss=1"
PAYLOADS = (
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"</textarea><img src=a onerror={RUN}>",
    f"</title></style><svg/onload={RUN}>",
    f'" onfocus="{RUN}" autofocus tabindex="1',
    f"' onpointerover='{RUN}' style='position:fixed;inset:0",
    f"<details open ontoggle={RUN}>",
    f"<iframe srcdoc='<script>parent.{RUN[7:]}</script>'></iframe>",
    f"<math><mtext><style><img src=a onerror={RUN}>",
    f"<form action=javascript:{RUN}><button autofocus>Go</button></form>",
    f"<a href=javascript:{RUN} autofocus>Go</a>",
    f"<template shadowrootmode=open><script>{RUN}</script></template>",
    f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'>",
    f"<base href=//evil.test/><link rel=stylesheet href=//evil.test/a.css onload={RUN}>",
    f"&lt;script&gt;{RUN}&lt;/script&gt;<!--><script>{RUN}</script>-->",
)
ROOM = Bounds(new_per_day=10_000, questions=10_000, days=30)
LISTS = (
    "",
    "/prompts",
    "/prompts?state=in_change",
    "/prompts/import",
    "/changes",
    "/changes?tab=waiting",
    "/unmatched?singles=1",
    "/feedback",
    "/feedback/rates",
    "/requests",
    "/analytics?period=30d",
    "/suites",
    "/rails",
    "/keys",
    "/people",
    "/audit",
    "/system",
    "/playground",
)


@pytest.fixture
def admin(world: World, tmp_path: Path) -> Iterator[AdminWorld]:
    url = f"sqlite:///{tmp_path / 'admin.db'}"
    migrate_new(url)
    database = open_database(url)
    made = AdminWorld(world, database, tmp_path, AccessSettings(plain_http=True), keeps_changes=True)
    made.user("ada", *Role)
    yield made
    database.close()


def publish(admin: AdminWorld) -> None:
    """Makes prompts and test sets live that say the payloads wherever they say anything."""
    reply = {"mode": "handoff", "answer": "", "contact": {"name": ""}}
    prompts, suites = [], {}
    for number, payload in enumerate(PAYLOADS):
        said = reply | {"answer": payload, "contact": {"name": payload, "phone": payload, "hours": payload}}
        texts = {"title": payload, "owner": payload, "phrasings": (payload, f"{payload} {number}"), "reply": said}
        prompts.append(prompt(f"it.p{number}", counterexamples=(f"not {payload}",), **texts))
        case = {"id": "a", "kind": "honest", "message": payload, "expect": "refuse"}
        name = f"set-{number}"
        suites[name] = {"name": name, "title": payload, "assistant": "helpdesk", "cases": [case]}
    desk = assistant("helpdesk", areas=("it",), policy="plain", title=PAYLOADS[0], greeting=PAYLOADS[1])
    rules = {"plain": {"name": "plain", "input": []}}
    publish_bundle(admin.database, Bundle(tuple(prompts), (desk,), rules, suites), author=PAYLOADS[2], note=PAYLOADS[3])


def change(admin: AdminWorld, number: int, payload: str) -> str:
    """Drafts a change by somebody with such a name, and talks about it; gives its address."""
    grants = frozenset(Grant(role, frozenset()) for role in Role)
    actor = Actor(f"user:x{number}", payload, f"user:x{number}", grants, frozenset())
    before = admin.changing.contents.get(actor, Edit(EditKind.PROMPT, f"it.p{number}", None).item)
    reply = {"mode": "generate", "prompt": payload, "facts": payload, "fallback": payload}
    words = {"title": f"{payload}!", "reply": reply, "phrasings": [payload, f"more {payload}"], "odd": payload}
    edits = [
        Edit(EditKind.PROMPT, f"it.p{number}", {**before.document, **words}, before.digest),
        Edit(
            EditKind.POLICY,
            f"rules-{number}",
            {"name": f"rules-{number}", "input": [{"rail": payload}], "odd": payload},
        ),
        Edit(EditKind.SUITE, f"drafted-{number}", {"name": f"drafted-{number}", "title": payload, "cases": [payload]}),
    ]
    drafts = admin.changing.drafts
    made = drafts.add_edits(actor, None, edits, title=payload)
    drafts.describe(actor, made.id, rev=made.rev, note=payload)
    drafts.comment(actor, made.id, payload, place=f"prompt it.p{number} title")
    drafts.comment(actor, made.id, payload, place=payload)
    return str(made.id)


def keep(admin: AdminWorld, number: int, payload: str) -> list[str]:
    """Keeps a question with its answer, feedback on it, a key, an import and a group of questions; gives addresses."""
    decision, at = f"0190dec0-{number:04}", admin.clock.at
    keep_decision(admin.database, payload, decision)
    texts = FeedbackTexts(kept=KeepsText.REDACTED, comment=payload, better=payload)
    given = Feedback(
        decision=decision,
        given_at=at,
        changed_at=at,
        principal=payload,
        assistant=payload,
        prompt_key=payload,
        prompt_version=1,
        verdict=Verdict.DOWN,
        texts=texts,
    )
    key = admin.access.keys.create(OPERATOR, KeyWish(name=payload, client=payload)).record.id
    noted = Noted(decision=decision, at=at, assistant="helpdesk", reason=Reason.NO_MATCH, text=payload, gate=payload)
    Intake(admin.database, ROOM).take([noted])
    Clusters(admin.database, embed, "words").place_some(at)
    actor = admin.access.users.named("ada").actor
    found = Reading(admin.database).questions(actor, Wanted(state=None, text=payload), now=at).items
    desk = ImportDesk(admin.database, admin.audit, admin.drafts)
    begun = desk.begin(actor, {"format": payload, "file": payload}).id
    problem = {"place": 1, "reason": payload}
    report = {
        "rows": 1,
        "made": 0,
        "joined": 0,
        "repeated": 0,
        "rejected": 1,
        "problems": [problem],
        "notes": [payload],
    }
    with admin.database.writing() as session:
        FeedbackStore(admin.database).put(given, session=session)
        values = {"report": report, "problem": payload, "ended_at": at}
        desk._imports.move(begun, ImportState.DONE, session=session, **values)
        admin.audit.append(OPERATOR, payload, payload, {payload: payload}, session=session)
    clusters = [f"/unmatched/clusters/{one.cluster}" for one in found[:1]]
    return [f"/requests/{decision}", f"/keys/{key}", f"/prompts/imports/{begun}", *clusters]


def pages(admin: AdminWorld) -> Iterator[str]:
    """Fills everything, and gives the addresses of all that shows it."""
    publish(admin)
    for number, payload in enumerate(PAYLOADS):
        one = change(admin, number, payload)
        somebody = admin.user(f"somebody {number}", Role.VIEWER)
        with admin.database.writing() as session:
            named = sqlalchemy.text("UPDATE users SET name = :name WHERE id = :id")
            session.execute(named, {"name": payload, "id": somebody.id})
        own, drafted = f"/prompts/it.p{number}", f"?change={one}"
        yield from (own, own + drafted, f"{own}/edit{drafted}", f"{own}/preview", f"{own}/versions", f"{own}/remove")
        yield from (
            f"/changes/{one}",
            f"/changes/{one}/steps/submit",
            f"/people/{somebody.id}",
            f"/suites/set-{number}",
        )
        yield from (f"/rails/rules-{number}{kind}{drafted}" for kind in ("", "/code", "/form"))
        yield from keep(admin, number, payload)
    yield from LISTS


def test_nothing_that_was_typed_runs_on_any_page(admin: AdminWorld) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - heavy, and only where there is a browser

    paths = list(pages(admin))
    ran, shown = [], 0
    with served(admin.app) as address, sync_playwright() as playwright:
        browser = start(playwright)
        watched = Watched.of(browser.new_context(reduced_motion="reduce"), address)
        watched.page.on("dialog", lambda dialog: dialog.accept())
        watched.sign_in("ada")
        for path in paths:
            told = watched.page.goto(f"{address}/admin{path}")
            assert told is not None
            assert told.ok, (path, told.status)
            assert watched.page.url == f"{address}/admin{path}", path
            shown += RUN in watched.page.inner_text("main") or RUN in told.text()
            if watched.page.evaluate("window.__xss"):
                ran.append(path)
        browser.close()
    assert not ran
    assert not watched.complaints
    assert shown > len(paths) * 0.9, "the pages did not show what was typed"


def test_what_a_model_says_does_not_run_where_it_is_tried(admin: AdminWorld) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - as above

    with served(admin.app) as address, sync_playwright() as playwright:
        browser = start(playwright)
        watched = Watched.of(browser.new_context(reduced_motion="reduce"), address)
        watched.sign_in("ada")
        for payload in PAYLOADS:
            admin.world.model.answer = payload
            for question in ("How do I reset my password?", payload):
                watched.page.goto(f"{address}/admin/playground")
                watched.page.fill("#f-question", question)
                with watched.page.expect_navigation():
                    watched.page.click("main form button[type=submit]")
                assert not watched.page.evaluate("window.__xss"), (payload, question)
        browser.close()
    assert not watched.complaints
