"""The chapter about what a server adds, and what other chapters say in the same way: who was not measured, and why."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.rivals.chapters import Chapter, Plot, Series, Table, Value
from benchmarks.rivals.comparing import Measure, compare, summed_up
from benchmarks.rivals.contestants import WAYS
from benchmarks.rivals.markdown import table
from benchmarks.rivals.questions import Figures
from benchmarks.rivals.rounds import number, told, value

SECONDS, QUICK_S = 1.7, 1.0
"""Of each case in a round, in which requests are begun; all that were begun are answered."""
ANSWERS = 0.99
"""The share of replies that are to be answers: a server that refuses quickly is not a quick one."""
FLOOR_NAME, OWN = "floor", "canongate-worded"
FLOOR_TITLE = "the stub itself, nothing between"
_ASKED_OF = {way.name: way.asked for way in WAYS}
_MATCH_AND_ASK = frozenset(way.name for way in WAYS if way.matches and way.asked == "worded")


def added_ms(figures: Figures, name: str, callers: int = 1, latency_ms: int = 0) -> float:
    """Returns what a way adds to the floor's median."""
    case = str(latency_ms), str(callers)
    way, bare = (figures["figures"][one][case[0]][case[1]]["p50_ms"]["median"] for one in (name, FLOOR_NAME))
    return round(way - bare, 2)


def tell(figures: Figures) -> Chapter:
    """Returns the chapter."""
    ways: Mapping[str, Any] = figures["ways"]
    titles = {name: way["title"] for name, way in ways.items()}
    measures, found = _measures(figures), callers_of(figures, "0")
    compared = compare(measures, titles, OWN, checks_of(figures))
    rows = _rows(figures, "0")
    rows += not_run_rows(figures, rows)
    checking = {name: title for name, title in titles.items() if ways[name]["checks"] != "nothing"}
    alone, *_ = measures
    rate = next((one for one in measures if one.more_is_better and one.case == "32"), alone)
    return Chapter(
        better=compared.better,
        alike=compared.alike,
        summary=[
            *summed_up("added to a request that is alone, ms", alone, checking, OWN),
            *summed_up("added to a request that is alone, of those that match too, ms", alone, _like_ours(titles), OWN),
            *summed_up("answers a second to 32 at once", rate, checking, OWN),
        ],
        header=_header(found),
        rows=rows,
        tables=_tables(figures),
        plot=_plot(figures, "p50_ms", "Median time of a request, instant upstream", "ms", ""),
        plots=[
            _plot(figures, "p95_ms", "95 of 100 requests within, instant upstream", "ms", "p95"),
            _plot(figures, "per_second", "Answers a second, instant upstream", "a second", "rate"),
            _memory_plot(figures),
        ],
        remarks=_remarks(figures),
    )


def readme_table(figures: Figures) -> list[str]:
    """Returns the lines of a table of all that ask the upstream: a request that is alone, and 32 at once."""
    cases = {name: figures["figures"][name]["0"] for name, way in figures["ways"].items() if way["asks_upstream"]}
    checks = _checks(figures)
    rows = [
        [figures["ways"][name]["title"], checks[name], told(case["1"]["p50_ms"]), told(case["32"]["per_second"])]
        for name, case in sorted(cases.items(), key=lambda one: float(one[1]["1"]["p50_ms"]["median"]))
    ]
    return table(("between", "checks", "alone, ms", "a second, 32 at once"), rows)


def _like_ours(titles: Mapping[str, str]) -> dict[str, str]:
    """Returns the ways that look for an approved prompt and have the upstream word its answer, as ours does."""
    return {name: title for name, title in titles.items() if name in _MATCH_AND_ASK}


def callers_of(figures: Figures, latency: str) -> list[int]:
    """Returns how many asked at once, as far as somebody was measured."""
    counts = {int(one) for way in figures["figures"].values() for one in way.get(latency, {})}
    return sorted(counts)


