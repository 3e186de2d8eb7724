"""What every step of a message costs inside our own process, beside the goals that we set ourselves for it.

It is measured by `benchmarks/guarded.py`, in a process of its own on one core, with an example of its own beside the
rivals' folders. Nobody else is measured inside a process, so that nothing is compared here.
"""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.rivals.chapters import Chapter, Plot, Series, Table
from benchmarks.rivals.questions import Figures, Options
from benchmarks.rivals.rounds import Spread, number, told, value
from benchmarks.rivals.venvs import ROOT, VENVS, Rival

ASKED: frozenset[str] = frozenset()
DATA = VENVS / "guarded"
DECISIONS, QUICK_DECISIONS = 200, 60
"""Of each way in a round, one after the other, and as many again at once."""
PATIENCE_S = 900.0
_MISSED = 1
"""The exit status of a measurement that came to its end, and to less than a goal."""
_TAIL = 20
"""Last lines of a measurement that failed."""
_REMARKS = (
    "A process is looked into here, so no rival is measured, and nothing is compared.",
    (
        "Times are of all rounds' decisions together, one after the other; decisions a second are the median of the"
        " rounds, with the lowest and the highest. The processor's time is a decision's share of all threads, and of"
        " the event loop's alone."
    ),
)


class NotMeasured(Exception):
    """The measuring process gave no figures; the message holds what it said last."""


def measure(rivals: Sequence[Rival], options: Options) -> Figures:  # noqa: ARG001 - it is ours alone
    """Returns what each way of a message takes. Raises `NotMeasured`."""
    decisions = (QUICK_DECISIONS if options.is_quick else DECISIONS) * options.rounds
    asked = ["--decisions", str(decisions), "--rounds", str(options.rounds), "--json"]
    options.say("a guarded decision: the first time its example is prepared, which takes a minute or two")
    return {
        **_measured([*asked, "--data", str(DATA)], options),
        "command": " ".join([".venv/bin/python -m benchmarks.guarded", *asked]),
    }


def _measured(arguments: Sequence[str], options: Options) -> Figures:
    command = [sys.executable, "-m", "benchmarks.guarded", *arguments]
    with (
        tempfile.TemporaryFile("w+") as kept,
        subprocess.Popen(command, cwd=ROOT, stdout=kept, stderr=subprocess.PIPE, text=True) as process,  # noqa: S603 - our own program
    ):
        patience = threading.Timer(PATIENCE_S, process.kill)
        patience.start()
        try:
            last = _followed(process, options)
            status = process.wait()
        finally:
            patience.cancel()
            process.kill()
        kept.seek(0)
        return _read(kept.read(), status, last)


def _followed(process: "subprocess.Popen[str]", options: Options) -> list[str]:
    """Tells a person how far it is, and returns the last lines."""
    last: list[str] = []
    for line in process.stderr or ():
        said = line.strip()
        last = [*last, said][-_TAIL:]
        if said.startswith("…"):
            options.say(said.removeprefix("…").strip())
    return last


def _read(said: str, status: int, last: Sequence[str]) -> Figures:
    """Returns the figures that a measurement printed, whether it reached its goals or not."""
    if status not in {0, _MISSED}:
        raise NotMeasured(f"benchmarks.guarded ended with {status}: {' '.join(last)}")
    try:
        figures: Figures = json.loads(said)
    except ValueError as error:
        raise NotMeasured(f"benchmarks.guarded printed no figures: {' '.join(last)}") from error
    return figures


def tell(figures: Figures) -> Chapter:
    """Returns the chapter: what each way takes, and the goals."""
    ways = figures["ways"]
    return Chapter(
        better=(),
        opening=[
            (
                "Every step of a message with the example help desk on SQLite, all its checks, the real embedder and a"
                f" model that returns its words at once: {figures['decisions']:,} decisions of each way on one core."
            ),
            goals_sentence(figures),
        ],
        header=("", "p50, ms", "p95, ms", f"a second, {figures['at_once']} at once", "processor, ms", "event loop, ms"),
        rows=[_row(name, one) for name, one in ways.items()],
        tables=[Table("Goals", ("", "wanted", "measured", "reached"), [_goal_row(one) for one in figures["goals"]])],
        plot=Plot(
            "Guarded decisions a second, on one core",
            "a second",
            [Series(f"{figures['at_once']} at once", {name: value(_per_second(one)) for name, one in ways.items()})],
        ),
        remarks=[*_REMARKS, *_became(ways), f"By itself: `{figures['command']}`."],
        measured="{rounds}, in which the ways take turns",
    )


def _became(ways: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Returns what became of the messages of a way that did not all end alike: its times are of several ways then."""
    mixed = {name: one["outcomes"] for name, one in ways.items() if len(one.get("outcomes", ())) > 1}
    return [
        f"Of the decisions of {name!r} {' and '.join(f'{count} are `{outcome}`' for outcome, count in found.items())}:"
        " what no input rail stops is embedded and matched too, and takes ten times as long."
        for name, found in mixed.items()
    ]


def goals_sentence(figures: Figures) -> str:
    """Returns what we wanted of a decision, and what it takes."""
    through, rate, exact = figures["goals"]
    reached = sum(one["holds"] for one in figures["goals"])
    said = {0: "None is reached", len(figures["goals"]): "All are reached"}.get(
        reached, f"{reached} of the three {'is' if reached == 1 else 'are'} reached"
    )
    return (
        f"What we wanted of a decision inside one process on one core: {through['at_most']:g} ms and"
        f" {rate['at_least']:g} a second through the embedder, {exact['at_most']:g} ms for an exact phrase. {said}: it"
        f" takes {number(through['value'])} ms and makes {number(rate['value'])} a second, and an exact phrase takes"
        f" {number(exact['value'])} ms (`{figures['command']}`)."
    )


def _row(name: str, one: Mapping[str, Any]) -> list[str]:
    times = [number(one[f"{key}_ms"]) for key in ("p50", "p95", "processor", "loop")]
    return [name, *times[:2], told(_per_second(one)), *times[2:]]


def _per_second(one: Mapping[str, Any]) -> Spread:
    rounds = one["per_second_of_rounds"]
    return {"median": one["per_second"], "low": min(rounds), "high": max(rounds)}


def _goal_row(one: Mapping[str, Any]) -> list[str]:
    most, least = one["at_most"], one["at_least"]
    wanted = f"at least {least:g}" if most is None else f"at most {most:g}"
    return [one["name"], wanted, number(one["value"]), "yes" if one["holds"] else "no"]
