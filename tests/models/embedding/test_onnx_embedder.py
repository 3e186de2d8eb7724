import json

import pytest

from models.embedding.embedder import OnnxEmbedder
from models.embedding.export import EXPORT_FORMAT
from models.errors import ModelRefused
from models.verified import Manifest, new_folder, publish, sha256_of

TOKENIZER = {"version": "1.0", "added_tokens": [], "model": {"type": "WordLevel", "vocab": {"x": 0}, "unk_token": "x"}}


@pytest.fixture
def publish_export(tmp_path):
    def make(graph, export_format=EXPORT_FORMAT, names=("model.onnx", "tokenizer.json", "witness.npy")):
        with new_folder(tmp_path) as folder:
            (folder / "model.onnx").write_bytes(graph)
            (folder / "tokenizer.json").write_text(json.dumps(TOKENIZER))
            (folder / "witness.npy").write_bytes(b"")
            files = {name: sha256_of(folder / name) for name in names}
            publish(folder, tmp_path / "export", Manifest(export_format, "s", 8, 16, files))
        return tmp_path / "export"

    return make


@pytest.mark.parametrize("graph", [b"", b"not a graph", bytes(1000)])
def test_a_graph_that_cannot_be_loaded_is_our_error(publish_export, graph):
    folder = publish_export(graph)
    with pytest.raises(ModelRefused, match="cannot be loaded"):
        OnnxEmbedder(folder)


def test_an_export_of_another_format_is_made_again(publish_export):
    folder = publish_export(b"graph", export_format=EXPORT_FORMAT + 1)
    with pytest.raises(ModelRefused, match="export it again"):
        OnnxEmbedder(folder)


def test_an_export_without_its_tokenizer_in_the_manifest_is_not_trusted(publish_export):
    folder = publish_export(b"graph", names=("model.onnx", "witness.npy"))
    with pytest.raises(ModelRefused, match="export it again"):
        OnnxEmbedder(folder)
