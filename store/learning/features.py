"""Features: in how many ways a prompt looks like what a message means; the same code in folds and in serving."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from store.learning.corpus import Numbers
from store.learning.heads import Floats, Head
from store.learning.spelling import Lexicon, SpelledMessage
from store.vectors import Vectors

NAMES = (
    "log_probability",
    "logit",
    "logit_lead",
    "sure",
    "nearest",
    "nearest_lead",
    "three",
    "three_lead",
    "centre",
    "centre_lead",
    "spelled",
    "spelled_lead",
    "known_words",
    "covered_words",
    "length",
)
"""What each column says of a candidate; a lead is over the best other candidate."""
MAX_NEAR = 16
"""Nearest prompts that share the head's probability: to rate all of 1,000 takes 0.1 ms more and ranks no better."""
_BY_NEARNESS = 4
_BY_HEAD = 3
"""Candidates: the nearest prompts, and the likeliest of the nearest ones by the head."""
_MOST_NONE = 60.0
"""Odds of "none of these", as a logarithm, beyond which a float32 would overflow."""
_LEAST_P = 1e-6
_MOST_P = 1 - 1e-4
"""Probabilities are told apart between these, on a logarithmic scale."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a message is compared with: arrays over N sentences and K prompts, none of them empty."""

    starts: Numbers
    """(K + 1,) the sentences of prompt k are starts[k]:starts[k + 1]."""
    vectors: Vectors
    """(N, d)."""
    centres: Floats
    """(K, d) direction of the mean of each prompt's sentences."""
    head: Head
    lexicon: Lexicon


@dataclass(frozen=True, slots=True)
class Features:
    """What a message looks like, for m candidates in no order."""

    prompts: Numbers
    values: Floats
    """(m, number of features)."""
    similarities: Floats
    """(m,) cosines of the nearest sentences."""
    nearest: Numbers
    """(m,) their rows."""


def look_at(knowledge: Knowledge, message: str, vector: Vectors, near: Sequence[int]) -> Features | None:
    """Returns the features of the prompts that a message may mean, None when no prompt is near.

    `vector` is (d,); `near` are the nearest prompts, each once, nearest first: no other one takes part.
    """
    if not near:
        return None
    rated = _rate(knowledge.head, len(knowledge.centres), vector, near)
    prompts = rated.prompts
    first = knowledge.starts[prompts]
    counts = knowledge.starts[prompts + 1] - first
    edges = np.cumsum(counts) - counts
    rows = np.arange(int(counts.sum())) + np.repeat(first - edges, counts)
    similar = _compare(knowledge.vectors[rows] @ vector, rows, edges, counts)
    spelled = SpelledMessage(message, knowledge.lexicon)
    alike = np.maximum.reduceat(spelled.likeness(first, counts), edges)
    centre = knowledge.centres[prompts] @ vector
    p = np.clip(rated.probability, _LEAST_P, _MOST_P)
    log_p = np.log(p)
    leads = _leads(np.stack([rated.logits, similar.first, similar.three, centre, alike]))
    columns: tuple[Floats | float, ...] = (
        log_p,
        log_p - np.log1p(-p),
        leads[0],
        rated.joint * similar.first,
        similar.first,
        leads[1],
        similar.three,
        leads[2],
        centre,
        leads[3],
        alike,
        leads[4],
        spelled.known_share(prompts),
        spelled.covered_share(similar.nearest),
        np.log1p(spelled.length),
    )
    values = np.empty((len(prompts), len(NAMES)), dtype=np.float32)
    for place, column in enumerate(columns):
        values[:, place] = column
    return Features(prompts, values, similar.first, similar.nearest)


def _leads(values: Floats) -> Floats:
    """By how much each value of a row is above the best other one in it; a lone one leads by all of it."""
    if values.shape[1] == 1:
        return values
    ordered = np.sort(values, axis=1)
    first, second = ordered[:, -1:], ordered[:, -2:-1]
    return np.asarray(values - np.where(values == first, second, first), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Rated:
    """What the head thinks of the candidates."""

    prompts: Numbers
    logits: Floats
    probability: Floats
    """That it is this prompt, if any."""
    joint: Floats
    """That it is this prompt, and not none of them."""


def _rate(head: Head, count: int, vector: Vectors, near: Sequence[int]) -> _Rated:
    """Rates the nearest prompts, and picks the candidates among them; `count` rows of the head are prompts."""
    pool = np.array(near[:MAX_NEAR], dtype=np.int64)
    rows = np.concatenate([pool, np.arange(count, len(head.bias))])
    logits = head.weights[rows] @ vector + head.bias[rows]
    of_prompts = logits[: len(pool)]
    likely = np.argsort(-of_prompts, kind="stable")[:_BY_HEAD]
    chosen = np.unique(np.concatenate([np.arange(min(_BY_NEARNESS, len(pool))), likely]))
    top = of_prompts.max()
    odds = np.exp(of_prompts - top)
    total = odds.sum()
    none = np.exp(np.minimum(logits[len(pool) :] - top, _MOST_NONE)).sum()
    probability = odds[chosen] / total
    return _Rated(pool[chosen], of_prompts[chosen], probability, probability * (total / (total + none)))


@dataclass(frozen=True, slots=True)
class _Similar:
    """How similar the sentences of each candidate are to the message."""

    first: Floats
    three: Floats
    """Mean of the three most similar; of a prompt with fewer, the last one counts again."""
    nearest: Numbers


def _compare(cosines: Floats, rows: Numbers, edges: Numbers, counts: Numbers) -> _Similar:
    """`cosines` and `rows` of the candidates' sentences, candidate after candidate; each begins at its edge."""
    order = np.lexsort((-cosines, np.repeat(np.arange(len(counts)), counts)))
    ordered, ends = cosines[order], edges + counts - 1
    best = ordered[edges]
    three = (best + ordered[np.minimum(edges + 1, ends)] + ordered[np.minimum(edges + 2, ends)]) / 3
    return _Similar(best, three, rows[order[edges]])
