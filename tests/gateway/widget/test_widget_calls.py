"""The widget's calls, as docs/widget.md has them."""

import asyncio
import re

import pytest
import structlog

from gateway.widget.release import VERSION
from gateway.widget_texts import widget_texts
from store.people import OPERATOR
from store.repositories.decision_writer import DecisionWriter
from store.types import Recorded
from tests.administration import AdminWorld, person
from tests.widget_world import APPROVED, BASE, GENERATED, INTRANET, Site, ask, events, key, make_site, until_asked

pytestmark = pytest.mark.anyio
STREAM = {"accept": "text/event-stream"}


async def test_a_widget_reads_its_configuration_and_nothing_else_first(admin: AdminWorld) -> None:
    texts = {"de": {"heading": "Personal", "strings": {"launcher": "Fragen"}}}
    contact = {"name": "HR", "email": "hr@tarnwick.example"}
    site = make_site(admin, languages=["en", "de"], texts=texts, contact=contact, sign_in="optional")
    async with site.browser() as page:
        told = await page.get(f"{BASE}/clients/hr-portal", params={"lang": "de-AT"})
        english = await page.get(f"{BASE}/clients/hr-portal", params={"lang": "fr"})
    body = told.json()
    assert told.status_code == 200
    assert told.headers["cache-control"] == "public, max-age=60"
    assert told.headers["access-control-allow-origin"] == INTRANET
    assert told.headers["vary"] == "origin"
    assert "access-control-allow-credentials" not in told.headers
    assert (body["client"], body["version"], body["lang"], body["languages"]) == (
        "hr-portal",
        VERSION,
        "de",
        ["en", "de"],
    )
    assert body["heading"] == "Personal"
    assert body["strings"] == {**widget_texts("de"), "launcher": "Fragen"}
    assert body["greeting"] == "Hello. Ask about IT, HR, offices or security."
    assert body["contact"] == {"name": "HR", "email": "hr@tarnwick.example", "phone": "", "url": "", "hours": ""}
    assert body["theme"] == {"accent": "#1f4fbf", "on_accent": "#ffffff", "radius": 12, "position": "end"}
    assert [one["id"] for one in body["suggestions"]][:2] == ["it.password-reset", "facilities.office-hours"]
    assert (body["sign_in"], body["max_length"], body["feedback"]) == ("optional", 2000, True)
    assert (english.json()["lang"], english.json()["heading"]) == ("en", "Tarnwick help desk")


async def test_a_signed_in_visitor_asks_and_gets_the_checked_answer(site: Site) -> None:
    async with site.browser() as page:
        session = await site.visit(page, site.token(name="Ada"))
        told = await ask(page)
    assert (session["name"], session["is_anonymous"], session["expires_in"]) == ("Ada", False, 600)
    assert session["session"].startswith("cgw_")
    body = told.json()
    assert told.status_code == 200, told.text
    assert (body["outcome"], body["text"], body["source"]) == ("answered", APPROVED, "verbatim")
    assert body["prompt"] == {"id": "security.phishing-report", "version": 7, "title": "Report a phishing mail"}
    assert body["reference"] == told.headers["x-request-id"]
    assert body.keys() == {
        *("id", "outcome", "text", "source", "prompt", "suggestions", "slot", "contact", "has_quoted_text"),
        *("reference", "conversation"),
    }


async def test_a_stream_begins_with_the_conversation_and_ends_with_the_answer(site: Site) -> None:
    async with site.browser() as page:
        await site.visit(page)
        told = await ask(page, GENERATED, headers=key() | STREAM)
    found = events(told.text)
    assert told.headers["content-type"].startswith("text/event-stream")
    assert [number for number, _, _ in found] == list(range(1, len(found) + 1))
    names = [name for _, name, _ in found]
    assert (names[0], names[-1], set(names[1:-1])) == ("conversation", "done", {"stage"})
    assert found[0][2]["conversation"] == found[-1][2]["conversation"]


