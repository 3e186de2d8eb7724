"""semantic-router's own route layer on given vectors; run by benchmarks/matching.py in a venv of its own.

Reads an .npz (store, labels, background, queries) and writes an .npz (answered, ranked, scores): the route at the
fitted thresholds or -1, and the best route with its score when every threshold is 0. Nothing of ours is imported.
"""

import logging
import sys
from pathlib import Path

import numpy as np
from semantic_router import Route, SemanticRouter
from semantic_router.encoders import DenseEncoder
from semantic_router.index import LocalIndex

FOLDS = 4
STRANGERS = 0.4
"""For each held-out sentence."""
OPEN = 1e-6
"""A threshold of 0 counts as none given, and the encoder's then holds."""


class GivenVectors(DenseEncoder):
    """Looks vectors up: a text is the number of its row."""

    name: str = "given"
    vectors: list[list[float]]
    score_threshold: float = 0.3

    def __call__(self, docs: list[str]) -> list[list[float]]:
        # The library embeds the word "test" once, to learn the dimension.
        return [self.vectors[int(doc) if doc.isdigit() else 0] for doc in docs]


def main() -> None:
    """Fits the thresholds on a quarter of the store that the fitted layer does not know, and asks every query."""
    source, target = map(Path, sys.argv[1:3])
    logging.disable(logging.WARNING)
    given = np.load(source)
    store, labels, background, queries = (given[name] for name in ("store", "labels", "background", "queries"))
    encoder = GivenVectors(vectors=np.concatenate([store, background]).tolist())
    fold = np.zeros(len(labels), dtype=np.int64)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        fold[rows] = np.arange(len(rows)) % FOLDS
    held = np.flatnonzero(fold == 0)
    # Strangers in the share that our own limits assume: many more would teach it to refuse.
    some = np.linspace(0, len(background) - 1, max(1, round(STRANGERS * len(held)))).astype(np.int64)
    if len(np.unique(labels[fold != 0])) == len(np.unique(labels)):
        learning = router(encoder, labels, np.flatnonzero(fold != 0))
        texts = [str(row) for row in held] + [str(len(store) + row) for row in some]
        np.random.seed(0)  # noqa: NPY002 - what the library draws from
        learning.fit(X=texts, y=[str(labels[row]) for row in held] + [None] * len(some))
        thresholds = learning.get_thresholds()
    else:
        thresholds = {}
    layer = router(encoder, labels, np.arange(len(labels)))
    chosen = ask(layer, thresholds, queries)
    opened = ask(layer, dict.fromkeys(names(labels), OPEN), queries)
    np.savez(
        target,
        answered=[number for number, _ in chosen],
        ranked=[number for number, _ in opened],
        scores=[score for _, score in opened],
    )


def ask(layer: SemanticRouter, thresholds: dict[str, float], queries: np.ndarray) -> list[tuple[int, float]]:
    """Returns the route of each query and its score; -1 where none passes its threshold."""
    layer._update_thresholds(route_thresholds=thresholds)  # noqa: SLF001 - what its own fit calls
    # Not `simulate_static`: that leaves the score out, and every message would tie.
    choices = [layer(vector=vector) for vector in queries]
    found = []
    for one in choices:
        if one.name is not None and one.similarity_score is None:
            raise SystemExit("the layer gave a route without a score: it cannot be ranked")
        found.append((-1, -1.0) if one.name is None else (int(one.name), float(one.similarity_score)))
    return found


def names(labels: np.ndarray) -> list[str]:
    """Returns the routes' names."""
    return [str(label) for label in np.unique(labels)]


def router(encoder: GivenVectors, labels: np.ndarray, rows: np.ndarray) -> SemanticRouter:
    """Makes the layer as its documentation does: default aggregation and number of neighbours."""
    routes = [
        Route(name=name, utterances=[str(row) for row in rows if str(labels[row]) == name]) for name in names(labels)
    ]
    return SemanticRouter(encoder=encoder, routes=routes, index=LocalIndex(), auto_sync="local")


if __name__ == "__main__":
    main()
