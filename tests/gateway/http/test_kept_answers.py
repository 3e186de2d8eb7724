"""What callers learn about an answer that was kept: when it was worded, and no more than they may know."""

import datetime as dt
from copy import deepcopy

import pytest

from store.types import KeyScope
from tests import world as world_module

pytestmark = pytest.mark.anyio

FORGOT = "I forgot my password"


@pytest.fixture
def keeping(monkeypatch, make_world):
    """A gateway whose prompts keep their answers for an hour."""
    prompts = deepcopy(world_module.PROMPTS)
    for prompt in prompts:
        if prompt["reply"]["mode"] == "generate" and all(slot["type"] == "enum" for slot in prompt.get("slots", ())):
            prompt["reply"]["cache"] = "1h"
    monkeypatch.setattr(world_module, "PROMPTS", prompts)
    return make_world()


async def native(world, *scopes):
    async with world.client(world.key(*scopes)) as client:
        return (await client.post("/v1/chat", json={"assistant": "helpdesk", "message": FORGOT})).json()


async def completion(world, *scopes, **more):
    body = {"model": "helpdesk", "messages": [{"role": "user", "content": FORGOT}], **more}
    async with world.client(world.key(*scopes)) as client:
        return await client.post("/v1/chat/completions", json=body)


async def test_a_kept_answer_says_when_it_was_worded(keeping):
    first, second = await native(keeping), await native(keeping)
    assert "cached" not in first
    assert second["text"] == first["text"]
    assert second["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    (original, _) = keeping.decisions.kept
    assert second["cached"] == {
        "at": original.at.isoformat().replace("+00:00", "Z"),
        "sent_sha256": original.sent_sha256,
    }
    assert dt.datetime.fromisoformat(second["cached"]["at"]) == original.at


async def test_openai_clients_find_it_in_the_extension_streamed_or_not(keeping):
    first, second = [(await completion(keeping)).json() for _ in range(2)]
    assert "cached" not in first["canongate"]
    assert second["choices"] == first["choices"]
    streamed = (await completion(keeping, stream=True)).text
    assert f'"cached":{{"at":"{second["canongate"]["cached"]["at"]}"' in streamed
    assert len(keeping.model.prompts) == 1


@pytest.mark.parametrize("surface", ["native", "completion"])
async def test_whose_decision_it_was_is_for_the_debug_scope(keeping, surface):
    await native(keeping)
    original = keeping.decisions.kept[0].id
    for scopes, is_told in (((KeyScope.CHAT,), False), ((KeyScope.CHAT, KeyScope.DEBUG), True)):
        if surface == "native":
            told = (await native(keeping, *scopes))["cached"]
        else:
            told = (await completion(keeping, *scopes)).json()["canongate"]["cached"]
        assert told.get("decision") == (original if is_told else None)


async def test_the_page_says_that_the_model_was_not_asked_again(keeping):
    async with keeping.client() as client:
        first, second = [(await client.post("/try", data={"question": FORGOT})).text for _ in range(2)]
    words = "UTC for the very same prompt"
    assert words not in first
    assert words in second
    assert "Its answer of" in second
    assert "the checks ran again" in second
    assert f"<code>{keeping.decisions.kept[0].id}</code>" in second


async def test_without_a_lifetime_nothing_says_so(world):
    for _ in range(2):
        assert "cached" not in await native(world)
    assert len(world.model.prompts) == 2