async def test_a_stream_that_ends_in_an_error_is_counted_with_the_status_of_that(site: Site, monkeypatch) -> None:
    def away(_: object) -> None:
        raise TimeoutError

    world = site.admin.world
    monkeypatch.setattr(world.live.current.matcher, "_embed", away)
    message = "please, my password is gone"
    used = key()
    async with site.browser() as page:
        await site.visit(page)
        told = [await ask(page, message, headers=used | STREAM)]
        told.append(await page.get(f"{BASE}/chat/{used['idempotency-key']}", headers=STREAM))
    async with world.client(world.key()) as client:
        told.append(await client.post("/v1/chat", json={"assistant": "helpdesk", "message": message}, headers=STREAM))
    assert [(one.status_code, events(one.text)[-1][1]) for one in told] == [(200, "error")] * 3
    text = world.components.telemetry.text().decode()
    counted = re.findall(
        r'^canongate_http_requests_total\{.*route="([^"]*chat[^"]*)",status="(\d+)"', text, re.MULTILINE
    )
    assert {status for _, status in counted} == {"503"}
    assert len(counted) == len(told)


async def test_the_events_that_were_missed_come_exactly_and_the_same_post_again_asks_nothing(site: Site) -> None:
    used = key()
    async with site.browser() as page:
        await site.visit(page)
        whole = events((await ask(page, GENERATED, headers=used | STREAM)).text)
        for last in range(len(whole) + 1):
            after = STREAM | {"last-event-id": str(last)}
            resumed = await page.get(f"{BASE}/chat/{used['idempotency-key']}", headers=after)
            assert events(resumed.text) == whole[last:]
        again = await ask(page, GENERATED, headers=used | STREAM | {"last-event-id": "2"})
        as_json = await page.get(f"{BASE}/chat/{used['idempotency-key']}")
    assert events(again.text) == whole[2:]
    assert as_json.json() == whole[-1][2]
    assert len(site.admin.world.decisions.kept) == 1


async def test_an_answer_goes_on_when_the_connection_breaks(site: Site) -> None:
    used, model = key(), site.admin.world.model
    model.delay_s = 0.2
    async with site.browser() as page:
        await site.visit(page)
        cut = asyncio.create_task(ask(page, GENERATED, headers=used))
        await until_asked(site, cut)
        cut.cancel()
        await asyncio.gather(cut, return_exceptions=True)
        told = await page.get(f"{BASE}/chat/{used['idempotency-key']}")
    assert told.json()["outcome"] == "answered"
    assert "choose Forgot password" in told.json()["text"]


async def test_a_question_under_a_used_key_is_refused(site: Site) -> None:
    used = key()
    async with site.browser() as page:
        await site.visit(page)
        await ask(page, headers=used)
        told = await ask(page, "Something else", headers=used)
    assert (told.status_code, told.json()["error"]["code"]) == (422, "idempotency_key_reused")


async def test_what_was_said_can_be_shown_again_and_forgotten(site: Site) -> None:
    first, second = key(), key()
    async with site.browser() as page:
        await site.visit(page)
        said = (await ask(page, headers=first)).json()["conversation"]
        await ask(page, GENERATED, headers=second, conversation=said)
        await site.visit(page)  # a new session of the same person, as after a reload
        told = await page.get(f"{BASE}/conversations/{said}")
        gone = await page.delete(f"{BASE}/conversations/{said}")
        after = await page.get(f"{BASE}/conversations/{said}")
        followed = await page.get(f"{BASE}/chat/{first['idempotency-key']}")
    turns = told.json()["turns"]
    assert [one["key"] for one in turns] == [first["idempotency-key"], second["idempotency-key"]]
    assert [one["answer"]["outcome"] for one in turns] == ["answered", "answered"]
    assert (gone.status_code, after.status_code, after.json()["error"]["code"]) == (204, 404, "conversation_gone")
    assert (followed.status_code, followed.json()["error"]["code"]) == (404, "answer_gone")