def _header(callers: Sequence[int]) -> tuple[str, ...]:
    return ("median, ms", "adds at 1", *(f"at {one}" for one in callers), "memory, MiB")


def _tables(figures: Figures) -> list[Table]:
    found = []
    for latency in ("0", "50"):
        callers = callers_of(figures, latency)
        if not callers:
            continue
        upstream = _upstream(latency)
        if latency != "0":
            rows = [row[:-1] for row in _rows(figures, latency)]
            found.append(Table(f"Median time, {upstream}", _header(callers)[:-1], rows))
        rates = [
            [title, *(_rate(figures["figures"][name][latency].get(str(one), {})) for one in callers)]
            for name, title in _titles(figures, latency).items()
        ]
        found.append(Table(f"Answers a second, {upstream}", ("", *(f"at {one}" for one in callers)), rates))
        tails = [
            [
                title,
                *(
                    _median(figures["figures"][name][latency].get(str(one), {}), tail)
                    for tail in ("p95_ms", "p99_ms")
                    for one in callers
                ),
            ]
            for name, title in _titles(figures, latency).items()
        ]
        heads = (f"{tail} at {one}" for tail in ("p95", "p99") for one in callers)
        found.append(Table(f"Within which 95 and 99 of 100 are answered, ms, {upstream}", ("", *heads), tails))
    return found


def _upstream(latency: str) -> str:
    return "instant upstream" if latency == "0" else f"upstream of {latency} ms"


def _titles(figures: Figures, latency: str) -> dict[str, str]:
    """Returns the floor and the ways that were asked with an upstream of this latency."""
    titles = {FLOOR_NAME: FLOOR_TITLE} | {name: way["title"] for name, way in figures["ways"].items()}
    return {name: title for name, title in titles.items() if latency in figures["figures"].get(name, {})}


def _rows(figures: Figures, latency: str) -> list[list[str]]:
    return [_row(figures, name, title, latency) for name, title in _titles(figures, latency).items()]


def _row(figures: Figures, name: str, title: str, latency: str) -> list[str]:
    cases = figures["figures"][name][latency]
    memory = figures["ways"].get(name, {}).get("memory_mib")
    return [
        title,
        f"{added_ms(figures, name, 1, int(latency)):.2f}" if "p50_ms" in cases.get("1", {}) else "-",
        *(_answered(cases.get(str(one), {})) for one in callers_of(figures, latency)),
        "" if memory is None else f"{memory:,}",
    ]


def _median(one: Mapping[str, Any], key: str) -> str:
    return number(one[key]["median"]) if key in one else "-"


def _rate(one: Mapping[str, Any]) -> str:
    return _median(one, "per_second")


def _answered(one: Mapping[str, Any]) -> str:
    """Returns a median, with the share that was answered where that is not all."""
    told_ms = _median(one, "p50_ms")
    if told_ms == "-" or one["share_wanted"] >= ANSWERS:
        return told_ms
    return f"{told_ms}, {100 * one['share_wanted']:.0f} % answered"


def _plot(figures: Figures, key: str, title: str, unit: str, name: str) -> Plot:
    """Returns a plot of a figure by callers; without the cases that have none of it, and of zero on a logarithm."""
    series = [
        Series(
            f"{callers} at once",
            {
                shown: value(one[key])
                for way, shown in _titles(figures, "0").items()
                if key in (one := figures["figures"][way]["0"].get(str(callers), {})) and one[key]["low"] > 0
            },
        )
        for callers in callers_of(figures, "0")
    ]
    return Plot(title, unit, [one for one in series if one.values], is_logarithmic=True, name=name)


def _memory_plot(figures: Figures) -> Plot:
    held = {way["title"]: way["memory_mib"] for way in figures["ways"].values()}
    return Plot(
        "Memory after all of it",
        "MiB",
        [Series("memory", {title: Value(mib, mib, mib) for title, mib in held.items()})],
        name="memory",
    )


