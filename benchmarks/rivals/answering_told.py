"""The chapter about answers end to end: who makes how many a second, and what that is worth."""

from benchmarks.rivals.chapters import Chapter, Plot, Series, Value
from benchmarks.rivals.comparing import OURS, Measure, compare, summed_up
from benchmarks.rivals.overhead_told import ANSWERS, not_run, not_run_rows
from benchmarks.rivals.questions import Figures
from benchmarks.rivals.rounds import told, value

CALLERS = (1, 8)
EACH = {1: 13, 8: 24}
"""Answers of a round by how many ask at once: three rounds ask each question once, or each of eight callers nine."""
OWN = "canongate"
_HOW = (
    "Greedy, one prompt to each model. canongate rewrites the published Q4_1 weights to Q8_0 once, which is quicker "
    "here. An answer of canongate that its rails withhold, or that the "
    "approved fallback stands in for, counts as not answered."
)
_REMARKS = (
    (
        "The approved prompts ask to repeat their facts, which is the best case for guessing: canongate looks for the"
        " last three tokens of an answer in its own prompt and lets the model check up to 16 that followed them in one"
        " step (docs/adr/0024). The rows with prompt lookup or n-grams are of servers that guess likewise; neither does"
        " unless it is told. Q4_1 or Q8_0 is the other difference. All keep what they computed of a prompt's beginning."
    ),
    (
        "An answer of the others counts as it comes, of canongate only one that passed its checks. A round has"
        f" {EACH[1]} answers of one caller, {EACH[8]} of eight. Both of llama.cpp's servers have both weights. The"
        " questions are approved phrasings, which canongate finds word for word, without its embedder."
    ),
)


def tell(figures: Figures) -> Chapter:
    """Returns the chapter."""
    measured = figures["figures"]
    titles = {title: title for title in measured}
    rows = [
        [
            title,
            *(told(one[str(callers)]["per_second"]) for callers in CALLERS),
            *(told(one[str(callers)]["p50_ms"]) if "p50_ms" in one[str(callers)] else "-" for callers in CALLERS),
            f"{100 * min(one[str(callers)]['share_wanted'] for callers in CALLERS):.0f} %",
            f"{one['memory_mib']:,}",
        ]
        for title, one in measured.items()
    ]
    rows += not_run_rows(figures, rows)
    rates = [
        _measure(measured, "per_second", "gives {} answers a second at {} at once", callers) for callers in CALLERS
    ]
    times = [_measure(measured, "p50_ms", "takes {} ms for an answer at {} at once", callers) for callers in CALLERS]
    held = {title: one["memory_mib"] for title, one in measured.items()}
    measures = [*rates, *times, Measure("holds {} MiB", held)]
    compared = compare(measures, titles, OWN, dict.fromkeys(measured, "It checks nothing."))
    return Chapter(
        better=compared.better,
        alike=compared.alike,
        summary=[
            [*row[:-1], _verdict(row[-1], measured[OWN][str(callers)])]
            for callers, one in zip(CALLERS, rates, strict=True)
            for row in summed_up(f"answers a second, {callers} at once", one, titles, OWN)
        ],
        header=(
            "",
            *(f"answers a second at {one}" for one in CALLERS),
            *(f"p50 at {one}, ms" for one in CALLERS),
            "answered",
            "memory, MiB",
        ),
        rows=rows,
        plot=_plot(measured, "per_second", "Answers a second with SmolLM2-135M", "a second"),
        plots=[
            _plot(measured, "p50_ms", "Median time of an answer", "ms", "p50"),
            Plot(
                "Memory after all of it",
                "MiB",
                [Series("memory", {title: Value(mib, mib, mib) for title, mib in held.items()})],
                name="memory",
            ),
        ],
        remarks=[
            f"{figures['questions']} questions, {figures['threads']} threads each. {_HOW}",
            *_REMARKS,
            *not_run(figures),
        ],
    )


def _verdict(ahead: str, own: Figures) -> str:
    """Returns who is ahead: the rule that keeps rivals from being called better holds for us too."""
    if ahead != OURS or own["share_wanted"] >= ANSWERS:
        return ahead
    return f"not judged: canongate worded {100 * own['share_wanted']:.0f} %"


def _measure(measured: Figures, key: str, said: str, callers: int) -> Measure:
    cases = {title: one[str(callers)] for title, one in measured.items()}
    able = {title: one for title, one in cases.items() if title == OWN or one["share_wanted"] >= ANSWERS}
    values = {title: value(one[key]) for title, one in able.items() if key in one}
    return Measure(said, values, more_is_better=key == "per_second", case=str(callers))


def _plot(measured: Figures, key: str, title: str, unit: str, name: str = "") -> Plot:
    series = [
        Series(
            f"{callers} at once",
            {who: value(one[str(callers)][key]) for who, one in measured.items() if key in one[str(callers)]},
        )
        for callers in CALLERS
    ]
    return Plot(title, unit, series, name=name)
