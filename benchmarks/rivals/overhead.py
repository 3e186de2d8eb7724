"""What a server adds to an upstream that answers at once, and to one that takes 50 ms, by how many ask at once.

A server has the machine's cores but the last, which the load and the stub share. The floor is the stub asked directly.
"""

from collections.abc import Sequence
from typing import Any

from benchmarks.rivals.arena import Arena, arena, common_questions, floor, set_pace
from benchmarks.rivals.contestants import WAYS, Way, load
from benchmarks.rivals.load import Came
from benchmarks.rivals.overhead_told import (
    ANSWERS,
    FLOOR_NAME,
    FLOOR_TITLE,
    OWN,
    QUICK_S,
    SECONDS,
    added_ms,
    checks_of,
    not_run,
    not_run_rows,
    tell,
)
from benchmarks.rivals.questions import Figures, Options
from benchmarks.rivals.rounds import percentiles_of_rounds, spread
from benchmarks.rivals.servers import SERVERS
from benchmarks.rivals.venvs import Rival

__all__ = (
    "ANSWERS",
    "FLOOR_NAME",
    "FLOOR_TITLE",
    "OWN",
    "added_ms",
    "checks_of",
    "measure",
    "not_run",
    "not_run_rows",
    "summary",
    "tell",
)
ASKED = frozenset(one.rival for one in SERVERS)
CALLERS = {0: (1, 8, 32, 128), 50: (1, 32)}
"""By the upstream's latency in milliseconds."""


def measure(rivals: Sequence[Rival], options: Options) -> Figures:
    """Returns percentiles, requests a second and memory of each way, and the floor's."""
    with arena(SERVERS, rivals, options) as up:
        set_pace(0)
        asked = common_questions(up, WAYS)
        ways = up.ways(WAYS)
        rounds: dict[tuple[str, int, int], list[Came]] = {}
        for number in range(options.rounds):
            for latency_ms, counts in CALLERS.items():
                set_pace(latency_ms)
                for callers in counts:
                    options.say(f"overhead: round {number + 1} of {options.rounds}, {latency_ms} ms, {callers} at once")
                    _take_turns(up, ways, asked, (latency_ms, callers), rounds)
        ways = [way for way in ways if (way.name, 0, 1) in rounds]
        memory = {way.name: round(up.up[way.server].memory_mib()) for way in ways}
    names = [FLOOR_NAME, *(way.name for way in ways)]
    return {
        "questions": {
            "worded": len(asked.worded),
            "verbatim": len(asked.verbatim),
            "exact": len(asked.exact),
            "offered": up.offered,
            "answered": up.answered,
        },
        "ways": {
            way.name: {
                "title": way.title,
                "checks": way.checks,
                "asks_upstream": _asks_upstream(way),
                "memory_mib": memory[way.name],
            }
            for way in ways
        },
        "figures": {
            name: {
                str(latency_ms): {
                    str(callers): summary(rounds.get((name, latency_ms, callers), [])) for callers in counts
                }
                for latency_ms, counts in CALLERS.items()
                if (name, latency_ms, counts[0]) in rounds
            }
            for name in names
        },
        "failed": up.failed,
    }


def _take_turns(
    up: Arena,
    ways: Sequence[Way],
    asked: Any,
    case: tuple[int, int],
    rounds: dict[tuple[str, int, int], list[Came]],
) -> None:
    seconds = QUICK_S if up.options.is_quick else SECONDS
    latency_ms, callers = case
    rounds.setdefault((FLOOR_NAME, *case), []).append(up.send(floor(asked.worded, callers=callers, seconds=seconds)))
    for way in ways:
        if latency_ms and not _asks_upstream(way):
            continue
        sent = load(up.server(way), way, getattr(asked, way.asked), callers=callers, seconds=seconds)
        if came := up.ask(way, sent):
            rounds.setdefault((way.name, latency_ms, callers), []).append(came)


def _asks_upstream(way: Way) -> bool:
    return way.asked == "worded"


def summary(rounds: Sequence[Came]) -> dict[str, Any]:
    """Returns percentiles of the rounds, wanted replies a second, and the least share of replies that were wanted."""
    if not rounds:
        return {}
    able = [came.took_ms for came in rounds if came.took_ms]
    return {
        **percentiles_of_rounds(able),
        "per_second": spread([came.per_second for came in rounds], 1),
        "share_wanted": round(min(came.share for came in rounds), 4),
        "failed": sum(came.failed for came in rounds),
        **({} if able and not any(came.failed for came in rounds) else {"example": rounds[-1].example}),
    }
