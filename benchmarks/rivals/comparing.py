"""Where a rival is better than the gateway: found by comparing figures, and never by hand.

A rival is better where its figure is, and the two spreads do not overlap; where they do, the two are no different. Of
shares of messages the spread is the interval of 95 %, and what is asked is whether that of the difference holds zero:
the two shares' intervals put together as Newcombe does.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.rivals.chapters import Value
from benchmarks.rivals.rounds import number

OURS = "canongate"
_IN_A_SENTENCE = 3
"""Figures of one rival that stand in one sentence; more are a list."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that was measured of everybody, and how a sentence says it."""

    said: str
    """With `{}` for the figure, such as `adds {} ms`, and a second one for the case, if it is one of several."""
    values: Mapping[str, float | Value]
    """By the contestant's name; who was not measured is missing. A figure without a spread is exact."""
    more_is_better: bool = False
    case: str = ""
    """Which case: measures that say the same of several cases stand in one sentence."""
    are_shares: bool = False

    def value(self, name: str) -> Value:
        """Returns somebody's figure with its spread."""
        one = self.values[name]
        return one if isinstance(one, Value) else Value(one, one, one)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Sentences about rivals that are better, and about those whose figures are, but within the spread."""

    better: list[str]
    alike: list[str]


def compare(
    measures: Sequence[Measure],
    titles: Mapping[str, str],
    own: str,
    beside: Mapping[str, str] | None = None,
    variants: Mapping[str, str] | None = None,
) -> Comparison:
    """Returns a sentence for each rival that is better, or no different with a better figure, in anything.

    `beside` says what has to be known with a rival's figures. `variants` are ways of ours whose figures stand beside
    the default's, by what a sentence calls them. Rivals are those whose name does not begin with ours.
    """
    better, alike = [], []
    for name, title in titles.items():
        if name.startswith(OURS):
            continue
        ahead = [one for one in measures if own in one.values and name in one.values and _leads(one, name, own)]
        also = f" {beside[name]}" if beside and name in beside else ""
        for found, kind in ((better, True), (alike, False)):
            some = [one for one in ahead if is_clear(one, name, own) is kind]
            if some:
                found.append(_sentence(title, list(_said(some, name, own, variants or {})), also))
    return Comparison(better, alike)


def where_better(
    measures: Sequence[Measure], titles: Mapping[str, str], own: str, beside: Mapping[str, str] | None = None
) -> list[str]:
    """Returns a sentence for each rival that is better in anything."""
    return compare(measures, titles, own, beside).better


def summed_up(label: str, measure: Measure, titles: Mapping[str, str], own: str) -> list[list[str]]:
    """Returns a row of the page's first table, or none where ours or every rival is missing."""
    names = [one for one in titles if one in measure.values and not one.startswith(OURS)]
    if own not in measure.values or not names:
        return []
    pick = max if measure.more_is_better else min
    best = pick(names, key=lambda one: measure.value(one).middle)
    ours, theirs = measure.value(own), measure.value(best)
    if not is_clear(measure, best, own):
        verdict = "no different"
    else:
        verdict = "the rival" if _leads(measure, best, own) else OURS
    return [[label, number(ours.middle), number(theirs.middle), titles[best], verdict]]


def is_clear(one: Measure, name: str, own: str) -> bool:
    """Whether the spreads of two figures do not overlap, or the interval of two shares' difference has no zero."""
    upper, lower = one.value(name), one.value(own)
    if upper.middle < lower.middle:
        upper, lower = lower, upper
    if one.are_shares:
        return math.hypot(upper.middle - upper.low, lower.high - lower.middle) < upper.middle - lower.middle
    return lower.high < upper.low


def _leads(one: Measure, name: str, own: str) -> bool:
    theirs, ours = one.value(name).middle, one.value(own).middle
    return theirs > ours if one.more_is_better else theirs < ours


def _sentence(title: str, said: Sequence[str], also: str) -> str:
    """Returns one sentence, or a list under the rival's name where one would be too long to read."""
    if len(said) <= _IN_A_SENTENCE:
        return f"**{title}** {'; '.join(said)}.{also}"
    return "\n".join([f"**{title}**:{also}", *(f"    - {one}" for one in said)])


def _said(measures: Sequence[Measure], name: str, own: str, variants: Mapping[str, str]) -> Iterator[str]:
    for said in dict.fromkeys(one.said for one in measures):
        same = [one for one in measures if one.said == said]
        ours = [f"canongate {_figures(same, own)}"]
        ours += [
            f"{called} {_figures(same, way)}"
            for way, called in variants.items()
            if all(way in one.values for one in same)
        ]
        yield f"{said.format(_figures(same, name), ' / '.join(one.case for one in same))} ({'; '.join(ours)})"


def _figures(measures: Sequence[Measure], name: str) -> str:
    return " / ".join(number(one.value(name).middle) for one in measures)
