"""Headers that the description names for a successful reply are there, and rate limits are told wherever they count."""

import json
from pathlib import Path

import pytest

from gateway.limit_settings import LimitSettings
from store.types import KeyScope

pytestmark = pytest.mark.anyio

DESCRIPTION = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text(encoding="utf-8"))
RESET = "I forgot my password"
ASKED = {
    "/v1/chat": {"assistant": "helpdesk", "message": RESET},
    "/v1/chat/completions": {"model": "helpdesk", "messages": [{"role": "user", "content": RESET}]},
    "/v1/match": {"assistant": "helpdesk", "message": RESET},
    "/v1/checks": {"assistant": "helpdesk", "stage": "input", "text": RESET},
}


@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/completions"])
async def test_a_stream_tells_what_is_left_as_it_begins(make_world, monkeypatch, path):
    world = make_world(limits=LimitSettings(requests_per_minute=10))
    monkeypatch.setattr("gateway.http.openai.HOLD_S", 0.02)
    world.model.delay_s = 0.3
    async with world.client(world.key()) as client:
        whole = (await client.post(path, json=ASKED[path])).headers
        body = ASKED[path] | ({"stream": True} if "completions" in path else {})
        begun = (await client.post(path, json=body, headers={"accept": "text/event-stream"})).headers
    assert begun["content-type"].startswith("text/event-stream")
    left = [int(told["x-ratelimit-remaining-requests"]) for told in (whole, begun)]
    assert left == [9, 8]
    for name in ("x-ratelimit-limit-requests", "x-canongate-policy-version"):
        assert begun[name] == whole[name]
    assert "x-canongate-outcome" not in begun, "which is not known yet"


@pytest.mark.parametrize("path", ASKED)
async def test_a_reply_has_the_headers_that_are_described_and_no_other_of_ours(world, path):
    described = set(DESCRIPTION["paths"][path]["post"]["responses"]["200"]["headers"]) - {"idempotency-replayed"}
    described = {name for name in described if not name.endswith("-tokens")}  # this key has no budget
    async with world.client(world.key(KeyScope.CHAT, KeyScope.DEBUG, KeyScope.CHECKS)) as client:
        reply = await client.post(path, json=ASKED[path])
    assert reply.status_code == 200
    assert {name for name in reply.headers if name.startswith(("x-canongate", "x-ratelimit", "x-request"))} == described
