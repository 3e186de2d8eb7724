"""Figures are read with care, and what a run or a page may not do is refused in words."""

import json
from pathlib import Path

import pytest

from benchmarks.rivals import __main__ as program
from benchmarks.rivals import machine
from benchmarks.rivals.kept import FIGURES, QUICK, NotFigures, read_report, write_report
from benchmarks.rivals.report import PAGE, write_page
from benchmarks.rivals.sources import SOURCES, remarks_on
from benchmarks.rivals.venvs import ROOT

BROKEN = {
    "": "is not JSON",
    "{": "is not JSON",
    "[]": "does not hold figures",
    "null": "does not hold figures",
    '{"questions": null}': "does not hold figures",
    '{"questions": {"weather": {}}}': "a question that nobody asks: 'weather'",
    '{"questions": {"size": {"measured": "today"}}}': "size lacks machine, rounds",
    '{"questions": {"size": null}}': "size lacks measured",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_is_refused_in_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "figures.json"
    path.write_text(text)
    with pytest.raises(NotFigures, match=BROKEN[text]):
        read_report(path)


def test_a_folder_is_no_file_of_figures(tmp_path: Path) -> None:
    with pytest.raises(NotFigures, match="is a folder; name a file"):
        read_report(tmp_path)


def test_figures_are_read_as_they_were_written(tmp_path: Path) -> None:
    report = read_report(FIGURES, must_exist=True)
    write_report(report, tmp_path / "new" / "figures.json")
    assert read_report(tmp_path / "new" / "figures.json") == report


def test_no_page_is_written_of_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = PAGE.read_text()
    monkeypatch.setattr("sys.argv", ["rivals", "--page", "--figures", str(tmp_path / "figures.json")])
    assert program.main() == 2
    with pytest.raises(NotFigures, match="has no figures"):
        write_page(read_report(tmp_path / "figures.json"))
    assert PAGE.read_text() == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("question", "key", "other"),
    [("matching", "rows", None), ("overhead", "figures", {}), ("size", "titles", 3), ("quality", "rows", [])],
)
def test_damaged_figures_leave_the_page_alone(
    question: str, key: str, other: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = read_report(FIGURES)
    report["questions"][question]["figures"][key] = other
    path = tmp_path / "figures.json"
    write_report(report, path)
    monkeypatch.setattr("sys.argv", ["rivals", "--page", "--figures", str(path)])
    assert program.main() == 2
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(NotFigures, match=f"what was measured for {question} cannot be told"):
        write_page(report, path)


def test_a_damaged_machine_is_refused_in_words(tmp_path: Path) -> None:
    report = read_report(FIGURES)
    report["questions"]["size"]["machine"] = {"cores": 2}
    with pytest.raises(NotFigures, match="cannot be told: KeyError"):
        write_page(report, tmp_path / "figures.json")
    assert list(tmp_path.iterdir()) == []


REFUSED = {
    ("--page", "--only", "size"): "--page writes the whole page",
    ("--page", "--data", "."): "--page writes the whole page",
    ("--data", "/nowhere/at/all"): "is no folder",
    ("--quick", "--figures", str(FIGURES)): "does not go into the figures of the repository",
    ("--rounds", "0"): "must be at least 1",
}


@pytest.mark.parametrize("given", REFUSED)
def test_what_contradicts_itself_is_refused(
    given: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["rivals", *given])
    with pytest.raises(SystemExit) as ended:
        program._arguments()
    assert ended.value.code == 2
    assert REFUSED[given] in capsys.readouterr().err


def test_a_quick_run_keeps_its_figures_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["rivals", "--quick"])
    assert program._arguments().figures == QUICK.resolve()


def test_a_path_from_here_is_the_repositorys_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.argv", ["rivals", "--figures", "docs/rivals/figures.json"])
    assert program._arguments().figures == FIGURES


def test_links_of_a_page_elsewhere_lead_to_the_repository(tmp_path: Path) -> None:
    write_page(read_report(FIGURES), tmp_path / "figures.json")
    page = (tmp_path / "figures.md").read_text()
    links = [part.split(")")[0] for part in page.split("](")[1:]]
    endings = (".txt", ".yml", ".yaml", ".toml", ".py", ".svg", ".md", ".json")
    files = [one for one in links if one.endswith(endings) and "://" not in one]
    assert "figures.json" in files
    (tmp_path / "figures.json").write_text("{}")
    assert all((tmp_path / one).is_file() for one in files)


def test_sets_that_are_missing_or_others_are_told(tmp_path: Path) -> None:
    SOURCES[0].path(tmp_path).write_bytes(b"other rows")
    told = remarks_on(tmp_path)
    assert len(told) == len(SOURCES)
    assert "has other rows than the page names" in told[0]
    assert "matching, quality leave it out" in told[1]
    SOURCES[0].path(tmp_path).unlink()
    assert remarks_on(tmp_path)[0].endswith("matching leaves it out")


def test_a_machine_says_what_its_figures_depend_on() -> None:
    found = machine.describe()
    assert isinstance(found["is_virtual"], bool)
    assert {"torch", "onnxruntime"} <= set(found["software"])
    assert all(len(digest) == 64 for digest in found["weights"].values())
    assert json.loads(json.dumps(found)) == found
    assert machine.now().endswith(" UTC")
    assert set(machine.own_version()) == {"version", "commit"}
