"""The chapter about matching: where a rival is ahead, what each limit comes to, and what our own rate is worth."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.rivals.chapters import ONCE, Chapter, Plot, Series, Table, Value
from benchmarks.rivals.comparing import OURS, Comparison, Measure, compare, summed_up
from benchmarks.rivals.curves import RATES
from benchmarks.rivals.questions import Figures
from benchmarks.rivals.rounds import spaced
from benchmarks.rivals.sets import parts
from store.learning.metrics import wilson

STATED = RATES[0]
"""The rate of wrong answers that canongate states unless it is told another one."""
AT_STATED = f"own limits for {STATED:.0%}"
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
    found = [_compared(rows, given) for given in sets]
    return Chapter(
        better=[sentence for one in found for sentence in one.better],
        alike=[sentence for one in found for sentence in one.alike],
        summary=[line for given in sets for line in _summary(rows, given)],
        opening=[own_rate_sentence(figures)],
        header=("", "", "best prompt right", *(f"right within {rate:.0%}".replace("%", " %") for rate in RATES)),
        rows=[
            (row["set"], row["who"], _percent(row["best_right"]), *(_range(_reachable(row, rate)) for rate in RATES))
            for row in rows
        ],
        tables=[
            Table(
                f"At limits that somebody can choose beforehand: {_name(given)}",
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
            f"{_percent(point['wrong'])} of all messages wrongly and {_percent(point['outside_answered'])} of those"
            f" that no prompt is for ({who})"
            for who, point in points.items()
        )
        if said:
            told.append(f"On {_name(given)} they answered {said}.")
    return (
        f"canongate's limits for a stated rate of {spaced(f'{STATED:.0%}')} are no guarantee of it. {' '.join(told)}"
        " They are set on rehearsed messages, which are phrasings of the store itself held out, and what people write"
        " differs from those: measure with messages of your own."
    )


def _name(given: Mapping[str, Any]) -> str:
    """Returns a set's name inside a sentence."""
    return f"the {given['name']}'s test set" if given["name"] == "help desk" else str(given["name"])


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


def _own(rows: Sequence[Mapping[str, Any]]) -> str:
    """Returns the row of our default: the tuned embedder, or the other one where that was not measured."""
    return next((str(row["who"]) for row in reversed(rows) if row["who"].startswith(OURS)), OURS)


def _of(rows: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["set"] == given["name"]]


