"""How long a server takes from its start to its first answer, and what it holds in memory when it has worked."""

import time
from collections.abc import Sequence

from benchmarks.rivals import load as loads
from benchmarks.rivals.arena import prepare, replies, set_pace, started, stub
from benchmarks.rivals.chapters import Chapter, Plot, Series, Value
from benchmarks.rivals.comparing import Measure, compare, summed_up
from benchmarks.rivals.contestants import WAYS, load
from benchmarks.rivals.messages import Questions, questions
from benchmarks.rivals.overhead import not_run, not_run_rows
from benchmarks.rivals.questions import Figures, Options
from benchmarks.rivals.rounds import over_rounds, told, value
from benchmarks.rivals.servers import SERVERS, Server
from benchmarks.rivals.serving import NotServing, cores
from benchmarks.rivals.venvs import Rival

REQUESTS, CALLERS = 100, 8
_HOW = (
    "On all cores, with caches on the disk filled by an earlier start. Memory is of all of a server's processes after "
    f"{REQUESTS} requests."
)
_NO_ANSWERS_YET = {"nemo-dialog": "It says so before its index of phrasings is made: see its first answer."}
PATIENCE_S = 300.0
OWN = "canongate"


class NoAnswer(Exception):
    """A server that is up does not answer; the message holds what it said."""


def measure(rivals: Sequence[Rival], options: Options) -> Figures:
    """Returns seconds until the first answer and memory after some hundred; the first start of all is not counted.

    It fills caches on the disk, and ours makes its database and exports its embedder then.
    """
    prepare()
    asked = questions()
    able = [one for one in SERVERS if one.rival in {"", *(rival.name for rival in rivals)}]
    rounds: dict[str, list[dict[str, float]]] = {}
    failed = {one.title: "its packages could not be installed" for one in SERVERS if one not in able}
    with stub():
        set_pace(0)
        for number in range(options.rounds + 1):
            options.say(f"starts: {f'round {number} of {options.rounds}' if number else 'once before it counts'}")
            for server in able:
                if server.title in failed:
                    continue
                try:
                    one = _start(server, asked, is_counted=bool(number))
                except (NotServing, NoAnswer, OSError) as error:
                    failed[server.title] = str(error)
                    options.say(f"{server.title} is left out: {error}")
                else:
                    rounds.setdefault(server.name, []).extend([one] if number else [])
    return {
        "servers": {one.name: {"title": one.title} for one in able},
        "figures": {name: over_rounds(came) for name, came in rounds.items() if came},
        "failed": failed,
    }


def _start(server: Server, asked: Questions, *, is_counted: bool) -> dict[str, float]:
    """Starts a server as it starts in use: on all cores."""
    way = next(one for one in WAYS if one.server == server.name)
    texts = getattr(asked, way.asked)
    began_s = time.monotonic()
    with started(server, placed="") as up:
        wanted = load(server, way, texts)
        while not loads.is_wanted(wanted, said := replies(server, texts[0])):
            if time.monotonic() - began_s > PATIENCE_S:
                raise NoAnswer(said[:1000])
        answered_s = time.monotonic() - began_s
        if is_counted:
            loads.send(load(server, way, texts, count=REQUESTS, callers=CALLERS), cores=cores()[1])
        return {"answered_s": answered_s, "ready_s": up.ready_s, "memory_mib": up.memory_mib()}


def tell(figures: Figures) -> Chapter:
    """Returns the chapter."""
    measured = figures["figures"]
    titles = {name: one["title"] for name, one in figures["servers"].items()}
    rows = [
        [titles[name], told(one["answered_s"]), told(one["ready_s"]), told(one["memory_mib"])]
        for name, one in measured.items()
    ]
    rows += not_run_rows(figures, rows)
    measures = [
        Measure("gives its first answer {} s after its start", _values(measured, "answered_s")),
        Measure("says that it is ready after {} s", _values(measured, "ready_s")),
        Measure("holds {} MiB", _values(measured, "memory_mib")),
    ]
    compared = compare(measures, titles, OWN, _NO_ANSWERS_YET)
    kinds = {"first answer": "answered_s", "says that it is ready": "ready_s"}
    return Chapter(
        better=compared.better,
        alike=compared.alike,
        summary=[
            *summed_up("from the start to the first answer, s", measures[0], titles, OWN),
            *summed_up(f"memory after {REQUESTS} requests, MiB", measures[2], titles, OWN),
        ],
        header=("", "first answer, s", "says that it is ready, s", "memory, MiB"),
        rows=rows,
        plot=Plot(
            "From the start to the first answer",
            "s",
            [
                Series(kind, {titles[name]: value(one[key]) for name, one in measured.items()})
                for kind, key in kinds.items()
            ],
        ),
        plots=[
            Plot(
                f"Memory after {REQUESTS} requests",
                "MiB",
                [Series("memory", {titles[name]: value(one["memory_mib"]) for name, one in measured.items()})],
                name="memory",
            )
        ],
        remarks=[
            _HOW,
            *not_run(figures),
        ],
    )


def _values(measured: Figures, figure: str) -> dict[str, Value]:
    return {name: value(one[figure]) for name, one in measured.items()}
