"""Embeddings: the gateway's own vectors, in both encodings, for keys of their own scope."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.embeddings import _runs
from gateway.http.embeddings import EMBEDDER, MOST_TEXTS
from gateway.limit_settings import LimitSettings
from models.errors import ModelBusy, ModelUnavailable
from models.fakes import FakeEmbedder
from store.types import KeyScope

pytestmark = pytest.mark.anyio

TEXTS = ["I forgot my password", "When does the office open?", "Zebras graze"]


async def post(world, body, *, scopes=(KeyScope.EMBEDDINGS,), headers=None):
    async with world.client(world.key(*scopes)) as client:
        return await client.post("/v1/embeddings", json={"model": EMBEDDER} | body, headers=headers)


def error_of(response):
    told = response.json()["error"]
    return response.status_code, told["code"], told["param"]


async def test_vectors_are_the_embedders_in_the_order_of_the_texts(world):
    body = (await post(world, {"input": TEXTS})).json()
    assert [one["index"] for one in body["data"]] == [0, 1, 2]
    expected = await in_thread(FakeEmbedder().embed, TEXTS)
    assert np.array_equal(np.array([one["embedding"] for one in body["data"]], np.float32), expected)
    assert np.allclose(np.linalg.norm(expected, axis=1), 1.0)
    tokens = sum(map(FakeEmbedder().count_tokens, TEXTS))
    assert body["usage"] == {"prompt_tokens": tokens, "total_tokens": tokens}
    assert body["canongate"] == {"fingerprint": "fake-embedder-1", "dimension": 64, "max_tokens": 256}


async def in_thread(work, *values):
    from anyio import to_thread  # noqa: PLC0415 - the embedder refuses an event loop's thread

    return await to_thread.run_sync(work, *values)


async def test_base64_holds_the_same_numbers_as_float(world):
    plain = (await post(world, {"input": TEXTS, "encoding_format": "float"})).json()["data"]
    packed = (await post(world, {"input": TEXTS, "encoding_format": "base64"})).json()["data"]
    for one, other in zip(plain, packed, strict=True):
        assert np.frombuffer(base64.b64decode(other["embedding"]), "<f4").tolist() == one["embedding"]


async def test_one_text_is_a_list_of_one(world):
    assert len((await post(world, {"input": TEXTS[0]})).json()["data"]) == 1


async def test_more_texts_than_one_run_takes_are_all_embedded(world):
    many = [f"text number {number}" for number in range(MOST_TEXTS)]
    body = (await post(world, {"input": many})).json()
    assert len(body["data"]) == MOST_TEXTS
    alone = (await post(world, {"input": many[-1]})).json()["data"][0]["embedding"]
    assert body["data"][-1]["embedding"] == alone


@given(st.lists(st.integers(1, 256), min_size=1, max_size=60))
def test_runs_hold_every_text_once_and_are_never_long(counts):
    runs = list(_runs(counts))
    assert [number for run in runs for number in range(*run.indices(len(counts)))] == list(range(len(counts)))
    for run in runs:
        mine = counts[run]
        assert 1 <= len(mine) <= 8
        assert len(mine) == 1 or len(mine) * max(mine) <= 256


REFUSED = {
    "too many": ({"input": ["x"] * (MOST_TEXTS + 1)}, "invalid_value", "input"),
    "no texts": ({"input": []}, "invalid_value", "input"),
    "an empty text": ({"input": ["x", ""]}, "invalid_value", "input[1]"),
    "token numbers": ({"input": [1, 2, 3]}, "unsupported_parameter", "input"),
    "lists of token numbers": ({"input": [[1, 2], [3]]}, "unsupported_parameter", "input"),
    "dimensions": ({"input": "x", "dimensions": 64}, "unsupported_parameter", "dimensions"),
    "another encoding": ({"input": "x", "encoding_format": "int8"}, "invalid_value", "encoding_format"),
    "too long": ({"input": ["x", "word " * 300]}, "context_length_exceeded", "input[1]"),
    "an unknown field": ({"input": "x", "truncate": True}, "invalid_value", "truncate"),
}


@pytest.mark.parametrize(("body", "code", "param"), REFUSED.values(), ids=REFUSED)
async def test_what_cannot_be_embedded_as_it_is_is_named_and_nothing_is_cut(world, body, code, param):
    response = await post(world, body)
    assert error_of(response) == (400, code, param)
    assert "word word" not in response.text


async def test_a_text_that_is_no_unicode_is_an_error_of_the_caller(world):
    async with world.client(world.key(KeyScope.EMBEDDINGS)) as client:
        sent = json.dumps({"model": EMBEDDER, "input": "x"}).replace('"x"', '"\\ud800"')
        headers = {"content-type": "application/json"}
        response = await client.post("/v1/embeddings", content=sent, headers=headers)
    assert response.status_code == 400


async def test_another_model_does_not_exist(world):
    assert error_of(await post(world, {"model": "helpdesk", "input": "x"})) == (404, "model_not_found", "model")


@pytest.mark.parametrize("scopes", [(KeyScope.CHAT,), (KeyScope.CHAT, KeyScope.DEBUG, KeyScope.CHECKS)])
async def test_a_key_without_the_scope_gets_nothing(world, scopes):
    assert error_of(await post(world, {"input": "x"}, scopes=scopes)) == (403, "insufficient_scope", None)


async def test_the_embedder_is_listed_for_keys_that_may_use_it(world):
    async with world.client(world.key(KeyScope.CHAT, KeyScope.EMBEDDINGS)) as client:
        listed = (await client.get("/v1/models")).json()["data"]
        one = await client.get(f"/v1/models/{EMBEDDER}")
    assert [model["id"] for model in listed] == ["helpdesk", EMBEDDER]
    assert one.json() == listed[1]
    async with world.client(world.key(KeyScope.CHAT)) as client:
        assert [model["id"] for model in (await client.get("/v1/models")).json()["data"]] == ["helpdesk"]
        assert (await client.get(f"/v1/models/{EMBEDDER}")).status_code == 404


async def test_texts_count_against_the_rate_of_the_key(make_world):
    world = make_world(limits=LimitSettings(requests_per_minute=1))
    async with world.client(world.key(KeyScope.EMBEDDINGS)) as client:
        first = await client.post("/v1/embeddings", json={"model": EMBEDDER, "input": "x"})
        second = await client.post("/v1/embeddings", json={"model": EMBEDDER, "input": "x"})
    assert first.headers["x-ratelimit-remaining-requests"] == "0"
    assert error_of(second) == (429, "rate_limit_exceeded", None)


@pytest.mark.parametrize("error", [ModelBusy(retry_after_s=2.0), ModelUnavailable("it is gone: secret")])
async def test_an_embedder_that_cannot_is_a_503_and_says_no_more(world, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr(FakeEmbedder, "embed", fail)
    response = await post(world, {"input": "x"})
    assert error_of(response) == (503, "embedder_unavailable", None)
    assert int(response.headers["retry-after"]) >= 1
    assert "secret" not in response.text


async def test_a_passed_deadline_is_the_callers_504(world, monkeypatch):
    import time  # noqa: PLC0415

    monkeypatch.setattr(FakeEmbedder, "count_tokens", lambda *_: time.sleep(0.05) or 1)
    response = await post(world, {"input": ["x"] * 64}, headers={"x-canongate-timeout-ms": "50"})
    assert error_of(response) == (504, "deadline_passed", None)
    assert response.headers["x-should-retry"] == "false"
    assert "retry-after" not in response.headers
