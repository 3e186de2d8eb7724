"""What a change does to how far each assistant can be trusted, measured on sentences that its matcher did not know."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from store.calibration import Calibration
from store.catalog import Catalog
from store.changes.evidence import CalibrationEvidence
from store.learning.report import Report

_MOST_COLLISIONS = 50
"""Told of one assistant."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The evidence, and what it says for and against."""

    calibrations: tuple[CalibrationEvidence, ...]
    problems: tuple[str, ...]
    notices: tuple[str, ...]


def calibration_evidence(
    ahead: Catalog, touched: frozenset[str], after: Mapping[str, Calibration], before: Mapping[str, Calibration]
) -> Calibrated:
    """Returns what is measured of the touched assistants; one over the rate that it states is a problem."""
    found: list[CalibrationEvidence] = []
    problems: list[str] = []
    notices: list[str] = []
    for name in sorted(touched):
        one = _evidence(name, ahead, after.get(name), before.get(name))
        found.append(one)
        if one.is_over_rate:
            told = (
                f"assistant {name}: {one.false_match:.1%} of the messages would be answered wrongly, and it tolerates "
                f"{one.stated_rate:.1%}. Make its prompts less alike, or state another rate."
            )
            (notices if _was_no_better(one, before.get(name)) else problems).append(told)
        elif one.false_match is None:
            notices.append(
                f"assistant {name}: its phrasings are too few to measure how often it would be wrong. It answers word "
                "for word only."
            )
        elif caveat := after[name].report.caveat:
            notices.append(f"assistant {name}: {caveat}.")
        if one.coverage is not None and one.coverage_before is not None and one.coverage < one.coverage_before:
            notices.append(
                f"assistant {name}: it would answer {one.coverage:.1%} of the messages that have a prompt, and answers "
                f"{one.coverage_before:.1%} now."
            )
        notices += (f"assistant {name}: {line}" for line in one.collisions)
    return Calibrated(tuple(found), tuple(problems), tuple(notices))


def _was_no_better(one: CalibrationEvidence, before: Calibration | None) -> bool:
    """Whether the live one is over its rate too, and not by less: a change that mends a part of it may go live."""
    if before is None or not before.report.is_over_rate or one.false_match is None or one.false_match_before is None:
        return False
    return one.false_match <= one.false_match_before


def _evidence(name: str, ahead: Catalog, after: Calibration | None, before: Calibration | None) -> CalibrationEvidence:
    stated = ahead.assistants[name].match.false_match_rate
    report, old = (None if one is None else one.report for one in (after, before))
    known = frozenset(_collisions(old)) if old else frozenset()
    collisions = [line for line in _collisions(report) if line not in known] if report else []
    return CalibrationEvidence(
        assistant=name,
        stated_rate=stated,
        false_match=report.store.false_match.value if report else None,
        false_match_before=old.store.false_match.value if old else None,
        coverage=report.store.coverage.value if report else None,
        coverage_before=old.store.coverage.value if old else None,
        is_over_rate=report is not None and report.is_over_rate,
        collisions=tuple(collisions[:_MOST_COLLISIONS]),
    )


def _collisions(report: Report) -> Iterator[str]:
    """Gives a line for each phrasing that is nearer to another prompt; equal for equal ones before and after."""
    for one in report.nearer_elsewhere:
        yield (
            f"{one.phrasing!r} of {one.prompt} is nearer to {one.other_phrasing!r} of {one.other_prompt} than to the "
            "other phrasings of its own prompt"
        )
