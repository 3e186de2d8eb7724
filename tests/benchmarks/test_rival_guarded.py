"""A guarded decision inside one process: what it takes is told from what its measurement printed, goal by goal."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from benchmarks.guarded import _goals
from benchmarks.rivals import guarded
from benchmarks.rivals.drawing import draw
from benchmarks.rivals.markdown import table
from benchmarks.rivals.questions import QUESTIONS, Options
from benchmarks.rivals.words import own_goals
from tests.benchmarks.guarded_figures import GUARDED

SAID: list[str] = []
OPTIONS = Options(is_quick=False, rounds=3, data=Path(), say=SAID.append)


@pytest.fixture(autouse=True)
def _nothing_said() -> None:
    SAID.clear()


def measured_by(program: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> dict[str, Any]:
    """Returns the figures with another program in place of the one that measures."""
    (folder / "benchmarks").mkdir()
    (folder / "benchmarks" / "__init__.py").touch()
    (folder / "benchmarks" / "guarded.py").write_text(program)
    monkeypatch.setattr(guarded, "ROOT", folder)
    return guarded.measure([], OPTIONS)


def printing(figures: dict[str, Any], status: int) -> str:
    """Returns a program that tells how far it is, prints figures and ends with a status."""
    return (
        "import sys\n"
        "print('… round 1 of 3', file=sys.stderr)\n"
        "print('noise of a library', file=sys.stderr)\n"
        f"print({json.dumps(figures)!r})\n"
        "print(' '.join(sys.argv[1:]), file=open('asked.txt', 'w'))\n"
        f"sys.exit({status})\n"
    )


@pytest.mark.parametrize("status", [0, 1])
def test_a_goal_that_is_missed_is_no_failure(status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    printed = {key: one for key, one in GUARDED.items() if key != "command"}
    assert measured_by(printing(printed, status), monkeypatch, tmp_path) == GUARDED
    assert SAID[1:] == ["round 1 of 3"]
    asked = (tmp_path / "asked.txt").read_text().strip()
    assert asked == f"--decisions 600 --rounds 3 --json --data {guarded.DATA}"


@pytest.mark.parametrize("program", ["raise OSError('the disk is full')", "import sys; sys.exit('the disk is full')"])
def test_a_measurement_that_prints_nothing_fails_with_its_last_words(
    program: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(guarded.NotMeasured, match=r"printed no figures: .*the disk is full"):
        measured_by(program, monkeypatch, tmp_path)


def test_a_measurement_that_is_ended_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(guarded.NotMeasured, match="ended with 7"):
        measured_by(printing(GUARDED, 7), monkeypatch, tmp_path)


def test_a_measurement_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(guarded, "PATIENCE_S", 0.5)
    with pytest.raises(guarded.NotMeasured, match="ended with -9"):
        measured_by("import time; time.sleep(60)", monkeypatch, tmp_path)


def test_the_chapter_has_every_way_and_every_goal_and_compares_nothing() -> None:
    chapter = guarded.tell(GUARDED)
    assert [row[0] for row in chapter.rows] == list(GUARDED["ways"])
    assert chapter.rows[1] == ["through the embedder", "7.77", "15.5", "120 (110 to 130)", "7.77", "1.94"]
    (goals,) = chapter.tables
    assert goals.rows[1][1:] == ["at least 400", "120", "no"]
    assert len(table(goals.header, goals.rows)) == len(GUARDED["goals"]) + 2
    assert len(table(chapter.header, chapter.rows)) == len(chapter.rows) + 2
    assert draw(chapter.plot).startswith("<svg")
    assert (chapter.better, chapter.alike, chapter.summary) == ((), (), ())
    assert any("nothing is compared" in one for one in chapter.remarks)


@pytest.mark.parametrize(
    ("holding", "said"),
    [
        (0, "None is reached"),
        (1, "1 of the three is reached"),
        (2, "2 of the three are reached"),
        (3, "All are reached"),
    ],
)
def test_how_many_goals_are_reached_is_counted(holding: int, said: str) -> None:
    figures = deepcopy(GUARDED)
    for one in figures["goals"][:holding]:
        one["holds"] = True
    assert f"{said}: it takes 7.77 ms and makes 120 a second" in guarded.goals_sentence(figures)


def test_the_goals_are_those_that_the_measurement_has() -> None:
    figures = {**GUARDED, "goals": _goals(GUARDED["ways"])}
    assert guarded.goals_sentence(figures) == guarded.goals_sentence(GUARDED)
    assert "3 ms and 400 a second through the embedder, 0.5 ms for an exact phrase" in guarded.goals_sentence(figures)


def test_figures_of_a_busy_machine_are_called_so() -> None:
    about = {"figures": GUARDED, "is_quick": False, "machine_was_shared": True}
    assert own_goals({"questions": {"guarded": about}}).endswith("others used the machine meanwhile.")
    assert "not measured" in own_goals({"questions": {}})


def test_others_at_work_matter_to_it() -> None:
    (question,) = (one for one in QUESTIONS if one.name == "guarded")
    assert question.is_timed
