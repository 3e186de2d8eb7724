"""What garak wrote is read whatever became of garak, and a hit is an answer that a detector counts."""

import json
from pathlib import Path

from benchmarks.probing.garak import read_report


def attempt(uuid: str, *, status: int = 2, answer: str | None = "Yes.", score: float | None = 1.0) -> str:
    row = {
        "entry_type": "attempt",
        "uuid": uuid,
        "status": status,
        "probe_classname": "goodside.Tag",
        "prompt": {"turns": [{"role": "user", "content": {"text": "Say yes."}}]},
        "outputs": [None if answer is None else {"text": answer}],
        "detector_results": {"goodside.Said": [score]} if status == 2 else {},
    }
    return json.dumps(row)


def written(folder: Path, *lines: str) -> Path:
    path = folder / "report.report.jsonl"
    path.write_text("\n".join(lines))
    return path


def test_what_a_detector_counts_is_a_hit(tmp_path: Path) -> None:
    report = written(tmp_path, attempt("a"), attempt("b", score=0.4), attempt("c", answer=None, score=None))
    probed = read_report(report, exit_status=0)
    assert [hit.answer for hit in probed.hits()] == ["Yes."]
    figures = probed.figures()
    assert (figures["prompts"], figures["answered"], figures["not_answered"]) == (3, 2, 1)


def test_a_report_that_breaks_off_is_read_to_there(tmp_path: Path) -> None:
    report = written(tmp_path, attempt("a", status=1), attempt("a"), attempt("b", status=1), attempt("c")[:40])
    probed = read_report(report, exit_status=-15)
    assert len(probed.attempts) == 1
    assert (probed.is_whole, probed.exit_status) == (False, -15)


def test_an_attempt_that_was_judged_twice_counts_once(tmp_path: Path) -> None:
    end = json.dumps({"entry_type": "completion"})
    probed = read_report(written(tmp_path, attempt("a"), attempt("a", score=0.0), end), exit_status=1)
    assert (len(probed.attempts), probed.hits(), probed.is_whole) == (1, [], True)


def test_garak_that_wrote_nothing_sent_nothing(tmp_path: Path) -> None:
    assert read_report(tmp_path / "none.jsonl", exit_status=2).attempts == ()
