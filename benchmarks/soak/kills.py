"""A worker that is killed, stopped or crashes under load, again and again: everybody gets an outcome in time."""

import contextlib
import itertools
import os
import signal
import threading
import time
from random import Random

from benchmarks.soak.asking import (
    LATE_S,
    START_S,
    Choice,
    Figures,
    Outcome,
    ask,
    counted,
    new_model,
    progress,
    prompt,
    spread,
)
from models.ports import Sampling
from models.worker.engine import LlamaModel
from models.worker.limits import EngineLimits
from models.worker.restarts import RestartLimits

WHOLE = 200
AT_ONCE = 8
TIMEOUT_S = 15.0
EXPECTED = {"answer", "ModelUnavailable", "ModelBusy", "ModelTimeout"}
SIGNALS = {signal.SIGKILL: 70, signal.SIGSEGV: 10, signal.SIGABRT: 5, signal.SIGSTOP: 15}
# No breaker in this part; a stopped worker is silent, and that is noticed sooner than in production.
LIMITS = EngineLimits(silence_s=3.0, restarts=RestartLimits(restarts=1_000_000))


def run(choice: Choice) -> Figures:
    """Returns the figures of this part."""
    random, whole = choice.random("kills"), choice.count(WHOLE)
    model = new_model(choice, LIMITS)
    load, sent = _Load(model), list[str]()
    back_ms, first = [], list[Outcome]()
    say = progress("kills", whole)
    try:
        load.begin()
        for number in range(whole):
            killed_s = _kill(model, random, sent)
            say(number)
            # Some are hit again while they start, and every fourth of the others is asked whether it works.
            if random.random() < 0.15:
                continue
            if not model.wait_ready(START_S):
                break
            back_ms.append((time.monotonic() - killed_s) * 1000)
            if number % 4 == 0:
                first.append(ask(model, prompt("When is the office open?"), Sampling(max_tokens=4), timeout_s=60.0))
        is_back = model.wait_ready(START_S)
        hangs = load.end()
    finally:
        model.close()
    names = counted(outcome.name for outcome in load.outcomes)
    others = {name: count for name, count in names.items() if name not in EXPECTED}
    works = sum(outcome.name == "answer" for outcome in first)
    return {
        "kills": len(sent),
        "signals": counted(sent),
        "requests": len(load.outcomes),
        "in_flight": AT_ONCE,
        "outcomes": names,
        "hangs": hangs,
        "other_exceptions": others,
        "asked_after_restart": len(first),
        "of_these_answered": works,
        "kill_to_ready_ms": spread(back_ms),
        "holds": not hangs and not others and works == len(first) and is_back,
    }


class _Load:
    """So many callers who ask again as soon as they have an outcome."""

    def __init__(self, model: LlamaModel) -> None:
        self._model = model
        self._is_over = threading.Event()
        self._numbers = itertools.count()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(AT_ONCE)]
        self.outcomes: list[Outcome] = []

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> int:
        """Returns how many outcomes were late or never came."""
        self._is_over.set()
        give_up_s = time.monotonic() + TIMEOUT_S + LATE_S
        for thread in self._threads:
            thread.join(max(0.0, give_up_s - time.monotonic()))
        return sum(thread.is_alive() for thread in self._threads) + sum(one.is_late for one in self.outcomes)

    def _work(self) -> None:
        while not self._is_over.is_set():
            asked = prompt(f"Tell me about room {next(self._numbers)} of the office.", "You are the help desk.")
            outcome = ask(self._model, asked, Sampling(max_tokens=32), timeout_s=TIMEOUT_S)
            self.outcomes.append(outcome)
            if outcome.name in ("ModelBusy", "ModelUnavailable"):
                time.sleep(0.02)


def _kill(model: LlamaModel, random: Random, sent: list[str]) -> float:
    """Ends or stops the worker at a random moment; returns when, once the supervisor knows."""
    (number,) = random.choices(list(SIGNALS), list(SIGNALS.values()))
    time.sleep(random.uniform(0.0, 1.5))
    while (pid := model.pid) is None:
        time.sleep(0.005)
    killed_s = time.monotonic()
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        sent.append(signal.Signals(number).name)
    while model.pid == pid and time.monotonic() < killed_s + START_S:
        time.sleep(0.005)
    return killed_s
