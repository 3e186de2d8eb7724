"""The chapter about matching: what each limit comes to, and what our own rate is worth."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.rivals.chapters import ONCE, Chapter, Plot, Series, Table, Value
from benchmarks.rivals.comparing import OURS
from benchmarks.rivals.curves import RATES
from benchmarks.rivals.matching_compared import (
    AT_STATED,
    STATED,
    compared,
    name_of,
    percent,
    point_name,
    reachable,
    rows_of,
    summary,
    value,
)
from benchmarks.rivals.questions import Figures
from benchmarks.rivals.rounds import spaced
from benchmarks.rivals.sets import parts

_POINT_HEADER = (
    "",
    "at",
    "right",
    "wrong",
    "asked back",
    "right among those offered",
    "refused",
    "without a prompt, answered",
    "without a prompt, asked back",
)
_POINT_KEYS = (
    "right",
    "wrong",
    "asked_back",
    "offered_right",
    "refused",
    "outside_answered",
    "outside_asked_back",
)
_REMARKS = (
    (
        "`right`, `asked back`, `right among those offered` and `refused` are of the messages that have a prompt;"
        " `wrong` is of all messages. What is left of the first was answered with another prompt."
    ),
    (
        "To ask back is neither to answer nor to refuse: canongate names the prompts that a message may mean, and the"
        " person picks one or none. `right among those offered` are the messages whose prompt was among them. What no"
        " prompt is for is refused plainly where it is neither answered nor asked back; no rival asks back (`-`)."
    ),
    (
        "`right within 1 %` is what the best limit of all reaches while at most 1 % of all messages are answered"
        " wrongly; it is chosen with the answers known, for everyone alike. The range is that of 95 % of draws"
        " of the messages."
    ),
    (
        "canongate also reads the counterexamples that its prompts have, for which the others have no place; BANKING77"
        " has none. Its default, the tuned embedder at its own limits for 1 %, is what rivals are compared with."
    ),
    "NeMo's score is not a cosine; it ranks as FAISS does.",
)


def tell(figures: Figures) -> Chapter:
    """Returns the chapter: where a rival is ahead, its tables, and plots of curves and of what became of messages."""
    rows, sets = figures["rows"], figures["sets"]
    found = [compared(rows, given) for given in sets]
    return Chapter(
        better=[sentence for one in found for sentence in one.better],
        alike=[sentence for one in found for sentence in one.alike],
        summary=[line for given in sets for line in summary(rows, given)],
        opening=[own_rate_sentence(figures)],
        header=("", "", "best prompt right", *(f"right within {rate:.0%}".replace("%", " %") for rate in RATES)),
        rows=[
            (row["set"], row["who"], percent(row["best_right"]), *(_range(reachable(row, rate)) for rate in RATES))
            for row in rows
        ],
        tables=[
            Table(
                f"At limits that somebody can choose beforehand: {name_of(given)}",
                _POINT_HEADER,
                list(_points(rows, given)),
            )
            for given in sets
        ],
        plot=Plot(
            "Answered rightly at the best limit",
            "% of the messages that have a prompt",
            [_series(rows, given["name"], rate) for given in sets for rate in RATES],
        ),
        plots=[_outcomes(rows, given, number) for number, given in enumerate(sets)],
        remarks=[*(_sentence(given) for given in sets), *_left_out(sets), *_REMARKS, *figures["remarks"]],
        measured=ONCE,
    )


def own_rate_sentence(figures: Figures) -> str:
    """Returns how often our own limits for the stated rate were wrong, on each set."""
    told = []
    for given in figures["sets"]:
        points = {
            row["who"].removeprefix(f"{OURS}, "): row["points"][AT_STATED]
            for row in figures["rows"]
            if row["set"] == given["name"] and row["who"].startswith(OURS) and AT_STATED in row["points"]
        }
        said = "; ".join(
            f"{percent(point['wrong'])} of all messages wrongly and {percent(point['outside_answered'])} of those"
            f" that no prompt is for ({who})"
            for who, point in points.items()
        )
        if said:
            told.append(f"On {name_of(given)} they answered {said}.")
    return (
        f"canongate's limits for a stated rate of {spaced(f'{STATED:.0%}')} are no guarantee of it. {' '.join(told)}"
        " They are set on rehearsed messages, which are phrasings of the store itself held out, and what people write"
        " differs from those: measure with messages of your own."
    )


def help_desk_sentence(figures: Figures) -> str:
    """Returns how our matcher does on the help desk's test set at its own limits, as it is and tuned."""
    given = next(one for one in figures["sets"] if one["name"] == "help desk")
    told = [
        f"{percent(row['points'][AT_STATED]['right'])} of those with a prompt are answered rightly at once and"
        f" {percent(row['points'][AT_STATED]['wrong'])} of all wrongly ({row['who'].removeprefix(f'{OURS}, ')})"
        for row in figures["rows"]
        if row["set"] == given["name"] and row["who"].startswith(OURS) and AT_STATED in row["points"]
    ]
    return (
        f"The matcher by itself, on {given['messages']:,} messages of the help desk's test set, {given['in_scope']:,}"
        f" of which have a prompt, at its own limits for {spaced(f'{STATED:.0%}')}: {'; '.join(told)}."
    )


