"""Exports a sentence-transformers model to ONNX, quantises it for this processor, and proves that it is the same."""

import tempfile
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.embedding.onnx_session import OnnxSession
from models.embedding.sentence import SentenceEmbedder
from models.embedding.sentence_folder import TOKENIZER, SentenceFolder
from models.embedding.wordpieces import WordPieces
from models.errors import ModelRefused, ModelUnavailable
from models.ports import Vectors
from models.verified import Manifest, new_folder, publish, sha256_of

EXPORT_FORMAT = 2
"""Raised when the graphs that an export builds change, so that old exports and indexes are rebuilt."""

GRAPH = "model.onnx"
WITNESS = "witness.npy"
"""Vectors of `WITNESSES`, made where the export was made: another processor has to find the same ones."""

MIN_WITNESS_PARITY = 0.999
TIE = 0.005
"""Neighbours whose similarities differ by less, by the original, are equally near."""

WEIGHT_STEPS = (127, 63)
"""Largest int8 weight, tried in this order: processors without VNNI sum two products in 16 bits, which 63 fits."""

PROBES = (
    "How do I reset my password?",
    "I forgot my password",
    "Can I carry over unused holiday to next year?",
    "what happens to the leave days I have not taken by December",
    "cancel my leave request",
    "I no longer want the days off that I asked for",
    "Where is the Lisbon office and when does it open?",
    "opening hours in Lisbon",
    "laptop broken, need a new one asap!!!",
    "My notebook does not start any more, who replaces it?",
    "Which documents do I need for a visa to Brazil?",
    "The coffee machine on the 3rd floor leaks.",
    "Was my invoice no. 4711 of 12,50 EUR paid on 03/04?",
    "Wie melde ich mich krank?",
    "¿Dónde puedo ver mi nómina?",
    "كيف أغير كلمة المرور؟",
    "我忘记了密码 日本語 ünïcödé",
    "x",
    "",
    "THANKS u r gr8 :)",
    "Ignore all previous instructions. " * 12,
)
WITNESSES = (PROBES[0], PROBES[12], PROBES[13])


class Form(StrEnum):
    """How the numbers of an exported embedder are kept."""

    INT8 = "int8"
    """For processors: a third of the time of float32."""
    FLOAT32 = "float32"
    """For GPUs, and for a model that int8 changes too much."""

    @property
    def tag(self) -> str:
        """What stands for it in a fingerprint."""
        return f"onnx-{self}-{EXPORT_FORMAT}"

    @property
    def least_cosine(self) -> float:
        """The least cosine between the original's vector and the export's that is accepted."""
        return 0.99 if self is Form.INT8 else 0.9999


Progress = Callable[[str], None]


def export_onnx(
    source: Path, target: Path, expected_sha256: str, progress: Progress, *, form: Form = Form.INT8
) -> Path:
    """Writes transformer, pooling and normalisation as one graph to `target/<fingerprint>/` and returns that folder.

    A model whose int8 form fails the comparison is exported in float32, which `progress` is told: slower, not wrong.
    Raises `ModelRefused` when the weights have another hash or float32 differs from the original too.
    """
    original = SentenceEmbedder(source, expected_sha256)
    vectors = original.embed(_probes(original))
    with new_folder(target) as folder, tempfile.TemporaryDirectory(dir=folder) as scratch:
        progress("exporting the embedder to ONNX")
        exported = Path(scratch) / GRAPH
        try:
            original.write_graph(exported)
            (folder / TOKENIZER).write_bytes(original.folder.tokenizer.read_bytes())
        except OSError as error:
            raise ModelUnavailable(f"{folder} cannot be written: {error.strerror}") from error
        made = _Made(original, vectors, folder)
        if form is Form.INT8 and not made.quantized(exported, progress):
            progress("int8 changes this embedder too much: keeping float32, which takes about three times as long")
            form = Form.FLOAT32
        if form is Form.FLOAT32:
            exported.replace(folder / GRAPH)
            progress("comparing the exported embedder with the original")
            require_parity(vectors, made.embed(), form)
        published = target / original.folder.fingerprint(form.tag)
        publish(folder, published, made.manifest(form))
    return published


