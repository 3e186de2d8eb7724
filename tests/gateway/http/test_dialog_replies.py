"""A reply of the policy's dialog, on each surface."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from store.types import KeyScope
from tests.rails.dialog_policies import GREETING, dialog_policy
from tests.world import World

pytestmark = pytest.mark.anyio
PERSON = "let me talk to a person"


@pytest.fixture(scope="module")
def talking() -> World:
    with ThreadPoolExecutor(1) as beside:  # the embedder refuses to work on the thread of an event loop
        return beside.submit(lambda: World(dialog_policy())).result()


async def test_the_native_surface_says_that_the_dialog_replied(talking):
    async with talking.client(talking.key(KeyScope.CHAT, KeyScope.DEBUG)) as client:
        body = (await client.post("/v1/chat", json={"assistant": "helpdesk", "message": PERSON})).json()
    assert (body["outcome"], body["source"], body["prompt"]) == ("answered", "dialog", None)
    assert body["contact"]["phone"] == "4100"
    (record,) = (rail for rail in body["trace"]["rails"] if rail["name"] == "dialog")
    assert (record["status"], record["reason"]) == ("passed", "dialog.person.handoff")


async def test_the_openai_surface_says_that_the_dialog_replied(talking):
    asked = {"model": "helpdesk", "messages": [{"role": "user", "content": "hello"}]}
    async with talking.client(talking.key()) as client:
        body = (await client.post("/v1/chat/completions", json=asked)).json()
    assert body["choices"][0]["message"]["content"] in GREETING["replies"]["en"]
    assert body["choices"][0]["finish_reason"] == "stop"
    assert (body["canongate"]["source"], body["canongate"]["prompt"]) == ("dialog", None)


async def test_the_page_says_where_the_words_come_from(talking):
    async with talking.client() as client:
        page = (await client.post("/try", data={"question": PERSON})).text
    assert "An approved reply of the policy, as it stands" in page
    assert "Service Desk" in page
    assert "dialog.person" in page
    assert "Based on:" not in page