async def test_feedback_counts_for_answers_of_the_same_person_alone(site: Site) -> None:
    async with site.browser() as page, site.browser() as other:
        await site.visit(page)
        decision = (await ask(page)).json()["id"]
        writer = DecisionWriter(site.admin.database)
        writer.add_all([Recorded(one) for one in site.admin.world.decisions.kept])
        writer.close()
        told = await page.post(f"{BASE}/feedback", json={"decision": decision, "verdict": "up"})
        await site.visit(other, site.token(sub="eve"))
        refused = await other.post(f"{BASE}/feedback", json={"decision": decision, "verdict": "down"})
    assert (told.status_code, told.json()["verdict"]) == (200, "up")
    assert refused.status_code == 404
    entry = next(one for one in site.admin.audit.entries() if one.action == "feedback.given")
    assert entry.actor == "widget:hr-portal"


async def test_questions_of_one_person_are_known_by_a_pseudonym_that_a_purge_finds(site: Site) -> None:
    async with site.browser() as page:
        await site.visit(page)
        await ask(page)
        [decision] = site.admin.world.decisions.kept
        assert decision.person == site.admin.purging._pseudonym("ada")
        assert "ada" not in decision.principal
        report = site.admin.purging.purge(person("root"), "ada")
        site.admin.widget.visits._known.clear()  # as after a second
        told = await ask(page)
    assert report.counts["widget_sessions"] == 1
    assert (told.status_code, told.json()["error"]["code"]) == (401, "session_expired")


async def test_what_a_visitor_says_is_in_no_file_and_in_no_log(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    structlog.reset_defaults()  # whatever another test made of the log
    async with site.browser() as page:
        await site.visit(page)
        told = await ask(page, "Where does the purple walrus sleep?", context={"page": "purple walrus"})
        assert told.json()["outcome"] in ("no_match", "clarify")
        await page.post(f"{BASE}/chat", json={"message": "purple walrus", "more": "purple walrus"}, headers=key())
    written = capfd.readouterr()
    assert "outcome=" in written.out + written.err
    assert "walrus" not in written.out + written.err
    assert b"walrus" not in site.admin.dump()
    assert site.admin.count("kept_replies") == 0, "which would keep answers for a day"


async def test_a_site_turned_off_ends_its_sessions(site: Site) -> None:
    async with site.browser() as page:
        await site.visit(page)
        assert (await ask(page)).status_code == 200
        site.admin.administration.widgets.disable(OPERATOR, site.client)
        told = await ask(page)
        begun = await page.post(f"{BASE}/sessions", json={"client": site.client, "token": site.token()})
    assert told.status_code == 403
    assert begun.json()["error"]["code"] == "origin_not_allowed"


@pytest.mark.parametrize(
    ("sent", "headers", "status", "code"),
    [
        ({"message": "x" * 2001}, key(), 422, "message_too_long"),
        ({"message": ""}, key(), 422, "message_empty"),
        ({"message": "hello", "context": {"page": "x" * 1100}}, key(), 422, "validation_error"),
        ({"message": "hello", "assistant": "other"}, key(), 422, "validation_error"),
        ({"message": "hello"}, {}, 400, "invalid_idempotency_key"),
        ({"message": "hello"}, {"idempotency-key": "1"}, 400, "invalid_idempotency_key"),
        ({"message": "hello"}, key() | {"last-event-id": "x"}, 400, "invalid_header"),
    ],
)
async def test_a_question_that_cannot_be_asked_is_told_so_and_leaves_nothing(
    site: Site, sent, headers, status: int, code: str
) -> None:
    async with site.browser() as page:
        await site.visit(page)
        told = await page.post(f"{BASE}/chat", json=sent, headers=headers)
        if headers.get("idempotency-key", "1") != "1":
            again = await page.get(f"{BASE}/chat/{headers['idempotency-key']}")
            assert again.status_code in (400, 404)
    assert (told.status_code, told.json()["error"]["code"]) == (status, code)
    assert told.headers["access-control-allow-origin"] == INTRANET
    assert len(site.admin.widget.answers.shelf) == 0
    assert all(not one.turns for one in site.admin.widget.conversations.shelf.values())
