"""What the tuning of an embedder on the store's phrasings costs and sees: its numbers, and which sentences meet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelRefused


@dataclass(frozen=True, slots=True)
class TuningPlan:
    """The numbers of one tuning; the defaults are those measured in docs/adr/0008-a-learned-matcher.md."""

    steps: int = 80
    """Batches; about 0.8 s each on one core for a model of MiniLM's size."""
    trained_layers: int = 4
    """Layers from the top that change; those below stay, so what they compute is computed once a sentence."""
    learning_rate: float = 1e-4
    """Reached after `warm_up`, then falling to 0 in a straight line."""
    warm_up: float = 0.1
    """Share of the steps in which the rate rises."""
    weight_decay: float = 0.01
    temperature: float = 0.1
    """Of the loss: smaller looks at the nearest sentences alone. 0.05 was no better."""
    prompts: int = 16
    """Prompts in a batch."""
    phrasings: int = 4
    """Phrasings of each; more of each in a store of fewer prompts than `prompts`, so that a batch keeps its size."""
    others: int = 16
    """Sentences in a batch that belong to no prompt: everything must stay away from them, they from nothing."""
    max_gradient: float = 1.0
    kept: float = 0.75
    """Share of the change that is kept: weights between the untuned and the tuned ones (WiSE-FT, arXiv:2109.01903).

    Less of it leaves questions that no prompt answers further away, more of it tells the prompts better apart.
    """

    def __post_init__(self) -> None:
        if min(self.steps, self.trained_layers, self.prompts) < 1 or self.phrasings < 2 or self.others < 0:  # noqa: PLR2004 - a pair is two
            raise ValueError("a plan needs a step, a layer, a prompt and two phrasings of it at least")
        if not (self.learning_rate > 0 and self.temperature > 0 and self.max_gradient > 0):
            raise ValueError("learning_rate, temperature and max_gradient must be above 0")
        if not (0 <= self.warm_up <= 1 and self.weight_decay >= 0):
            raise ValueError("warm_up must be between 0 and 1, weight_decay at least 0")
        if not 0 < self.kept <= 1:
            raise ValueError("kept must be above 0 and at most 1")

    def rate(self, step: int) -> float:
        """Returns the learning rate of a step, counted from 0."""
        rising = (step + 1) / max(1.0, self.warm_up * self.steps)
        return self.learning_rate * min(1.0, rising) * (1 - step / self.steps)


FINAL = TuningPlan()
"""For the embedder that will serve: 37 to 71 CPU seconds for 300 to 800 phrasings."""

FOLD = TuningPlan(steps=40, trained_layers=3, others=8)
"""For an embedder that only shows how a matcher fares with what it does not know: 15 to 27 CPU seconds."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Sentences that meet in one step, as row numbers."""

    rows: NDArray[np.int64]
    """Of the phrasings; the first `labelled` attract those of their own prompt, the rest attract nothing."""
    labelled: int
    background: NDArray[np.int64]
    """Of the background sentences."""


def draw(
    labels: Sequence[int] | NDArray[np.int64], background: int, plan: TuningPlan, *, seed: int
) -> tuple[Batch, ...]:
    """Returns the batches of a tuning, the same ones for the same arguments.

    Every prompt with two phrasings takes its turn before one comes again. A prompt with a single phrasing attracts
    nothing, so its phrasing joins the background. Raises `ModelRefused` for a store that nothing can be learned from.
    """
    numbers = np.asarray(labels, dtype=np.int64)
    members = [np.flatnonzero(numbers == label) for label in np.unique(numbers)]
    pairs = [rows for rows in members if len(rows) > 1]
    if len(members) < 2:  # noqa: PLR2004 - one prompt has no other to differ from
        raise ModelRefused("tuning needs at least two prompts; the embedder serves as it is")
    if not pairs:
        raise ModelRefused("tuning needs a prompt with at least two phrasings; the embedder serves as it is")
    # Negative numbers are background sentences, so that one draw covers both.
    alone = [int(rows[0]) for rows in members if len(rows) == 1]
    others = np.asarray([*alone, *(-1 - row for row in range(background))], dtype=np.int64)
    random = np.random.default_rng(seed)
    return tuple(_batches(pairs, others, plan, random))


def _batches(
    pairs: Sequence[NDArray[np.int64]], others: NDArray[np.int64], plan: TuningPlan, random: np.random.Generator
) -> Iterator[Batch]:
    in_batch = min(plan.prompts, len(pairs))
    of_each = -(-plan.prompts * plan.phrasings // in_batch)
    waiting: list[int] = []
    for _ in range(plan.steps):
        chosen: list[int] = []
        while len(chosen) < in_batch:
            if not waiting:
                waiting = [int(prompt) for prompt in random.permutation(len(pairs)) if prompt not in chosen]
            chosen.append(waiting.pop())
        rows = [random.choice(pairs[prompt], min(of_each, len(pairs[prompt])), replace=False) for prompt in chosen]
        labelled = np.concatenate(rows)
        other = random.choice(others, min(plan.others, len(others)), replace=False)
        yield Batch(
            rows=np.concatenate([labelled, other[other >= 0]]),
            labelled=len(labelled),
            background=-1 - other[other < 0],
        )
