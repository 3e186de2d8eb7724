import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from models.child import PACKAGE_ROOT
from models.embedding import embedder
from models.embedding.embedder import PACKAGED_MINILM_SHA256, load_embedder, packaged_minilm
from models.embedding.export import Form, require_parity
from models.embedding.sentence import SentenceEmbedder
from models.errors import ModelRefused, ModelUnavailable
from models.verified import Manifest, intact_manifest, sha256_of

pytestmark = pytest.mark.weights


@pytest.fixture
def cache(embedder_cache, tmp_path):
    """A copy of the exported embedder, to be damaged."""
    return shutil.copytree(embedder_cache, tmp_path / "cache")


@pytest.fixture
def exported(cache):
    (folder,) = cache.iterdir()
    return folder


def test_the_manifest_names_source_and_limits(exported):
    manifest = json.loads((exported / "manifest.json").read_text())
    assert manifest["source_sha256"] == PACKAGED_MINILM_SHA256
    assert (manifest["dimension"], manifest["max_tokens"]) == (384, 256)
    assert set(manifest["files"]) == {"model.onnx", "tokenizer.json", "witness.npy"}
    assert manifest["form"] == "int8"


def test_an_intact_export_is_used_as_it_is(cache):
    steps = []
    assert load_embedder(packaged_minilm(), cache, PACKAGED_MINILM_SHA256, steps.append).dimension == 384
    assert steps == []


def test_a_process_that_only_loads_never_imports_torch(cache):
    program = f"""
import sys
from pathlib import Path
from models.embedding.embedder import PACKAGED_MINILM_SHA256, load_embedder, packaged_minilm
load_embedder(packaged_minilm(), Path({str(cache)!r}), PACKAGED_MINILM_SHA256, print).embed(["hello"])
assert not {{"torch", "transformers", "sentence_transformers"}} & set(sys.modules)
"""
    subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-P", "-c", program], check=True, env={"PYTHONPATH": str(PACKAGE_ROOT)}, timeout=60
    )


def test_the_first_export_leaves_no_torch_behind_either(tmp_path):
    program = f"""
import sys
from pathlib import Path
from models.embedding.embedder import PACKAGED_MINILM_SHA256, load_embedder, packaged_minilm
steps = []
load_embedder(packaged_minilm(), Path({str(tmp_path)!r}), PACKAGED_MINILM_SHA256, steps.append).embed(["hello"])
assert "exporting the embedder to ONNX" in steps and "comparing the quantised embedder with the original" in steps
assert not {{"torch", "transformers", "sentence_transformers", "onnx"}} & set(sys.modules)
"""
    subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-P", "-c", program], check=True, env={"PYTHONPATH": str(PACKAGE_ROOT)}, timeout=300
    )


def test_an_export_whose_folder_cannot_be_written_says_so(tmp_path):
    (tmp_path / "taken").write_text("a file, where a folder should be")
    with pytest.raises(ModelUnavailable, match="taken cannot be written"):
        load_embedder(packaged_minilm(), tmp_path / "taken", PACKAGED_MINILM_SHA256, lambda _step: None)


def test_an_export_whose_process_breaks_off_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(ModelUnavailable, match=r"could not be exported: .*(ended early \(1\)|Broken pipe)"):
        load_embedder(packaged_minilm(), tmp_path, PACKAGED_MINILM_SHA256, lambda _step: None)


def test_a_damaged_export_is_made_again(cache, exported, monkeypatch, tmp_path):
    intact = shutil.copytree(exported, tmp_path / "intact")
    graph = exported / "model.onnx"
    data = bytearray(graph.read_bytes())
    data[len(data) // 2] ^= 1
    graph.write_bytes(data)

    def export_again(*_arguments, **_form):  # the real one takes 25 s and was run by the fixture
        assert not exported.exists()  # or the damaged one would stay
        return shutil.move(intact, exported)

    monkeypatch.setattr(embedder, "export_aside", export_again)
    made = load_embedder(packaged_minilm(), cache, PACKAGED_MINILM_SHA256, lambda _step: None)
    assert made.embed(["hello"]).shape == (1, 384)
    assert graph.read_bytes() != bytes(data)


def test_weights_with_another_hash_are_refused_before_they_are_loaded(tmp_path):
    with pytest.raises(ModelRefused, match="registered"):
        SentenceEmbedder(packaged_minilm(), "0" * 64)
    with pytest.raises(ModelRefused, match="registered"):
        load_embedder(packaged_minilm(), tmp_path, "0" * 64, lambda _step: None)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_no_model_is_refused(tmp_path):
    with pytest.raises(ModelRefused, match="cannot be read"):
        load_embedder(tmp_path, tmp_path / "cache", PACKAGED_MINILM_SHA256, lambda _step: None)


@pytest.mark.parametrize("form", list(Form))
def test_vectors_that_differ_are_not_accepted(form):
    original = np.eye(3, dtype=np.float32)
    require_parity(original, original, form)
    for exported in (original[[1, 0, 2]], original * np.float32("nan")):
        with pytest.raises(ModelRefused, match="differs"):
            require_parity(original, exported, form)


def test_near_vectors_with_other_neighbours_are_not_accepted():
    angles = np.radians([0.0, 10.0, 24.0])  # the middle one moves from the first to the third, by 5 degrees
    moved = np.radians([0.0, 15.0, 24.0])
    original, exported = (np.stack([np.cos(a), np.sin(a)], axis=1).astype(np.float32) for a in (angles, moved))
    with pytest.raises(ModelRefused, match="neighbours differ"):
        require_parity(original, exported, Form.INT8)


def test_an_export_that_computes_otherwise_on_this_processor_is_made_again(cache, exported, monkeypatch):
    witness = np.load(exported / "witness.npy")
    np.save(exported / "witness.npy", witness[::-1])
    manifest = intact = json.loads((exported / "manifest.json").read_text())
    manifest["files"]["witness.npy"] = sha256_of(exported / "witness.npy")
    (exported / "manifest.json").write_text(json.dumps(manifest))
    assert intact_manifest(exported) == Manifest(**intact)
    with pytest.raises(ModelRefused, match="another processor"):
        embedder.OnnxEmbedder(exported)

    def export_again(*_arguments, **_form):
        raise ModelRefused("exported again")

    monkeypatch.setattr(embedder, "export_aside", export_again)
    with pytest.raises(ModelRefused, match="exported again"):
        load_embedder(packaged_minilm(), cache, PACKAGED_MINILM_SHA256, lambda _step: None)
    assert not exported.exists()


def test_languages_are_known_for_the_packaged_model_and_stated_for_others(cache):
    arguments = (packaged_minilm(), cache, PACKAGED_MINILM_SHA256, lambda _step: None)
    assert load_embedder(*arguments).languages == {"en"}
    assert load_embedder(*arguments, languages=frozenset({"en", "de"})).languages == {"en", "de"}