def _curves(rows: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> list[Measure]:
    return [
        Measure(
            f"can answer {{}} % of {_name(given)} rightly while {spaced(f'{rate:.0%}')} are answered wrongly, at the"
            " best limit",
            {row["who"]: _value(_reachable(row, rate)) for row in _of(rows, given)},
            more_is_better=True,
        )
        for rate in RATES
    ]


def _compared(rows: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> Comparison:
    """Returns where a rival is ahead on one set: at the best limits, and at those that can be chosen beforehand."""
    some = _of(rows, given)
    own = _own(some)
    curves = compare(_curves(rows, given), {row["who"]: row["who"] for row in some}, own)
    points = {_point_name(row, name): _with_refusals(point) for row in some for name, point in row["points"].items()}
    ours = f"{own}, {spaced(AT_STATED)}"
    if ours not in points:
        return curves
    measures = [
        Measure(said, _shares(points, key, whole), more_is_better=key in ("right", "outside_refused"), are_shares=True)
        for said, key, whole in (
            (f"answers {{}} % of {_name(given)} wrongly", "wrong", given["messages"]),
            (
                f"answers {{}} % of what no prompt is for in {_name(given)}",
                "outside_answered",
                given["messages"] - given["in_scope"],
            ),
            (
                f"plainly refuses {{}} % of what no prompt is for in {_name(given)}",
                "outside_refused",
                given["messages"] - given["in_scope"],
            ),
            (f"answers {{}} % of what has a prompt in {_name(given)} rightly", "right", given["in_scope"]),
        )
    ]
    beside = {name: _beside(point, points[ours]) for name, point in points.items()}
    found = compare(measures, {name: name for name in points}, ours, beside)
    return Comparison([*curves.better, *found.better], [*curves.alike, *found.alike])


def _with_refusals(point: Mapping[str, float]) -> Mapping[str, float]:
    """Returns a point with the share of what no prompt is for that is plainly refused, where that was counted."""
    if "asked_back" in point and "outside_asked_back" not in point:
        return point
    refused = 1 - point["outside_answered"] - point.get("outside_asked_back", 0.0)
    return {**point, "outside_refused": max(0.0, refused)}


def _point_name(row: Mapping[str, Any], point: str) -> str:
    return f"{row['who']}, {spaced(point)}"


def _beside(theirs: Mapping[str, float], ours: Mapping[str, float]) -> str:
    """Returns what a figure is worth: what else becomes of the messages at that limit."""
    back = f", and asks back for {_percent(ours['asked_back'])}" if "asked_back" in ours else ""
    said = [
        f"{_percent(theirs[key])} {word} (canongate {_percent(ours[key])})"
        for key, word in (("right", "right"), ("wrong", "wrong"))
    ]
    refused = (
        f"no answer to {_percent(theirs['refused'])} of what has a prompt (canongate {_percent(ours['refused'])}{back})"
    )
    outside = (
        f" Of what no prompt is for it answers {_percent(theirs['outside_answered'])} (canongate"
        f" {_percent(ours['outside_answered'])}, and asks back at {_percent(ours['outside_asked_back'])})."
        if "outside_asked_back" in ours
        else ""
    )
    return f"There {', '.join(said)}, {refused}.{outside}"


def _shares(points: Mapping[str, Mapping[str, float]], key: str, whole: int) -> dict[str, Value]:
    """Returns the shares in percent, with the interval of 95 % that so many messages leave."""
    found = {}
    for name, point in points.items():
        if key not in point:
            continue
        share = wilson(round(point[key] * whole), whole) if whole else None
        if share is not None:
            found[name] = Value(100 * share.value, 100 * share.low, 100 * share.high)
    return found


def _summary(rows: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> list[list[str]]:
    some = _of(rows, given)
    best = summed_up(
        f"{given['name']}: right within {spaced(f'{STATED:.0%}')} wrong, at the best limit, %",
        _curves(rows, given)[0],
        {row["who"]: row["who"] for row in some},
        _own(some),
    )
    wrong = {
        _point_name(row, name): point
        for row in some
        for name, point in row["points"].items()
        if name == AT_STATED or (name.endswith(f"for {STATED:.0%}") and not row["who"].startswith(OURS))
    }
    measure = Measure("{}", _shares(wrong, "wrong", given["messages"]), are_shares=True)
    limits = f"{given['name']}: wrong at limits for {spaced(f'{STATED:.0%}')}, %"
    return [*best, *summed_up(limits, measure, {name: name for name in wrong}, f"{_own(some)}, {spaced(AT_STATED)}")]


def _points(rows: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for row in _of(rows, given):
        for number, (name, point) in enumerate(row["points"].items()):
            cells = (_percent(point[key]) if key in point else "-" for key in _POINT_KEYS)
            yield (row["who"] if number == 0 else "", spaced(name), *cells)


def _outcomes(rows: Sequence[Mapping[str, Any]], given: Mapping[str, Any], number: int) -> Plot:
    """Returns what became of the messages that have a prompt, at the limits for the stated rate and the rivals' own."""
    points = {
        _point_name(row, name): point
        for row in _of(rows, given)
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
    values = {row["who"]: _value(_reachable(row, rate)) for row in rows if row["set"] == name}
    return Series(f"{name}, {spaced(f'{rate:.0%}')} wrong", values)


def _reachable(row: Mapping[str, Any], rate: float) -> Sequence[float]:
    found: Sequence[float] = row["reachable"][f"{rate:g}"]
    return found


def _value(shares: Sequence[float]) -> Value:
    return Value(*(100 * one for one in shares))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _range(values: Sequence[float]) -> str:
    middle, low, high = (f"{100 * one:.1f}" for one in values)
    return f"{middle} ({low} to {high}) %"
