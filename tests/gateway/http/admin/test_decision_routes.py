"""Decisions are shown without hidden text, to whoever may see the assistant; a reveal leaves a row in the trail."""

import dataclasses
import datetime as dt
import json

import anyio
import pytest

from gateway.decisions import DecisionLog, Said
from store.content import KeepsText
from store.people import Actor, Role
from store.repositories.decision_writer import DecisionWriter
from store.review.intake import Intake
from store.review.types import Bounds, Noted, Reason, Wanted
from store.types import Decision, Outcome
from tests.administration import PRIVACY, AdminWorld, person

pytestmark = pytest.mark.anyio
AT = dt.datetime(2026, 11, 25, 9, tzinfo=dt.UTC)
VIEWER, AUDITOR, ADMIN = person("vi", Role.VIEWER), person("ada", Role.AUDITOR), person("adm", Role.ADMIN)
BOUND = person("eve", Role.AUDITOR, Role.ADMIN, assistants=("helpdesk",))


def made(number: int, **changes: object) -> Decision:
    fields = {field.name: None for field in dataclasses.fields(Decision)}
    fields |= {
        "id": f"id-{number}",
        "at": AT + dt.timedelta(seconds=number),
        "assistant": "helpdesk",
        "principal": "caller",
        "outcome": Outcome.ANSWERED,
        "source": "generate",
        "message_chars": 5,
        "slots": {"name": "Jo Miller"},
        "has_quoted_text": False,
        "rails": ({"name": "length", "stage": "input", "status": "passed", "duration_ms": 0.1},),
        "timings_ms": {"total": 1.0},
        "store_revision": 1,
        "policy": "p",
        "policy_revision": 1,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "failed": False,
    }
    return Decision(**(fields | changes))


def asked(decision: str, text: str) -> Noted:
    return Noted(decision=decision, at=AT, assistant="helpdesk", reason=Reason.NO_MATCH, text=text, gate="below_limit")


async def record(admin: AdminWorld, *decisions: Decision, keeps: KeepsText = KeepsText.OFF, user: str | None = None):
    writer = DecisionWriter(admin.database)
    log = DecisionLog(writer, PRIVACY)
    for decision in decisions:
        await log.record(decision, Said("I am jo.miller@post.example", "Hello", keeps, user))
    await anyio.to_thread.run_sync(writer.close)


async def fetch(admin: AdminWorld, actor: Actor, path: str, **query: object):
    async with admin.client(actor) as client:
        return await client.get(f"/v1/admin/decisions{path}", params=query)


def actions(admin: AdminWorld) -> list[str]:
    return [entry.action for entry in admin.audit.entries()]


