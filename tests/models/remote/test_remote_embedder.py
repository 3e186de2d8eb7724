"""An embedder in other processes, over a carrier that stays in this one."""

import numpy as np
import pytest

from models.embedding.embedder import PACKAGED_MINILM_SHA256, load_embedder, packaged_minilm
from models.errors import ModelRefused, ModelUnavailable
from models.remote.embedder import MOST_TEXTS, RemoteEmbedder
from models.remote.embedder_replica import EmbedderReplica
from models.remote.messages import Embedded, Texts, encode, read_embedder_answer, read_facts
from tests.models.remote.loopback import LoopbackEmbedderCalls

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def onnx(embedder_cache):
    return load_embedder(packaged_minilm(), embedder_cache, PACKAGED_MINILM_SHA256, print)


@pytest.fixture(scope="module")
def replica(onnx):
    return EmbedderReplica(onnx)


@pytest.fixture
def remote(replica):
    calls = LoopbackEmbedderCalls(replica)
    return RemoteEmbedder(read_facts(replica.facts()), calls), calls


def test_vectors_are_those_of_the_embedder_itself(remote, onnx):
    embedder, _ = remote
    texts = ["How do I reset my password?", "", "Wann öffnet das Büro?"]
    assert np.array_equal(embedder.embed(texts), onnx.embed(texts))
    assert embedder.fingerprint == onnx.fingerprint
    assert embedder.languages == onnx.languages


def test_word_pieces_are_counted_here(remote):
    embedder, calls = remote
    calls.carry = None
    assert [embedder.count_tokens(text) for text in ("x", "a longer message")] == [3, 5]


def test_many_texts_go_in_several_requests(remote):
    embedder, calls = remote
    sizes, carry = [], calls.carry

    def counting(message):
        answer = carry(message)
        sizes.append(read_embedder_answer(answer).rows)
        return answer

    calls.carry = counting
    assert embedder.embed(["x"] * (MOST_TEXTS * 2 + 1)).shape == (MOST_TEXTS * 2 + 1, embedder.dimension)
    assert sizes == [MOST_TEXTS, MOST_TEXTS, 1]


def test_requests_that_share_a_run_get_their_own_vectors_and_their_own_errors(replica, onnx):
    messages = [encode(Texts(texts)) for texts in (("one", "two"), ("word " * 400,), ("three",), ())]
    first, refused, third, none = map(read_embedder_answer, replica.embed(messages))
    assert np.allclose(first.vectors(onnx.dimension), onnx.embed(["one", "two"]), atol=2e-6)
    assert np.allclose(third.vectors(onnx.dimension), onnx.embed(["three"]), atol=2e-6)
    assert isinstance(refused.error(), ModelRefused)
    assert none.rows == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        "words",
        encode(Embedded(2, bytes(384 * 4 * 2))),
        encode(Embedded(1, bytes(12))),
        encode(Embedded(1, np.full(384, np.nan, dtype="<f4").tobytes())),
    ],
)
def test_anything_but_vectors_is_a_failure(remote, answer):
    embedder, calls = remote
    calls.carry = lambda _: answer
    with pytest.raises(ModelUnavailable):
        embedder.embed(["x"])


def test_text_that_is_no_unicode_is_refused(remote):
    with pytest.raises(ModelRefused):
        remote[0].embed(["\ud800"])
