"""What a run of hours is held to, and how it is drawn."""

from collections import Counter
from xml.etree import ElementTree as ET

import pytest

from benchmarks.lasting import draw_report, must_hold

ANSWERED = Counter({"200": 1000})


def readings(growth_mib: float = 0.0, more_files: float = 0.0) -> list[dict[str, float]]:
    """An hour: the first minutes fill caches, then memory and files grow by so much until the end."""
    warm = [min(minute, 10) * 20.0 for minute in range(61)]
    return [
        {
            "minute": minute,
            "gateway_mib": 1000 + warm[minute] + growth_mib * minute / 60,
            "worker_mib": 380.0,
            "files": 60 + more_files * minute / 60,
            "threads": 40.0,
        }
        for minute in range(61)
    ]


def failing(rows: list[dict[str, float]], statuses: Counter[str] = ANSWERED) -> set[str]:
    return {row["name"] for row in must_hold(rows, statuses) if not row["holds"]}


def test_what_fills_up_at_first_is_no_growth() -> None:
    assert failing(readings()) == set()


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (readings(growth_mib=100), "growth of gateway_mib, share"),
        (readings(more_files=12), "more files"),
    ],
)
def test_what_grows_until_the_end_is_found(rows: list[dict[str, float]], found: str) -> None:
    assert failing(rows) == {found}


def test_a_question_without_an_answer_is_found() -> None:
    assert failing(readings(), Counter({"200": 999, "-1": 1})) == {"questions without an answer"}


def test_every_quantity_has_a_line_from_the_first_reading_to_the_last() -> None:
    rows = readings()
    drawn = ET.fromstring(draw_report({"minutes": 60, "rate_per_s": 30.0, "readings": rows}))  # noqa: S314 - ours
    lines = drawn.findall(".//{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 4
    assert all(len(line.attrib["points"].split()) == len(rows) for line in lines)
