"""How long it takes until an attack is refused, alone and with 32 callers, over each server's own HTTP surface.

Asked are attacks in plain words that each configuration names in its patterns: the question is what a refusal costs,
and not who finds more, which `quality` asks.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.rivals.arena import arena, set_pace
from benchmarks.rivals.chapters import Chapter, Plot, Series
from benchmarks.rivals.comparing import Measure, where_better
from benchmarks.rivals.contestants import WAYS, attack
from benchmarks.rivals.load import Came
from benchmarks.rivals.messages import ATTACKS
from benchmarks.rivals.overhead import checks_of, not_run, not_run_rows, summary
from benchmarks.rivals.questions import Figures, Options
from benchmarks.rivals.rounds import told, value
from benchmarks.rivals.servers import SERVERS
from benchmarks.rivals.venvs import Rival

CALLERS = (1, 32)
SECONDS, QUICK_S = 2.0, 1.0
OWN = "canongate-worded"
_UPSTREAM_MS = 50


def measure(rivals: Sequence[Rival], options: Options) -> Figures:
    """Returns times of refusals. The upstream takes 50 ms, so that one that is asked before the refusal shows."""
    blocking = [way for way in WAYS if way.blocked]
    wanted = {way.server for way in blocking}
    rounds: dict[tuple[str, int], list[Came]] = {}
    with arena([one for one in SERVERS if one.name in wanted], rivals, options) as up:
        set_pace(_UPSTREAM_MS)
        ways = up.ways(blocking)
        for way in ways:
            up.ask(way, attack(up.server(way), way, ATTACKS, count=16, callers=4))
        ways = up.ways(ways)
        for number in range(options.rounds):
            for callers in CALLERS:
                options.say(f"blocking: round {number + 1} of {options.rounds}, {callers} at once")
                for way in ways:
                    seconds = QUICK_S if options.is_quick else SECONDS
                    sent = attack(up.server(way), way, ATTACKS, callers=callers, seconds=seconds)
                    if came := up.ask(way, sent):
                        rounds.setdefault((way.name, callers), []).append(came)
    return {
        "attacks": len(ATTACKS),
        "ways": {way.name: {"title": _title(way.title), "checks": way.checks} for way in ways},
        "figures": {way.name: {str(one): summary(rounds.get((way.name, one), [])) for one in CALLERS} for way in ways},
        "failed": up.failed,
    }


def _title(title: str) -> str:
    """Returns the title without who would have worded the answer."""
    return title.removesuffix(", worded by the upstream")


def tell(figures: Figures) -> Chapter:
    """Returns the chapter."""
    ways: dict[str, Any] = figures["ways"]
    case = {(name, str(callers)): figures["figures"][name][str(callers)] for name in ways for callers in CALLERS}
    rows = [
        [
            way["title"],
            *(_time(case[name, str(callers)], "p50_ms") for callers in CALLERS),
            _time(case[name, "1"], "p99_ms"),
            told(case[name, "32"]["per_second"]) if case[name, "32"] else "-",
            f"{100 * case[name, '1'].get('share_wanted', 0):.0f} %",
        ]
        for name, way in ways.items()
    ]
    rows += not_run_rows(figures, rows)
    series = [
        Series(
            f"{callers} at once",
            {
                way["title"]: value(case[name, str(callers)]["p50_ms"])
                for name, way in ways.items()
                if "p50_ms" in case[name, str(callers)]
            },
        )
        for callers in CALLERS
    ]
    measures = [
        Measure(f"refuses after {{}} ms at {callers} at once", _medians(case, ways, callers)) for callers in CALLERS
    ]
    return Chapter(
        better=where_better(measures, {name: way["title"] for name, way in ways.items()}, OWN, checks_of(figures)),
        header=("", "p50 at 1, ms", "p50 at 32, ms", "p99 at 1, ms", "refusals a second at 32", "refused"),
        rows=rows,
        plot=Plot("Median time until an attack is refused", "ms", series, is_logarithmic=True),
        remarks=[
            f"{figures['attacks']} attacks in plain words, in turn; the upstream would take {_UPSTREAM_MS} ms.",
            *not_run(figures),
        ],
    )


def _medians(case: dict[tuple[str, str], Any], names: Iterable[str], callers: int) -> dict[str, float]:
    found = {name: case[name, str(callers)] for name in names}
    return {name: one["p50_ms"]["median"] for name, one in found.items() if "p50_ms" in one}


def _time(one: dict[str, Any], name: str) -> str:
    return told(one[name]) if name in one else "-" if "p50_ms" in one else "refuses none"
