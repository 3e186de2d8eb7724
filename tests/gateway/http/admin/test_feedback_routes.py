"""Feedback is given by the key that asked, counted for each prompt version, and exported as far as texts are kept."""

import dataclasses
import datetime as dt
import json
import math
from functools import partial

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import feedback_rows
from gateway.decisions import DecisionLog, Said
from gateway.feedback_rows import PairingReport, message_rows, paired
from store.content import KeepsText
from store.feedback import Feedback, FeedbackReason, FeedbackTexts, HelpfulRate, Verdict
from store.formats.registry import FORMATS
from store.formats.writing import Written, encoded
from store.people import Role
from store.repositories.decision_writer import DecisionWriter
from store.repositories.feedback import JudgedAnswer
from store.types import Decision, KeyScope, Outcome, Words
from tests.administration import PRIVACY, AdminWorld, person

pytestmark = pytest.mark.anyio
AT = dt.datetime(2026, 11, 25, 9, tzinfo=dt.UTC)
VIEWER, AUDITOR = person("vi", Role.VIEWER), person("ada", Role.AUDITOR)
BOUND = person("eve", Role.AUDITOR, Role.VIEWER, assistants=("internal",))
MAIL = "Write to jo.miller@post.example"


def made(number: int, principal: str = "caller", **changes: object) -> Decision:
    fields = {field.name: None for field in dataclasses.fields(Decision)}
    fields |= {
        "id": f"id-{number}",
        "at": AT + dt.timedelta(seconds=number),
        "assistant": "helpdesk",
        "principal": principal,
        "outcome": Outcome.ANSWERED,
        "source": "generate",
        "message_chars": 5,
        "prompt_key": "it.a",
        "prompt_version": 1,
        "slots": {},
        "has_quoted_text": False,
        "rails": (),
        "timings_ms": {},
        "store_revision": 1,
        "policy": "p",
        "policy_revision": 1,
        "prompt_tokens": 0,
        "completion_tokens": 0,
        "failed": False,
    }
    return Decision(**(fields | changes))


async def record(admin: AdminWorld, decision: Decision, answer: str, keeps: KeepsText, user: str | None = None) -> None:
    admin.keeps[decision.assistant] = keeps
    writer = DecisionWriter(admin.database)
    await DecisionLog(writer, PRIVACY).record(decision, Said("How do I open a door?", answer, keeps, user))
    await anyio.to_thread.run_sync(writer.close)


class Caller:
    """Speaks with one key on the data plane."""

    def __init__(self, admin: AdminWorld, *, assistants: tuple[str, ...] = ()) -> None:
        self.token = admin.world.key(KeyScope.CHAT, assistants=assistants)
        self.id = self.token.split("_")[1]
        self._admin = admin

    async def say(self, decision: str, verdict: str, **more: object):
        async with self._admin.client() as client:
            body = {"decision": decision, "verdict": verdict} | more
            return await client.post("/v1/feedback", json=body, headers={"authorization": f"Bearer {self.token}"})


async def fetch(admin: AdminWorld, actor, path: str, **query: object):
    async with admin.client(actor) as client:
        return await client.get(f"/v1/admin/feedback{path}", params=query)


def actions(admin: AdminWorld) -> list[str]:
    return [entry.action for entry in admin.audit.entries()]


async def test_a_caller_gives_feedback_and_changes_it_and_the_same_again_is_no_change(admin: AdminWorld) -> None:
    caller = Caller(admin)
    await record(admin, made(1, caller.id), "Push it.", KeepsText.REDACTED)
    first = await caller.say("id-1", "up", reasons=["clear", "correct", "clear"], comment=MAIL)
    assert first.status_code == 200
    assert first.json() | {"given_at": 0, "changed_at": 0} == {
        "decision": "id-1",
        "verdict": "up",
        "reasons": ["clear", "correct"],
        "given_at": 0,
        "changed_at": 0,
        "kept": "redacted",
    }
    again = await caller.say("id-1", "up", reasons=["correct", "clear"], comment=MAIL)
    assert again.json() == first.json()
    changed = await caller.say("id-1", "down")
    assert (changed.json()["verdict"], changed.json()["given_at"]) == ("down", first.json()["given_at"])
    assert changed.json()["kept"] == "off"
    assert actions(admin) == ["feedback.given", "feedback.changed"]
    (entry, _) = admin.audit.entries()
    assert entry.actor == f"key:{caller.id}"
    assert "miller" not in json.dumps(dict(entry.details))


