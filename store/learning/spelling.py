"""How sentences are spelled: words and runs of characters as numbers, and how rare each of them is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from store.learning.corpus import Numbers
from store.learning.heads import Floats

Ids = NDArray[np.int32]

_WORD = re.compile(r"\w+")
_BITS = 16
_BUCKETS = 1 << _BITS
"""Numbers of words and runs. Two that share one count as the same: of a message's 150 runs, 1 in 400 meets another."""
_NOTHING: Ids = np.full(1, _BUCKETS, dtype=np.int32)
"""Stands for the words or runs of a sentence without any, so that no sentence is empty; it weighs nothing."""
_MIX = np.uint32(2654435761)
"""Knuth's multiplicative hash (The Art of Computer Programming, 6.4): spreads sums of code points over all bits."""
_STEP = np.uint32(40503)
"""Of the same kind, for the second character: "ab" and "ba" are different runs."""
_SPACE = 32
_LEAST = np.float32(1e-9)
"""Stands for a length or a mass of zero."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """One sentence: its distinct words, and its distinct runs of 2 to 4 characters with the weight of their number."""

    words: Ids
    runs: Ids
    weights: Floats
    """1 + log(how often), the usual damping of a term's frequency."""


def spell(text: str) -> Spelling:
    """Returns the spelling of `text`. Runs do not reach beyond a word and the space on either side of it."""
    words = _WORD.findall(text.casefold())
    if not words:
        return Spelling(_NOTHING, _NOTHING, np.zeros(1, dtype=np.float32))
    hashed = {crc32(word.encode("utf-8", "surrogatepass")) % _BUCKETS for word in words}
    codes = np.frombuffer(f" {' '.join(words)} ".encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    inside = codes != _SPACE
    mixed = codes * _MIX
    two = mixed[:-1] + codes[1:] * _STEP
    three = two[:-1] * _STEP + mixed[2:]
    four = three[:-1] * _STEP + mixed[3:]
    runs = np.concatenate([two, three[inside[1:-1]], four[inside[1:-2] & inside[2:-1]]])
    ids, counts = np.unique(runs * _MIX >> np.uint32(32 - _BITS), return_counts=True)
    weights = 1 + np.log(counts.astype(np.float32))
    return Spelling(np.array(sorted(hashed), dtype=np.int32), ids.astype(np.int32), weights)


@dataclass(frozen=True, slots=True)
class Bags:
    """Numbers of words or runs, by sentence or prompt: bag i is ids[starts[i]:starts[i + 1]], never empty."""

    starts: Numbers
    ids: Ids

    def places(self, bags: Numbers) -> tuple[Numbers, Numbers]:
        """Returns the places of all numbers in these bags, bag after bag, and where each bag begins among them."""
        first = self.starts[bags]
        counts = self.starts[bags + 1] - first
        edges = np.cumsum(counts) - counts
        return np.arange(int(counts.sum())) + np.repeat(first - edges, counts), edges


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The spellings of the N sentences of a corpus, and how rare their words and runs are."""

    run_rarity: Floats
    word_rarity: Floats
    runs: Bags
    run_weights: Floats
    """One a number in `runs`; those of a sentence have length 1."""
    words: Bags
    word_mass: Floats
    """(N,) sum of the rarities of a sentence's words."""
    prompt_words: Bags
    """The distinct words of all sentences of each prompt."""


def build_lexicon(spellings: Sequence[Spelling], labels: Numbers, others: Sequence[Spelling]) -> Lexicon:
    """Builds the lexicon of sentences with labels 0..K-1; `others` count only for how rare a word or run is."""
    run_rarity = _rarity([one.runs for one in (*spellings, *others)])
    word_rarity = _rarity([one.words for one in (*spellings, *others)])
    runs, words = _bags([one.runs for one in spellings]), _bags([one.words for one in spellings])
    weights = np.concatenate([one.weights for one in spellings]) * run_rarity[runs.ids]
    lengths = np.sqrt(np.add.reduceat(weights * weights, runs.starts[:-1]))
    pairs = np.unique(np.repeat(labels, np.diff(words.starts)) * (_BUCKETS + 1) + words.ids)
    prompts = np.searchsorted(pairs // (_BUCKETS + 1), np.arange(int(labels[-1]) + 2))
    return Lexicon(
        run_rarity=run_rarity,
        word_rarity=word_rarity,
        runs=runs,
        run_weights=weights / np.maximum(np.repeat(lengths, np.diff(runs.starts)), _LEAST),
        words=words,
        word_mass=np.add.reduceat(word_rarity[words.ids], words.starts[:-1]),
        prompt_words=Bags(prompts, (pairs % (_BUCKETS + 1)).astype(np.int32)),
    )


def _rarity(bags: Sequence[Ids]) -> Floats:
    """Smoothed inverse document frequency of each number: log((1 + n) / (1 + df)) + 1."""
    counts = np.bincount(np.concatenate(bags), minlength=_BUCKETS + 1)
    rarity = (np.log((1 + len(bags)) / (1 + counts)) + 1).astype(np.float32)
    rarity[_BUCKETS] = 0
    return rarity


def _bags(bags: Sequence[Ids]) -> Bags:
    starts = np.zeros(len(bags) + 1, dtype=np.int64)
    np.cumsum([len(bag) for bag in bags], out=starts[1:])
    return Bags(starts, np.concatenate(bags))


class SpelledMessage:
    """A message laid out over all numbers, so that a sentence is compared with it by one look-up a word or run."""

    def __init__(self, text: str, lexicon: Lexicon) -> None:
        spelling = spell(text)
        self._lexicon = lexicon
        weights = spelling.weights * lexicon.run_rarity[spelling.runs]
        self._runs = np.zeros(_BUCKETS + 1, dtype=np.float32)
        self._runs[spelling.runs] = weights / np.maximum(np.sqrt(weights @ weights), _LEAST)
        rarity = lexicon.word_rarity[spelling.words]
        self._words = np.zeros(_BUCKETS + 1, dtype=np.float32)
        self._words[spelling.words] = rarity
        self._mass: np.float32 = np.maximum(rarity.sum(), _LEAST)
        self.length = 0 if spelling.words is _NOTHING else len(spelling.words)

    def likeness(self, first: Numbers, counts: Numbers) -> Floats:
        """Returns the cosine of the message's runs with those of each sentence, 0 to 1, spans of sentences in turn."""
        ids, weights, starts = self._lexicon.runs.ids, self._lexicon.run_weights, self._lexicon.runs.starts
        spans = [(low, low + count) for low, count in zip(first.tolist(), counts.tolist(), strict=True)]
        # Slices: to gather some 8,000 places one by one takes twice as long.
        parts = [slice(starts[low], starts[high]) for low, high in spans]
        found = self._runs[np.concatenate([ids[part] for part in parts])]
        found *= np.concatenate([weights[part] for part in parts])
        lengths = np.concatenate([starts[low + 1 : high + 1] - starts[low:high] for low, high in spans])
        return np.asarray(np.add.reduceat(found, np.cumsum(lengths) - lengths), dtype=np.float32)

    def known_share(self, prompts: Numbers) -> Floats:
        """Returns which share of the message's word mass the sentences of each prompt know."""
        return self._mass_in(self._lexicon.prompt_words, prompts) / self._mass

    def covered_share(self, rows: Numbers) -> Floats:
        """Returns which share of each sentence's word mass the message has."""
        share = self._mass_in(self._lexicon.words, rows) / np.maximum(self._lexicon.word_mass[rows], _LEAST)
        return np.asarray(share, dtype=np.float32)

    def _mass_in(self, bags: Bags, numbers: Numbers) -> Floats:
        places, edges = bags.places(numbers)
        return np.asarray(np.add.reduceat(self._words[bags.ids[places]], edges), dtype=np.float32)
