"""Figures that the explanation quotes stand in the page of benchmarks, which has the command of each."""

import re

from tests.demo_process import ROOT

MATCHING = (ROOT / "docs" / "matching.md").read_text()
BENCHMARKS = (ROOT / "docs" / "benchmarks.md").read_text()
SETS = ("BANKING77", "SOFMattress", "CLINC150 credit cards")
PARTS = ("canongate", "nearest phrasing", "mean of three nearest", "semantic-router 0.3.3")


def quoted() -> dict[str, list[str]]:
    """What the explanation says of each set: canongate, nearest phrasing, semantic-router within 1 %."""
    rows = [line for line in MATCHING.splitlines() if line.startswith(tuple(f"| {name}" for name in SETS))]
    return {one.split("|")[1].split(",")[0].strip(): re.findall(r"\.\d{3}", one) for one in rows}


def measured() -> dict[str, list[str]]:
    """The same from the table of benchmarks, whose rows stand by set."""
    lines = BENCHMARKS.splitlines()
    found = {}
    for name in SETS:
        at = next(number for number, line in enumerate(lines) if line.startswith(f"| **{name}**"))
        columns = [lines[at + below].split("|")[3].strip() for below in range(len(PARTS))]
        found[name] = [columns[0], columns[1], columns[3]]
    return found


def test_the_shares_of_the_explanation_are_those_that_were_measured() -> None:
    assert quoted() == measured()


def test_the_near_misses_of_the_explanation_are_those_that_were_measured() -> None:
    told = re.search(r"Near misses of CLINC150's credit cards answered, .*?\.\n", BENCHMARKS, re.DOTALL)
    assert told is not None
    wanted = sorted(re.findall(r"\d+\.\d", told[0]))
    part = re.search(r"Near misses are where .*?opposites", MATCHING, re.DOTALL)
    assert part is not None
    assert sorted(re.findall(r"\d+\.\d", part[0])) == wanted
