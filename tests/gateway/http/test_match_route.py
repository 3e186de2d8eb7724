"""Dry runs of matching: the same evidence as a question gets, and no other trace of it."""

import pytest

from gateway.limit_settings import LimitSettings
from store.types import KeyScope

pytestmark = pytest.mark.anyio

DEBUG = (KeyScope.CHAT, KeyScope.DEBUG)


async def post(world, body, *, scopes=(KeyScope.DEBUG,), token=None):
    async with world.client(token or world.key(*scopes)) as client:
        return await client.post("/v1/match", json={"assistant": "helpdesk"} | body)


@pytest.mark.parametrize(
    ("message", "outcome", "gate"),
    [
        ("I forgot my password", "answered", "exact_phrase"),
        ("I forgot my password today", "answered", "accepted"),
        ("What are the office opening hours?", "clarify", "exact_phrase"),
        ("Zebras graze near quiet volcanoes", "no_match", None),
    ],
)
async def test_a_dry_run_comes_to_what_a_question_comes_to(world, message, outcome, gate):
    token = world.key(*DEBUG)
    tried = (await post(world, {"message": message}, token=token)).json()
    async with world.client(token) as client:
        asked = (await client.post("/v1/chat", json={"assistant": "helpdesk", "message": message})).json()
    told = asked["trace"]["match"]
    assert (tried["outcome"], asked["outcome"]) == (outcome, outcome)
    assert tried["gate"] == told["gate"] == (gate or told["gate"])
    assert tried["method"] == told["method"]
    assert tried["candidates"][0]["score"] == pytest.approx(told["score"], abs=1e-4)
    chosen = [one["id"] for one in tried["candidates"] if one["is_chosen"]]
    assert chosen == ([asked["prompt"]["id"]] if asked["prompt"] else [])


async def test_a_dry_run_asks_no_model_and_leaves_no_decision(world):
    body = (await post(world, {"message": "I forgot my password"})).json()
    assert body["candidates"][0]["title"] == "Reset a forgotten password"
    assert body["limits"] == {"answer": 0.8, "suggest": 0.5, "margin": 0.05, "floor": -1.0}
    assert body["store_revision"] == 3
    assert not world.model.prompts
    assert not world.decisions.kept


async def test_no_phrasing_and_nothing_of_the_message_is_in_the_reply(world):
    response = await post(world, {"message": "I forgot my passwort yesterday evening"})
    assert "yesterday" not in response.text
    assert "I forgot" not in response.text


async def test_of_a_contradiction_only_its_kind_is_told(world):
    body = (await post(world, {"message": "How do I not reset my password?"})).json()
    assert body["gate"] == "contradiction"
    assert body["difference"]
    assert ":" not in body["difference"]


async def test_a_missing_slot_is_what_a_person_would_be_asked_for(world):
    body = (await post(world, {"message": "What are the office opening hours?"})).json()
    assert body["slot"]["name"] == "site"
    filled = (await post(world, {"message": "What are the office opening hours?", "slots": {"site": "Leeds"}})).json()
    assert (filled["outcome"], filled["slot"]) == ("answered", None)


async def test_a_conversation_counts_and_is_not_continued(world):
    token = world.key(*DEBUG)
    async with world.client(token) as client:
        sent = {"assistant": "helpdesk", "message": "What are the office opening hours?", "conversation": "c1"}
        await client.post("/v1/chat", json=sent)
    tried = {"message": "Lisbon", "conversation": "c1"}
    first = (await post(world, tried, token=token)).json()
    again = (await post(world, tried, token=token)).json()
    assert first["method"] == again["method"] == "slot_reply"
    wrong = (await post(world, {"message": "Paris", "conversation": "c1"}, token=token)).json()
    assert (wrong["outcome"], wrong["slot"]["name"], wrong["slot"]["is_invalid"]) == ("clarify", "site", True)
    assert len(world.decisions.kept) == 1


async def test_hidden_characters_are_refused_before_anything_is_matched(world):
    body = (await post(world, {"message": "pass\u200bword"})).json()
    assert (body["outcome"], body["gate"], body["candidates"]) == ("blocked_input", None, [])
    assert body["refused"].startswith("hidden.")


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({"message": ""}, 422, "message_empty", "message"),
        ({"message": "x" * 4001}, 422, "message_too_long", "message"),
        ({"message": "I forgot my password", "slots": {"site": "Leeds"}}, 422, "invalid_slot", "slots"),
        ({"message": "x", "assistant": "nowhere"}, 404, "model_not_found", "assistant"),
        ({"message": "x", "rails": []}, 422, "validation_error", "rails"),
    ],
)
async def test_what_is_wrong_is_named(world, body, status, code, param):
    response = await post(world, body)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (status, code, param)


@pytest.mark.parametrize("scopes", [(KeyScope.CHAT,), (KeyScope.CHAT, KeyScope.CHECKS, KeyScope.EMBEDDINGS)])
async def test_scores_are_for_the_debug_scope_alone(world, scopes):
    response = await post(world, {"message": "I forgot my password"}, scopes=scopes)
    assert (response.status_code, response.json()["error"]["code"]) == (403, "insufficient_scope")


async def test_dry_runs_count_against_the_rate_and_take_a_place(make_world):
    world = make_world(limits=LimitSettings(requests_per_minute=1, concurrent=1, waiting=0))
    token = world.key(KeyScope.DEBUG)
    assert (await post(world, {"message": "x"}, token=token)).headers["x-ratelimit-remaining-requests"] == "0"
    assert (await post(world, {"message": "x"}, token=token)).status_code == 429
    with world.admission.lines.chat.place_now():
        assert (await post(world, {"message": "x"})).status_code == 503