def _sentence(given: Mapping[str, Any]) -> str:
    name = f"The {given['name']}" if given["name"] == "help desk" else given["name"]
    return (
        f"{name}: {given['prompts']:,} prompts with {given['sentences']:,} sentences; {given['messages']:,}"
        f" messages, {given['in_scope']:,} of which have a prompt."
    )


def _left_out(sets: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns why the help desk has fewer messages here than its whole test set."""
    if all(given["name"] != "help desk" for given in sets):
        return []
    part = parts()
    told = (
        f"The help desk's test set has {part.messages} messages, {part.in_scope} of which have a prompt, and the README"
        f" counts those. Here {part.attacks} attacks are left out, which have a chapter of their own, and"
        f" {part.follow_ups} messages that only the turn before explains, which no rival is told."
    )
    return [told]


def _points(rows: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for row in rows_of(rows, given):
        for number, (name, point) in enumerate(row["points"].items()):
            cells = (percent(point[key]) if key in point else "-" for key in _POINT_KEYS)
            yield (row["who"] if number == 0 else "", spaced(name), *cells)


def _outcomes(rows: Sequence[Mapping[str, Any]], given: Mapping[str, Any], number: int) -> Plot:
    """Returns what became of the messages that have a prompt, at the limits for the stated rate and the rivals' own."""
    points = {
        point_name(row, name): point
        for row in rows_of(rows, given)
        for name, point in row["points"].items()
        if not name.startswith("no threshold") and not name.endswith(f"{RATES[-1]:.0%}")
    }
    kinds: dict[str, dict[str, float]] = {"right": {}, "asked back": {}, "refused": {}, "another prompt's": {}}
    for name, point in points.items():
        kinds["right"][name] = point["right"]
        kinds["asked back"][name] = point.get("asked_back", 0.0)
        kinds["refused"][name] = point["refused"]
        kinds["another prompt's"][name] = max(0.0, 1 - sum(kinds[one][name] for one in list(kinds)[:3]))
    return Plot(
        f"What became of messages that have a prompt: {given['name']}",
        "%",
        [
            Series(kind, {name: Value(*[100 * share] * 3) for name, share in shares.items()})
            for kind, shares in kinds.items()
        ],
        name=f"outcomes{number + 1}",
        is_stacked=True,
    )


def _series(rows: Sequence[Mapping[str, Any]], name: str, rate: float) -> Series:
    values = {row["who"]: value(reachable(row, rate)) for row in rows if row["set"] == name}
    return Series(f"{name}, {spaced(f'{rate:.0%}')} wrong", values)


def _range(values: Sequence[float]) -> str:
    middle, low, high = (f"{100 * one:.1f}" for one in values)
    return f"{middle} ({low} to {high}) %"
