"""A store small enough to fit in a test: prompts by topic, said in several ways, and strangers."""

import itertools
from types import SimpleNamespace

import numpy as np
from store_content import embed

from store.learning.corpus import Corpus, corpus_of_pairs
from store.learning.fit import Fitted, fit
from store.learning.folds import make_folds

TOPICS = (
    "printer toner",
    "login password",
    "parking permit",
    "holiday request",
    "supplier invoice",
    "laptop repair",
    "canteen menu",
    "visitor badge",
)
WAYS = (
    "new {}",
    "my {} is gone",
    "who looks after the {}",
    "please help me with {}",
    "i would change the {}",
    "tell me about {}",
)
STRANGERS = tuple(
    f"{one} {other}"
    for one, other in itertools.product(
        ("sing me a song about", "what is the weather in", "who won against"), ("Leeds", "Oslo", "Lima", "Graz")
    )
)


def small_corpus(prompts: int = 8, phrasings: int = 6) -> Corpus:
    return corpus_of_pairs((way.format(topic), key_of(topic)) for topic in TOPICS[:prompts] for way in WAYS[:phrasings])


def key_of(topic: str) -> str:
    """The key of the prompt about a topic."""
    return "it." + topic.replace(" ", ".")


def quiet(phase: str, done: int, total: int) -> None:
    """Nobody watches."""


def fitted(corpus: Corpus, strangers=STRANGERS, progress=quiet, fold_vectors=None, seed=0) -> Fitted:
    return fit(
        corpus,
        embed(corpus.texts),
        embed(corpus.counter_texts),
        embed(strangers),
        folds=make_folds(corpus, len(strangers), seed=seed),
        fold_vectors=fold_vectors,
        progress=progress,
        background_texts=strangers,
    )


def hits(corpus: Corpus, message: str, count: int = 64) -> list[SimpleNamespace]:
    """The nearest phrasings, as the index would find them."""
    similarities = embed(corpus.texts) @ embed([message])[0]
    return [
        SimpleNamespace(
            row=SimpleNamespace(prompt=SimpleNamespace(key=corpus.keys[corpus.labels[row]])),
            score=float(similarities[row]),
        )
        for row in np.argsort(-similarities, kind="stable")[:count]
    ]
