"""ROUGE-L between sentences (Lin 2004): how much of the words of two stands in the same order, from 0 to 1."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from store.phrases import fold

TOO_ALIKE = 0.7
"""Self-Instruct's limit (Wang et al. 2022): a new sentence must be below it against every other."""
_WORD = re.compile(r"\w+")


def words_of(text: str) -> tuple[str, ...]:
    """Returns the words of a sentence as they are compared."""
    return tuple(_WORD.findall(fold(text)))


def rouge_l(one: Sequence[str], other: Sequence[str]) -> float:
    """Returns the F1 of the longest common subsequence of two lists of words; two empty ones have nothing in common."""
    common = _longest_common(one, other)
    return 2.0 * common / (len(one) + len(other)) if common else 0.0


class Alike:
    """Sentences to compare new ones with. Looks closely only at those that share enough words to be alike at all."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._sentences: list[tuple[str, tuple[str, ...]]] = []
        self._with_word: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        """Adds a sentence."""
        words = words_of(text)
        number = len(self._sentences)
        self._sentences.append((text, words))
        for word, count in Counter(words).items():
            self._with_word[word].append((number, count))

    def most_alike(self, text: str, *, at_least: float = TOO_ALIKE) -> tuple[float, str] | None:
        """Returns the highest ROUGE-L of at least that, with the sentence that has it, or None."""
        words = words_of(text)
        shared: Counter[int] = Counter()
        for word, count in Counter(words).items():
            for number, other in self._with_word.get(word, ()):
                shared[number] += min(count, other)
        best: tuple[float, str] | None = None
        for number, common in shared.items():
            sentence, other_words = self._sentences[number]
            # A subsequence is never longer than the words in common.
            if 2.0 * common / (len(words) + len(other_words)) < at_least:
                continue
            score = rouge_l(words, other_words)
            if score >= at_least and (best is None or score > best[0]):
                best = (score, sentence)
        return best


def _longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    row = [0] * (len(other) + 1)
    for word in one:
        diagonal = 0
        for place, counterpart in enumerate(other, 1):
            above = row[place]
            row[place] = diagonal + 1 if word == counterpart else max(above, row[place - 1])
            diagonal = above
    return row[-1]
