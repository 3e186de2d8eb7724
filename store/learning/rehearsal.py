"""Rehearsal: every sentence looked at while the matcher does not know it, which is what the stack learns from."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from store.learning.corpus import Corpus, Numbers
from store.learning.features import Features, Knowledge, look_at
from store.learning.folds import Folds, FoldVectors
from store.learning.heads import Floats, Head, fit_head, is_regressed
from store.learning.spelling import Spelling, build_lexicon, spell
from store.vectors import Vectors

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many steps of it are done, and of how many; what it raises ends the fit."""
_MOST_QUESTIONS = 1500
"""Held-out phrasings, and as many near misses, that a fold looks at: of 6,000 in all, a rate of 1 % is known to 0.13
percentage points (standard error). More take a minute for each 20,000 and tell the limits nothing new."""
_MOST_COSINES = 250_000_000
"""Cosines that they are compared by: beyond 50,000 phrasings fewer are looked at, so that a fit stays in minutes."""
_BLOCK = 256
"""Sentences whose similarities to the whole corpus are in memory at once."""
_FIRST_HITS = 64
_MORE_HITS = 4
_ENOUGH_PROMPTS = 5
"""How store/matcher.py looks for neighbours: 64, then four times as many until they are of five prompts."""
_LEAST = 1e-9
"""Stands for a length of zero."""


class HeldOutKind(IntEnum):
    """What a held-out sentence stands for."""

    IN_SCOPE = 0
    """A phrasing held out: someone asks in other words what the store answers."""
    NEAR_MISS = 1
    """Its whole prompt held out: someone asks about the same things what the store does not answer."""
    STRANGER = 2
    """A background sentence: someone asks something else."""
    COUNTEREXAMPLE = 3
    """What must not be answered with the prompt in `label`."""


@dataclass(frozen=True, slots=True)
class Question:
    """A sentence to look at: its words, its vector and what it stands for."""

    text: str
    vector: Vectors
    kind: HeldOutKind
    truth: int
    """Number of the right prompt, or -1."""
    label: int
    """Number of the prompt that it belongs to, or -1."""
    part: int
    """The fold that it was dealt to: the stack that scores it is fitted without all of that part."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A held-out sentence and its features; prompts and rows are numbered as in the corpus."""

    question: Question
    features: Features
    countered: Floats
    """(m,) cosine of each candidate's nearest counterexample but the sentence itself; -1 where it has none."""


@dataclass(frozen=True, slots=True)
class Spelled:
    """The spellings of all sentences: made once, used in every fold."""

    sentences: Sequence[Spelling]
    background: Sequence[Spelling]

    @classmethod
    def of(cls, corpus: Corpus, background: Sequence[str]) -> "Spelled":
        """Spells everything out."""
        return cls([spell(text) for text in corpus.texts], [spell(text) for text in background])

    def only(self, rows: Numbers, others: Numbers) -> "Spelled":
        """Returns some of them."""
        return Spelled([self.sentences[row] for row in rows], [self.background[row] for row in others])


def know(
    vectors: Vectors,
    labels: Numbers,
    background: Vectors,
    spelled: Spelled,
    start: Head | None = None,
    *,
    by_regression: bool | None = None,
) -> Knowledge:
    """Returns what messages are compared with, from sentences with labels 0..K-1, never decreasing."""
    starts = np.searchsorted(labels, np.arange(int(labels[-1]) + 2))
    centres = np.add.reduceat(vectors, starts[:-1], axis=0)
    centres /= np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), _LEAST)
    return Knowledge(
        starts=starts,
        vectors=np.ascontiguousarray(vectors),
        centres=centres,
        head=fit_head(vectors, labels, background, start, by_regression=by_regression),
        lexicon=build_lexicon(spelled.sentences, labels, spelled.background),
    )


def look_at_all(knowledge: Knowledge, questions: Sequence[Question]) -> Iterator[Features]:
    """Looks at every question as serving does, but finds the nearest sentences exhaustively."""
    labels = np.repeat(np.arange(len(knowledge.centres)), np.diff(knowledge.starts))
    for start in range(0, len(questions), _BLOCK):
        block = questions[start : start + _BLOCK]
        cosines = np.stack([question.vector for question in block]) @ knowledge.vectors.T
        for question, own in zip(block, cosines, strict=True):
            seen = look_at(knowledge, question.text, question.vector, _nearest_prompts(own, labels))
            if seen is None:
                raise AssertionError("a question without any prompt. This is a bug.")
            yield seen


def _nearest_prompts(cosines: Floats, labels: Numbers) -> list[int]:
    """The prompts of the nearest sentences, found as `store.matcher` finds them: in ever more hits."""
    count = _FIRST_HITS
    while True:
        rows = np.argpartition(-cosines, count - 1)[:count] if count < len(cosines) else np.arange(len(cosines))
        near = dict.fromkeys(labels[rows[np.lexsort((rows, -cosines[rows]))]].tolist())
        if len(near) >= _ENOUGH_PROMPTS or count >= len(cosines):
            return list(near)
        count *= _MORE_HITS


