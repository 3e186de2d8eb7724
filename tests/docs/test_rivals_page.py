"""The page of rivals, its plots and the sentences of other pages say what the figures say."""

import json

import pytest

from benchmarks.rivals.kept import FIGURES, FOLDER, read_report
from benchmarks.rivals.report import MATCHING, PAGE, README, drawings, matching_of, page_of, readme_of
from tests.benchmarks.guarded_figures import GUARDED

REPORT = read_report(FIGURES, must_exist=True)


def test_the_page_is_what_the_figures_come_to() -> None:
    assert PAGE.read_text() == page_of(REPORT)


@pytest.mark.parametrize("name", drawings(REPORT))
def test_a_plot_is_what_the_figures_come_to(name: str) -> None:
    assert (FOLDER / name).read_text() == drawings(REPORT)[name]


def test_no_plot_is_left_over() -> None:
    assert {one.name for one in FOLDER.glob("*.svg")} == set(drawings(REPORT))


def test_other_pages_say_what_the_figures_say() -> None:
    assert readme_of(REPORT) == README.read_text()
    assert matching_of(REPORT) == MATCHING.read_text()


def test_the_page_changes_with_a_figure() -> None:
    changed = json.loads(json.dumps(REPORT))
    figures = changed["questions"]["overhead"]["figures"]["figures"]["canongate-worded"]["0"]["1"]
    figures["p50_ms"]["median"] += 1000
    assert page_of(changed) != page_of(REPORT)
    assert readme_of(changed) != README.read_text()


def test_our_own_rate_is_told_from_the_figures() -> None:
    changed = json.loads(json.dumps(REPORT))
    for row in changed["questions"]["matching"]["figures"]["rows"]:
        if "own limits for 1%" in row["points"]:
            row["points"]["own limits for 1%"]["wrong"] = 0.4242
    assert "42.4 % of all messages wrongly" in matching_of(changed)
    assert "42.4 % of all messages wrongly" in page_of(changed)


def test_rivals_beside_our_matching_are_told_from_the_figures() -> None:
    changed = json.loads(json.dumps(REPORT))
    about = changed["questions"]["matching"]
    about["versions"]["semantic-router"] = "7.8.9"
    for row in about["figures"]["rows"]:
        if (row["set"], row["who"]) == ("BANKING77", "semantic-router"):
            row["reachable"]["0.01"] = [0.4242, 0.4, 0.5]
    assert "42.4 (40.0 to 50.0)" in matching_of(changed)
    assert "semantic-router 7.8.9" in " ".join(matching_of(changed).split())
    about.pop("versions")
    assert "Measured are" not in matching_of(changed)


def test_a_quicker_rival_is_named_first() -> None:
    changed = json.loads(json.dumps(REPORT))
    overhead = changed["questions"]["overhead"]["figures"]["figures"]
    overhead["nemo-regex"]["0"]["1"]["p50_ms"] = overhead["floor"]["0"]["1"]["p50_ms"]
    told = "**NeMo Guardrails, regex rails** adds"
    assert told in _better(page_of(changed))
    assert told not in page_of(REPORT)


def test_the_readme_names_the_quickest_first() -> None:
    rows = [line for line in readme_of(REPORT).splitlines() if line.count("|") == 5 and " to " in line]
    times = [float(row.split("|")[3].split()[0]) for row in rows]
    assert len(times) == sum(
        one["asks_upstream"] for one in REPORT["questions"]["overhead"]["figures"]["ways"].values()
    )
    assert times == sorted(times)
    assert rows[0].startswith("| NeMo Guardrails, no rails, IORails | nothing |")


def test_the_rule_against_servers_that_answer_less_holds_for_us_too() -> None:
    changed = json.loads(json.dumps(REPORT))
    own = changed["questions"]["answering"]["figures"]["figures"]["canongate"]["8"]
    own |= {"share_wanted": 0.5, "per_second": {"median": 99.0, "low": 98.0, "high": 99.5}}
    row = "answers a second, 8 at once | 99.0 | 4.00 |"
    assert "not judged: canongate worded 50 %" in _line_of(page_of(changed), row)
    own["share_wanted"] = 1.0
    assert _line_of(page_of(changed), row).endswith("| canongate |")


def _line_of(page: str, part: str) -> str:
    return next(line for line in page.splitlines() if part in line)


def test_a_sum_stands_before_where_rivals_are_better() -> None:
    titles = [part.splitlines()[0] for part in page_of(REPORT).split("\n## ")[1:3]]
    assert titles == ["In short", "Where a rival is better"]


def test_our_own_goals_are_told_from_the_figures() -> None:
    changed = json.loads(json.dumps(REPORT))
    changed["questions"]["guarded"] = {**REPORT["questions"]["starting"], "figures": GUARDED}
    told = "None is reached: it takes 7.77 ms and makes 120 a second, and an exact phrase takes 2.22 ms"
    assert told in page_of(changed)
    assert told in " ".join(readme_of(changed).split())
    assert "## A guarded decision inside one process" in page_of(changed)


def test_goals_that_were_not_measured_have_no_figures() -> None:
    changed = json.loads(json.dumps(REPORT))
    changed["questions"].pop("guarded", None)
    told = "What a guarded decision takes inside one process was not measured in this run."
    for page in (page_of(changed), " ".join(readme_of(changed).split())):
        assert told in page
        assert "400 a second" not in page


def _better(page: str) -> str:
    return page.split("\n## ")[2]
