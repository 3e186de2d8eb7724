"""Greedy answers alone and in a crowd: the same tokens, but where two were nearly as likely.

A batch of another shape adds up the same numbers in another order. This part loads llama.cpp into its own process, the
worker's backend and scheduler as they are, to see the numbers behind each choice.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.desk_prompts import lone_prompt, shared_prompt
from benchmarks.soak.asking import MODEL, Choice, Figures, progress, spread
from benchmarks.weights import served
from models.formats import shared_places
from models.ports import ApprovedPrompt, Sampling
from models.worker.backend import Chooser
from models.worker.limits import EngineLimits
from models.worker.llama import LlamaBackend
from models.worker.messages import FromWorker, Generate, Load, Prompt
from models.worker.prefix_store import PrefixStore
from models.worker.scheduler import Scheduler

WHOLE = 300
AT_ONCE = 8
TOKENS = 32
NEAR = 0.5
"""Two tokens whose logits are no further apart are a near tie: the likelier is at most 1.65 times as likely."""
KEPT = 64
"""Of each choice: the likeliest tokens."""


@dataclass
class Record:
    """The tokens of one answer, and how likely the best of each choice were."""

    tokens: list[int] = field(default_factory=list)
    best: list[dict[int, float]] = field(default_factory=list)

    def gap(self, at: int, one: int, other: int) -> float:
        """How much likelier one token was than another, in logits."""
        return self.best[at].get(one, -np.inf) - self.best[at].get(other, -np.inf)


class Watched(LlamaBackend):
    """The worker's backend, whose choices are written down."""

    record = Record()
    """Of the request that is added next."""

    def chooser(self, sampling: Sampling) -> Chooser:
        return _Watching(self, super().chooser(sampling), self.record)


class _Watching:
    def __init__(self, backend: Watched, inner: Chooser, record: Record) -> None:
        self._backend, self._inner, self._record = backend, inner, record

    def choose(self, place: int) -> int:
        logits = self._backend._logits(place)  # noqa: SLF001 - the product has no use for this
        best = np.argpartition(logits, -KEPT)[-KEPT:]
        self._record.best.append({int(token): float(logits[token]) for token in best})
        self._record.tokens.append(self._inner.choose(place))
        return self._record.tokens[-1]

    def close(self) -> None:
        self._inner.close()


def run(choice: Choice) -> Figures:
    """Returns the figures of this part."""
    whole = choice.count(WHOLE)
    prompts = [lone_prompt(number) if number % 2 else shared_prompt(number) for number in range(whole)]
    backend = Watched(_load(choice))
    said: list[FromWorker] = []
    store, cells = PrefixStore(backend.identity), EngineLimits().prefix_cells
    scheduler = Scheduler(backend, said.append, lambda _: False, prefix_cells=cells, store=store)
    alone = _ask(backend, scheduler, prompts, 1, progress("batching, alone", whole))
    crowd = _ask(backend, scheduler, prompts, AT_ONCE, progress("batching, together", whole))
    found = [_difference(one, other) for one, other in zip(alone, crowd, strict=True)]
    gaps = [gap for gap in found if gap is not None]
    steps = [sorted(best.values())[-2:] for record in alone for best in record.best]
    return {
        "requests": whole,
        "at_once": AT_ONCE,
        "tokens": sum(len(record.tokens) for record in alone),
        "equal_share": round(1 - len(gaps) / whole, 4),
        "first_differences": len(gaps),
        "gap_when_alone": spread(gaps, digits=4),
        "near_tie_bound": NEAR,
        "differences_that_were_no_near_tie": sum(not gap <= NEAR for gap in gaps),
        "share_of_all_choices_within_bound": round(sum(high - low <= NEAR for low, high in steps) / len(steps), 4),
        "holds": len(said) == 2 * whole and all(gap <= NEAR for gap in gaps),
    }


def _load(choice: Choice) -> Load:
    limits, form = EngineLimits(), MODEL.prompt_format
    weights = served(MODEL)
    return Load(
        path=str(weights.path),
        sha256=weights.sha256,
        context_tokens=limits.context_tokens,
        threads=choice.threads,
        gpu_layers=0,
        begin_of_sequence=form.begin_of_sequence,
        control_markers=form.control_markers,
        end_tokens=form.end_tokens,
        parallel=AT_ONCE,
        cells=limits.cells,
        prefix_cells=limits.prefix_cells,
    )


def _ask(backend: Watched, scheduler: Scheduler, prompts: list[ApprovedPrompt], at_once: int, say: Any) -> list[Record]:
    """Answers all prompts, so many at once: a new one begins when one ends, so batches have every shape."""
    records = [Record() for _ in prompts]
    todo = deque(enumerate(prompts))
    while todo or not scheduler.is_idle:
        while todo and len(scheduler._runs) + len(scheduler._waiting) < at_once:  # noqa: SLF001 - as above
            number, asked = todo.popleft()
            backend.record = records[number]
            scheduler.add(_generate(number, asked), float("inf"))
            say(number)
        scheduler.step()
    return records


def _generate(number: int, asked: ApprovedPrompt) -> Generate:
    form = MODEL.prompt_format
    laid_out = Prompt(tuple(form.layout(asked)), shared_places(form, asked), asked.assistant)
    return Generate(number, laid_out, Sampling(max_tokens=TOKENS), form.stop, 0.0)


def _difference(alone: Record, crowd: Record) -> float | None:
    """Returns how far apart the two tokens of the first different choice were when computed alone; None for none."""
    for at, (one, other) in enumerate(zip(alone.tokens, crowd.tokens, strict=False)):
        if one != other:
            return alone.gap(at, one, other)
    return None if len(alone.tokens) == len(crowd.tokens) else float("inf")
