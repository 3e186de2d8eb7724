"""The gateway's own surface: one message in, one decision out, as JSON or as events."""

import asyncio
import json

import httpx
import pytest

from gateway.http.asking import Asking
from gateway.limit_settings import LimitSettings
from store.types import KeyScope

pytestmark = pytest.mark.anyio

STREAM = {"accept": "text/event-stream"}


async def post(world, body, *, token=None, headers=None) -> httpx.Response:
    async with world.client(token or world.key()) as client:
        return await client.post("/v1/chat", json={"assistant": "helpdesk"} | body, headers=headers)


def events(text: str):
    """Reads events strictly: id, event and data lines, in that order, one each."""
    assert text.endswith("\n\n")
    for block in text[:-2].split("\n\n"):
        number, name, data = block.split("\n")
        assert number.startswith("id: ")
        yield int(number[4:]), name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


async def test_a_reply_is_the_decision(world):
    response = await post(world, {"message": "I forgot my password"})
    body = response.json()
    assert response.status_code == 200
    assert body["id"] == world.decisions.kept[0].id
    assert (body["outcome"], body["source"]) == ("answered", "generate")
    assert "trace" not in body
    assert response.headers["x-canongate-outcome"] == "answered"


async def test_the_trace_is_for_the_debug_scope(world):
    token = world.key(KeyScope.CHAT, KeyScope.DEBUG)
    trace = (await post(world, {"message": "I forgot my password"}, token=token)).json()["trace"]
    assert trace["match"]["score"] == 1.0
    assert set(trace["timings_ms"]) >= {"input_rails", "match", "generate", "output_rails", "total"}


async def test_events_tell_each_stage_and_then_the_same_reply(world):
    plain = (await post(world, {"message": "I forgot my password"})).json()
    told = list(events((await post(world, {"message": "I forgot my password"}, headers=STREAM)).text))
    assert [number for number, _, _ in told] == [1, 2, 3, 4, 5]
    assert [data["stage"] for _, name, data in told if name == "stage"] == [
        "checking",
        "matching",
        "generating",
        "verifying",
    ]
    assert told[-1][1] == "done"
    differing = ("id", "reference")
    assert {k: v for k, v in told[-1][2].items() if k not in differing} == {
        k: v for k, v in plain.items() if k not in differing
    }


async def test_an_event_is_told_before_the_model_is_done(world):
    world.model.delay_s = 0.3
    told = events((await post(world, {"message": "I forgot my password"}, headers=STREAM)).text)
    assert [name for _, name, _ in told][-2:] == ["stage", "done"]


async def test_what_is_not_admitted_keeps_its_status_also_with_events(make_world):
    world = make_world(limits=LimitSettings(requests_per_minute=1))
    token = world.key()
    await post(world, {"message": "Zebras"}, token=token)
    assert (await post(world, {"message": "Zebras"}, token=token, headers=STREAM)).status_code == 429
    missing = await post(world, {"assistant": "nowhere", "message": "Zebras"}, headers=STREAM)
    assert missing.status_code == 404


async def test_a_failure_after_the_first_stage_is_an_error_event(world, monkeypatch):
    class Broken:
        scopes = world.live.current.matcher.scopes
        fingerprint = None

        def match(self, *_, **__):
            raise TimeoutError

        word_for_word = match

    state = world.live.current
    monkeypatch.setattr(world.live, "current", type(state)(state.catalog, Broken(), state.policies))
    response = await post(world, {"message": "I forgot my password"}, headers=STREAM)
    *_, (_, name, data) = events(response.text)
    assert (name, data["error"]["code"]) == ("error", "matcher_unavailable")


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"message": ""}, "message_empty", "message"),
        ({"message": "x" * 4001}, "message_too_long", "message"),
        ({"message": 5}, "validation_error", "message"),
        ({}, "validation_error", None),
        ({"message": "x", "skip_rails": True}, "validation_error", "skip_rails"),
        ({"message": "x", "max_tokens": 0}, "validation_error", "max_tokens"),
        ({"message": "What are the office opening hours?", "slots": {"nope": "x"}}, "invalid_slot", "slots"),
        ({"message": "What are the office opening hours?", "slots": {"site": "\ufdfa" * 300}}, "invalid_slot", "slots"),
    ],
)
async def test_a_bad_message_is_unprocessable(world, body, code, param):
    response = await post(world, body)
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (422, code, param)


async def test_an_unknown_assistant_is_named_in_the_words_of_this_surface(world):
    error = (await post(world, {"assistant": "nowhere", "message": "x"})).json()["error"]
    assert (error["code"], error["param"]) == ("model_not_found", "assistant")


async def test_a_silent_wait_is_filled_with_pings():
    class Silent:
        async def answer(self, _question, _watcher):
            await asyncio.sleep(0.1)
            raise TimeoutError

    asking = Asking(Silent(), None)
    pings = [news async for news in asking.news(ping_s=0.02)]
    assert pings
    assert set(pings) == {None}
    assert isinstance(asking.error, TimeoutError)
