import errno
import json
import os
import shutil
import warnings
from dataclasses import replace

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what torch and transformers say about themselves
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Normalize, Pooling, Transformer
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import (
        BertConfig,
        BertModel,
        DistilBertConfig,
        DistilBertModel,
        GPT2Config,
        GPT2Model,
        MPNetConfig,
        MPNetModel,
        PreTrainedTokenizerFast,
        XLMRobertaConfig,
        XLMRobertaModel,
    )

    from models.embedding.tuning import Tuner, _loss

from models.embedding.embedder import PACKAGED_MINILM_SHA256, packaged_minilm
from models.embedding.tuning_plan import TuningPlan
from models.errors import ModelRefused, ModelUnavailable
from models.verified import intact_manifest, sha256_of

WORDS = ("lost", "my", "card", "where", "is", "cancel", "the", "leave", "I", "took", "reset", "a", "password")
TEXTS = ["lost my card", "where is my card", "cancel the leave", "cancel leave I took", "reset a password", "forgot it"]
LABELS = [0, 0, 1, 1, 2, 2]
OTHERS = ["weather", "when does the office open"]
PLAN = TuningPlan(steps=6, trained_layers=2, learning_rate=1e-2, kept=1.0)
SIZE = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 24}
KINDS = {
    "bert": lambda: BertModel(BertConfig(**SIZE)),
    "xlm-roberta": lambda: XLMRobertaModel(XLMRobertaConfig(**SIZE, max_position_embeddings=64)),
    "mpnet": lambda: MPNetModel(MPNetConfig(**SIZE, max_position_embeddings=64)),
    "distilbert": lambda: DistilBertModel(
        DistilBertConfig(vocab_size=40, dim=16, n_layers=3, n_heads=2, hidden_dim=24)
    ),
    "gpt2": lambda: GPT2Model(GPT2Config(vocab_size=40, n_embd=16, n_layer=2, n_head=2)),
}


