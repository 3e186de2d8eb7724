"""Runs an exported embedder on ONNX Runtime: one thread, no spinning, no torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.embedding.wordpieces import WordPieces
from models.errors import ModelRefused, ModelUnavailable
from models.ports import Vectors

BATCH = 16
"""Texts in one run; more gains nothing on one thread."""

SLOW_FUSIONS = ("SkipLayerNormFusion", "BiasGeluFusion")
"""Kernels of ONNX Runtime 1.31 that are slower than what they fuse: 37 µs against 6 µs for 16 tokens of 384."""

GPU = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"


def has_gpu() -> bool:
    """Whether the installed ONNX Runtime can compute on a GPU; only `onnxruntime-gpu` can."""
    import onnxruntime  # noqa: PLC0415 - loaded with the first model, not with this module

    return GPU in onnxruntime.get_available_providers()


class OnnxSession:
    """One loaded graph and its tokenizer. Thread-safe."""

    def __init__(self, graph: Path | bytes, pieces: WordPieces, *, pad_id: int) -> None:
        import onnxruntime  # noqa: PLC0415 - as above
        from onnxruntime.capi import onnxruntime_pybind11_state as native  # noqa: PLC0415 - as above

        # ONNX Runtime's errors have no base class of their own, only Exception.
        kinds = [kind for kind in vars(native).values() if isinstance(kind, type) and issubclass(kind, Exception)]
        self._failures: tuple[type[Exception], ...] = (*kinds, RuntimeError, ValueError)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                graph if isinstance(graph, bytes) else str(graph),
                options,
                providers=[GPU, CPU] if has_gpu() else [CPU],
                disabled_optimizers=list(SLOW_FUSIONS),
            )
        except self._failures as error:
            name = "the graph" if isinstance(graph, bytes) else graph
            raise ModelRefused(f"{name} cannot be loaded: {error}") from error
        self.pieces = pieces
        self._pad_id = pad_id

    def embed(self, texts: Sequence[str], dimension: int) -> Vectors:
        """Returns one unit vector a text, running texts of similar length together."""
        pieces = [self.pieces.ids(text) for text in texts]
        vectors = np.empty((len(pieces), dimension), dtype=np.float32)
        by_length = sorted(range(len(pieces)), key=lambda row: len(pieces[row]))
        for start in range(0, len(by_length), BATCH):
            rows = by_length[start : start + BATCH]
            (made,) = self._run(["vector"], [pieces[row] for row in rows])
            if made.shape != (len(rows), dimension) or not np.isfinite(made).all():
                raise ModelUnavailable("the embedder returned something other than unit vectors")
            vectors[rows] = made
        return vectors

    def values(self, text: str, names: Sequence[str]) -> list[Vectors]:
        """Returns inner values of the graph for one text; only a graph made to give them has any."""
        return self._run(names, [self.pieces.ids(text)])

    def _run(self, names: Sequence[str], pieces: list[list[int]]) -> list[Any]:
        width = max(len(ids) for ids in pieces)
        ids = np.full((len(pieces), width), self._pad_id, dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, piece in enumerate(pieces):
            ids[row, : len(piece)] = piece
            mask[row, : len(piece)] = 1
        try:
            outputs: list[Any] = self._session.run(list(names), {"input_ids": ids, "attention_mask": mask})
        except self._failures as error:
            raise ModelUnavailable("the embedder failed on a text") from error
        return outputs
