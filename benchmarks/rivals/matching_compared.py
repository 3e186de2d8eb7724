"""Where a rival matches better than we do, on one set: at the best limits, and at those that anyone can choose."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.rivals.chapters import Value
from benchmarks.rivals.comparing import OURS, Comparison, Measure, compare, summed_up
from benchmarks.rivals.curves import RATES
from benchmarks.rivals.rounds import spaced
from store.learning.metrics import wilson

STATED = RATES[0]
"""The rate of wrong answers that canongate states unless it is told another one."""
AT_STATED = f"own limits for {STATED:.0%}"


def compared(rows: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> Comparison:
    """Returns where a rival is ahead on one set: at the best limits, and at those that can be chosen beforehand."""
    some = rows_of(rows, given)
    own = own_of(some)
    curves = compare(_curves(rows, given), {row["who"]: row["who"] for row in some}, own)
    points = {point_name(row, name): _with_refusals(point) for row in some for name, point in row["points"].items()}
    ours = f"{own}, {spaced(AT_STATED)}"
    if ours not in points:
        return curves
    measures = [
        Measure(said, _shares(points, key, whole), more_is_better=key in ("right", "outside_refused"), are_shares=True)
        for said, key, whole in (
            (f"answers {{}} % of {name_of(given)} wrongly", "wrong", given["messages"]),
            (
                f"answers {{}} % of what no prompt is for in {name_of(given)}",
                "outside_answered",
                given["messages"] - given["in_scope"],
            ),
            (
                f"plainly refuses {{}} % of what no prompt is for in {name_of(given)}",
                "outside_refused",
                given["messages"] - given["in_scope"],
            ),
            (f"answers {{}} % of what has a prompt in {name_of(given)} rightly", "right", given["in_scope"]),
        )
    ]
    beside = {name: _beside(point) for name, point in points.items()}
    found = compare(measures, {name: name for name in points}, ours, beside)
    own_first = [f"Beside which canongate, {spaced(AT_STATED)}, {_becomes(points[ours])}"] if found.better else []
    return Comparison([*curves.better, *own_first, *found.better], [*curves.alike, *found.alike])


def summary(rows: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> list[list[str]]:
    """Returns a set's rows of the page's first table."""
    some = rows_of(rows, given)
    best = summed_up(
        f"{given['name']}: right within {spaced(f'{STATED:.0%}')} wrong, at the best limit, %",
        _curves(rows, given)[0],
        {row["who"]: row["who"] for row in some},
        own_of(some),
    )
    wrong = {
        point_name(row, name): point
        for row in some
        for name, point in row["points"].items()
        if name == AT_STATED or (name.endswith(f"for {STATED:.0%}") and not row["who"].startswith(OURS))
    }
    measure = Measure("{}", _shares(wrong, "wrong", given["messages"]), are_shares=True)
    limits = f"{given['name']}: wrong at limits for {spaced(f'{STATED:.0%}')}, %"
    return [*best, *summed_up(limits, measure, {name: name for name in wrong}, f"{own_of(some)}, {spaced(AT_STATED)}")]


def _curves(rows: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> list[Measure]:
    return [
        Measure(
            f"can answer {{}} % of {name_of(given)} rightly while {spaced(f'{rate:.0%}')} are answered wrongly, at the"
            " best limit",
            {row["who"]: value(reachable(row, rate)) for row in rows_of(rows, given)},
            more_is_better=True,
        )
        for rate in RATES
    ]


def _with_refusals(point: Mapping[str, float]) -> Mapping[str, float]:
    """Returns a point with the share of what no prompt is for that is plainly refused, where that was counted."""
    if "asked_back" in point and "outside_asked_back" not in point:
        return point
    refused = 1 - point["outside_answered"] - point.get("outside_asked_back", 0.0)
    return {**point, "outside_refused": max(0.0, refused)}


def _beside(theirs: Mapping[str, float]) -> str:
    """Returns what a figure is worth: what else becomes of the messages at that limit."""
    return f"It {_becomes(theirs)}"


def _becomes(point: Mapping[str, float]) -> str:
    """Returns what becomes of the messages at a limit, as the rest of a sentence."""
    back = f", asks back for {percent(point['asked_back'])}" if point.get("asked_back") else ""
    outside = f" Of what no prompt is for it answers {percent(point['outside_answered'])}"
    outside += f" and asks back at {percent(point['outside_asked_back'])}." if point.get("outside_asked_back") else "."
    return (
        f"answers {percent(point['right'])} of what has a prompt rightly{back}, refuses {percent(point['refused'])};"
        f" {percent(point['wrong'])} of all messages are answered wrongly.{outside}"
    )


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


def own_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Returns the row of our default: the tuned embedder, or the other one where that was not measured."""
    return next((str(row["who"]) for row in reversed(rows) if row["who"].startswith(OURS)), OURS)


def rows_of(rows: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Returns the rows of a set."""
    return [row for row in rows if row["set"] == given["name"]]


def name_of(given: Mapping[str, Any]) -> str:
    """Returns a set's name inside a sentence."""
    return f"the {given['name']}'s test set" if given["name"] == "help desk" else str(given["name"])


def point_name(row: Mapping[str, Any], point: str) -> str:
    """Returns what somebody is called at a limit."""
    return f"{row['who']}, {spaced(point)}"


def reachable(row: Mapping[str, Any], rate: float) -> Sequence[float]:
    """Returns what the best limit for a rate reaches: the middle, and the ends of its range."""
    found: Sequence[float] = row["reachable"][f"{rate:g}"]
    return found


def value(shares: Sequence[float]) -> Value:
    """Returns shares in percent."""
    return Value(*(100 * one for one in shares))


def percent(share: float) -> str:
    """Returns a share for a table or a sentence."""
    return f"{100 * share:.1f} %"
