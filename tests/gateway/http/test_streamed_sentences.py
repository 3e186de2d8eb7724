"""Checked sentences on the wire: as events, as OpenAI's chunks, and the same reply to those who do not stream."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.errors import RequestCancelled
from rails.engine import compile_policy
from rails.policy import load_policy
from tests.gateway.http.test_client_leaves import FREED_S, TRIES, WatchedModel, chat, completions, leave, served
from tests.gateway.http.test_native_chat import STREAM, events
from tests.gateway.http.test_openai_surface import ask, frames, post, text_of
from tests.gateway.scripted_rails import ScriptedPolicy
from tests.world import ANSWERS, PATIENT, POLICY, World

pytestmark = pytest.mark.anyio

FORGOT = "I forgot my password"
FIRST = "Open https://id.tarnwick.example and choose Forgot password."
UNGROUNDED = f"{FIRST} Then call Mallory on 0123456789. Bye now."


@pytest.fixture(scope="module")
def checked_sentences():
    return compile_policy(load_policy({**POLICY, "streaming": "checked_sentences"}), 5, runner=PATIENT)


@pytest.fixture
def world(checked_sentences) -> World:
    with ThreadPoolExecutor(1) as beside:
        made = beside.submit(World, checked_sentences).result()
    made.model.stretch_chars = 7
    return made


async def native(world, *, headers=None):
    async with world.client(world.key()) as client:
        body = {"assistant": "helpdesk", "message": FORGOT}
        return await client.post("/v1/chat", json=body, headers=headers)


async def test_sentences_come_as_events_and_make_up_the_reply(world):
    plain = (await native(world)).json()
    told = list(events((await native(world, headers=STREAM)).text))
    assert [number for number, _, _ in told] == list(range(1, len(told) + 1))
    assert [name for _, name, _ in told] == ["stage"] * 3 + ["sentence", "stage", "sentence", "done"]
    assert "".join(data["text"] for _, name, data in told if name == "sentence") == told[-1][2]["text"] == plain["text"]
    assert told[-1][2]["outcome"] == plain["outcome"] == "answered"


async def test_a_block_is_an_event_and_no_more_words_follow(world):
    world.model.answer = UNGROUNDED
    plain = (await native(world)).json()
    streamed = (await native(world, headers=STREAM)).text
    told = list(events(streamed))
    assert [(name, data) for _, name, data in told if name in ("sentence", "blocked")] == [
        ("sentence", {"text": FIRST}),
        ("blocked", {"outcome": "blocked_output"}),
    ]
    assert told[-1][1] == "done"
    assert told[-1][2]["text"] == plain["text"]
    assert told[-1][2]["outcome"] == plain["outcome"] == "blocked_output"
    assert "Mallory" not in streamed + json.dumps(plain)


async def test_chunks_are_sentences_and_the_stream_ends_like_every_other(world):
    plain = (await post(world, ask(FORGOT))).json()
    response = await post(world, ask(FORGOT, stream=True, stream_options={"include_usage": True}))
    _, chunks = frames(response)
    told = [json.loads(chunk) for chunk in chunks[:-1]]
    assert chunks[-1] == "[DONE]"
    assert [one["choices"][0]["delta"].get("content") for one in told[:-2]] == [
        "",
        FIRST,
        ANSWERS["reset"][len(FIRST) :],
    ]
    assert text_of(chunks) == plain["choices"][0]["message"]["content"] == ANSWERS["reset"]
    assert told[-2]["choices"][0]["finish_reason"] == "stop"
    assert told[-2]["canongate"]["outcome"] == "answered"
    assert told[-1]["usage"]["completion_tokens"] > 0
    assert {one["id"] for one in told} == {f"chatcmpl-{world.decisions.kept[-1].id}"}
    assert {one["model"] for one in told} == {"helpdesk"}


async def test_a_stream_opens_with_its_first_sentence(world):
    world.model.stretch_s = 0.03
    response = await post(world, ask(FORGOT, stream=True))
    assert "x-canongate-outcome" not in response.headers, "the outcome was not known yet"
    assert text_of(frames(response)[1]) == ANSWERS["reset"]


async def test_a_block_in_chunks_is_followed_by_the_approved_text(world):
    world.model.answer = UNGROUNDED
    plain = (await post(world, ask(FORGOT))).json()
    response = await post(world, ask(FORGOT, stream=True))
    comments, chunks = frames(response)
    assert "blocked" in comments
    assert text_of(chunks) == f"{FIRST}\n\n{plain['choices'][0]['message']['content']}"
    assert json.loads(chunks[-2])["choices"][0]["finish_reason"] == "content_filter"
    assert "Mallory" not in response.text


async def test_who_wants_blocks_as_errors_is_told_before_any_word(world):
    world.model.answer = UNGROUNDED
    response = await post(world, ask(FORGOT, stream=True), x_canongate_on_block="error")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "content_filter")


class TalkingModel(WatchedModel):
    """Says one sentence after another for a minute."""

    def complete(self, prompt, sampling, *, deadline_s, cancellation, on_text):
        self.began.set()
        try:
            while not cancellation.is_cancelled and time.monotonic() < deadline_s:
                on_text(f"{FIRST} ")
                cancellation.event.wait(0.02)
            self.cancelled.append(True)
            raise RequestCancelled("the request was cancelled")
        finally:
            self.ended.set()


SURFACES = {
    "chat events": lambda token: chat(token, accept="text/event-stream"),
    "completions stream": lambda token: completions(token, stream=True),
    "chat": chat,
}


@pytest.mark.parametrize("surface", SURFACES)
def test_a_client_that_leaves_between_sentences_frees_the_model_within_50_ms(world, surface):
    model = TalkingModel()
    world.pipeline._model = model
    with served(world) as port:
        freed = [leave(port, SURFACES[surface](world.key()), model, stay_s=0.1 * number) for number in range(TRIES)]
    assert model.cancelled == [True] * TRIES
    assert min(freed) < FREED_S, freed
    assert surface != "chat" or world.decisions.kept == [], "nothing was shown"


@pytest.mark.parametrize("surface", ["chat events", "completions stream"])
def test_what_a_client_has_seen_when_it_leaves_is_recorded_as_a_decision(world, surface):
    world.pipeline._model = TalkingModel()
    with served(world) as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(SURFACES[surface](world.key()))
            seen = b""
            while FIRST.encode() not in seen:
                more = client.recv(65536)
                assert more, seen
                seen += more
        until = time.monotonic() + 30
        while not world.decisions.kept and time.monotonic() < until:
            time.sleep(0.01)
    (decision,) = world.decisions.kept
    assert (decision.outcome, decision.source) == ("answered", "generate")
    assert surface == "chat events" or decision.id.encode() in seen


async def test_a_rail_that_breaks_after_the_first_sentence_ends_both_streams_with_the_error(world):
    state = world.live.current
    world.live.swap(type(state)(state.catalog, state.matcher, {"helpdesk": ScriptedPolicy()}))
    world.model.answer = "One. It goes boom. Three."
    world.model.stretch_s = 0.02
    told = list(events((await native(world, headers=STREAM)).text))
    assert [data["text"] for _, name, data in told if name == "sentence"] == ["One."]
    assert (told[-1][1], told[-1][2]["error"]["code"]) == ("error", "rails_unavailable")
    _, chunks = frames(await post(world, ask(FORGOT, stream=True)))
    assert json.loads(chunks[-1])["error"]["code"] == "rails_unavailable"
    assert "boom" not in str(chunks)
    assert [decision.failed for decision in world.decisions.kept] == [True, True]
    assert (await native(world)).status_code == 503
