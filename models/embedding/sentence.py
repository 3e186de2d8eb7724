"""Runs a sentence-transformers model with torch: the reference for every other form, and the source of the export."""

import inspect
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.embedding.sentence_folder import SentenceFolder
from models.embedding.wordpieces import WordPieces
from models.errors import ModelRefused
from models.ports import Vectors

POOLINGS = ("mean", "cls", "max")


class SentenceEmbedder:
    """An `Embedder` on sentence-transformers. It imports torch: 4 s and 430 MB, so no serving process has one."""

    def __init__(self, source: Path, expected_sha256: str, *, languages: frozenset[str] | None = None) -> None:
        folder = SentenceFolder.verified(source, expected_sha256)
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - 4 s and 430 MB, needed by the export

        try:
            self._model = SentenceTransformer(
                str(source), device="cpu", local_files_only=True, model_kwargs={"attn_implementation": "eager"}
            )
        except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
            raise ModelRefused(f"{source} is not a sentence-transformers folder: {error}") from error
        self._pooling = self._model[1].pooling_mode
        if self._pooling not in POOLINGS:
            raise ModelRefused(f"{source} pools by {self._pooling}; the export knows {', '.join(POOLINGS)}")
        self.folder = folder
        self.max_tokens = _max_tokens(folder, self._model)
        self._pieces = WordPieces.read(folder.tokenizer, self.max_tokens)
        self.languages = languages
        self.fingerprint = folder.fingerprint("sentence-transformers")
        self.dimension = self._encode(["x"]).shape[1]

    def count_tokens(self, text: str) -> int:
        return self._pieces.count(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        for text in texts:
            self._pieces.ids(text)
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        vectors = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)

    def write_graph(self, path: Path) -> None:
        """Writes the ONNX graph; its inputs are word pieces and their mask, its output unit vectors."""
        import torch  # noqa: PLC0415 - only an export needs it

        # Two tensors: the exporter takes one object given twice for one input, and exports nonsense.
        samples = (torch.ones(2, 8, dtype=torch.long), torch.ones(2, 8, dtype=torch.long))
        shape = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
        with warnings.catch_warnings(), torch.no_grad():
            # torch's exporter warns about torch's own deprecated calls.
            warnings.simplefilter("ignore")
            logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # says which optional packages are absent
            torch.onnx.export(
                self._as_module(),
                samples,
                str(path),
                input_names=["input_ids", "attention_mask"],
                output_names=["vector"],  # "embedding" is taken by a node of the graph
                dynamic_shapes={"input_ids": shape, "attention_mask": shape},
                dynamo=True,
                external_data=False,
                verbose=False,
            )

    def _as_module(self) -> Any:
        import torch  # noqa: PLC0415 - only an export needs it

        transformer, rest, pooling = self._model[0].auto_model, list(self._model)[2:], self._pooling
        takes_types = "token_type_ids" in inspect.signature(transformer.forward).parameters

        class Pooled(torch.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]  # torch is not typed for mypy
            def __init__(self) -> None:
                super().__init__()
                self.transformer = transformer
                self.rest = torch.nn.ModuleList(rest)

            def forward(self, input_ids: Any, attention_mask: Any) -> Any:
                # The additive mask is made here: the one that transformers makes cannot be traced without guesses.
                lowest = torch.finfo(torch.float32).min
                mask = attention_mask.to(torch.float32)
                types = {"token_type_ids": torch.zeros_like(input_ids)} if takes_types else {}
                hidden = self.transformer(
                    input_ids=input_ids, attention_mask=(1.0 - mask)[:, None, None, :] * lowest, **types
                ).last_hidden_state
                weights = mask.unsqueeze(-1)
                if pooling == "cls":
                    pooled = hidden[:, 0]
                elif pooling == "max":
                    pooled = torch.where(weights > 0, hidden, lowest).max(1).values
                else:
                    pooled = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
                for module in self.rest:
                    pooled = module({"sentence_embedding": pooled})["sentence_embedding"]
                return torch.nn.functional.normalize(pooled, p=2, dim=1)

        return Pooled().eval()


def _max_tokens(folder: SentenceFolder, model: Any) -> int:
    stated = folder.max_tokens if folder.max_tokens is not None else model.max_seq_length
    config = model[0].auto_model.config
    positions = getattr(config, "max_position_embeddings", None)
    if positions is not None and config.model_type in {"roberta", "xlm-roberta", "camembert", "mpnet"}:
        positions -= folder.pad_id + 1  # these families number positions from behind the padding
    limits = [limit for limit in (stated, positions) if limit is not None]
    if not limits or min(limits) < 1:
        raise ModelRefused(f"{folder.path} states no length that it can read; set max_seq_length")
    return int(min(limits))
