"""Rows of other formats on the command line: drafts are made and never live, what is not taken is told and kept."""

import gzip
import json

import pytest

from store.formats.bundle import read_bundle
from store.formats.bundle_file import Writing, bundle_text
from store.formats.suite import read_suite
from tests.building import PROMPTS
from tests.gateway.command_line import is_one_line_of_ours

DOLLY = [
    {"instruction": "How do I open a door?", "context": "", "response": "Push it.", "category": "open_qa"},
    {"instruction": "How do I open the door?", "context": "", "response": "Push it.", "category": "open_qa"},
    {"instruction": "Where is the key?", "context": "", "response": "On the hook.", "category": "open_qa"},
    {"instruction": "where is the key", "context": "", "response": "In the drawer.", "category": "open_qa"},
]
DRAFT = ("--format", "dolly", "--area", "doors", "--owner", "Caretaker")


@pytest.fixture
def dolly(tmp_path):
    path = tmp_path / "rows.jsonl.gz"
    lines = [*map(json.dumps, DOLLY), "{", "", json.dumps(DOLLY[0])]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def test_rows_become_drafts_in_a_folder_and_nothing_is_live(published, dolly, tmp_path):
    out, bad = tmp_path / "drafts", tmp_path / "bad.jsonl"
    done = published("import", dolly, *DRAFT, "--out", out, "--rejected", bad)
    assert done.status == 0
    assert done.out == (f"5 rows read, 2 not taken: 2 prompts in {out}, 1 joined as further phrasings, 1 said again.\n")
    assert "row 4: the same question has another answer in a row before" in done.err
    assert "row 5: not JSON" in done.err
    assert "1 rows are there twice, the first at 7." in done.err
    assert sorted(bad.read_text().splitlines()) == sorted((json.dumps(DOLLY[3]), "{"))
    reasons = [json.loads(line) for line in (tmp_path / "bad.jsonl.reasons").read_text().splitlines()]
    assert sorted(one["place"] for one in reasons) == [4, 5]
    drafts = read_bundle(out)
    assert [len(prompt.phrasings) for prompt in drafts.prompts] == [2, 1]
    assert f"{len(PROMPTS) + 2} unchanged" not in published("import", out, "--dry-run").out
    assert "2 new" in published("import", out, "--dry-run").out


def test_drafts_that_were_looked_at_can_be_published(published, dolly, tmp_path):
    published("import", dolly, *DRAFT, "--out", tmp_path / "drafts")
    assert "2 new" in published("import", tmp_path / "drafts").out


def test_a_dry_run_of_rows_writes_nothing(run, dolly, tmp_path):
    run("user", "create", "ada", "--role", "viewer")  # makes the data folder
    before = sorted(tmp_path.iterdir())
    report = json.loads(run("import", dolly, *DRAFT, "--dry-run", "--json").out)
    assert sorted(tmp_path.iterdir()) == before
    assert (report["rows"], report["rejected"], report["made"], report["joined"], report["repeated"]) == (5, 2, 2, 1, 1)
    assert {one["place"] for one in report["problems"]} == {4, 5}


def test_rows_become_a_test_set_of_strangers_or_of_one_prompt(run, dolly, tmp_path):
    assert run("import", dolly, "--format", "dolly", "--as", "suite", "--out", tmp_path / "strangers.yaml").status == 0
    suite = read_suite(tmp_path / "strangers.yaml")
    assert (suite.name, len(suite.cases), {case.expect.value for case in suite.cases}) == ("strangers", 3, {"refuse"})
    out = tmp_path / "doors.yaml"
    run("import", dolly, "--format", "dolly", "--as", "suite", "--prompt", "doors.open", "--out", out)
    assert {case.prompt for case in read_suite(out).cases} == {"doors.open"}


