"""Figures that the explanation quotes stand in the page of benchmarks, which has the command of each."""

import re

from tests.demo_process import ROOT

MATCHING = (ROOT / "docs" / "matching.md").read_text()
BENCHMARKS = (ROOT / "docs" / "benchmarks.md").read_text()


def test_the_near_misses_of_the_explanation_are_those_that_were_measured() -> None:
    told = re.search(r"Near misses of CLINC150's credit cards answered, .*?, semantic-router", BENCHMARKS, re.DOTALL)
    assert told is not None
    wanted = sorted(re.findall(r"\d+\.\d", told[0]))
    assert len(wanted) == 4
    part = re.search(r"Near misses are where .*?opposites", MATCHING, re.DOTALL)
    assert part is not None
    assert sorted(re.findall(r"\d+\.\d", part[0])) == wanted