def make_source(folder, kind="bert", max_tokens=12):
    """Writes a small random sentence-transformers model."""
    vocabulary = {word: number for number, word in enumerate(["<s>", "[PAD]", "</s>", "[UNK]", *dict.fromkeys(WORDS)])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        KINDS[kind]().save_pretrained(folder / "plain")
        PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(
            folder / "plain"
        )
        transformer = Transformer(str(folder / "plain"), max_seq_length=max_tokens)
        SentenceTransformer(modules=[transformer, Pooling(16), Normalize()], device="cpu").save(str(folder / "model"))
    return folder / "model"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Do not change it."""
    return make_source(tmp_path_factory.mktemp("bert"))


def tuner_of(source):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Tuner(source, sha256_of(source / "model.safetensors"), threads=1)


@pytest.fixture(scope="module")
def tuner(source):
    return tuner_of(source)


@pytest.fixture(scope="module")
def tuned(tuner):
    return tuner.tune(TEXTS, LABELS, OTHERS, PLAN, seed=0)


def encoded(folder, texts):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SentenceTransformer(str(folder), device="cpu").encode(texts, normalize_embeddings=True)


def gap(vectors):
    """How much nearer phrasings of one prompt are than those of two."""
    same = np.equal.outer(LABELS, LABELS)
    nearness = vectors @ vectors.T
    return nearness[same & ~np.eye(len(LABELS), dtype=bool)].mean() - nearness[~same].mean()


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta", "mpnet", "distilbert"])
def test_tuning_brings_phrasings_of_one_prompt_together_and_is_saved_as_it_is(kind, tmp_path):
    source = make_source(tmp_path, kind)
    tuned = tuner_of(source).tune(TEXTS, LABELS, OTHERS, PLAN, seed=0)
    vectors = tuned.embed(TEXTS)
    assert gap(vectors) > gap(encoded(source, TEXTS)) + 0.1
    digest = tuned.save(tmp_path / "tuned")
    assert digest == sha256_of(tmp_path / "tuned" / "model.safetensors")
    np.testing.assert_allclose(encoded(tmp_path / "tuned", TEXTS), vectors, atol=1e-5)


def test_a_model_without_known_layers_is_refused(tmp_path):
    with pytest.raises(ModelRefused, match="cannot be tuned"):
        tuner_of(make_source(tmp_path, "gpt2"))


def test_a_model_that_does_more_between_its_layers_is_refused(tmp_path, monkeypatch):
    source = make_source(tmp_path)
    forward = BertModel.forward

    def shifted(self, *arguments, **named):
        output = forward(self, *arguments, **named)
        output.last_hidden_state = output.last_hidden_state + torch.arange(16.0)
        return output

    monkeypatch.setattr(BertModel, "forward", shifted)
    with pytest.raises(ModelRefused, match="something else"):
        tuner_of(source)


def test_the_same_arguments_give_the_same_weights_and_another_seed_others(tuner, tuned, source, tmp_path):
    digests = {tuned.save(tmp_path / "first")}
    digests.add(tuner.tune(TEXTS, LABELS, OTHERS, PLAN, seed=0).save(tmp_path / "again"))
    digests.add(tuner_of(source).tune(TEXTS, LABELS, OTHERS, PLAN, seed=0).save(tmp_path / "anew"))
    assert len(digests) == 1
    assert tuner.tune(TEXTS, LABELS, OTHERS, PLAN, seed=1).save(tmp_path / "other") not in digests


def test_what_a_tuner_did_before_does_not_change_what_it_does_now(source, tuned, tmp_path):
    used = tuner_of(source)
    longer = [*TEXTS, "where is my password and the leave I took"]
    used.tune(longer, [*LABELS, 0], [], PLAN, seed=4).embed(OTHERS)
    again = used.tune(TEXTS, LABELS, OTHERS, PLAN, seed=0)
    assert again.save(tmp_path / "again") == tuned.save(tmp_path / "tuned")


def test_tuning_leaves_the_random_numbers_of_the_process_alone(tuner):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    tuner.tune(TEXTS, LABELS, OTHERS, PLAN, seed=0)
    assert torch.equal(torch.rand(3), expected)


def test_only_the_weights_of_the_trained_layers_change(tuner, source, tmp_path):
    tuner.tune(TEXTS, LABELS, [], TuningPlan(steps=2, trained_layers=1), seed=0).save(tmp_path / "tuned")
    before, after = (
        SentenceTransformer(str(folder), device="cpu")[0].auto_model.state_dict()
        for folder in (source, tmp_path / "tuned")
    )
    changed = {name for name, weight in before.items() if not torch.equal(weight, after[name])}
    assert changed
    assert all(name.startswith("encoder.layer.2.") for name in changed)


def test_more_trained_layers_than_there_are_means_all_of_them(tuner, tmp_path):
    tuned = tuner.tune(TEXTS, LABELS, [], TuningPlan(steps=2, trained_layers=50), seed=0)
    tuned.save(tmp_path / "tuned")
    np.testing.assert_allclose(encoded(tmp_path / "tuned", TEXTS), tuned.embed(TEXTS), atol=1e-5)


def test_a_vector_has_length_one_and_does_not_depend_on_its_neighbours(tuned):
    texts = [*TEXTS, *OTHERS, "card " * 9]
    together = tuned.embed(texts)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, np.vstack([tuned.embed([text]) for text in texts]), atol=1e-5)
    assert tuned.embed([]).shape == (0, 16)


def test_two_tunings_of_one_tuner_do_not_disturb_each_other(tuner, tuned):
    before = tuned.embed(TEXTS)
    tuner.tune(TEXTS, LABELS, OTHERS, TuningPlan(steps=2, trained_layers=1), seed=3)
    np.testing.assert_allclose(tuned.embed(TEXTS), before, atol=1e-5)


def test_without_room_to_remember_hidden_states_the_vectors_are_the_same(tuner, monkeypatch):
    expected = tuner.tune(TEXTS, LABELS, OTHERS, PLAN, seed=0).embed(TEXTS)
    monkeypatch.setattr("models.embedding.tuning.CACHE_BYTES", 0)
    tuner._hidden.clear()
    tuner._hidden_bytes = 0
    assert np.array_equal(tuner.tune(TEXTS, LABELS, OTHERS, PLAN, seed=0).embed(TEXTS), expected)


def test_every_step_is_reported(tuner):
    seen = []
    tuner.tune(TEXTS, LABELS, OTHERS, PLAN, seed=0, progress=lambda done, steps: seen.append((done, steps)))
    assert seen == sorted(seen)
    assert {done for done, _ in seen} == set(range(7))
    assert {steps for _, steps in seen} == {6}


def test_what_the_progress_raises_ends_the_work_and_the_tuner_stays_usable(tuner, tuned):
    class StopAsked(RuntimeError):
        pass

    def stop(done, _steps):
        if done == 2:
            raise StopAsked

    with pytest.raises(StopAsked):
        tuner.tune(TEXTS, LABELS, OTHERS, PLAN, seed=0, progress=stop)
    again = tuner.tune(TEXTS, LABELS, OTHERS, PLAN, seed=0)
    assert np.array_equal(again.embed(TEXTS), tuned.embed(TEXTS))
    with pytest.raises(StopAsked):
        tuned.embed(TEXTS * 10, progress=lambda done, _all: stop(2 if done else 0, 0))


def test_one_prompt_and_prompts_of_one_phrasing_are_refused(tuner):
    for labels in ([0] * 6, list(range(6))):
        with pytest.raises(ModelRefused, match="serves as it is"):
            tuner.tune(TEXTS, labels, OTHERS, PLAN, seed=0)


def test_a_text_that_the_model_would_cut_is_refused(tuner):
    with pytest.raises(ModelRefused, match="at most 12"):
        tuner.tune([*TEXTS, "card " * 11], [*LABELS, 2], OTHERS, PLAN, seed=0)


def test_texts_without_labels_are_a_bug(tuner):
    with pytest.raises(ValueError, match="bug"):
        tuner.tune(TEXTS, LABELS[:-1], OTHERS, PLAN, seed=0)


def test_a_tuning_that_diverges_is_refused(tuner):
    plan = TuningPlan(steps=6, learning_rate=1e30)
    with pytest.raises(ModelRefused, match="diverged"):
        tuner.tune(TEXTS, LABELS, OTHERS, plan, seed=0)


def test_weights_with_another_hash_are_refused(source):
    with pytest.raises(ModelRefused, match="registered"):
        Tuner(source, "0" * 64, threads=1)


@pytest.mark.parametrize("name", ["model.safetensors", "modules.json", "config.json", "tokenizer.json"])
def test_a_damaged_source_is_refused(source, tmp_path, name):
    copy = shutil.copytree(source, tmp_path / "copy")
    (copy / name).write_bytes(b"{")
    with pytest.raises(ModelRefused):
        tuner_of(copy)


def test_a_module_outside_its_folder_is_refused(source, tmp_path):
    copy = shutil.copytree(source, tmp_path / "copy")
    modules = json.loads((copy / "modules.json").read_text())
    modules[1]["path"] = "../copy/1_Pooling"
    (copy / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ModelRefused, match="outside"):
        tuner_of(copy)


def test_a_saved_folder_is_complete_and_says_what_it_holds(tuned, source, tmp_path):
    tuned.save(tmp_path / "tuned")
    manifest = intact_manifest(tmp_path / "tuned")
    assert manifest is not None
    assert (manifest.dimension, manifest.max_tokens) == (16, 12)
    assert manifest.source_sha256 == sha256_of(source / "model.safetensors")
    assert (tmp_path / "tuned" / "1_Pooling" / "config.json").read_bytes() == (
        source / "1_Pooling" / "config.json"
    ).read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["tuned"]


def test_saving_twice_is_the_same_and_another_model_is_not_written_over(tuner, tuned, tmp_path):
    digest = tuned.save(tmp_path / "tuned")
    assert tuned.save(tmp_path / "tuned") == digest
    other = tuner.tune(TEXTS, LABELS, OTHERS, PLAN, seed=9)
    with pytest.raises(ModelUnavailable, match="another model"):
        other.save(tmp_path / "tuned")
    assert sha256_of(tmp_path / "tuned" / "model.safetensors") == digest


def test_a_damaged_folder_is_replaced(tuned, tmp_path):
    digest = tuned.save(tmp_path / "tuned")
    (tmp_path / "tuned" / "config.json").write_text("{}")
    assert tuned.save(tmp_path / "tuned") == digest
    assert intact_manifest(tmp_path / "tuned") is not None


def test_a_full_disk_is_our_error_and_leaves_nothing(tuned, tmp_path, monkeypatch):
    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelUnavailable, match="No space left"):
        tuned.save(tmp_path / "tuned")
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_the_change_lies_between_untuned_and_tuned(tuner, tuned, source, tmp_path):
    tuner.tune(TEXTS, LABELS, OTHERS, replace(PLAN, kept=0.25), seed=0).save(tmp_path / "part")
    tuned.save(tmp_path / "whole")
    name = "encoder.layer.2.output.dense.weight"
    untuned, part, whole = (
        SentenceTransformer(str(folder), device="cpu")[0].auto_model.state_dict()[name]
        for folder in (source, tmp_path / "part", tmp_path / "whole")
    )
    torch.testing.assert_close(part, 0.75 * untuned + 0.25 * whole)


def test_a_transformer_in_a_folder_of_its_own_is_tuned_too(source, tmp_path):
    copy = shutil.copytree(source, tmp_path / "copy")
    modules = json.loads((copy / "modules.json").read_text())
    modules[0]["path"] = "0_Transformer"
    (copy / "0_Transformer").mkdir()
    for file in copy.iterdir():
        if file.is_file() and file.name != "modules.json":
            file.rename(copy / "0_Transformer" / file.name)
    (copy / "modules.json").write_text(json.dumps(modules))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tuner = Tuner(copy, sha256_of(copy / "0_Transformer" / "model.safetensors"), threads=1)
    tuned = tuner.tune(TEXTS, LABELS, OTHERS, PLAN, seed=0)
    digest = tuned.save(tmp_path / "tuned")
    assert digest == sha256_of(tmp_path / "tuned" / "0_Transformer" / "model.safetensors")
    np.testing.assert_allclose(encoded(tmp_path / "tuned", TEXTS), tuned.embed(TEXTS), atol=1e-5)


def test_the_loss_is_the_one_of_the_paper():
    vectors = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [-1.0, 0.0]]), dim=1)
    nearness = (vectors @ vectors.T / 0.5).tolist()
    # Rows 0 and 1 are phrasings of one prompt; 2 and 3 stand in the denominator only.
    terms = [
        nearness[row][other] - np.log(sum(np.exp(nearness[row][seen]) for seen in range(4) if seen != row))
        for row, other in ((0, 1), (1, 0))
    ]
    assert _loss(vectors, torch.tensor([5, 5]), 0.5).item() == pytest.approx(-np.mean(terms), rel=1e-5)


@pytest.mark.weights
def test_the_packaged_embedder_is_tuned_and_saved(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tuner = Tuner(packaged_minilm(), PACKAGED_MINILM_SHA256, threads=1)
    tuned = tuner.tune(TEXTS, LABELS, OTHERS, TuningPlan(steps=4), seed=0)
    vectors = tuned.embed(TEXTS)
    assert gap(vectors) > gap(encoded(packaged_minilm(), TEXTS)) + 0.05
    tuned.save(tmp_path / "tuned")
    np.testing.assert_allclose(encoded(tmp_path / "tuned", TEXTS), vectors, atol=1e-5)
