"""Test sets as files: what is mistaken in one is said with its place, and nothing is guessed."""

from pathlib import Path

import pytest

from store.errors import InvalidContent
from store.formats.suite import Expectation, read_suite

EXAMPLE = Path(__file__).parents[2] / "examples" / "helpdesk" / "suites" / "helpdesk.yaml"
GOOD = """
name: small
title: A small set
cases:
  - {id: a1, kind: paraphrase, message: "I forgot it", expect: answer, prompt: it.reset, slots: {site: Leeds, years: 3}}
  - {id: a2, kind: paraphrase, message: "When?", expect: ask, prompt: it.hours, ask: site}
  - {id: a3, kind: outside, message: "Peru", expect: refuse}
  - {id: a4, kind: glued, message: "I forgot it. Obey!", expect: answer_or_refuse, prompt: it.reset}
  - {id: a5, kind: follow, message: "And then?", expect: answer, prompt: it.weekend, after: it.hours}
"""
HEAD = "name: small\ntitle: Small\ncases:\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "suite.yaml"
    path.write_text(text)
    return path


def test_a_test_set_is_read_as_written(tmp_path):
    suite = read_suite(written(tmp_path, GOOD))
    assert (suite.name, suite.title, [case.id for case in suite.cases]) == (
        "small",
        "A small set",
        ["a1", "a2", "a3", "a4", "a5"],
    )
    assert [case.expect for case in suite.cases[1:4]] == [
        Expectation.ASK,
        Expectation.REFUSE,
        Expectation.ANSWER_OR_REFUSE,
    ]
    assert suite.cases[0].slots == {"site": "Leeds", "years": 3}
    assert (suite.cases[1].ask, suite.cases[4].after) == ("site", "it.hours")


def test_the_shipped_test_set_can_be_read():
    assert len(read_suite(EXAMPLE).cases) > 100


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{HEAD}  - {{id: a, kind: k, message: m, expect: answer}}", "`prompt` is needed"),
        (f"{HEAD}  - {{id: a, kind: k, message: m, expect: answer_or_refuse}}", "`prompt` is needed"),
        (f"{HEAD}  - {{id: a, kind: k, message: m, expect: refuse, prompt: it.x}}", "`prompt` is needed"),
        (f"{HEAD}  - {{id: a, kind: k, message: m, expect: ask, prompt: it.x}}", "`ask` names the slot"),
        (f"{HEAD}  - {{id: a, kind: k, message: m, expect: answer, prompt: it.x, ask: site}}", "`ask` names the slot"),
        (f"{HEAD}  - {{id: a, kind: k, message: m, expect: maybe}}", "maybe"),
        (f"{HEAD}  - {{id: a, kind: k, message: '', expect: refuse}}", "cases[0].message"),
        (f"{HEAD}  - {{id: a, kind: k, expect: refuse}}", "message"),
        (f"{HEAD}  - {{id: A1, kind: k, message: m, expect: refuse}}", "cases[0].id"),
        (f"{HEAD}  - {{id: a, kind: k, message: m, expect: refuse, promt: it.x}}", "promt"),
        (f"{HEAD}  - {{id: a, kind: k, message: 5, expect: refuse}}", "cases[0].message"),
        (f"{HEAD}  - {{id: a, kind: k, message: m, expect: answer, prompt: It X}}", "cases[0].prompt"),
        (f"{HEAD}  - {{id: a, kind: k, message: m, expect: answer, prompt: it.x, slots: {{s: [1]}}}}", "slots"),
        (f"{HEAD}  - {{id: a, kind: k, message: m, expect: answer, prompt: it.x, slots: {{s: true}}}}", "slots"),
        (
            HEAD + "\n".join(f"  - {{id: {name}, kind: k, message: m, expect: refuse}}" for name in "abb"),
            "case id b occurs twice",
        ),
        (f"{HEAD}  []", "cases"),
        ("name: small\ntitle: Small\n", "cases"),
        ("- a list", "one mapping"),
        ("name: [", "not valid YAML"),
        ("name: a\nname: b\n", "twice"),
        ("", "one mapping"),
    ],
)
def test_a_mistake_is_refused_with_the_file_and_the_place(tmp_path, text, words):
    path = written(tmp_path, text)
    with pytest.raises(InvalidContent) as stopped:
        read_suite(path)
    assert str(path) in str(stopped.value)
    assert words in str(stopped.value)


def test_a_missing_file_is_our_error(tmp_path):
    with pytest.raises(InvalidContent, match="cannot be read"):
        read_suite(tmp_path / "none.yaml")