def test_rows_become_a_list_of_questions(run, dolly, tmp_path):
    run("import", dolly, "--format", "dolly", "--as", "questions", "--out", tmp_path / "asked.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "asked.jsonl").read_text().splitlines()]
    assert lines[0] == {"message": "How do I open a door?", "language": ""}
    assert len(lines) == 5


def test_drafts_never_go_into_a_folder_that_holds_something(run, dolly, content):
    before = read_bundle(content)
    assert is_one_line_of_ours(run("import", dolly, *DRAFT, "--out", content))
    assert read_bundle(content) == before


def test_rejected_rows_never_go_over_what_is_there(run, dolly, tmp_path):
    before = dolly.read_bytes()
    (tmp_path / "bad.reasons").write_text("of another file")
    convert = ("convert", dolly, tmp_path / "out.json", "--format", "dolly", "--to", "alpaca", "--rejected")
    for rejected in (dolly, tmp_path / "bad"):
        for command in (("import", dolly, *DRAFT, "--dry-run", "--rejected"), convert):
            refused = run(*command, rejected)
            assert is_one_line_of_ours(refused)
            assert "is there already. Name a new file." in refused.err
    assert sorted(one.name for one in tmp_path.glob("*.*")) == ["bad.reasons", "rows.jsonl.gz"]
    assert (dolly.read_bytes(), (tmp_path / "bad.reasons").read_text()) == (before, "of another file")


@pytest.mark.parametrize(
    "wrong",
    [
        ("--format", "dolly", "--out", "new"),
        DRAFT,
        ("--format", "dolly", "--area", "doors", "--out", "new"),
        ("--out", "new"),
        ("--format", "odd"),
    ],
)
def test_what_is_missing_is_said(run, dolly, wrong):
    assert run("import", dolly, *wrong).status == 2


@pytest.mark.parametrize("wrong", [("--area", "Doors"), ("--language", "english")])
def test_settings_that_no_prompt_could_have_are_refused(run, dolly, tmp_path, wrong):
    assert is_one_line_of_ours(run("import", dolly, *DRAFT, "--out", tmp_path / "new", *wrong))


def test_one_format_is_written_as_another_and_what_is_left_out_is_told(run, dolly, tmp_path):
    done = run("convert", dolly, tmp_path / "out.json", "--format", "dolly", "--to", "alpaca")
    assert done.out == f"Wrote {tmp_path / 'out.json'}: 5 rows, 0 left out, 1 not read.\n"
    assert "rows.jsonl.gz:5: not JSON" in done.err
    assert [one["output"] for one in json.loads((tmp_path / "out.json").read_text())] == [
        "Push it.",
        "Push it.",
        "On the hook.",
        "In the drawer.",
        "Push it.",
    ]
    told = json.loads(run("convert", dolly, tmp_path / "pairs", "--format", "dolly", "--to", "dpo", "--json").out)
    assert (told["rows"], told["left_out"], told["rejected"]) == (0, 5, 1)
    assert is_one_line_of_ours(run("convert", dolly, tmp_path / "out.json", "--format", "dolly", "--to", "dolly"))


def test_what_is_live_is_written_in_every_format(published, tmp_path):
    for name in ("dolly", "alpaca", "longform", "self-instruct", "sharegpt", "oasst", "oasst-messages", "csv"):
        done = published("export", tmp_path / name, "--format", name)
        assert done.status == 0
        told = json.loads(
            published("convert", tmp_path / name, tmp_path / f"{name}2", "--format", name, "--to", name, "--json").out
        )
        assert (told["left_out"], told["rejected"]) == (0, 0)
        assert told["rows"] >= sum(len(prompt["phrasings"]) for prompt in PROMPTS)
        assert (tmp_path / f"{name}2").read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("bundle-yaml", "yaml"), ("bundle-json", "json"), ("csv-prompts", "csv"), ("csv-sentences", "csv")],
)
def test_what_was_exported_whole_changes_nothing_when_it_is_imported(published, tmp_path, name, suffix):
    path = tmp_path / f"out.{suffix}"
    assert published("export", path, "--format", name).status == 0
    more = () if suffix != "csv" else ("--format", name)
    report = json.loads(published("import", path, *more, "--dry-run", "--json").out)
    assert (report["added"], report["changed"], report["differences"]) == ([], [], [])


def test_a_dry_run_of_a_bundle_shows_a_readable_difference(published, content, tmp_path):
    bundle = read_bundle(content)
    text = bundle_text(bundle, Writing.YAML).replace("title: Reset", "title: Renew", 1)
    (tmp_path / "new.yaml").write_text(text)
    done = published("import", tmp_path / "new.yaml", "--dry-run")
    assert "--- live/prompts/" in done.out
    assert [line for line in done.out.splitlines() if line.startswith(("+title", "-title"))]
    assert "1 changed" in done.out


def test_formats_are_listed_with_what_they_keep(run):
    told = json.loads(run("formats", "--json").out)
    assert {"dolly", "oasst", "hh-rlhf", "bundle-json"} <= {one["name"] for one in told}
    assert all(one["keeps"] for one in told)
    assert "self-instruct" in run("formats").out
