"""Callers that leave at any moment: nobody gets another's words, nothing hangs, and the place is free soon."""

import string
import threading
import time
from dataclasses import dataclass
from random import Random

from benchmarks.soak.asking import Choice, Figures, Outcome, ask, new_model, progress, prompt, spread, together
from models.ports import Cancellation, Sampling
from models.worker.engine import LlamaModel
from models.worker.limits import EngineLimits
from models.worker.messages import Done, Failed

WHOLE = 1000
TIMEOUT_S = 60.0
REACH_MS = 50.0
GRAM = 6
"""Letters in a row that betray a marker; two random ones share such a run once in ten million."""
PHASES = ("before", "in line", "prefill", "decode", "any time", "after")
WEIGHTS = (8, 8, 32, 32, 12, 8)
FILLER = "The office is open on working days, and the front desk knows who has the keys. "


@dataclass(frozen=True)
class Case:
    """One request: its own marker, when its caller leaves, and how it is asked."""

    marker: str
    phase: str
    delay_s: float
    pieces: int
    """In decode: the caller leaves when so many stretches of the answer were told."""
    filler: int
    is_streamed: bool
    assistant: str


class Ears:
    """Notes when the supervisor hears how a job ended, by the job's marker.

    It puts itself in front of one private method, because the product has no use for this and so no option.
    """

    def __init__(self, model: LlamaModel, markers: set[str]) -> None:
        self.heard_s: dict[str, float] = {}
        self.supervisor = model._supervisor  # noqa: SLF001 - see above
        finish = self.supervisor._finish  # noqa: SLF001 - see above

        def noting(message: Done | Failed) -> None:
            job = self.supervisor._jobs.get(message.job_id)  # noqa: SLF001 - see above
            words = "".join(one.text for one in job.request.prompt.segments).split() if job else ()
            self.heard_s |= dict.fromkeys(markers.intersection(words), time.monotonic())
            finish(message)

        self.supervisor._finish = noting  # type: ignore[method-assign]  # noqa: SLF001 - see above

    def is_empty(self, within_s: float) -> bool:
        """Whether the worker soon has no job left that nobody waits for."""
        give_up_s = time.monotonic() + within_s
        while self.supervisor._jobs and time.monotonic() < give_up_s:  # noqa: SLF001 - see above
            time.sleep(0.01)
        return not self.supervisor._jobs  # noqa: SLF001 - see above


def run(choice: Choice) -> Figures:
    """Returns the figures of this part."""
    random, whole = choice.random("cancellations"), choice.count(WHOLE)
    markers = sorted({"".join(random.choices(string.ascii_uppercase, k=9)) for _ in range(whole)})
    cases = [_case(marker, random) for marker in markers]
    # A longer line than the default, so that nearly every caller gets to where it leaves.
    model = new_model(choice, EngineLimits(max_waiting=64))
    try:
        pid, ears, left_s = model.pid, Ears(model, set(markers)), dict[str, float]()
        outcomes: dict[str, Outcome] = {}
        hangs, names, say = 0, dict[str, int](), progress("cancellations", whole)
        done = 0
        while done < whole:
            some = cases[done : done + 100]
            calls = [lambda case=case: _leave(model, case, left_s) for case in some]
            crowd = together(calls, random.randint(8, 16), TIMEOUT_S)
            outcomes |= {some[number].marker: outcome for number, outcome in crowd.outcomes.items()}
            hangs += crowd.hangs
            names = {name: names.get(name, 0) + crowd.names.get(name, 0) for name in {*names, *crowd.names}}
            done += len(some)
            say(done)
        is_empty = ears.is_empty(within_s=3.0)
        restarts = int(model.pid != pid)
        afterwards = ask(model, prompt("When is the office open?"), Sampling(max_tokens=4), timeout_s=TIMEOUT_S)
    finally:
        model.close()
    free_ms = _free_ms(cases, outcomes, left_s, ears.heard_s)
    foreign = foreign_markers(markers, {marker: outcome.text for marker, outcome in outcomes.items()})
    return {
        "requests": whole,
        "outcomes": names,
        "hangs": hangs,
        "other_exceptions": sum(one.is_foreign for one in outcomes.values()),
        "worker_restarts": restarts,
        "jobs_left_behind": 0 if is_empty else len(cases),
        "answers_and_parts_with_text": sum(bool(one.text) for one in outcomes.values()),
        "with_their_own_marker": sum(marker in one.text for marker, one in outcomes.items()),
        "with_a_foreign_marker": foreign,
        "cancel_to_free_ms": {phase: spread(times) for phase, times in free_ms.items()},
        "within_50_ms": _share_within(free_ms),
        "holds": not (hangs or foreign or restarts or any(one.is_foreign for one in outcomes.values()))
        and is_empty
        and afterwards.name == "answer",
    }


