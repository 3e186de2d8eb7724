"""How long it takes until an attack is refused, alone and with 32 callers, over each server's own HTTP surface.

Asked are attacks in plain words that each configuration names in its patterns: the question is what a refusal costs,
and not who finds more, which `quality` asks.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.rivals.arena import arena, set_pace
from benchmarks.rivals.chapters import Chapter, Plot, Series
from benchmarks.rivals.comparing import Measure, compare, summed_up
from benchmarks.rivals.contestants import WAYS, attack
from benchmarks.rivals.load import Came
from benchmarks.rivals.messages import ATTACKS
from benchmarks.rivals.overhead import ANSWERS, checks_of, not_run, not_run_rows, summary
from benchmarks.rivals.questions import Figures, Options
from benchmarks.rivals.rounds import told, value
from benchmarks.rivals.servers import SERVERS
from benchmarks.rivals.venvs import Rival

ASKED = frozenset(one.rival for one in SERVERS)
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
    titles = {name: way["title"] for name, way in ways.items()}
    case = {
        (name, str(callers)): figures["figures"][name].get(str(callers), {}) for name in ways for callers in CALLERS
    }
    rows = [
        [
            way["title"],
            *(_time(case[name, str(callers)], "p50_ms") for callers in CALLERS),
            _time(case[name, "1"], "p99_ms"),
            told(case[name, "32"]["per_second"]) if "per_second" in case[name, "32"] else "-",
            f"{100 * case[name, '1'].get('share_wanted', 0):.0f} %",
        ]
        for name, way in ways.items()
    ]
    rows += not_run_rows(figures, rows)
    measures = [
        *(_measure(case, ways, "p50_ms", "refuses after {} ms at {} at once", callers) for callers in CALLERS),
        *(_measure(case, ways, "p95_ms", "refuses 95 of 100 within {} ms at {} at once", one) for one in CALLERS),
        *(_measure(case, ways, "p99_ms", "refuses 99 of 100 within {} ms at {} at once", one) for one in CALLERS),
        *(_measure(case, ways, "per_second", "refuses {} a second at {} at once", callers) for callers in CALLERS),
    ]
    compared = compare(measures, titles, OWN, checks_of(figures))
    return Chapter(
        better=compared.better,
        alike=compared.alike,
        summary=summed_up("until an attack is refused, alone, ms", measures[0], titles, OWN),
        header=("", "p50 at 1, ms", "p50 at 32, ms", "p99 at 1, ms", "refusals a second at 32", "refused"),
        rows=rows,
        plot=_plot(case, titles, "p50_ms", "Median time until an attack is refused", unit="ms"),
        plots=[_plot(case, titles, "per_second", "Refusals a second", unit="a second", name="rate")],
        remarks=[
            (
                f"{figures['attacks']} attacks in plain words, in turn, for {SECONDS:g} s a round; the upstream would"
                f" take {_UPSTREAM_MS} ms."
            ),
            *not_run(figures),
        ],
    )


def _plot(
    case: dict[tuple[str, str], Any], titles: dict[str, str], key: str, title: str, *, unit: str, name: str = ""
) -> Plot:
    series = [
        Series(
            f"{callers} at once",
            {
                shown: value(case[way, str(callers)][key])
                for way, shown in titles.items()
                if key in case[way, str(callers)] and case[way, str(callers)][key]["low"] > 0
            },
        )
        for callers in CALLERS
    ]
    return Plot(title, unit, series, is_logarithmic=True, name=name)


def _measure(case: dict[tuple[str, str], Any], names: Iterable[str], key: str, said: str, callers: int) -> Measure:
    found = {name: case[name, str(callers)] for name in names}
    values = {name: value(one[key]) for name, one in found.items() if key in one and one["share_wanted"] >= ANSWERS}
    return Measure(said, values, more_is_better=key == "per_second", case=str(callers))


def _time(one: dict[str, Any], name: str) -> str:
    if name in one:
        return told(one[name])
    return "-" if "p50_ms" in one else "refuses none"
