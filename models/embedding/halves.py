"""Splits a BERT-like model into layers that stay and layers that are tuned."""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from models.errors import ModelRefused

LAYERS = ("encoder.layer", "transformer.layer")
"""Where the models of transformers keep their layers: BERT, RoBERTa, XLM-R, MPNet and ELECTRA; DistilBERT."""

EMBEDDINGS = "embeddings"
MAX_DIFFERENCE = 1e-4
"""Of a hidden value computed in two halves: beyond this the model does more between its layers than is known here."""


class _Given(nn.Module):
    """Stands for the embeddings when what the lower layers made of them is known already."""

    def __init__(self, hidden: Tensor) -> None:
        super().__init__()
        self._hidden = hidden

    def forward(self, *_: Any, **__: Any) -> Tensor:
        return self._hidden


@dataclass(frozen=True, slots=True)
class Padded:
    """Sentences of different lengths in one block; `mask` is 1 where there is a word piece."""

    values: Tensor
    mask: Tensor


class Halves:
    """One model, run up to a layer or from that layer on. Not thread-safe: it rearranges the model for each run.

    The model itself does the work of either half, so masks and position biases stay its own business.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._name, self._layers = _layers_of(model)
        self._embeddings = model.get_submodule(EMBEDDINGS)
        self.count = len(self._layers)

    def names(self, depth: int) -> dict[str, str]:
        """Returns, for each weight of the layers from `depth` on as `upper_copy` names it, its name in the model."""
        upper = nn.ModuleList(self._layers[depth:])
        return {
            name: f"{self._name}.{depth + int(name.split('.', 1)[0])}.{name.split('.', 1)[1]}"
            for name in upper.state_dict()
        }

    def upper_copy(self, depth: int) -> nn.ModuleList:
        """Returns layers of the caller's own, from `depth` on, to be changed."""
        return copy.deepcopy(nn.ModuleList(self._layers[depth:]))

    def lower(self, pieces: Padded, depth: int) -> Tensor:
        """Returns the hidden states after `depth` layers; `pieces.values` are numbers of word pieces."""
        self._arrange(self._embeddings, nn.ModuleList(self._layers[:depth]))
        with torch.no_grad():
            return self._hidden(input_ids=pieces.values, attention_mask=pieces.mask)

    def upper(self, hidden: Padded, layers: nn.ModuleList) -> Tensor:
        """Returns the last hidden states; `hidden.values` are those that `lower` gave."""
        self._arrange(_Given(hidden.values), layers)
        return self._hidden(inputs_embeds=hidden.values, attention_mask=hidden.mask)

    def require_exact(self, pieces: Padded, depth: int) -> None:
        """Raises `ModelRefused` when both halves together are not the model, on these word pieces."""
        try:
            whole = self.lower(pieces, self.count)
            with torch.no_grad():
                parts = self.upper(Padded(self.lower(pieces, depth), pieces.mask), self.upper_copy(depth))
            # Written so that a NaN is a difference.
            kept = pieces.mask.bool()
            is_same = bool(((whole - parts)[kept].abs() <= MAX_DIFFERENCE).all())
        except (RuntimeError, TypeError, ValueError, AttributeError) as error:
            raise ModelRefused(f"this embedder cannot be tuned: it does not run in two halves ({error})") from error
        if not is_same:
            raise ModelRefused("this embedder cannot be tuned: in two halves it computes something else")

    def _arrange(self, embeddings: nn.Module, layers: nn.ModuleList) -> None:
        self._model.set_submodule(EMBEDDINGS, embeddings)
        self._model.set_submodule(self._name, layers)

    def _hidden(self, **inputs: Tensor) -> Tensor:
        hidden = self._model(**inputs).last_hidden_state
        if not isinstance(hidden, Tensor):
            raise TypeError("the model returned no hidden states")
        return hidden


def _layers_of(model: nn.Module) -> tuple[str, nn.ModuleList]:
    modules = dict(model.named_modules())
    for name in LAYERS:
        layers = modules.get(name)
        if isinstance(layers, nn.ModuleList) and len(layers) > 0 and EMBEDDINGS in modules:
            return name, layers
    raise ModelRefused(f"this embedder cannot be tuned: a {type(model).__name__} keeps no layers where BERT does")
