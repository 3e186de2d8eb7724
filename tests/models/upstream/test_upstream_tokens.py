"""Prompts as tokens: what a server's tokenizer says is believed only as far as it fits the format."""

import json

import pytest

from models.errors import ModelRefused, ModelUnavailable
from models.formats import prompt_format
from models.upstream.target import PromptStyle
from tests.models.upstream.fake_upstream import Exchange, answer, fake_upstream
from tests.models.upstream.upstreams import ask, upstream, with_slot

MARKERS = prompt_format("chatml").control_markers
CHARACTER = 1000


def tokens_of(text: str, *, is_parsed: bool) -> list[int]:
    """One token a character, and one a marker where markers are parsed."""
    tokens = []
    while text:
        marker = next((marker for marker in MARKERS if is_parsed and text.startswith(marker)), None)
        tokens.append(MARKERS.index(marker) if marker else CHARACTER + ord(text[0]))
        text = text[len(marker) if marker else 1 :]
    return tokens


def llama_server(exchange):
    if exchange.line.split()[1] == "/tokenize":
        tokens = tokens_of(exchange.body["content"], is_parsed=exchange.body["parse_special"])
        exchange.error(200, json.dumps({"tokens": tokens}))
    else:
        answer("Yes.")(exchange)


def tokenizer(reply):
    """Answers /tokenize with what `reply` makes of the request."""

    def act(exchange):
        if exchange.line.split()[1] == "/tokenize":
            exchange.error(200, json.dumps(reply(exchange.body)))
        else:
            answer("Yes.")(exchange)

    return act


def asked_with(act, prompt=None):
    with fake_upstream(act) as server, upstream(server.url, style=PromptStyle.TOKENS) as model:
        completion = ask(model, prompt or with_slot("Greet ", "Alice", "!"))
    return completion, server.seen


def test_the_prompt_is_sent_as_the_tokens_of_its_format_and_they_are_recorded():
    prompt = with_slot("Greet ", "Alice", "!")
    completion, seen = asked_with(llama_server, prompt)
    text = "".join(segment.text for segment in prompt_format("chatml").layout(prompt))
    assert "<|im_start|>user\nGreet Alice!<|im_end|>" in text
    assert seen[-1].body["prompt"] == list(completion.prompt_tokens) == tokens_of(text, is_parsed=True)
    assert completion.sent_request is None


def test_texts_are_never_parsed_for_control_tokens():
    _, seen = asked_with(llama_server)
    parsed = {exchange.body["content"] for exchange in seen[:-1] if exchange.body["parse_special"]}
    assert "Greet Alice!" not in parsed
    assert all(exchange.body["add_special"] is False for exchange in seen[:-1])


def test_the_vocabulary_is_asked_for_once_and_again_after_a_failure():
    with fake_upstream(llama_server) as server, upstream(server.url, style=PromptStyle.TOKENS) as model:
        ask(model)
        first = len(server.seen)
        ask(model)
        assert 2 <= len(server.seen) - first <= 4  # the texts of the turns, and the answer
        server.usual = lambda exchange: exchange.error(400)
        with pytest.raises((ModelRefused, ModelUnavailable)):
            ask(model)
        server.usual = llama_server
        before = len(server.seen)
        ask(model)
        assert len(server.seen) - before == first


def test_a_tokenizer_that_parses_texts_all_the_same_is_refused():
    def reply(body):
        return {"tokens": tokens_of(body["content"], is_parsed=True)}

    with pytest.raises(ModelRefused, match="no control token"):
        asked_with(tokenizer(reply))


def test_a_text_that_became_a_control_token_is_refused():
    def reply(body):
        tokens = tokens_of(body["content"], is_parsed=body["parse_special"])
        return {"tokens": [0] if body["content"] == "Greet Alice!" else tokens}

    with pytest.raises(ModelRefused, match="became a control token"):
        asked_with(tokenizer(reply))


@pytest.mark.parametrize("reply", [{}, {"tokens": "a"}, {"tokens": [[1]]}, [], {"tokens": [1.5]}, {"tokens": [None]}])
def test_what_is_no_tokenizers_answer_is_unavailable(reply):
    with pytest.raises(ModelUnavailable, match="does not tokenise as a llama-server does"):
        asked_with(tokenizer(lambda _: reply))


def test_a_server_without_a_tokenizer_is_unavailable():
    with pytest.raises(ModelUnavailable, match="404 to /tokenize"):
        asked_with(lambda exchange: exchange.error(404))


def test_a_tokenizers_answer_without_end_is_cut_off():
    with pytest.raises(ModelUnavailable, match="far too long"):
        asked_with(lambda exchange: exchange.error(200, " " * 2_000_000))


def test_a_connection_that_breaks_is_tried_once_more_and_not_for_ever():
    broken = [Exchange.reset, Exchange.reset]
    with fake_upstream(llama_server, broken[0]) as server, upstream(server.url, style=PromptStyle.TOKENS) as model:
        assert ask(model).text == "Yes."
    with fake_upstream(llama_server, *broken) as server, upstream(server.url, style=PromptStyle.TOKENS) as model:
        with pytest.raises(ModelUnavailable, match="cannot be reached"):
            ask(model)
        assert len(server.seen) == len(broken)
