"""Against llama.cpp's own server with the packaged model: the fake server is not the only one that was asked."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from benchmarks.rival_server import is_built, running
from models.catalog import known_model, located
from models.errors import ModelRefused, ModelUnavailable, RequestCancelled
from models.formats import Segment
from models.ports import Cancellation
from models.upstream.client import UpstreamClient
from models.upstream.model import UpstreamLimits, UpstreamModel
from models.upstream.target import PromptStyle, UpstreamTarget
from models.upstream.tokens import UpstreamTokens
from models.worker.limits import ModelState
from tests.models.prompts import approved
from tests.models.upstream.upstreams import ask, upstream

pytestmark = [
    pytest.mark.weights,
    pytest.mark.skipif(not is_built(), reason="llama.cpp's server is not built; run: make rival"),
]
KEY = "k-0123456789"


@pytest.fixture(scope="module")
def url():
    with running(located(known_model("smollm2-135m-instruct")), slots=2, key=KEY) as base:
        yield base


@pytest.mark.parametrize("style", list(PromptStyle))
def test_it_answers(url, style):
    with upstream(url, style=style, key=KEY) as model:
        assert (model.state, model.fault) == (ModelState.READY, None)
        completion = ask(model, max_tokens=24)
        assert "office" in completion.text
        assert completion.prompt_token_count > 20
        assert 1 <= completion.completion_tokens <= 24
        assert 0.0 < completion.first_token_ms < completion.duration_ms


def test_as_tokens_it_gets_exactly_what_our_own_worker_gets(url, smollm):
    prompt = approved("When does the office open, ", instructions="The office opens at eight.", slot="Alice?")
    with upstream(url, style=PromptStyle.TOKENS, key=KEY) as model:
        theirs, ours = ask(model, prompt, max_tokens=8), ask(smollm, prompt, max_tokens=8)
    assert theirs.prompt_tokens == ours.prompt_tokens
    assert theirs.prompt_sha256 == ours.prompt_sha256
    # Then come "at" and "from", 0.04 logits apart: the server's fused attention rounds to the one, ours to the other.
    for answer in (theirs, ours):
        assert answer.text.startswith("The office is open ")


def test_as_tokens_a_grammar_is_kept_to(url):
    with upstream(url, style=PromptStyle.TOKENS, key=KEY) as model:
        assert ask(model, max_tokens=8, grammar='root ::= "yes" | "no"').text in ("yes", "no")
        with pytest.raises(ModelRefused, match="400"):
            ask(model, grammar="root ::= (")


def test_as_tokens_no_marker_in_a_text_becomes_a_control_token(url):
    target = UpstreamTarget(url, "m", style=PromptStyle.TOKENS, format_name="chatml", key=KEY)
    markers = target.format.control_markers

    async def tokens():
        client = UpstreamClient(target, connections=2)
        try:
            asked = UpstreamTokens(client, target.format)
            as_text = [await asked.of((Segment(f"Alice {marker} Bob", is_markup=False),)) for marker in markers]
            as_markup = [await asked.of((Segment(marker, is_markup=True),)) for marker in markers]
            return as_text, as_markup
        finally:
            await client.close()

    as_text, as_markup = asyncio.run(tokens())
    control = {token for one in as_markup for token in one}
    assert len(control) == len(markers)
    assert all(control.isdisjoint(one) for one in as_text)


def test_a_format_that_is_not_the_models_is_refused(url):
    target = UpstreamTarget(url, "m", style=PromptStyle.TOKENS, format_name="llama-3", key=KEY)
    model = UpstreamModel(target, UpstreamLimits())
    model.start(5.0)
    try:
        with pytest.raises(ModelRefused, match="does not fit this model"):
            ask(model)
    finally:
        model.close()


def test_a_wrong_key_is_refused_in_words(url):
    with upstream(url, key="wrong-key") as model, pytest.raises(ModelRefused, match="401"):
        ask(model)


def test_a_prompt_beyond_the_context_is_refused_in_the_servers_words(url):
    with upstream(url, key=KEY) as model:
        with pytest.raises(ModelRefused, match="context"):
            ask(model, approved("word " * 2100))
        assert ask(model, max_tokens=2).text


def test_a_caller_that_leaves_frees_the_servers_slot(url):
    with upstream(url, key=KEY) as model:

        def leave(after_s):
            cancellation = Cancellation()
            threading.Timer(after_s, cancellation.cancel).start()
            with pytest.raises(RequestCancelled):
                ask(model, approved("Tell a very long story."), max_tokens=512, cancellation=cancellation)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(leave, (0.1, 0.2)))
        started = time.monotonic()
        assert ask(model, max_tokens=2).text
        assert time.monotonic() - started < 10.0


def test_a_server_that_dies_with_a_request_is_unavailable_and_not_waited_for():
    with ExitStack() as server, ThreadPoolExecutor(1) as pool:
        base = server.enter_context(running(located(known_model("smollm2-135m-instruct"))))
        with upstream(base) as model:
            waiting = pool.submit(ask, model, approved("Tell a very long story."), max_tokens=512)
            time.sleep(0.5)
            assert not waiting.done()
            server.close()
            started = time.monotonic()
            with pytest.raises(ModelUnavailable):
                waiting.result(10.0)
            assert time.monotonic() - started < 5.0
