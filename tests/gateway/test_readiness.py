"""Readiness: one part that cannot answer is enough for no; draining is no at once."""

import pytest

from gateway.readiness import PartReport, PartState, Readiness, without_paths

READY, DEGRADED, NOT_READY = (PartReport(state, state.value) for state in PartState)


@pytest.mark.parametrize(
    ("parts", "is_ready", "is_degraded"),
    [
        ((READY, READY), True, False),
        ((READY, DEGRADED), True, True),
        ((READY, NOT_READY), False, False),
        ((DEGRADED, NOT_READY), False, True),
    ],
)
def test_the_worst_part_decides(parts, is_ready, is_degraded):
    report = Readiness({str(number): lambda part=part: part for number, part in enumerate(parts)}).report()
    assert (report.is_ready, report.is_degraded) == (is_ready, is_degraded)
    assert tuple(report.parts.values()) == parts


def test_every_report_asks_again():
    answers = iter([NOT_READY, READY])
    readiness = Readiness({"part": lambda: next(answers)})
    assert [readiness.report().is_ready for _ in range(2)] == [False, True]


def test_draining_is_not_ready_at_once_and_for_good():
    readiness = Readiness({"part": lambda: READY})
    assert readiness.report().is_ready
    readiness.drain()
    readiness.drain()
    report = readiness.report()
    assert not report.is_ready
    assert report.parts["gateway"] == PartReport(PartState.NOT_READY, "shutting down")
    assert report.parts["part"] == READY


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("Permission denied: /data/matcher", "Permission denied: a file that the log names"),
        ("~/model: gone (/var/x y)", "a file that the log names: gone (a file that the log names y)"),
        ("yes/no, http://there/x and 1/2 stay", "yes/no, http://there/x and 1/2 stay"),
    ],
)
def test_readiness_names_no_path(words, told):
    assert without_paths(words) == told