async def test_pages_follow_one_another_newest_first(admin: AdminWorld) -> None:
    await record(admin, *(made(number) for number in range(5)))
    seen, after = [], ""
    while True:
        page = (await fetch(admin, VIEWER, "", limit=2, after=after)).json()
        seen += [one["id"] for one in page["decisions"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert seen == [f"id-{number}" for number in (4, 3, 2, 1, 0)]


async def test_filters_narrow_a_page(admin: AdminWorld) -> None:
    await record(admin, made(1), made(2, outcome=Outcome.NO_MATCH), made(3, prompt_key="it.x"))
    for query, wanted in (
        ({"outcome": "no_match"}, ["id-2"]),
        ({"prompt": "it.x"}, ["id-3"]),
        ({"since": "2026-11-25T09:00:02Z", "until": "2026-11-25T10:00:03+01:00"}, ["id-2"]),
        ({"assistant": "other"}, []),
    ):
        assert [one["id"] for one in (await fetch(admin, VIEWER, "", **query)).json()["decisions"]] == wanted
    for query in ({"outcome": "odd"}, {"after": "odd"}, {"after": "2026-11-25T09:00:00_x"}, {"user": "jo"}):
        assert (await fetch(admin, VIEWER, "", **query)).json()["code"] == "invalid_query"


async def test_full_words_and_slot_values_are_hidden_until_somebody_reveals_them(admin: AdminWorld) -> None:
    await record(admin, made(1), keeps=KeepsText.FULL)
    for path in ("", "/export", "/id-1"):
        told = (await fetch(admin, ADMIN, path)).text
        assert "id-1" in told
        assert "miller" not in told.lower()
    assert actions(admin) == ["decisions.exported"]
    async with admin.client(AUDITOR) as client:
        told = await client.post("/v1/admin/decisions/id-1/reveal", json={"reason": "quality"})
    assert told.json() == {
        "id": "id-1",
        "kept": "full",
        "words": {"message": "I am jo.miller@post.example", "answer": "Hello", "context": ""},
        "slots": {"name": "Jo Miller"},
    }
    assert told.headers["cache-control"] == "no-store"
    last = list(admin.audit.entries())[-1]
    assert (last.actor, last.action, last.target) == (AUDITOR.id, "decision.revealed", "decision id-1")
    assert last.details["reason"] == "quality"


@pytest.mark.parametrize("sent", [{}, {"reason": ""}, {"reason": "I am curious"}, {"reason": None}])
async def test_nothing_is_revealed_without_a_reason_of_the_list(admin: AdminWorld, sent: dict[str, object]) -> None:
    await record(admin, made(1), keeps=KeepsText.FULL)
    async with admin.client(AUDITOR) as client:
        told = await client.post("/v1/admin/decisions/id-1/reveal", json=sent)
    assert (told.status_code, told.json()["code"]) == (422, "validation_error")
    assert "miller" not in told.text.lower()
    assert actions(admin) == []


async def test_redacted_words_are_shown(admin: AdminWorld) -> None:
    await record(admin, made(1), keeps=KeepsText.REDACTED)
    told = (await fetch(admin, VIEWER, "/id-1")).json()
    assert (told["kept"], told["words"]["message"]) == ("redacted", "I am [email]")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.APPROVER])
async def test_nobody_else_reveals_exports_or_purges(admin: AdminWorld, role: Role) -> None:
    await record(admin, made(1), keeps=KeepsText.FULL)
    async with admin.client(person("bob", role)) as client:
        assert (await client.post("/v1/admin/decisions/id-1/reveal", json={"reason": "quality"})).status_code == 403
        assert (await client.get("/v1/admin/decisions/export")).status_code == 403
        assert (await client.post("/v1/admin/purges", json={"user": "jo"})).status_code == 403
    assert actions(admin) == []


async def test_another_tenants_decisions_are_not_there(admin: AdminWorld) -> None:
    await record(admin, made(1), made(2, assistant="other"), keeps=KeepsText.FULL, user="jo")
    assert [one["id"] for one in (await fetch(admin, BOUND, "")).json()["decisions"]] == ["id-1"]
    assert (await fetch(admin, BOUND, "", assistant="other")).json()["decisions"] == []
    assert [json.loads(line)["id"] for line in (await fetch(admin, BOUND, "/export")).text.splitlines()] == ["id-1"]
    assert (await fetch(admin, BOUND, "/id-2")).status_code == 404
    async with admin.client(BOUND) as client:
        assert (await client.post("/v1/admin/decisions/id-2/reveal", json={"reason": "quality"})).status_code == 404
        assert (await client.post("/v1/admin/purges", json={"user": "jo"})).json()["counts"]["decisions"] == 1
    assert (await fetch(admin, ADMIN, "/id-2")).json()["kept"] == "full"


