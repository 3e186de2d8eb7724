"""Medians with their spread: percentiles of one round's times, and middle, lowest and highest of the rounds."""

import re
import statistics
from collections.abc import Mapping, Sequence

from benchmarks.rivals.chapters import Value

Spread = dict[str, float]
"""`median`, `low` and `high` of rounds, as JSON holds them."""
PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
LEAST = {"p50": 1, "p95": 20, "p99": 100}
"""Times in all rounds together from which a percentile says more than the longest one."""


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the smallest value that at least that share of all does not exceed. Raises `ValueError` without any."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    needed = -(-len(ordered) * round(share * 1000) // 1000)
    return ordered[max(0, needed - 1)]


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Returns p50, p95 and p99."""
    return {name: percentile(values, share) for name, share in PERCENTILES.items()}


def percentiles_of_rounds(rounds: Sequence[Sequence[float]]) -> dict[str, Spread]:
    """Returns the spread of each percentile over the rounds' times; what they are too few for is left out."""
    counted = sum(len(one) for one in rounds)
    found = over_rounds([{f"{name}_ms": ms for name, ms in percentiles(one).items()} for one in rounds])
    return {f"{name}_ms": found[f"{name}_ms"] for name, least in LEAST.items() if counted >= least}


def spread(rounds: Sequence[float], digits: int = 2) -> Spread:
    """Returns the middle of the rounds, the lowest and the highest."""
    return {
        "median": round(statistics.median(rounds), digits),
        "low": round(min(rounds), digits),
        "high": round(max(rounds), digits),
    }


def over_rounds(rounds: Sequence[Mapping[str, float]], digits: int = 2) -> dict[str, Spread]:
    """Returns the spread of each figure that the rounds have; a figure that a round lacks is of the others alone."""
    names = list(dict.fromkeys(name for one in rounds for name in one))
    return {name: spread([one[name] for one in rounds if name in one], digits) for name in names}


def value(one: Spread) -> Value:
    """Returns a spread for a plot."""
    return Value(one["median"], one["low"], one["high"])


def told(one: Spread) -> str:
    """Returns a spread as tables say it: the median, with lowest and highest in brackets."""
    if one["low"] == one["high"]:
        return number(one["median"])
    return f"{number(one['median'])} ({number(one['low'])} to {number(one['high'])})"


def number(figure: float) -> str:
    """Returns a figure with three digits that count, thousands parted by commas; a count has all of its own."""
    if isinstance(figure, int) or figure == 0 or abs(figure) >= 100:
        return f"{figure:,.0f}"
    if abs(figure) < 0.1:
        return f"{figure:.2g}"
    return f"{figure:.1f}" if abs(figure) >= 10 else f"{figure:.2f}"


def spaced(words: str) -> str:
    """Returns words with a space before each sign of percent, as pages write it."""
    return re.sub(r"(\d)%", r"\1 %", words)