def foreign_markers(markers: list[str], texts: dict[str, str]) -> int:
    """Returns how many texts hold a run of letters out of a marker that is not theirs."""
    owners = {gram: marker for marker in markers for gram in _grams(marker)}
    return sum(any(owners.get(gram, own) != own for gram in _grams(text)) for own, text in texts.items())


def _grams(text: str) -> set[str]:
    return {text[at : at + GRAM] for at in range(len(text) - GRAM + 1)}


def _case(marker: str, random: Random) -> Case:
    (phase,) = random.choices(PHASES, WEIGHTS)
    return Case(
        marker=marker,
        phase=phase,
        delay_s=random.uniform(0.0, {"in line": 0.01, "prefill": 3.0}.get(phase, 2.0)),
        pieces=random.randint(1, 20),
        filler=random.randint(20, 90) if phase == "prefill" else random.choice((0, 0, 1, 4)),
        is_streamed=phase == "decode" or random.random() < 0.5,
        assistant=random.choice(("desk", "bank")),
    )


def _leave(model: LlamaModel, case: Case, left_s: dict[str, float]) -> Outcome:
    cancellation, told = Cancellation(), []

    def leave() -> None:
        if not cancellation.is_cancelled:
            left_s[case.marker] = time.monotonic()
            cancellation.cancel()

    def hear(text: str) -> None:
        told.append(text)
        if case.phase == "decode" and len(told) == case.pieces:
            leave()

    if case.phase == "before":
        leave()
    timer = threading.Timer(case.delay_s, leave)
    timer.daemon = True
    if case.phase in ("in line", "prefill", "any time"):
        timer.start()
    # The marker stands in front, so that no two long prompts share their beginning, and alone, so that it is one word.
    question = f"Code word: {case.marker} .\n{FILLER * case.filler}Repeat the code word {case.marker} three times."
    outcome = ask(
        model,
        prompt(question, "You repeat code words exactly.", assistant=case.assistant),
        Sampling(max_tokens=32),
        timeout_s=TIMEOUT_S,
        cancellation=cancellation,
        on_text=hear if case.is_streamed else None,
    )
    if case.phase == "after":
        leave()
    timer.cancel()
    return outcome


def _free_ms(
    cases: list[Case], outcomes: dict[str, Outcome], left_s: dict[str, float], heard_s: dict[str, float]
) -> dict[str, list[float]]:
    """Returns how long the worker kept what nobody waited for, by what it was doing; without what it never got."""
    times: dict[str, list[float]] = {"decode": [], "prefill or line": []}
    for case in cases:
        if case.marker in outcomes and outcomes[case.marker].name == "RequestCancelled" and case.marker in heard_s:
            phase = "decode" if outcomes[case.marker].text else "prefill or line"
            times[phase].append((heard_s[case.marker] - left_s[case.marker]) * 1000)
    return times


def _share_within(free_ms: dict[str, list[float]]) -> float | None:
    times = [one for some in free_ms.values() for one in some]
    return round(sum(one <= REACH_MS for one in times) / len(times), 4) if times else None
