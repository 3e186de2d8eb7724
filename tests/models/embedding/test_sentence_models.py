"""Models of other families than the packaged one: small, with random weights, so that nothing is downloaded."""

import json
import warnings
from hashlib import sha256

import numpy as np
import pytest

from models.embedding.embedder import load_embedder
from models.embedding.export import PROBES, export_onnx
from models.embedding.sentence import SentenceEmbedder
from models.embedding.sentence_folder import SentenceFolder
from models.errors import ModelRefused

pytestmark = [pytest.mark.weights, pytest.mark.usefixtures("quiet")]

WORDS = sorted({word for text in PROBES for word in text.lower().split()} | {"reset", "my", "password"})
SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 40,
    "initializer_range": 0.25,  # with the usual 0.02 no layer changes anything, and a wrong one would not show
}
# family: model type, its own settings, special pieces in order (beginning, padding, end, unknown)
FAMILIES = {
    "bert": ({"type_vocab_size": 2, "pad_token_id": 0}, ("[PAD]", "[CLS]", "[SEP]", "[UNK]")),
    "xlm-roberta": ({"type_vocab_size": 1, "pad_token_id": 1}, ("<s>", "<pad>", "</s>", "<unk>")),
    "mpnet": ({"pad_token_id": 1}, ("<s>", "<pad>", "</s>", "[UNK]")),
}


def tokenizer_json(specials):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors  # noqa: PLC0415 - as below

    begin, end = specials[1 if specials[1] == "[CLS]" else 0], specials[2]
    vocabulary = {word: number for number, word in enumerate((*specials, *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=specials[3]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    pairs = [(begin, vocabulary[begin]), (end, vocabulary[end])]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{begin} $A {end}", special_tokens=pairs)
    return tokenizer, begin, end


def write_model(folder, family, *, pooling="mean", extra=()):
    """Writes a sentence-transformers folder and returns the hash of its weights."""
    import torch  # noqa: PLC0415 - seconds to load, and only these tests need it
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - as above
    from sentence_transformers.models import Pooling, Transformer  # noqa: PLC0415 - as above
    from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast  # noqa: PLC0415 - as above

    torch.manual_seed(4)
    settings, specials = FAMILIES[family]
    tokenizer, begin, end = tokenizer_json(specials)
    config = AutoConfig.for_model(family, vocab_size=len(WORDS) + 4, **SIZES, **settings)
    model = AutoModel.from_config(config)
    base = folder / "base"
    model.save_pretrained(base)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, cls_token=begin, sep_token=end, pad_token=specials[config.pad_token_id]
    ).save_pretrained(base)
    modules = [Transformer(str(base), max_seq_length=32), Pooling(32, pooling_mode=pooling), *extra]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder / "model"), create_model_card=False)
    return sha256((folder / "model" / "model.safetensors").read_bytes()).hexdigest()


@pytest.fixture
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what torch and transformers say about themselves
        yield


@pytest.fixture
def written(tmp_path):
    digest = write_model(tmp_path, "bert")
    return tmp_path / "model", digest


def dense():
    from sentence_transformers.models import Dense, Normalize  # noqa: PLC0415 - as above

    return Dense(32, 24), Normalize()


@pytest.mark.parametrize(
    ("family", "pooling", "has_dense"),
    [("bert", "cls", False), ("xlm-roberta", "mean", False), ("mpnet", "max", False), ("xlm-roberta", "cls", True)],
)
def test_every_family_is_exported_as_it_is(tmp_path, family, pooling, has_dense):
    digest = write_model(tmp_path, family, pooling=pooling, extra=dense() if has_dense else ())
    steps = []
    made = load_embedder(tmp_path / "model", tmp_path / "cache", digest, steps.append, languages=frozenset({"en"}))
    original = SentenceEmbedder(tmp_path / "model", digest)
    assert (made.dimension, made.max_tokens) == (24 if has_dense else 32, 32)
    assert made.languages == {"en"}
    texts = ["reset my password", "my", *PROBES[:8], "my password " * 12]
    vectors = made.embed(texts)
    assert np.sum(vectors * original.embed(texts), axis=1).min() >= made_form(made)
    alone = np.concatenate([made.embed([text]) for text in texts])
    assert vectors == pytest.approx(alone, abs=2e-6)  # padding does not move positions either
    again = load_embedder(tmp_path / "model", tmp_path / "cache", digest, pytest.fail)
    assert again.fingerprint == made.fingerprint
    assert again.languages is None


def made_form(embedder):
    return 0.98 if embedder.form == "int8" else 0.9999


def test_a_model_that_int8_changes_too_much_is_served_in_float32(written, tmp_path, monkeypatch):
    folder, digest = written
    monkeypatch.setattr("models.embedding.export.WEIGHT_STEPS", (1,))
    monkeypatch.setattr("models.embedding.embedder.export_aside", export_onnx)  # in this process, where it is so
    steps = []
    made = load_embedder(folder, tmp_path / "cache", digest, steps.append)
    assert made.form == "float32"
    assert any("keeping float32" in step for step in steps)
    load_embedder(folder, tmp_path / "cache", digest, pytest.fail)


def edit(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


REFUSALS = {
    "in several files": lambda folder: (folder / "model.safetensors.index.json").write_text("{}"),
    "save its tokenizer": lambda folder: (folder / "tokenizer.json").unlink(),
    "lower-cases": lambda folder: (folder / "sentence_bert_config.json").write_text('{"do_lower_case": true}'),
    "puts a prompt": lambda folder: edit(folder / "config_sentence_transformers.json", default_prompt_name="query"),
    "cannot be exported: CNN": lambda folder: (folder / "modules.json").write_text(
        '[{"path": "", "type": "a.Transformer"}, {"path": "", "type": "a.CNN"}]'
    ),
    "not one transformer": lambda folder: (folder / "modules.json").write_text('[{"path": "", "type": "a.Pooling"}]'),
    "outside its own": lambda folder: (folder / "modules.json").write_text(
        '[{"path": "../x", "type": "a.Transformer"}, {"path": "", "type": "a.Pooling"}]'
    ),
    "can run code": lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
    "cannot be read": lambda folder: (folder / "config.json").write_text("no JSON"),
}


@pytest.mark.parametrize("message", REFUSALS)
def test_what_cannot_be_served_exactly_is_refused_and_says_why(written, message):
    folder, digest = written
    REFUSALS[message](folder)
    with pytest.raises(ModelRefused, match=message):
        SentenceFolder.verified(folder, digest)


def test_another_pooling_is_refused(tmp_path):
    digest = write_model(tmp_path, "bert", pooling="lasttoken")
    with pytest.raises(ModelRefused, match="pools by lasttoken"):
        SentenceEmbedder(tmp_path / "model", digest)


def test_everything_that_decides_a_vector_changes_the_fingerprint(written):
    folder, digest = written
    before = SentenceFolder.verified(folder, digest).fingerprint("form")
    assert SentenceFolder.verified(folder, digest).fingerprint("other form") != before
    edit(folder / "1_Pooling" / "config.json", pooling_mode="cls")
    assert SentenceFolder.verified(folder, digest).fingerprint("form") != before
