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
from benchmarks.rivals.rounds import number, over_rounds, percentiles, spread, told, value
from benchmarks.rivals.servers import SERVERS
from benchmarks.rivals.venvs import Rival

CALLERS = {0: (1, 8, 32, 128), 50: (1, 32)}
"""By the upstream's latency in milliseconds."""
SECONDS, QUICK_S = 2.5, 1.0
FLOOR_NAME, OWN = "floor", "canongate-worded"


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
        memory = {way.name: round(up.up[way.server].memory_mib()) for way in ways}
    names = [FLOOR_NAME, *(way.name for way in ways)]
    return {
        "questions": {"worded": len(asked.worded), "verbatim": len(asked.verbatim), "exact": len(asked.exact)},
        "ways": {
            way.name: {
                "title": way.title,
                "checks": way.checks,
                "asks_upstream": way.asked == "worded",
                "memory_mib": memory[way.name],
            }
            for way in ways
        },
        "figures": {
            name: {
                str(latency_ms): {str(callers): summary(rounds[name, latency_ms, callers]) for callers in counts}
                for latency_ms, counts in CALLERS.items()
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
        sent = load(up.server(way), way, getattr(asked, way.asked), callers=callers, seconds=seconds)
        rounds.setdefault((way.name, latency_ms, callers), []).append(up.send(sent))


def summary(rounds: Sequence[Came]) -> dict[str, Any]:
    """Returns percentiles of the rounds, wanted replies a second, and the least share of replies that were wanted."""
    able = [came for came in rounds if came.took_ms]
    times = over_rounds([{f"{name}_ms": ms for name, ms in percentiles(came.took_ms).items()} for came in able])
    return {
        **times,
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
    rows = [_row(figures, FLOOR_NAME, "the stub itself, nothing between", "")]
    rows += [_row(figures, name, way["title"], f"{way['memory_mib']:,}") for name, way in ways.items()]
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
            "adds at 1, ms",
            *(f"p50 / p95 / p99 at {callers}, ms" for callers in CALLERS[0]),
            *(f"a second at {callers}" for callers in (1, 32)),
            "adds to 50 ms at 1, ms",
            "memory, MiB",
        ),
        rows=rows,
        plot=Plot("Median time of a request, instant upstream", "ms", series, is_logarithmic=True),
        remarks=_remarks(figures),
    )


def _row(figures: Figures, name: str, title: str, memory: str) -> list[str]:
    instant = figures["figures"][name]["0"]
    is_asked = name == FLOOR_NAME or figures["ways"][name]["asks_upstream"]
    alone, late = (f"{added_ms(figures, name, 1, ms):.2f}" if _is_whole(figures, name) else "-" for ms in (0, 50))
    return [
        title,
        alone,
        *(_percentiles(instant[str(callers)]) for callers in CALLERS[0]),
        *(told(instant[str(callers)]["per_second"]) for callers in (1, 32)),
        late if is_asked else "not asked",
        memory,
    ]


def _is_whole(figures: Figures, name: str) -> bool:
    return all("p50_ms" in one for case in figures["figures"][name].values() for one in case.values())


def _percentiles(one: Mapping[str, Any]) -> str:
    if "p50_ms" not in one:
        return "no answer"
    return " / ".join(number(one[f"{name}_ms"]["median"]) for name in ("p50", "p95", "p99"))


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
    return [asked, f"What each checks: {checks}.", *not_run(figures)]


def not_run(figures: Figures) -> list[str]:
    """Returns a sentence for each server that could not be run, with the last line that it said."""
    return [f"Not run: {name}. It said: `{_last(words)}`" for name, words in figures["failed"].items()]


def _last(words: str) -> str:
    lines = [line for line in words.strip().splitlines() if line.strip()]
    return lines[-1][:300] if lines else "nothing"