def _is_whole(figures: Figures, name: str) -> bool:
    """Whether it answered in each case."""
    return all(
        one.get("share_wanted", 0) >= ANSWERS for case in figures["figures"][name].values() for one in case.values()
    )


def _measures(figures: Figures) -> list[Measure]:
    """Returns what is compared: what it adds, all times and rates by upstream and callers, and memory.

    Times and rates are ours and those of rivals that answered in each case; memory is held whoever is answered.
    """
    whole = [name for name in figures["ways"] if name == OWN or _is_whole(figures, name)]
    bare = figures["figures"][FLOOR_NAME]["0"]["1"]["p50_ms"]["median"]
    alone = {
        name: value(one["p50_ms"])
        for name in whole
        if "p50_ms" in (one := figures["figures"].get(name, {}).get("0", {}).get("1", {}))
    }
    measures = [
        Measure(
            "adds {} ms to a request that is alone",
            {
                name: Value(*(max(0.0, ms - bare) for ms in (one.middle, one.low, one.high)))
                for name, one in alone.items()
            },
        )
    ]
    said = {
        "p50_ms": "takes {} ms at {} at once, WHERE",
        "p95_ms": "answers 95 of 100 within {} ms at {} at once, WHERE",
        "p99_ms": "answers 99 of 100 within {} ms at {} at once, WHERE",
        "per_second": "answers {} a second at {} at once, WHERE",
    }
    for latency in ("0", "50"):
        for key, words in said.items():
            for callers in map(str, callers_of(figures, latency)):
                cases = {name: figures["figures"][name].get(latency, {}).get(callers, {}) for name in whole}
                found = {name: value(one[key]) for name, one in cases.items() if key in one}
                sentence = words.replace("WHERE", _upstream(latency))
                measures.append(Measure(sentence, found, more_is_better=key == "per_second", case=callers))
    return [*measures, Measure("holds {} MiB", {name: way["memory_mib"] for name, way in figures["ways"].items()})]


def checks_of(figures: Figures) -> dict[str, str]:
    """Returns what has to be known beside a way's figures: what it does for them."""
    return {name: f"It checks {said}." for name, said in _checks(figures).items()}


def _checks(figures: Figures) -> dict[str, str]:
    """Returns what each way checks; "the same" is that of the way before, which need not stand beside it."""
    found: dict[str, str] = {}
    before = ""
    for name, way in figures["ways"].items():
        said = str(way["checks"])
        found[name] = before = said.replace("the same", before, 1) if said.startswith("the same") and before else said
    return found


def _remarks(figures: Figures) -> list[str]:
    counted = figures["questions"]
    checks = "; ".join(f"{figures['ways'][name]['title']}: {said}" for name, said in _checks(figures).items())
    asked = (
        f"Asked in turn are {counted['worded']} messages of the help desk's test set that canongate and "
        f"NeMo's dialog both answer; {counted['verbatim']} for approved texts, {counted['exact']} approved phrasings."
    )
    length = (
        f"Requests of a case are begun for {SECONDS:g} s in each round ({QUICK_S:g} s with `--quick`), each caller's"
        " next when its last is answered. A server that makes a hundred a second so answers 128 callers once or twice,"
        " and the 99th of 100 at 1 at once is of some hundred requests: the tails are coarse."
    )
    few = "`-` stands for a figure that too few requests were made for: the last of some dozens is no 99th of 100."
    return [asked, *_offered(figures), f"What each checks: {checks}.", length, few, *not_run(figures)]


def _offered(figures: Figures) -> list[str]:
    """Returns how many questions were offered, and how many each way that matches answered by itself."""
    offered = figures["questions"].get("offered", {})
    told = [
        f"{figures['ways'][name]['title']}: {count} of {offered[_ASKED_OF[name]]}"
        for name, count in figures["questions"].get("answered", {}).items()
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
