"""Where a rival is better than the gateway: found by comparing figures, and never by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.rivals.rounds import number

OURS = "canongate"


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that was measured of everybody, and how a sentence says it."""

    said: str
    """With `{}` for the figure, such as `adds {} ms`."""
    values: Mapping[str, float]
    """By the contestant's name; who was not measured is missing."""
    more_is_better: bool = False


def where_better(
    measures: Sequence[Measure], titles: Mapping[str, str], own: str, beside: Mapping[str, str] | None = None
) -> list[str]:
    """Returns a sentence for each rival that is better in anything; `beside` says what has to be known with it.

    Rivals are those whose name does not begin with ours.
    """
    found = []
    for name, title in titles.items():
        if name.startswith(OURS):
            continue
        said = [
            f"{one.said.format(number(one.values[name]))} (canongate {number(one.values[own])})"
            for one in measures
            if own in one.values and name in one.values and _is_better(one, name, own)
        ]
        if said:
            also = f" {beside[name]}" if beside and name in beside else ""
            found.append(f"**{title}** {'; '.join(said)}.{also}")
    return found


def _is_better(one: Measure, name: str, own: str) -> bool:
    if one.more_is_better:
        return one.values[name] > one.values[own]
    return one.values[name] < one.values[own]