async def test_a_purge_takes_the_words_and_leaves_the_figures(admin: AdminWorld) -> None:
    await record(admin, made(1), made(2), keeps=KeepsText.FULL, user="jo")
    await record(admin, made(3), keeps=KeepsText.FULL, user="max")
    Intake(admin.database, Bounds(new_per_day=9, questions=9, days=9)).take(
        [asked("id-1", "I am Jo Miller"), asked("id-3", "Where is the gym?")]
    )
    async with admin.client(ADMIN) as client:
        told = (await client.post("/v1/admin/purges", json={"user": "jo"})).json()
        again = (await client.post("/v1/admin/purges", json={"user": "jo"})).json()
        wrong = await client.post("/v1/admin/purges", json={"user": ""})
    assert told["counts"] == {
        "feedback_texts": 0,
        "questions": 1,
        "widget_sessions": 0,
        "widget_turns": 0,
        "texts": 2,
        "decisions": 2,
    }
    assert again["counts"] == {
        "feedback_texts": 0,
        "questions": 0,
        "widget_sessions": 0,
        "widget_turns": 0,
        "texts": 0,
        "decisions": 0,
    }
    assert wrong.status_code == 422
    page = (await fetch(admin, VIEWER, "")).json()["decisions"]
    assert [(one["id"], one["kept"], one["slots"]) for one in page] == [
        ("id-3", "full", ["name"]),
        ("id-2", "off", []),
        ("id-1", "off", []),
    ]
    entry = next(iter(admin.audit.entries()))
    assert (entry.action, entry.target) == ("person.purged", f"person {told['person']}")
    assert "jo" not in json.dumps(dict(entry.details))


@pytest.mark.parametrize("is_disliked", [False, True])
async def test_a_purge_reaches_a_question_that_is_still_held_in_memory(admin: AdminWorld, *, is_disliked: bool) -> None:
    log = DecisionLog(DecisionWriter(admin.database), PRIVACY)
    recorder = admin.review.recorder
    for number, user in ((1, "jo"), (2, "max"), (3, None)):
        said = Said("I am Jo Miller", "Hello", KeepsText.FULL, user)
        decision = await log.record(made(number, outcome=Outcome.NO_MATCH), said)
        if is_disliked:
            recorder.disliked(decision, f"Where is the gym {number}", at=decision.at)
        else:
            recorder.decided(decision, f"Where is the gym {number}")
    assert recorder.waiting == 3
    async with admin.client(ADMIN) as client:
        await client.post("/v1/admin/purges", json={"user": "jo"})
    assert await recorder.write()
    found = await anyio.to_thread.run_sync(
        lambda: admin.review.reviewing.questions(ADMIN, Wanted(), after=None, limit=9).items
    )
    assert sorted(one.text for one in found) == ["Where is the gym 2", "Where is the gym 3"]


async def test_a_decision_that_is_not_there_is_not_found(admin: AdminWorld) -> None:
    for wrong in ("id-9", "%00", "a%0Ab"):
        assert (await fetch(admin, VIEWER, f"/{wrong}")).status_code == 404


@pytest.mark.parametrize(
    "path", ["decisions?since=", "audit?since=", "feedback?since=", "decisions?after=", "feedback?after="]
)
@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00%2B14:00"])
async def test_a_time_outside_the_calendar_is_a_bad_query(admin: AdminWorld, path: str, time: str) -> None:
    async with admin.client(AUDITOR) as client:
        told = await client.get(f"/v1/admin/{path}{time}{'_id-1' if 'after' in path else ''}")
    assert (told.status_code, told.json()["code"]) == (400, "invalid_query")


async def test_a_reveal_that_is_sent_again_is_done_again_and_told_again(admin: AdminWorld) -> None:
    await record(admin, made(1), keeps=KeepsText.FULL, user="jo")
    headers = {"idempotency-key": "once"}
    async with admin.client(AUDITOR) as auditor, admin.client(ADMIN) as client:
        first = await auditor.post("/v1/admin/decisions/id-1/reveal", json={"reason": "quality"}, headers=headers)
        await client.post("/v1/admin/purges", json={"user": "jo"})
        again = await auditor.post("/v1/admin/decisions/id-1/reveal", json={"reason": "quality"}, headers=headers)
    assert first.json()["kept"] == "full"
    assert again.json()["kept"] == "off"
    assert "idempotency-replayed" not in again.headers
    assert [one.action for one in admin.audit.entries()].count("decision.revealed") == 2
