"""Reads the weights of a sentence-transformers folder and writes a folder that differs in some of them."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from models.embedding.sentence_folder import WEIGHTS, SentenceFolder
from models.errors import ModelRefused, ModelUnavailable
from models.verified import Manifest, new_folder, publish, sha256_of

TUNED_FORMAT = 1
SETTINGS = frozenset({".json", ".txt", ".model"})
"""Endings of the files beside the weights that decide what a model does: settings, vocabularies, SentencePiece."""


class SourceFolder:
    """A sentence-transformers folder, with the names that its file gives the weights."""

    def __init__(self, path: Path, expected_sha256: str) -> None:
        self.folder = SentenceFolder.verified(path, expected_sha256)
        self._weights = (self.folder.transformer / WEIGHTS).relative_to(path)
        self._tensors = _tensors(path / self._weights)
        self._copied = tuple(_copied(self.folder))

    def place(self, name: str) -> str:
        """Returns under which name the file holds a weight of the model; in some files it begins with `bert.` or such.

        Raises `ModelRefused` when the file holds none or several.
        """
        places = [key for key in self._tensors if key == name or key.endswith(f".{name}")]
        if len(places) != 1:
            raise ModelRefused(f"this embedder cannot be tuned: its file holds {len(places)} weights called {name}")
        return places[0]

    def write_changed(self, changed: Mapping[str, Tensor], target: Path, *, dimension: int, max_tokens: int) -> str:
        """Writes a complete folder with `changed` weights, named as `place` says, and returns its weights' SHA-256.

        A crash leaves no folder or the whole one; an intact folder of the same weights stays as it is. Raises
        `ModelUnavailable` when the disk is full or read-only, or when `target` holds other weights.
        """
        with new_folder(target.parent) as folder:
            try:
                self._fill(folder, changed)
            except (OSError, SafetensorError) as error:
                raise ModelUnavailable(f"{folder} cannot be written: {error}") from error
            digest = sha256_of(folder / self._weights)
            # A manifest vouches for names without folders; the embedder's fingerprint covers 1_Pooling/config.json too.
            top = [str(place) for place in (self._weights, *self._copied) if len(place.parts) == 1]
            files = {name: sha256_of(folder / name) for name in top}
            publish(folder, target, Manifest(TUNED_FORMAT, self.folder.weights_sha256, dimension, max_tokens, files))
        if sha256_of(target / self._weights) != digest:
            raise ModelUnavailable(f"{target} holds another model already; name a folder that does not exist")
        return digest

    def _fill(self, folder: Path, changed: Mapping[str, Tensor]) -> None:
        tensors = dict(self._tensors)
        for name, weight in changed.items():
            tensors[name] = weight.to(tensors[name].dtype).contiguous()
        for place in self._copied:
            (folder / place).parent.mkdir(exist_ok=True)
            (folder / place).write_bytes((self.folder.path / place).read_bytes())
        (folder / self._weights).parent.mkdir(exist_ok=True)
        safetensors.torch.save_file(tensors, folder / self._weights, metadata={"format": "pt"})
        for place in (self._weights, *self._copied):
            _sync(folder / place)


def _tensors(path: Path) -> dict[str, Tensor]:
    try:
        return dict(safetensors.torch.load_file(path))
    except (OSError, SafetensorError) as error:
        raise ModelRefused(f"{path} cannot be read: {error}") from error


def _copied(source: SentenceFolder) -> Iterator[Path]:
    """Gives the files that belong to the model beside the tuned weights, relative to its folder."""
    tuned = source.transformer / WEIGHTS
    for folder in dict.fromkeys((source.path, source.transformer, *source.others)):
        for file in sorted(folder.glob("*")):
            if file != tuned and (file.suffix in SETTINGS or file.name == WEIGHTS):
                yield file.relative_to(source.path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
