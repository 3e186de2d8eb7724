"""Scores texts with a sequence classifier that somebody put into a folder of this machine."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from models.errors import ModelRefused

_NEEDED = ("config.json", "model.safetensors", "tokenizer.json")

Scores = Callable[[Sequence[str]], list[float]]
"""Returns, for each text, the probability of the label that was asked for; blocks for some ten milliseconds a text."""


def open_classifier(folder: Path, label: str) -> Scores:
    """Loads the classifier in `folder`, which takes some seconds and nothing from the network.

    Raises `ModelRefused` when a file is missing, the weights are not safetensors, or there is no such label. Code that
    a model folder may carry is never run.
    """
    if missing := [name for name in _NEEDED if not (folder / name).is_file()]:
        raise ModelRefused(
            f"{folder} holds no classifier: {', '.join(missing)} is missing. Put the model's files there, with its "
            "weights as safetensors, or take the classifier out of the policy."
        )
    try:
        labels = json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"].values()
    except (ValueError, KeyError, AttributeError) as error:
        raise ModelRefused(f"{folder / 'config.json'} names no labels; this is no classifier.") from error
    names = list(labels)
    if label not in names:
        raise ModelRefused(f"the classifier in {folder} has no label {label!r}; there are {', '.join(map(str, names))}")
    return _load(folder, names.index(label))


def _load(folder: Path, place: int) -> Scores:
    from transformers import (  # noqa: PLC0415 - takes 4 s and 430 MB with torch, and few policies name a classifier
        AutoModelForSequenceClassification,
        AutoTokenizer,
    )

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_safetensors=True
        )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelRefused(f"the classifier in {folder} cannot be loaded: {type(error).__name__}") from error
    model.eval()
    model.requires_grad_(requires_grad=False)

    def score(texts: Sequence[str]) -> list[float]:
        pieces = tokenizer(list(texts), padding=True, truncation=True, max_length=512, return_tensors="pt")
        logits = model(**pieces).logits.numpy()
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return [float(value) for value in (odds / odds.sum(axis=1, keepdims=True))[:, place]]

    return score
