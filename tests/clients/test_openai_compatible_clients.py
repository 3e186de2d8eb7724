"""Clients that others wrote for OpenAI's API see of this gateway what its contract says."""

from pathlib import Path

import pytest
import yaml

pytestmark = [pytest.mark.clients, pytest.mark.weights]

PROMPTS = Path(__file__).parents[2] / "examples" / "helpdesk" / "prompts"
FIRE = yaml.safe_load((PROMPTS / "facilities" / "fire-alarm.yaml").read_text())["reply"]["answer"].strip()
LIBRARIES = ["openai", "node", "langchain", "litellm"]
OPENAI = ["openai", "node"]

ERRORS = {
    "block": ("BadRequestError", 400, "content_filter", "messages"),
    "wrong_key": ("AuthenticationError", 401, "invalid_api_key", None),
    "unknown_model": ("NotFoundError", 404, "model_not_found", "model"),
    "tools": ("BadRequestError", 400, "unsupported_parameter", "tools"),
    "logprobs": ("BadRequestError", 400, "unsupported_parameter", "logprobs"),
    "schema": ("BadRequestError", 400, "unsupported_parameter", "response_format"),
    "two": ("BadRequestError", 400, "unsupported_parameter", "n"),
    "temperature": ("BadRequestError", 400, "invalid_value", "temperature"),
    "too_long": ("BadRequestError", 400, "context_length_exceeded", "input[0]"),
    "busy": ("InternalServerError", 503, "queue_full", None),
    "limited": ("RateLimitError", 429, "rate_limit_exceeded", None),
}
LITELLM_NAMES = {"busy": "ServiceUnavailableError"}
"""LiteLLM has a class of its own for this."""


@pytest.mark.parametrize("client", LIBRARIES)
def test_an_approved_answer_comes_word_for_word_streamed_or_not(saw, client):
    told = saw(client)
    assert told["chat"] == {"text": FIRE, "finish_reason": "stop"}
    assert told["stream"] == {"text": FIRE, "finish_reason": "stop", "has_usage": True}


@pytest.mark.parametrize("client", LIBRARIES)
def test_sampling_fields_are_taken_and_the_approved_settings_win(saw, client):
    assert "07:00" in saw(client)["generated"]["text"]


@pytest.mark.parametrize("client", LIBRARIES)
def test_a_block_is_a_reply_that_says_content_filter(saw, client):
    told = saw(client)
    assert told["block"]["finish_reason"] == told["block_stream"]["finish_reason"] == "content_filter"
    assert told["block"]["text"] == told["block_stream"]["text"] != ""


@pytest.mark.parametrize("client", LIBRARIES)
def test_every_error_is_of_the_class_that_the_client_has_for_it(saw, client):
    told = saw(client)["errors"]
    assert set(told) >= {"block", "wrong_key", "unknown_model", "tools", "busy", "limited"}
    for name, seen in told.items():
        kind, status, code, param = ERRORS[name]
        if client == "litellm":
            assert (seen["class"], seen["status"]) == (LITELLM_NAMES.get(name, kind), status), name
        else:
            assert (seen["class"], seen["status"], seen["code"], seen["param"]) == (kind, status, code, param), name
            assert seen.get("has_id", True), name


@pytest.mark.parametrize("client", LIBRARIES)
@pytest.mark.parametrize("trouble", ["busy", "limited"])
def test_a_client_that_was_turned_away_asks_again_once_and_gets_its_answer(saw, client, trouble):
    assert saw(client)[trouble] == {"text": FIRE, "finish_reason": "stop", "requests": 2}


@pytest.mark.parametrize("client", LIBRARIES)
def test_embeddings_are_vectors_of_the_gateways_own_embedder(saw, client):
    assert saw(client)["embeddings"]["lengths"] == [384, 384]


@pytest.mark.parametrize("client", OPENAI)
def test_base64_and_float_are_the_same_numbers_and_models_are_listed(saw, client):
    told = saw(client)
    assert told["embeddings"]["encodings_agree"]
    assert told["models"] == ["helpdesk", "canongate.embedder"]
    assert told["outcome"] == "answered"


def test_openais_python_client_waits_and_parses_alike(saw):
    told = saw("openai")
    assert told["awaited"] == FIRE
    assert told["block_parsed"] == "ContentFilterFinishReasonError"
    assert told["limit"] == "600"


def test_langchains_history_changes_nothing_and_a_conversation_id_links_questions(saw):
    told = saw("langchain")
    assert told["with_history"]["text"] == FIRE
    asked, answered = told["conversation"]
    assert asked.startswith("Which office do you mean")
    assert "07:30" in answered
