"""One contract for every embedder: fake, batching, remote, sentence-transformers, its int8 form, another model."""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from models.embedding.batching import BatchingEmbedder
from models.embedding.embedder import PACKAGED_MINILM_SHA256, load_embedder, packaged_minilm
from models.embedding.sentence import SentenceEmbedder
from models.errors import ModelRefused
from models.fakes import FakeEmbedder
from models.remote.embedder import RemoteEmbedder
from models.remote.embedder_replica import EmbedderReplica
from models.remote.messages import read_facts
from tests.models.remote.loopback import LoopbackEmbedderCalls
from tests.on_ray.application import ON_RAY
from tests.ports.universal_sentence_encoder import UniversalSentenceEncoder

TEXTS = ["How do I reset my password?", "x", "Wann öffnet das Büro in Lissabon? 日本", "a longer message " * 12]
WEIGHTS = pytest.mark.weights


@pytest.fixture(scope="session")
def onnx(embedder_cache):
    return load_embedder(packaged_minilm(), embedder_cache, PACKAGED_MINILM_SHA256, print)


@pytest.fixture(scope="session")
def sentence():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SentenceEmbedder(packaged_minilm(), PACKAGED_MINILM_SHA256)


@pytest.fixture(scope="session")
def batching(onnx):
    return BatchingEmbedder(onnx)


@pytest.fixture(scope="session")
def remote(onnx):
    replica = EmbedderReplica(onnx)
    return RemoteEmbedder(read_facts(replica.facts()), LoopbackEmbedderCalls(replica))


@pytest.fixture(scope="session")
def universal():
    return UniversalSentenceEncoder()


REAL = [pytest.param(name, marks=WEIGHTS) for name in ("onnx", "batching", "remote", "sentence", "universal")]


@pytest.fixture(params=["fake", *REAL, pytest.param("ray_embedder", marks=ON_RAY)])
def embedder(request):
    return FakeEmbedder() if request.param == "fake" else request.getfixturevalue(request.param)


def test_every_vector_has_length_one_and_the_stated_dimension(embedder):
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_the_same_text_has_the_same_vector(embedder):
    assert np.array_equal(embedder.embed(TEXTS[:1]), embedder.embed(TEXTS[:1]))


def test_neighbours_and_order_do_not_matter(embedder):
    together = embedder.embed(TEXTS)
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    assert together == pytest.approx(alone, abs=2e-6)
    assert embedder.embed(TEXTS[::-1])[::-1] == pytest.approx(together, abs=2e-6)


def test_threads_get_their_own_vectors(embedder):
    texts = [f"question number {number} about office {number % 3}" for number in range(24)]
    wanted = [embedder.embed([text]) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda text: embedder.embed([text]), texts))
    assert all(np.allclose(one, other, atol=2e-6) for one, other in zip(got, wanted, strict=True))


def test_no_text_gives_no_vector(embedder):
    assert embedder.embed([]).shape == (0, embedder.dimension)


def test_an_empty_text_has_a_vector_too(embedder):
    assert np.linalg.norm(embedder.embed([""])) == pytest.approx(1.0, abs=1e-5)


def test_a_text_of_exactly_the_limit_is_read_and_one_more_is_refused(embedder):
    fits = "x " * (embedder.max_tokens - 2)
    assert embedder.count_tokens(fits) == embedder.max_tokens
    assert embedder.embed([fits]).shape == (1, embedder.dimension)
    with pytest.raises(ModelRefused, match=str(embedder.max_tokens)):
        embedder.embed(["short", fits + "x"])


def test_counting_does_not_stop_at_the_limit(embedder):
    assert embedder.count_tokens("x " * 1000) == 1002


def test_it_has_a_fingerprint(embedder):
    assert embedder.fingerprint


def test_languages_are_codes_or_unknown(embedder):
    assert embedder.languages is None or all(len(code) == 2 for code in embedder.languages)


@WEIGHTS
def test_the_export_agrees_with_the_original(onnx, sentence):
    cosines = np.sum(onnx.embed(TEXTS) * sentence.embed(TEXTS), axis=1)
    assert float(cosines.min()) >= 0.995
    assert [onnx.count_tokens(text) for text in TEXTS] == [sentence.count_tokens(text) for text in TEXTS]
    assert onnx.fingerprint != sentence.fingerprint


@WEIGHTS
def test_in_int8_a_vector_does_not_depend_on_who_else_asks(onnx):
    assert onnx.form == "int8"
    mine = "How many days of leave do I have left?"
    alone = onnx.embed([mine])[0]
    # Neighbours that are longer, of other scripts, or full of rare pieces have the largest inner values.
    strangers = ["x", "日本語の文章です。" * 8, "ZZZZ QQQQ 9999 !!!! " * 6, "", "is " * 200, mine.upper(), "\u200d" * 9]
    for count in range(1, len(strangers) + 1):
        together = onnx.embed([*strangers[:count], mine])[-1]
        assert np.abs(together - alone).max() <= 2e-6  # one scale for the batch gives 4e-2


@WEIGHTS
def test_a_multilingual_embedder_puts_a_question_and_its_translation_together(universal):
    english = ["How do I change my password?", "Where is the office in Lisbon?", "My salary was paid too late"]
    others = ["كيف أغير كلمة المرور الخاصة بي؟", "Wo ist das Büro in Lissabon?", "我的工资发晚了"]
    similarity = universal.embed(others) @ universal.embed(english).T
    assert similarity.argmax(axis=1).tolist() == [0, 1, 2]
    assert {"ar", "de", "zh"} <= universal.languages
    assert "hi" not in universal.languages
