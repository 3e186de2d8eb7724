"""What a server adds to an upstream that answers at once, and to one that takes 50 ms, by how many ask at once.

A server has the machine's cores but the last, which the load and the stub share. The floor is the stub asked directly.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.rivals.arena import Arena, arena, common_questions, floor, set_pace
from benchmarks.rivals.chapters import Chapter, Plot, Series
from benchmarks.rivals.comparing import Measure, where_better
from benchmarks.rivals.contestants import WAYS, Way, load
from benchmarks.rivals.load import Came
from benchmarks.rivals.questions import Figures, Options
from benchmarks.rivals.rounds import number, percentiles_of_rounds, spread, value
from benchmarks.rivals.servers import SERVERS
from benchmarks.rivals.venvs import Rival

CALLERS = {0: (1, 8, 32, 128), 50: (1, 32)}
"""By the upstream's latency in milliseconds."""
SECONDS, QUICK_S = 2.0, 1.0
ANSWERS = 0.99
"""The share of replies that are to be answers: a server that refuses quickly is not a quick one."""
FLOOR_NAME, OWN = "floor", "canongate-worded"
ASKED_OF = {way.name: way.asked for way in WAYS}


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
        "questions": {"worded": len(asked.worded), "verbatim": len(asked.verbatim), "exact": len(asked.exact)},
        "offered": up.offered,
        "answered": up.answered,
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


def added_ms(figures: Figures, name: str, callers: int = 1, latency_ms: int = 0) -> float:
    """Returns what a way adds to the floor's median."""
    case = str(latency_ms), str(callers)
    way, bare = (figures["figures"][one][case[0]][case[1]]["p50_ms"]["median"] for one in (name, FLOOR_NAME))
    return round(way - bare, 2)


def tell(figures: Figures) -> Chapter:
    """Returns the chapter."""
    ways: Mapping[str, Any] = figures["ways"]
    rows = [row for latency_ms in CALLERS for row in _rows(figures, latency_ms)]
    rows += not_run_rows(figures, rows)
    series = [
        Series(
            f"{callers} at once",
            {
                way["title"]: value(one["p50_ms"])
                for name, way in ways.items()
                if "p50_ms" in (one := figures["figures"][name]["0"][str(callers)])
            },
        )
        for callers in CALLERS[0]
    ]
    return Chapter(
        better=where_better(
            _measures(figures), {name: way["title"] for name, way in ways.items()}, OWN, checks_of(figures)
        ),
        header=(
            "",
            "upstream",
            "adds at 1, ms",
            *(f"p50 / p95 / p99 at {callers}, ms" for callers in CALLERS[0]),
            f"a second at {' / '.join(map(str, CALLERS[0]))}",
            "memory, MiB",
        ),
        rows=rows,
        plot=Plot("Median time of a request, instant upstream", "ms", series, is_logarithmic=True),
        remarks=_remarks(figures),
    )


def _rows(figures: Figures, latency_ms: int) -> list[list[str]]:
    """Returns a row for the floor and for each way that asks an upstream of this latency."""
    titles = {FLOOR_NAME: "the stub itself, nothing between"}
    titles |= {name: way["title"] for name, way in figures["ways"].items()}
    return [
        _row(figures, name, title, latency_ms)
        for name, title in titles.items()
        if str(latency_ms) in figures["figures"][name]
    ]


def _row(figures: Figures, name: str, title: str, latency_ms: int) -> list[str]:
    cases = figures["figures"][name][str(latency_ms)]
    told = [cases.get(str(callers), {}) for callers in CALLERS[0]]
    is_shown = name != FLOOR_NAME and latency_ms == 0
    return [
        title,
        f"{latency_ms} ms" if latency_ms else "instant",
        f"{added_ms(figures, name, 1, latency_ms):.2f}" if "p50_ms" in cases["1"] else "-",
        *(_percentiles(one) for one in told),
        " / ".join(number(one["per_second"]["median"]) if one else "-" for one in told),
        f"{figures['ways'][name]['memory_mib']:,}" if is_shown else "",
    ]


def _is_whole(figures: Figures, name: str) -> bool:
    """Whether it answered in each case."""
    return all(
        one.get("share_wanted", 0) >= ANSWERS for case in figures["figures"][name].values() for one in case.values()
    )


def _percentiles(one: Mapping[str, Any]) -> str:
    if "p50_ms" not in one:
        return "-"
    found = [one.get(f"{name}_ms") for name in ("p50", "p95", "p99")]
    times = " / ".join(number(figure["median"]) if figure else "-" for figure in found)
    return times if one["share_wanted"] >= ANSWERS else f"{times}, {100 * one['share_wanted']:.0f} % answered"


def _measures(figures: Figures) -> list[Measure]:
    whole = [name for name in figures["ways"] if _is_whole(figures, name)]
    instant = {name: figures["figures"][name]["0"] for name in whole}
    return [
        Measure("adds {} ms to a request that is alone", {name: added_ms(figures, name) for name in whole}),
        *(
            Measure(f"takes {{}} ms at {callers} at once", {name: _median(instant[name], callers) for name in whole})
            for callers in CALLERS[0]
            if callers > 1
        ),
        Measure(
            "answers {} a second at 32 at once",
            {name: one["32"]["per_second"]["median"] for name, one in instant.items()},
            more_is_better=True,
        ),
        Measure("holds {} MiB", {name: figures["ways"][name]["memory_mib"] for name in whole}),
    ]


def _median(instant: Mapping[str, Any], callers: int) -> float:
    return float(instant[str(callers)]["p50_ms"]["median"])


def checks_of(figures: Figures) -> dict[str, str]:
    """Returns what has to be known beside a way's figures: what it does for them."""
    return {name: f"It checks {way['checks']}." for name, way in figures["ways"].items()}


def _remarks(figures: Figures) -> list[str]:
    counted = figures["questions"]
    checks = "; ".join(f"{way['title']}: {way['checks']}" for way in figures["ways"].values())
    asked = (
        f"Asked in turn are {counted['worded']} messages of the help desk's test set that canongate and NeMo's dialog "
        f"both answer; {counted['verbatim']} for approved texts, {counted['exact']} approved phrasings."
    )
    return [asked, *_offered(figures), f"What each checks: {checks}.", *not_run(figures)]


def _offered(figures: Figures) -> list[str]:
    """Returns how many questions were offered, and how many each way that matches answered by itself."""
    offered = figures.get("offered", {})
    told = [
        f"{figures['ways'][name]['title']}: {count} of {offered[ASKED_OF[name]]}"
        for name, count in figures.get("answered", {}).items()
        if name in figures["ways"]
    ]
    return [f"What each answers of the questions that were offered: {'; '.join(told)}."] if told else []


def not_run(figures: Figures) -> list[str]:
    """Returns a sentence for each server or way that could not be measured, with the last line of why."""
    return [f"Not measured: {title}. `{_last(words)}`" for title, words in figures["failed"].items()]


def not_run_rows(figures: Figures, rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Returns a row for each server or way that has none among these, as wide as they are."""
    named = {row[0] for row in rows}
    more = [""] * (len(rows[0]) - 2) if rows else []
    return [[title, "not measured, see below", *more] for title in figures["failed"] if title not in named]


def _last(words: str) -> str:
    lines = [line for line in words.strip().splitlines() if line.strip()]
    return lines[-1][:300] if lines else "nothing"