async def test_comments_are_kept_as_the_assistant_keeps_words(admin: AdminWorld) -> None:
    caller = Caller(admin)
    for number, keeps in enumerate(KeepsText):
        await record(admin, made(number, caller.id), "Push it.", keeps)
        told = await caller.say(f"id-{number}", "down", comment=MAIL, better="Pull it.")
        assert told.json()["kept"] == keeps.value
    items = {one["decision"]: one for one in (await fetch(admin, VIEWER, "")).json()["feedback"]}
    kept = list(KeepsText)
    for number, keeps in enumerate(kept):
        item = items[f"id-{number}"]
        if keeps is KeepsText.REDACTED:
            assert item["said"] == {"comment": "Write to [email]", "better": "Pull it."}
            assert item["words"]["answer"] == "Push it."
        else:
            assert (item["said"], item["words"]) == (None, None)


async def test_another_keys_decision_is_not_there(admin: AdminWorld) -> None:
    caller, other = Caller(admin), Caller(admin)
    await record(admin, made(1, caller.id), "Push it.", KeepsText.OFF)
    missing = await other.say("id-2", "up")
    foreign = await other.say("id-1", "up")
    assert (missing.status_code, foreign.status_code) == (404, 404)
    assert foreign.json()["error"]["code"] == "not_found"
    assert "caller" not in foreign.text
    bound = Caller(admin, assistants=("internal",))
    await record(admin, made(3, bound.id), "Push it.", KeepsText.OFF)
    assert (await bound.say("id-3", "up")).status_code == 404
    assert actions(admin) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": "meh"},
        {"reasons": ["odd"]},
        {"reasons": ["wrong"] * 11},
        {"comment": "x" * 1001},
        {"better": "x" * 4001},
        {"decision": "a b"},
        {"stars": 5},
    ],
)
async def test_what_cannot_be_feedback_is_refused(admin: AdminWorld, wrong: dict[str, object]) -> None:
    told = await Caller(admin).say(**({"decision": "id-1", "verdict": "up"} | wrong))
    assert (told.status_code, told.json()["error"]["code"]) == (422, "validation_error")


async def test_a_new_thumbs_down_goes_to_the_review_queue_once(admin: AdminWorld) -> None:
    caller = Caller(admin)
    await record(admin, made(1, caller.id), "Push it.", KeepsText.REDACTED)
    await record(admin, made(2, caller.id), "Push it.", KeepsText.OFF)
    for verdict in ("down", "down", "up", "down"):
        await caller.say("id-1", verdict)
    await caller.say("id-2", "down")
    question = "How do I open a door?"
    assert admin.disliked == [("id-1", question), ("id-1", question), ("id-2", "")]


