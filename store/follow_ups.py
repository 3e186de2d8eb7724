"""How near a message must be to a follow-up to be one, right after the follow-up's predecessor."""

from collections.abc import Collection

import numpy as np

from store.index import PromptIndex
from store.learning.limits import NEVER, sentences_needed
from store.phrases import RowKind
from store.vectors import Numbers, Vectors

_MOST_PHRASINGS = 5_000
"""Phrasings that are looked at; more would not move the limit."""


def follow_up_limit(index: PromptIndex, areas: Collection[str], rate: float) -> float:
    """Returns the similarity that a share `rate` of other prompts' phrasings have to some follow-up of a predecessor.

    After an answer a person may ask anything, so the phrasings of all other prompts stand for what is no follow-up.
    Whoever asks about the same matter in a way that no follow-up covers is not among them: keep follow-ups specific.
    `NEVER` where the phrasings are too few to show the rate.
    """
    rows = [index.row(number) for number in range(len(index))]
    own = [number for number, row in enumerate(rows) if row.prompt.content.area in areas]
    said = np.array([number for number in own if rows[number].kind is RowKind.PHRASING], dtype=np.int64)
    if len({rows[number].text for number in said.tolist()}) < sentences_needed(1.0, rate):
        return NEVER
    said = said[:: max(1, len(said) // _MOST_PHRASINGS)]
    after: dict[str, list[int]] = {}
    for number in own:
        if rows[number].kind is RowKind.FOLLOW_UP:
            for predecessor in rows[number].prompt.content.follows:
                after.setdefault(predecessor, []).append(number)
    reached = [_nearest(index, said, np.array(numbers, dtype=np.int64)) for numbers in after.values()]
    reached = [values for values in reached if len(values)]
    return float(np.quantile(np.concatenate(reached), 1 - rate)) if reached else NEVER


def _nearest(index: PromptIndex, said: Numbers, follow_ups: Numbers) -> Vectors:
    """Returns how near each phrasing of a prompt that is none of those that follow comes to the follow-ups."""
    followers = {index.row(number).prompt.key for number in follow_ups.tolist()}
    others = np.array([n for n in said.tolist() if index.row(n).prompt.key not in followers], dtype=np.int64)
    if not len(others):
        return np.empty(0, dtype=np.float32)
    nearest: Vectors = (index.vectors_of(others) @ index.vectors_of(follow_ups).T).max(axis=1)
    return nearest
