"""What the page about matching shows of rivals: how much is answered rightly while few answers are wrong."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.rivals.curves import RATES
from benchmarks.rivals.markdown import table
from benchmarks.rivals.rounds import spaced

RATE = RATES[0]
_RELEASES = {"semantic-router": "semantic-router", "nemoguardrails": "NeMo Guardrails"}


def best_limits(about: Mapping[str, Any]) -> str:
    """Returns the table of everybody's best limit on each set, and what it is, of what a run said about matching."""
    rows, sets = about["figures"]["rows"], [one["name"] for one in about["figures"]["sets"]]
    found = {(row["who"], row["set"]): row["reachable"][f"{RATE:g}"] for row in rows}
    told = [
        [who, *(_share(found[who, name]) if (who, name) in found else "-" for name in sets)]
        for who in dict.fromkeys(row["who"] for row in rows)
    ]
    rate = spaced(f"{RATE:.0%}")
    versions = about.get("versions", {})
    releases = [f"{title} {versions[name]}" for name, title in _RELEASES.items() if name in versions]
    released = f" Measured are {' and '.join(releases)}." if releases else ""
    said = (
        f"In percent, with the range of 95 % of draws of the messages, at each one's best limit for {rate}, which is"
        " chosen with the answers known, for everyone alike."
        f"{released} What limits come to that somebody can choose"
        " beforehand is on [the page of rivals](rivals.md#which-prompt-a-message-means)."
    )
    return "\n".join([*table(("", *sets), told), "", *textwrap.wrap(said, 120, break_on_hyphens=False)])


def _share(values: Sequence[float]) -> str:
    middle, low, high = (f"{100 * one:.1f}" for one in values)
    return f"{middle} ({low} to {high})"