async def test_feedback_counts_against_the_rate_of_its_key_and_no_budget(admin: AdminWorld) -> None:
    caller = Caller(admin)
    records = admin.world.keys.records
    records[caller.id] = dataclasses.replace(records[caller.id], tokens_per_day=1)
    admin.world.components.keys.set_rates(1, {})
    await record(admin, made(1, caller.id, completion_tokens=9), "", KeepsText.OFF)
    first, second = await caller.say("id-1", "up"), await caller.say("id-1", "down")
    assert (first.status_code, first.headers["x-ratelimit-remaining-requests"]) == (200, "0")
    assert (second.status_code, second.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert actions(admin) == ["feedback.given"]


async def test_feedback_sent_at_once_is_one_piece(admin: AdminWorld) -> None:
    caller = Caller(admin)
    await record(admin, made(1, caller.id), "Push it.", KeepsText.OFF)
    told = []

    async def say(verdict: str) -> None:
        told.append((await caller.say("id-1", verdict)).status_code)

    async with anyio.create_task_group() as group:
        for verdict in ("up", "down") * 4:
            group.start_soon(say, verdict)
    assert set(told) == {200}
    assert len((await fetch(admin, VIEWER, "")).json()["feedback"]) == 1


async def test_a_list_has_pages_and_filters_and_shows_no_other_tenant(admin: AdminWorld) -> None:
    caller = Caller(admin)
    for number in range(5):
        more = {"assistant": "internal"} if number == 4 else {"prompt_version": 1 + number % 2}
        await record(admin, made(number, caller.id, **more), "Push it.", KeepsText.OFF)
        await caller.say(f"id-{number}", "up" if number < 2 else "down")
    seen, after = [], ""
    while after is not None:
        page = (await fetch(admin, VIEWER, "", limit=2, after=after)).json()
        seen += [one["decision"] for one in page["feedback"]]
        after = page["next"]
    assert seen == [f"id-{number}" for number in (4, 3, 2, 1, 0)]
    for query, wanted in (
        ({"verdict": "up"}, ["id-1", "id-0"]),
        ({"version": 2}, ["id-3", "id-1"]),
        ({"prompt": "it.b"}, []),
        ({"assistant": "internal"}, ["id-4"]),
    ):
        assert [one["decision"] for one in (await fetch(admin, VIEWER, "", **query)).json()["feedback"]] == wanted
    assert [one["decision"] for one in (await fetch(admin, BOUND, "")).json()["feedback"]] == ["id-4"]
    assert {one["assistant"] for one in (await fetch(admin, BOUND, "/rates")).json()["rates"]} == {"internal"}
    assert (await fetch(admin, BOUND, "/pairing")).json()["judged"] == 1
    for query in ({"verdict": "odd"}, {"after": "odd"}, {"version": "x"}, {"version": 10**12}, {"user": "jo"}):
        assert (await fetch(admin, VIEWER, "", **query)).json()["code"] == "invalid_query"


async def test_the_helpful_rate_of_each_version_has_its_interval(admin: AdminWorld) -> None:
    caller = Caller(admin)
    for number in range(5):
        await record(admin, made(number, caller.id, prompt_version=1 + number // 4), "Push it.", KeepsText.OFF)
        await caller.say(f"id-{number}", "up" if number != 1 else "down")
    first, second = (await fetch(admin, VIEWER, "/rates")).json()["rates"]
    assert (first["prompt_version"], first["up"], first["down"], first["rate"]) == (1, 3, 1, 0.75)
    assert first["at_least"] == pytest.approx(0.3006, abs=1e-4)
    assert first["at_most"] == pytest.approx(0.9544, abs=1e-4)
    assert (second["up"], second["down"], second["at_most"]) == (1, 0, 1.0)
    assert second["at_least"] == pytest.approx(0.2065, abs=1e-4)


@given(up=st.integers(0, 1000), down=st.integers(0, 1000))
def test_an_interval_holds_the_rate_and_narrows_with_more_verdicts(up: int, down: int) -> None:
    if up + down == 0:
        return
    rate = HelpfulRate("a", "it.a", 1, up, down)
    low, high = rate.interval
    assert 0 <= low <= rate.rate + 1e-12
    assert rate.rate - 1e-12 <= high <= 1
    more = HelpfulRate("a", "it.a", 1, up * 4, down * 4).interval
    assert more[1] - more[0] < high - low
    assert not math.isnan(low)


async def test_pairs_are_exported_and_what_cannot_be_paired_is_counted(admin: AdminWorld) -> None:
    caller = Caller(admin)
    for number, (answer, verdict, keeps, better) in enumerate(
        (
            ("Push it.", "up", KeepsText.REDACTED, ""),
            ("Kick it.", "down", KeepsText.REDACTED, ""),
            ("Pull it.", "down", KeepsText.REDACTED, "Push it gently."),
            ("Push it.", "down", KeepsText.OFF, ""),
            ("Push it.", "up", KeepsText.REDACTED, ""),
        )
    ):
        await record(admin, made(number, caller.id), answer, keeps)
        await caller.say(f"id-{number}", verdict, better=better)
    assert (await fetch(admin, VIEWER, "/exports/hh-rlhf")).status_code == 403
    pairs = [json.loads(line) for line in (await fetch(admin, AUDITOR, "/exports/dpo")).text.splitlines()]
    question = "How do I open a door?"
    assert {(one["prompt"], one["chosen"], one["rejected"]) for one in pairs} == {
        (question, "Push it.", "Kick it."),
        (question, "Push it gently.", "Pull it."),
    }
    hh = [json.loads(line) for line in (await fetch(admin, AUDITOR, "/exports/hh-rlhf")).text.splitlines()]
    assert hh[0].keys() == {"chosen", "rejected"}
    assert hh[0]["chosen"].startswith(f"\n\nHuman: {question}\n\nAssistant: ")
    told = (await fetch(admin, VIEWER, "/pairing")).json()
    assert told == {"judged": 5, "pairs": 2, "by_better": 1, "without_text": 1, "unpaired": 1, "same_answer": 0}
    messages = [json.loads(line) for line in (await fetch(admin, AUDITOR, "/exports/oasst-messages")).text.splitlines()]
    assert len(messages) == 8
    labels = {one["message_id"]: one["labels"]["value"] for one in messages if one["role"] == "assistant"}
    assert labels == {"id-0": [1.0], "id-1": [0.0], "id-2": [0.0], "id-4": [1.0]}
    assert (await fetch(admin, AUDITOR, "/exports/alpaca")).status_code == 404
    assert actions(admin).count("feedback.exported") == 3


async def test_a_purge_takes_what_was_said_and_leaves_the_figure(admin: AdminWorld) -> None:
    caller = Caller(admin)
    await record(admin, made(1, caller.id), "Push it.", KeepsText.REDACTED, user="jo")
    await caller.say("id-1", "down", comment="It sticks")
    report = await anyio.to_thread.run_sync(admin.purging.purge, person("adm", Role.ADMIN), "jo")
    assert report.counts == {
        "feedback_texts": 1,
        "questions": 0,
        "widget_sessions": 0,
        "widget_turns": 0,
        "texts": 1,
        "decisions": 1,
    }
    (item,) = (await fetch(admin, VIEWER, "")).json()["feedback"]
    assert (item["verdict"], item["said"], item["words"]) == ("down", None, None)


async def test_what_is_said_about_a_purged_decision_is_not_kept_and_answered_so(admin: AdminWorld) -> None:
    caller = Caller(admin)
    await record(admin, made(1, caller.id), "Push it.", KeepsText.REDACTED, user="jo")
    await anyio.to_thread.run_sync(admin.purging.purge, person("adm", Role.ADMIN), "jo")
    told = await caller.say("id-1", "down", comment="It sticks", better="Pull it.")
    assert (told.status_code, told.json()["kept"], told.json()["verdict"]) == (200, "off", "down")
    assert admin.count("feedback_texts") == 0


async def test_a_figure_outlives_its_decision_and_its_words_do_not(admin: AdminWorld) -> None:
    caller = Caller(admin)
    await record(admin, made(1, caller.id), "Push it.", KeepsText.REDACTED)
    await caller.say("id-1", "down", comment="It sticks")
    later = AT + dt.timedelta(days=4000)
    assert await anyio.to_thread.run_sync(partial(admin.administration.archive.expire, later)) == 1
    (item,) = (await fetch(admin, VIEWER, "")).json()["feedback"]
    assert (item["verdict"], item["said"], item["words"]) == ("down", None, None)
    assert (await fetch(admin, VIEWER, "/rates")).json()["rates"][0]["down"] == 1


def judged(number: int, verdict: Verdict, answer: str, **changes: object) -> JudgedAnswer:
    decision = made(number, **changes)
    feedback = Feedback(
        decision=decision.id,
        given_at=AT,
        changed_at=AT,
        principal="caller",
        assistant=decision.assistant,
        prompt_key=decision.prompt_key,
        prompt_version=decision.prompt_version,
        verdict=verdict,
        reasons=(FeedbackReason.CLEAR,),
    )
    return JudgedAnswer(feedback, decision, Words(KeepsText.REDACTED, "Hello?", answer))


@pytest.mark.parametrize(
    "other", [{"slots": {"site": "Leeds"}}, {"prompt_version": 2}, {"prompt_key": "it.b"}, {"assistant": "internal"}]
)
def test_answers_to_different_things_are_never_paired(other: dict[str, object]) -> None:
    report = PairingReport()
    assert list(paired([judged(1, Verdict.UP, "A"), judged(2, Verdict.DOWN, "B", **other)], report)) == []
    assert report.unpaired == 2


def test_answers_to_quoted_texts_are_never_paired() -> None:
    both = [judged(number, verdict, verdict, has_quoted_text=True) for number, verdict in enumerate(Verdict)]
    assert list(paired(both, PairingReport())) == []


@pytest.mark.parametrize("outcome", [Outcome.BLOCKED_OUTPUT, Outcome.DEGRADED])
def test_answers_that_an_approved_text_took_the_place_of_are_never_paired(outcome: Outcome) -> None:
    shown = judged(1, Verdict.DOWN, "Push.\n\nAsk at the desk.", outcome=outcome)
    texts = FeedbackTexts(kept=KeepsText.REDACTED, better="Push it.")
    improved = dataclasses.replace(shown, feedback=dataclasses.replace(shown.feedback, texts=texts))
    report = PairingReport()
    assert list(paired([shown, improved, judged(2, Verdict.UP, "Pull it.")], report)) == []
    assert (report.judged, report.by_better, report.unpaired) == (3, 0, 3)


@pytest.mark.parametrize("outcome", [Outcome.BLOCKED_OUTPUT, Outcome.DEGRADED])
def test_answers_that_an_approved_text_took_the_place_of_are_no_messages(outcome: Outcome) -> None:
    replaced = judged(1, Verdict.UP, "Push.\n\nAsk at the desk.", outcome=outcome)
    forgotten = dataclasses.replace(replaced, decision=None)
    report = PairingReport()
    rows = message_rows([replaced, forgotten, judged(2, Verdict.UP, "Pull it.")], report, lambda _: "en")
    assert [row.id for row in rows] == ["id-2"]
    assert (report.judged, report.unpaired, report.without_text) == (3, 1, 1)


def test_many_answers_wait_after_others_that_found_their_pairs(monkeypatch) -> None:
    monkeypatch.setattr(feedback_rows, "MOST_WAITING", 2)
    report = PairingReport()
    found = [judged(number, Verdict.UP if number < 3 else Verdict.DOWN, f"Answer {number}") for number in range(1, 5)]
    alone = [judged(number, Verdict.UP, "Push it.", prompt_key=f"it.p{number}") for number in range(5, 9)]
    assert len(list(paired([*found, *alone], report))) == 2
    assert (report.judged, report.pairs, report.unpaired) == (8, 2, 4)


@given(st.lists(st.tuples(st.sampled_from(Verdict), st.sampled_from("abc"), st.sampled_from(["x", "y"])), max_size=20))
def test_each_answer_is_in_one_pair_at_most_and_the_figures_add_up(given_answers) -> None:
    report = PairingReport()
    all_of_them = [
        judged(number, verdict, answer, prompt_key=f"it.{key}")
        for number, (verdict, answer, key) in enumerate(given_answers)
    ]
    rows = list(paired(all_of_them, report))
    ids = [part for row in rows for part in row.id.split("+")]
    assert len(ids) == len(set(ids))
    verdicts = {one.feedback.decision: one.feedback.verdict for one in all_of_them}
    assert all(
        (verdicts[row.id.split("+")[0]], verdicts[row.id.split("+")[1]]) == (Verdict.UP, Verdict.DOWN) for row in rows
    )
    assert all(row.chosen[-1].text != row.rejected[-1].text for row in rows)
    assert report.judged == 2 * report.pairs + report.unpaired == len(given_answers)
    told = Written()
    assert len(b"".join(encoded(FORMATS["dpo"], rows, told)).splitlines()) == report.pairs
