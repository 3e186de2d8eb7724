"""A run beside rivals says how long it still takes, and one thing that fails takes nothing else with it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.rivals import __main__ as program
from benchmarks.rivals.arena import Arena
from benchmarks.rivals.contestants import WAYS
from benchmarks.rivals.load import Came, Load
from benchmarks.rivals.progress import Progress
from benchmarks.rivals.questions import QUESTIONS, Options, Question

SAID: list[str] = []
OPTIONS = Options(is_quick=False, rounds=1, data=Path(), say=SAID.append)
SIZE = next(one for one in QUESTIONS if one.name == "size")
SMALL = {
    "titles": {"canongate": "canongate", "plain": "Plain"},
    "installed_mib": {"canongate": 10, "plain": 5},
    "packages": {"canongate": 2, "plain": 1},
    "lines": {},
}


@pytest.fixture(autouse=True)
def _nothing_said() -> None:
    SAID.clear()


def test_what_is_left_follows_the_pace_of_what_is_done() -> None:
    asked = [replace(SIZE, minutes=10.0), replace(SIZE, name="blocking", minutes=5.0)]
    now = iter([0.0, 1200.0, 1200.0])
    progress = Progress(asked, OPTIONS, lambda: next(now))
    progress.begin(asked[0])
    progress.end(asked[0])
    progress.begin(asked[1])
    assert "about 15 min are left" in SAID[0]
    assert "20.0 min so far" in SAID[1]
    assert "about 10 min are left" in SAID[2], "twice as slow as an idle machine"


def test_all_of_it_is_to_take_less_than_an_hour() -> None:
    assert sum(one.minutes for one in QUESTIONS) < 60


def test_who_gives_nothing_that_was_wanted_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    up, way, sent = Arena(OPTIONS), WAYS[0], []

    def send(one: Load) -> Came:
        sent.append(one)
        return Came(1.0, [], [], 0, 3, "500 broken")

    monkeypatch.setattr(up, "send", send)
    asked = Load(1, "/", {}, [], callers=8)
    assert up.ask(way, asked) is None
    assert up.ask(way, asked) is None
    assert len(sent) == 1
    assert up.failed == {way.title: "nothing that was wanted at 8 at once, but: 500 broken"}


@pytest.fixture
def figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of two questions without rivals, the first of which fails."""
    fails = Question("blocking", "One that fails", 1, 1)

    def measure(question: Question, *_: object) -> dict[str, object]:
        if question is fails:
            raise ValueError("port is taken")
        return SMALL

    monkeypatch.setattr(Question, "measure", measure)
    monkeypatch.setattr(program, "RIVALS", ())
    monkeypatch.setattr(program.signal, "signal", lambda *_: None)
    monkeypatch.setattr(program, "chosen", lambda _: [fails, SIZE])
    place = tmp_path / "figures.json"
    monkeypatch.setattr("sys.argv", ["rivals", "--figures", str(place), "--only", "size"])
    assert program.main() == 1, "a question that fails is no success"
    return place


def test_a_question_that_fails_does_not_take_the_others_with_it(figures: Path) -> None:
    report = json.loads(figures.read_text())
    assert report["not_answered"] == {"blocking": "ValueError: port is taken"}
    assert list(report["questions"]) == ["size"]


def test_a_run_that_is_stopped_keeps_what_was_answered(monkeypatch: pytest.MonkeyPatch, figures: Path) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Question, "measure", stopped)
    assert program.main() == 130
    assert list(json.loads(figures.read_text())["questions"]) == ["size"]


def test_the_page_of_other_figures_lies_beside_them(figures: Path) -> None:
    page = figures.with_suffix(".md").read_text()
    assert "**Plain** installs 5 MiB (canongate 10); brings packages: 1 (canongate 2)." in page
    assert "**Not answered by the last run: blocking.** `ValueError: port is taken`" in page
    assert (figures.parent / "rivals" / "size.svg").read_text().startswith("<svg")
