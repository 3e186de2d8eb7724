"""A key's budget of tokens over HTTP: what is left in the headers, and a clear no that is not worth a try today."""

import pytest

from gateway.limit_settings import LimitSettings

pytestmark = pytest.mark.anyio
PATHS = {
    "/v1/chat": {"assistant": "helpdesk", "message": "I forgot my password"},
    "/v1/chat/completions": {
        "model": "helpdesk",
        "messages": [{"role": "user", "content": "I forgot my password"}],
    },
}


@pytest.mark.parametrize("path", PATHS)
async def test_tokens_are_counted_down_and_then_refused(make_world, path: str) -> None:
    world = make_world(limits=LimitSettings(assistant_tokens_per_day={"helpdesk": 100}))
    async with world.client(world.key()) as client:
        first = await client.post(path, json=PATHS[path])
        used = first.json()["usage"]["total_tokens"]
        told = [await client.post(path, json=PATHS[path]) for _ in range(-(-100 // used))]
    assert 0 < used < 100
    assert first.headers["x-ratelimit-limit-tokens"] == "100"
    assert int(first.headers["x-ratelimit-remaining-tokens"]) == 100 - used
    assert 0 < int(first.headers["x-ratelimit-reset-tokens"].removesuffix("s")) <= 86400
    late = told[-1]
    error = late.json()["error"]
    assert (late.status_code, error["code"], error["type"]) == (429, "budget_exceeded", "insufficient_quota")
    assert late.headers["x-should-retry"] == "false"
    assert late.headers["x-ratelimit-remaining-tokens"] == "0"
    assert 0 < int(late.headers["retry-after"]) <= 86400


async def test_without_a_budget_no_tokens_are_told(world) -> None:
    async with world.client(world.key()) as client:
        reply = await client.post("/v1/chat", json=PATHS["/v1/chat"])
    assert "x-ratelimit-limit-tokens" not in reply.headers