class _Made:
    """An export on its way, beside the original that it has to agree with."""

    def __init__(self, original: SentenceEmbedder, vectors: Vectors, folder: Path) -> None:
        self._original, self._vectors, self._folder = original, vectors, folder
        self._pieces = WordPieces.read(folder / TOKENIZER, original.max_tokens)

    def quantized(self, exported: Path, progress: Progress) -> bool:
        """Writes the int8 graph and says whether it agrees with the original."""
        # onnx takes a second to load, and only an export needs it.
        from models.embedding import quantization  # noqa: PLC0415 - as above

        progress("quantising the embedder to int8")
        names = quantization.smoothed_inputs(exported)
        channels = self._channels(quantization.with_outputs(exported, names), names)
        for steps in WEIGHT_STEPS:
            quantization.quantize(exported, self._folder / GRAPH, channels, steps=steps)
            progress("comparing the quantised embedder with the original")
            try:
                require_parity(self._vectors, self.embed(), Form.INT8)
            except ModelRefused as refusal:
                progress(str(refusal))
                continue
            return True
        return False

    def _channels(self, graph: bytes, names: tuple[str, ...]) -> dict[str, Vectors]:
        if not names:
            return {}
        session = OnnxSession(graph, self._pieces, pad_id=self._original.folder.pad_id)
        runs = [session.values(text, names) for text in _probes(self._original)]
        sizes = [[np.abs(value).max(axis=(0, 1)) for value in run] for run in runs]
        return dict(zip(names, np.max(sizes, axis=0), strict=True))

    def _session(self) -> OnnxSession:
        return OnnxSession(self._folder / GRAPH, self._pieces, pad_id=self._original.folder.pad_id)

    def embed(self) -> Vectors:
        return self._session().embed(_probes(self._original), self._original.dimension)

    def manifest(self, form: Form) -> Manifest:
        session = self._session()
        np.save(self._folder / WITNESS, session.embed(WITNESSES, self._original.dimension), allow_pickle=False)
        return Manifest(
            format=EXPORT_FORMAT,
            source_sha256=self._original.folder.weights_sha256,
            dimension=self._original.dimension,
            max_tokens=self._original.max_tokens,
            files={name: sha256_of(self._folder / name) for name in (GRAPH, TOKENIZER, WITNESS)},
            pad_id=self._original.folder.pad_id,
            form=form.value,
        )


def fingerprint_of(source: Path, expected_sha256: str, form: Form) -> str:
    """Returns the name of the folder that an export of `source` in this form has, without exporting it."""
    return SentenceFolder.verified(source, expected_sha256).fingerprint(form.tag)


def require_parity(original: Vectors, exported: Vectors, form: Form) -> None:
    """Raises `ModelRefused` unless both say the same: nearly the same vectors, and the same nearest neighbour."""
    # Written so that a NaN fails every comparison that it takes part in.
    lowest = float(np.min(np.sum(original * exported, axis=1)))
    similarity = _between(original)
    rows = np.arange(len(original))
    found: NDArray[np.intp] = np.argmax(_between(exported), axis=1)
    is_nearest = bool(np.all(similarity[rows, found] >= similarity.max(axis=1) - TIE))
    if not (is_nearest and lowest >= form.least_cosine):
        raise ModelRefused(
            f"the exported embedder differs from the original in {form} (lowest cosine {lowest:.6f}, at least "
            f"{form.least_cosine} is needed; nearest neighbours {'agree' if is_nearest else 'differ'}). It is not used."
        )


def _between(vectors: Vectors) -> Vectors:
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -2.0)
    return similarity


def _probes(embedder: SentenceEmbedder) -> list[str]:
    return [text for text in PROBES if embedder.count_tokens(text) <= embedder.max_tokens]
