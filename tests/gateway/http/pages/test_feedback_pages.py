"""Feedback on pages: lists, rates that say how sure they are, and the file that only some may take."""

import dataclasses
import datetime as dt
import json

import pytest

from gateway.http.pages.forms import Form
from gateway.http.pages.unmatched_forms import targets_of
from store.content import KeepsText
from store.feedback import Feedback, FeedbackReason, FeedbackTexts, Verdict
from store.people import Role
from store.repositories.decision_writer import DecisionWriter
from store.repositories.feedback import FeedbackStore
from store.types import Decision, Outcome, Recorded, Words
from tests.administration import AdminWorld

pytestmark = pytest.mark.anyio


def give(admin: AdminWorld, number: int, verdict: Verdict, *, assistant: str = "helpdesk", **more) -> None:
    fields = {field.name: None for field in dataclasses.fields(Decision)}
    fields |= {"assistant": assistant, "principal": "caller", "outcome": Outcome.ANSWERED, "source": "generate"}
    fields |= {"message_chars": 5, "slots": {}, "has_quoted_text": False, "rails": (), "timings_ms": {}, "policy": "p"}
    fields |= {"store_revision": 1, "policy_revision": 1, "prompt_tokens": 0, "completion_tokens": 0, "failed": False}
    at = admin.clock.at - dt.timedelta(minutes=number)
    decision = Decision(**(fields | {"id": f"d{number}", "at": at, "prompt_key": "it.password-reset"}))
    writer = DecisionWriter(admin.database)
    writer.add_all([Recorded(decision, Words(KeepsText.REDACTED, f"Question {number}", f"Answer {number}"))])
    writer.close()
    given = {"decision": decision.id, "given_at": at, "changed_at": at, "principal": "caller", "assistant": assistant}
    given |= {"prompt_key": "it.password-reset", "prompt_version": 2, "verdict": verdict}
    with admin.database.writing() as session:
        FeedbackStore(admin.database).put(Feedback(**(given | more)), session=session)


async def test_an_empty_list_says_what_comes_there(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.VIEWER)
    browser = await signed_in("ada")
    for path in ("/admin/feedback", "/admin/feedback/rates"):
        await browser.open(path)
        assert "No feedback yet" in browser.text
        await browser.open(f"{path}?prompt=it.vpn")
        assert "Nothing matches these filters." in browser.text
    await browser.open("/admin/feedback?verdict=sideways")
    assert browser.status == 400


async def test_feedback_is_listed_with_its_reasons_and_words(admin: AdminWorld, signed_in) -> None:
    texts = FeedbackTexts(kept=KeepsText.REDACTED, comment="Not <b>mine</b>", better="Ask the desk")
    give(admin, 1, Verdict.DOWN, reasons=(FeedbackReason.WRONG,), texts=texts)
    give(admin, 2, Verdict.UP)
    admin.user("ada", Role.VIEWER)
    browser = await signed_in("ada")
    await browser.open("/admin/feedback")
    for words in ("Did not help", "Wrong", "Not <b>mine</b>", "Ask the desk", "Question 1", "version 2", "Helped"):
        assert words in browser.text
    assert "/admin/requests/d1" in browser.reply.text
    assert "Take it along" not in browser.text
    await browser.open("/admin/feedback?verdict=up")
    assert "Question 2" in browser.text
    assert "Question 1" not in browser.text


async def test_a_long_list_is_walked_through(admin: AdminWorld, signed_in) -> None:
    for number in range(60):
        give(admin, number, Verdict.UP)
    admin.user("ada", Role.VIEWER)
    browser = await signed_in("ada")
    await browser.open("/admin/feedback")
    seen = browser.text.count("Question ")
    further = browser.reply.text.split('" rel="next"')[0].rpartition('href="')[2].replace("&amp;", "&")
    await browser.open(further)
    assert seen + browser.text.count("Question ") == 60


async def test_a_rate_says_how_sure_it_is(admin: AdminWorld, signed_in) -> None:
    for number in range(10):
        give(admin, number, Verdict.UP if number else Verdict.DOWN)
    admin.user("ada", Role.VIEWER)
    browser = await signed_in("ada")
    await browser.open("/admin/feedback/rates")
    assert "Reset a forgotten password" in browser.text
    assert "90 %" in browser.text
    assert "60 % \N{EN DASH} 98 %" in browser.text


async def test_the_file_is_for_auditors_and_the_trail_says_who_took_it(admin: AdminWorld, signed_in) -> None:
    give(admin, 1, Verdict.DOWN)
    admin.user("ada", Role.AUDITOR)
    admin.user("bo", Role.EDITOR)
    browser = await signed_in("ada")
    await browser.open("/admin/feedback")
    assert "Take it along" in browser.text
    headers = {"sec-fetch-site": "same-origin"}
    reply = await browser.client.get("/admin/feedback/export?format=oasst-messages", headers=headers)
    assert reply.headers["content-disposition"] == 'attachment; filename="canongate-feedback-oasst-messages.jsonl"'
    assert [json.loads(line) for line in reply.text.splitlines()]
    assert admin.count("audit WHERE action = 'feedback.exported'") == 1
    assert (await browser.client.get("/admin/feedback/export?format=zip", headers=headers)).status_code == 400
    other = await signed_in("bo")
    assert (await other.client.get("/admin/feedback/export?format=dpo", headers=headers)).status_code == 403


async def test_a_tenant_sees_its_own(admin: AdminWorld, signed_in) -> None:
    give(admin, 1, Verdict.DOWN, assistant="elsewhere")
    admin.user("ada", *Role, assistants=("helpdesk",))
    browser = await signed_in("ada")
    for path in ("/admin/feedback", "/admin/feedback/rates"):
        await browser.open(path)
        assert "No feedback yet" in browser.text


def test_targets_that_were_tampered_with_are_left_out() -> None:
    form = Form({"target": ("a:1", "a:1", "b", "c:x", "d:-1", "e:99999999999", "\x07:1")})
    assert [(one.id, one.rev) for one in targets_of(form)] == [("a", 1)]
