"""What a matcher learns from: approved sentences by prompt, counterexamples, and sentences that no store answers."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from itertools import dropwhile

import numpy as np
from numpy.typing import NDArray

from store.phrases import Row, RowKind, fill_sample, fold

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Sentences and the prompts that they belong to. The sentences of a prompt stand together; arrays are read-only."""

    keys: tuple[str, ...]
    """The prompts, sorted; a label is a place in here."""
    texts: tuple[str, ...]
    """Every sentence as it is embedded, its blanks filled."""
    phrasings: tuple[str, ...]
    """The same sentences as their author wrote them."""
    labels: Numbers
    """The prompt of each sentence; never decreasing."""
    groups: Numbers
    """Sentences made from one phrasing share a number: who knows one of them knows them all."""
    counter_texts: tuple[str, ...]
    counter_labels: Numbers
    """The prompt that each counterexample must not be answered with."""

    def __post_init__(self) -> None:
        sizes = {len(self.texts), len(self.phrasings), len(self.labels), len(self.groups)}
        if len(sizes) != 1 or len(self.counter_texts) != len(self.counter_labels):
            raise ValueError("a corpus needs one label and one group for each sentence. This is a bug.")
        if not np.array_equal(np.unique(self.labels), np.arange(len(self.keys))) or np.any(np.diff(self.labels) < 0):
            raise ValueError("the sentences of a corpus stand in the order of its prompts, none empty. This is a bug.")
        for array in (self.labels, self.groups, self.counter_labels):
            array.flags.writeable = False

    def fingerprint(self) -> str:
        """Returns the hash of all that is learned from, hex."""
        digest = sha256()
        for texts in (self.keys, self.texts, self.phrasings, self.counter_texts):
            digest.update(len(texts).to_bytes(8, "big"))
            for text in texts:
                data = text.encode()
                digest.update(len(data).to_bytes(8, "big") + data)
        for array in (self.labels, self.groups, self.counter_labels):
            digest.update(array.astype("<i8").tobytes())
        return digest.hexdigest()


def corpus_of(rows: Sequence[Row], areas: Collection[str]) -> Corpus:
    """Returns the phrasings and counterexamples of the areas; follow-ups mean something in their place only."""
    own = [row for row in rows if row.prompt.content.area in areas]
    own.sort(key=lambda row: row.prompt.key)
    said = [row for row in own if row.kind is RowKind.PHRASING]
    countered = [row for row in own if row.kind is RowKind.COUNTEREXAMPLE]
    return _corpus(
        [(row.prompt.key, fill_sample(row), row.text) for row in said],
        [(row.prompt.key, fill_sample(row)) for row in countered],
    )


def corpus_of_pairs(pairs: Iterable[tuple[str, str]]) -> Corpus:
    """Returns the corpus of (sentence, key of its prompt) pairs, in the order of their keys."""
    return _corpus([(key, text, text) for text, key in sorted(pairs, key=lambda pair: pair[1])], ())


def background() -> tuple[str, ...]:
    """Returns the packaged sentences that no store answers: small talk, strange topics, fragments."""
    lines = (files("store.learning") / "background.txt").read_text(encoding="utf-8").splitlines()
    # "#88412" is a sentence: only the lines at the top are remarks.
    said = dropwhile(lambda line: line.startswith("# "), lines)
    return tuple(line.strip() for line in said if line.strip())


def _corpus(said: Sequence[tuple[str, str, str]], countered: Sequence[tuple[str, str]]) -> Corpus:
    keys = tuple(sorted({key for key, _, _ in said}))
    numbers = {key: number for number, key in enumerate(keys)}
    groups: dict[tuple[str, str], int] = {}
    known = [(text, numbers[key]) for key, text in countered if key in numbers]
    return Corpus(
        keys=keys,
        texts=tuple(text for _, text, _ in said),
        phrasings=tuple(written for _, _, written in said),
        labels=_numbers(numbers[key] for key, _, _ in said),
        groups=_numbers(groups.setdefault((key, fold(written)), len(groups)) for key, _, written in said),
        counter_texts=tuple(text for text, _ in known),
        counter_labels=_numbers(label for _, label in known),
    )


def _numbers(values: Iterable[int]) -> Numbers:
    return np.fromiter(values, dtype=np.int64)
