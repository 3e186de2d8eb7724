"""Asks a model many things at once and notices whoever is still without an outcome after the deadline."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.weights import served
from models.catalog import known_model
from models.device import DevicePlan
from models.errors import ModelError
from models.ports import ApprovedPrompt, Cancellation, Completion, PartKind, PromptPart, RenderedPrompt, Sampling
from models.worker.engine import LlamaModel
from models.worker.limits import EngineLimits
from models.worker.process import WorkerProgram

LATE_S = 2.0
"""An outcome that comes later than this after the deadline, or never, is a hang."""
MODEL = known_model("smollm2-135m-instruct")
START_S = 120.0
POLL_S = 0.05

Figures = dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """What the person at the command line chose."""

    scale: float
    threads: int
    seed: int

    def count(self, whole: int) -> int:
        """Returns how many of a part's cases are run."""
        return max(1, round(whole * self.scale))

    def random(self, part: str) -> Random:
        """Returns numbers that are the same for the same seed and part."""
        return Random(f"{self.seed} {part}")  # noqa: S311 - test cases, no secrets


@dataclass(frozen=True)
class Outcome:
    """How one request ended."""

    name: str
    """`answer`, or the class of the exception."""
    took_s: float
    timeout_s: float
    text: str
    """The answer, or what was told of it before it failed."""
    completion: Completion | None = None
    words: str = ""
    is_foreign: bool = False
    """Whether the exception was none of the model's own."""

    @property
    def is_late(self) -> bool:
        """Whether it came after the deadline and the time allowed for it."""
        return self.took_s > self.timeout_s + LATE_S


@dataclass
class Crowd:
    """The outcomes of many calls, by their number, and those that never came."""

    outcomes: dict[int, Outcome] = field(default_factory=dict)
    stuck: set[int] = field(default_factory=set)

    @property
    def hangs(self) -> int:
        """Requests whose outcome came too late or not at all."""
        return len(self.stuck) + sum(one.is_late for one in self.outcomes.values())

    @property
    def names(self) -> dict[str, int]:
        """How many ended in which way."""
        return counted(outcome.name for outcome in self.outcomes.values())


def new_model(choice: Choice, limits: EngineLimits | None = None) -> LlamaModel:
    """Starts the packaged model in a worker and waits until it is ready."""
    model = LlamaModel(
        MODEL, DevicePlan(choice.threads, 0), limits or EngineLimits(), WorkerProgram(), unpacked=served(MODEL)
    )
    model.start(START_S)
    return model


def prompt(question: str, instructions: str = "", slot: str = "", assistant: str = "desk") -> ApprovedPrompt:
    """Returns a prompt as the gateway would build it."""
    parts = [PromptPart(question, PartKind.APPROVED)]
    if slot:
        parts.append(PromptPart(slot, PartKind.SLOT))
    texts = (PromptPart(instructions, PartKind.APPROVED),) if instructions else ()
    return ApprovedPrompt(RenderedPrompt(texts, tuple(parts), assistant))


def ask(
    model: LlamaModel,
    asked: ApprovedPrompt,
    sampling: Sampling,
    *,
    timeout_s: float,
    cancellation: Cancellation | None = None,
    on_text: Callable[[str], None] | None = None,
) -> Outcome:
    """Asks, and returns how it ended instead of raising."""
    told: list[str] = []
    started_s = time.monotonic()

    def tell(text: str) -> None:
        told.append(text)
        if on_text is not None:
            on_text(text)

    def ended(name: str, text: str, **more: Any) -> Outcome:
        return Outcome(name, time.monotonic() - started_s, timeout_s, text, **more)

    try:
        completion = model.complete(
            asked,
            sampling,
            deadline_s=started_s + timeout_s,
            cancellation=cancellation or Cancellation(),
            on_text=tell if on_text is not None else None,
        )
    except ModelError as error:
        return ended(type(error).__name__, "".join(told), words=str(error))
    except Exception as error:  # noqa: BLE001 - exceptions of other kinds are what is counted
        return ended(type(error).__name__, "".join(told), words=str(error), is_foreign=True)
    return ended("answer", completion.text, completion=completion)


def together(
    calls: Sequence[Callable[[], Outcome]], at_once: int, timeout_s: float, say: Callable[[int], None] | None = None
) -> Crowd:
    """Makes the calls, so many at once; a call that is stuck is left behind and counted."""
    crowd, begun, lock = Crowd(), dict[int, float](), threading.Lock()
    todo = iter(enumerate(calls))

    def work() -> None:
        while True:
            with lock:
                number, call = next(todo, (-1, None))
                if call is None:
                    return
                begun[number] = time.monotonic()
            outcome = call()
            with lock:
                crowd.outcomes[number] = outcome
                del begun[number]

    threads = [_started(work) for _ in range(at_once)]
    while any(thread.is_alive() for thread in threads):
        time.sleep(POLL_S)
        with lock:
            late_s = time.monotonic() - timeout_s - 2 * LATE_S
            stuck = {number for number, at in begun.items() if at < late_s} - crowd.stuck
            crowd.stuck |= stuck
            done = len(crowd.outcomes)
        threads += [_started(work) for _ in stuck]
        if len(crowd.stuck) >= len(begun) > 0 and done + len(crowd.stuck) == len(calls):
            break
        if say is not None:
            say(done)
    return crowd


def counted(names: Iterator[str] | list[str]) -> dict[str, int]:
    """Returns how often each name comes, most frequent first."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: -pair[1]))


def spread(values: Sequence[float], digits: int = 1) -> Figures:
    """Returns the middle, the 95th percentile and the largest of some values."""
    ordered = sorted(values)
    if not ordered:
        return {"count": 0}
    middle, high = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return {
        "count": len(ordered),
        "p50": round(middle, digits),
        "p95": round(high, digits),
        "max": round(ordered[-1], digits),
    }


def progress(part: str, whole: int) -> Callable[[int], None]:
    """Returns what tells standard error, every few seconds, how much is done."""
    last_s = [time.monotonic()]

    def say(done: int) -> None:
        if time.monotonic() - last_s[0] >= 5.0:
            last_s[0] = time.monotonic()
            print(f"{part}: {done} of {whole}", file=sys.stderr, flush=True)

    return say


def resident_mib(pid: int | None) -> float:
    """Returns the memory of a process that is in RAM."""
    lines = Path(f"/proc/{pid or 'self'}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def _started(work: Callable[[], None]) -> threading.Thread:
    # A daemon: one that is stuck must not keep the program from ending.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