def rehearse(
    corpus: Corpus,
    folds: Folds,
    vectors: FoldVectors,
    background: Sequence[str],
    *,
    is_tuned: bool,
    progress: Progress,
) -> Iterator[Looked]:
    """Yields every sentence as it looks to a matcher that does not know it.

    `is_tuned` says that the vectors of a fold know nothing of the prompts that it holds out: their phrasings are then
    looked at as near misses only, since to serve an embedder that never saw a prompt is not what serving does.
    """
    spelled = Spelled.of(corpus, background)
    for fold in range(folds.count):
        progress("rehearsing", fold, folds.count)
        stage = _Stage(corpus, folds, fold, vectors[fold], background=background, spelled=spelled)
        yield from stage.answerable(is_tuned=is_tuned)
        yield from stage.unanswerable()
    progress("rehearsing", folds.count, folds.count)


class _Stage:
    """One fold, with its vectors."""

    def __init__(
        self,
        corpus: Corpus,
        folds: Folds,
        fold: int,
        vectors: tuple[Vectors, Vectors],
        *,
        background: Sequence[str],
        spelled: Spelled,
    ) -> None:
        self._corpus, self._folds, self._fold, self._texts, self._spelled = corpus, folds, fold, background, spelled
        self._vectors, self._background = vectors
        self._is_held = folds.prompts[corpus.labels] == fold
        self._counters = _Counterexamples(corpus, self._vectors[len(corpus.labels) :])
        self._head: tuple[Numbers, Head] | None = None

    def answerable(self, *, is_tuned: bool) -> Iterator[Looked]:
        """Phrasings held out, strangers and counterexamples, against all the other sentences."""
        corpus, fold = self._corpus, self._fold
        known = np.flatnonzero(self._folds.rows != fold)
        # A prompt none of whose other sentences are known cannot be right: its sentences are near misses elsewhere.
        asked = (self._folds.rows == fold) & np.isin(corpus.labels, corpus.labels[known])
        if is_tuned:
            asked &= ~self._is_held
        questions = [
            self._about(row, HeldOutKind.IN_SCOPE) for row in _some(np.flatnonzero(asked), len(corpus.labels)).tolist()
        ]
        questions += [
            Question(self._texts[row], self._background[row], HeldOutKind.STRANGER, -1, -1, fold)
            for row in np.flatnonzero(self._folds.background == fold).tolist()
        ]
        counters = self._vectors[len(corpus.labels) :]
        questions += [
            Question(corpus.counter_texts[row], counters[row], HeldOutKind.COUNTEREXAMPLE, -1, int(label), fold)
            for row, label in enumerate(corpus.counter_labels)
            if row % self._folds.count == fold
        ]
        return self._look(known, questions)

    def unanswerable(self) -> Iterator[Looked]:
        """The sentences of the prompts held out, against the sentences of the other prompts."""
        known = np.flatnonzero((self._folds.rows != self._fold) & ~self._is_held)
        asked = _some(np.flatnonzero(self._is_held), len(self._is_held))
        return self._look(known, [self._about(row, HeldOutKind.NEAR_MISS) for row in asked.tolist()])

    def _about(self, row: int, kind: HeldOutKind) -> Question:
        label = int(self._corpus.labels[row])
        truth = label if kind is HeldOutKind.IN_SCOPE else -1
        part = int(self._folds.rows[row])
        return Question(self._corpus.texts[row], self._vectors[row], kind, truth, label, part)

    def _look(self, known: Numbers, questions: Sequence[Question]) -> Iterator[Looked]:
        if not len(known) or not questions:
            return
        prompts, labels = np.unique(self._corpus.labels[known], return_inverse=True)
        others = self._folds.known_background(self._fold)
        spelled = self._spelled.only(known, others)
        knowledge = know(
            self._vectors[known],
            labels,
            self._background[others],
            spelled,
            self._start(prompts),
            by_regression=is_regressed(len(self._corpus.labels), len(self._background), len(self._corpus.keys)),
        )
        self._head = (prompts, knowledge.head)
        for question, seen in zip(questions, look_at_all(knowledge, questions), strict=True):
            own = Features(prompts[seen.prompts], seen.values, seen.similarities, known[seen.nearest])
            yield Looked(question, own, self._counters.nearest(question, own.prompts))

    def _start(self, prompts: Numbers) -> Head | None:
        """The head before without the prompts that are held out now: a good place to start the next fit from."""
        if self._head is None:
            return None
        before, head = self._head
        rows = np.append(np.searchsorted(before, prompts), np.arange(len(before), len(head.bias)))
        return Head(head.weights[rows], head.bias[rows])


class _Counterexamples:
    """The counterexamples of a corpus, all of them known whatever is held out: a prompt keeps its own."""

    def __init__(self, corpus: Corpus, vectors: Vectors) -> None:
        order = np.argsort(corpus.counter_labels, kind="stable")
        self._starts = np.searchsorted(corpus.counter_labels[order], np.arange(len(corpus.keys) + 1)).tolist()
        self._texts = [corpus.counter_texts[row] for row in order.tolist()]
        self._vectors = vectors[order]

    def nearest(self, question: Question, prompts: Numbers) -> Floats:
        """Returns the cosine of each prompt's nearest counterexample, which is never the question itself."""
        return np.array([self._of(question, prompt) for prompt in prompts.tolist()], dtype=np.float32)

    def _of(self, question: Question, prompt: int) -> float:
        start, end = self._starts[prompt], self._starts[prompt + 1]
        others = [row for row in range(start, end) if self._texts[row] != question.text]
        return float((self._vectors[others] @ question.vector).max(initial=-1.0))


def _some(rows: Numbers, size: int) -> Numbers:
    """As many of the rows as a fold over `size` sentences looks at, spread evenly over all prompts."""
    most = min(_MOST_QUESTIONS, _MOST_COSINES // size)
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
