"""A text of the person's own that a prompt quotes to the model is told, on every surface, as what it is."""

import json

import pytest

from gateway.http.openapi import describe
from tests import world as worlds

pytestmark = pytest.mark.anyio

PASTED = "The printer smokes.\nIt is in <b>Porto</b>."
PROMISE = "The model gets an approved prompt, never your words."
EXCEPTION = "this prompt is an approved exception"

SUMMARY = {
    "key": "it.summary",
    "title": "Summarise a ticket",
    "phrasings": ["Summarise a ticket for me"],
    "slots": [{"type": "quoted_text", "name": "ticket_text", "ask": "Please paste the ticket."}],
    "reply": {
        "mode": "generate",
        "prompt": "Summarise this ticket: {ticket_text}",
        "facts": "A ticket was pasted.",
        "fallback": "The ticket cannot be summarised now.",
    },
}


@pytest.fixture
def quoting(make_world, monkeypatch):
    """A gateway in which one prompt carries the exception."""
    monkeypatch.setattr(worlds, "PROMPTS", (*worlds.PROMPTS, SUMMARY))
    monkeypatch.setitem(worlds.ANSWERS, "ticket", "A ticket was pasted.")
    return make_world()


async def complete(world, text, *, stream=False, **extension):
    body = {"model": "helpdesk", "messages": [{"role": "user", "content": text}], "stream": stream}
    async with world.client(world.key()) as client:
        return await client.post("/v1/chat/completions", json=body | {"canongate": extension})


async def chat(world, text, **more):
    async with world.client(world.key()) as client:
        return (await client.post("/v1/chat", json={"assistant": "helpdesk", "message": text} | more)).json()


async def on_page(world, text, conversation="c" * 22):
    async with world.client() as client:
        return (await client.post("/try", data={"question": text, "conversation": conversation})).text


async def test_openai_clients_are_told_that_a_text_was_quoted(quoting):
    slots = {"ticket_text": PASTED}
    plain = (await complete(quoting, "Summarise a ticket for me", slots=slots)).json()["canongate"]
    streamed = (await complete(quoting, "Summarise a ticket for me", stream=True, slots=slots)).text
    last = json.loads(streamed.strip().split("\n\n")[-2].removeprefix("data: "))["canongate"]
    for told in (plain, last):
        assert (told["outcome"], told["has_quoted_text"]) == ("answered", True)


async def test_the_native_surface_tells_it_too(quoting):
    told = await chat(quoting, "Summarise a ticket for me", slots={"ticket_text": PASTED})
    assert (told["outcome"], told["has_quoted_text"]) == ("answered", True)


@pytest.mark.parametrize("text", ["I forgot my password", "Summarise a ticket for me", "Zebras graze"])
async def test_a_reply_without_a_quoted_text_says_so(quoting, text):
    assert (await complete(quoting, text)).json()["canongate"]["has_quoted_text"] is False
    assert (await chat(quoting, text))["has_quoted_text"] is False


def test_the_description_has_the_field_and_says_what_it_means():
    document = describe()
    for name in ("ExtensionReply", "ChatReply"):
        schema = document["components"]["schemas"][name]
        assert schema["properties"]["has_quoted_text"] == {"type": "boolean"}
        assert "has_quoted_text" in schema["required"]
    for path in ("/v1/chat/completions", "/v1/chat"):
        assert "one approved exception" in document["paths"][path]["post"]["description"]


async def test_the_page_asks_for_a_text_of_several_lines_and_says_where_it_goes(quoting):
    page = await on_page(quoting, "Summarise a ticket for me")
    assert '<textarea id="slot" name="question"' in page
    assert '<input id="slot"' not in page
    assert f"What you paste here is given to the model: {EXCEPTION}." in page
    assert PROMISE not in page


async def test_the_page_says_that_the_pasted_text_was_given_to_the_model(quoting):
    await on_page(quoting, "Summarise a ticket for me")
    page = await on_page(quoting, PASTED.replace("\n", "\r\n"))
    assert f"Your pasted text was given to the model: {EXCEPTION}." in page
    assert PROMISE not in page
    assert "&gt; It is in &lt;b&gt;Porto&lt;/b&gt;." in page


async def test_the_page_claims_no_more_than_it_knows_when_the_model_is_down(quoting):
    quoting.model.is_unavailable = True
    await on_page(quoting, "Summarise a ticket for me")
    page = await on_page(quoting, PASTED)
    assert f"may have reached it: {EXCEPTION}." in page
    assert "was given to the model" not in page


async def test_other_answers_keep_the_promise_and_other_blanks_one_line(quoting):
    page = await on_page(quoting, "I forgot my password")
    assert PROMISE in page
    assert EXCEPTION not in page
    assert "<textarea" not in await on_page(quoting, "What are the office opening hours?")
