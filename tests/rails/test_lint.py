"""The linter: every bad edit is told at its line, in words that say what to do; a good policy is left alone."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rails.colang_lint import lint_colang
from rails.dialog_colang import NO_TOPIC
from rails.findings import Severity, has_errors
from rails.lint import lint_policy
from rails.policy import load_policy

CASES = Path(__file__).parents[1] / "cases" / "policies"
GOOD = (CASES / "good.yaml").read_text()
EDITS = yaml.safe_load((CASES / "bad_edits.yaml").read_text())
# The dialog of a policy is checked by the same linter; whether the loader takes it is not this test's business.
WITHOUT_DIALOG = "\n".join(
    line
    for line in GOOD.split("\n")
    if line not in GOOD[GOOD.index("dialog:") : GOOD.index("tests:")].split("\n") or not line
)


def edited(edit):
    assert GOOD.count(edit["find"]) >= 1, f"{edit['title']}: there is nothing to edit"
    return GOOD.replace(edit["find"], edit["write"], 1)


def line_of(text, edit):
    lines = [number for number, line in enumerate(text.split("\n"), start=1) if edit["at"] in line]
    return (lines[-1] if edit.get("last") else lines[0]) - edit.get("above", 0)


def test_there_are_enough_bad_edits_and_no_two_are_the_same():
    assert len(EDITS) >= 43
    assert len({(edit["find"], edit["write"]) for edit in EDITS}) == len(EDITS)


@pytest.mark.parametrize("edit", EDITS, ids=[edit["title"] for edit in EDITS])
def test_a_bad_edit_is_told_where_it_is_and_what_to_do(edit):
    text = edited(edit)
    found = [finding for finding in lint_policy(text) if finding.code == edit["code"]]
    assert found, [str(finding) for finding in lint_policy(text)]
    finding = found[0]
    assert edit["word"] in f"{finding.message} {finding.remedy}"
    assert finding.line == line_of(text, edit), str(finding)
    assert 1 <= finding.column <= len(text.split("\n")[finding.line - 1]) + 1, str(finding)
    assert finding.severity is Severity.ERROR


@pytest.mark.parametrize("edit", EDITS, ids=[edit["title"] for edit in EDITS])
def test_what_is_told_is_a_sentence_and_a_remedy_without_the_words_of_programs(edit):
    for finding in lint_policy(edited(edit)):
        assert finding.message[0].isupper() or finding.message[0] in "`'"
        assert finding.message.endswith((".", "`."))
        assert finding.remedy
        words = f"{finding.message} {finding.remedy}"
        for programming in PROGRAMMING:
            assert programming not in words


PROGRAMMING = (
    *("Traceback", "msgspec", "Expected `", "object at", "None", "NoneType", " dict ", "struct", "RE2", "regex"),
    *("float", "integer", "array", "sys.", "$.", "escape sequence", "operator", "Choose one of: .", "[0]", "[1]:"),
)


def test_a_number_that_nobody_can_read_is_told_where_it_stands():
    (finding,) = lint_policy(GOOD.replace("max_chars: 900", f"max_chars: {'9' * 5000}"))
    assert (finding.line, finding.column) == (4, 31)
    assert "more digits than can be read" in finding.message
    assert not any(word in str(finding) for word in PROGRAMMING)


def test_a_text_that_is_too_long_is_told_where_it_stands():
    text = GOOD.replace("Please ask your question plainly.", "y" * 1001)
    (finding,) = [one for one in lint_policy(text) if one.is_error]
    assert (finding.line, finding.column) == (18, 16)
    assert finding.message == "`injection` has 1001 characters, and may have at most 1000."


@pytest.mark.parametrize("key", ["dialogs", "dialogue", "xyz"])
def test_a_name_is_proposed_once(key):
    (finding,) = [one for one in lint_policy(GOOD.replace("dialog:", f"{key}:")) if one.code == "policy.unknown_key"]
    assert finding.remedy.count("dialog") <= 1


def test_a_misspelt_name_is_not_told_as_missing_too():
    for wrong in (GOOD.replace("output:", "outputs:"), GOOD.replace("expect: passed", "expects: passed")):
        assert len([finding for finding in lint_policy(wrong) if finding.is_error]) == 1


def test_what_may_be_a_secret_is_not_repeated():
    text = GOOD.replace("{rail: secrets}", "{rail: protected, texts: XK-4471-PELL}")
    (finding,) = [one for one in lint_policy(text) if one.is_error]
    assert "XK-4471" not in str(finding)
    assert "`texts: [...]`" in finding.remedy


def test_a_good_policy_has_no_findings():
    assert lint_policy(WITHOUT_DIALOG) == ()


def test_the_examples_of_the_documentation_have_no_findings():
    page = (Path(__file__).parents[2] / "docs" / "rails.md").read_text()
    assert lint_policy(page.split("```yaml\n")[1].split("```")[0]) == ()
    colang = next(block for block in page.split("```text\n") if block.startswith("define"))
    assert lint_colang(colang.split("```")[0], intents=(NO_TOPIC,)) == ()


def test_the_policy_of_the_example_store_has_no_findings():
    example = Path(__file__).parents[2] / "examples" / "helpdesk" / "policies" / "helpdesk.yaml"
    assert lint_policy(example.read_text()) == ()


def test_a_policy_without_tests_is_only_warned_about():
    (finding,) = lint_policy(WITHOUT_DIALOG[: WITHOUT_DIALOG.index("tests:")])
    assert (finding.code, finding.severity) == ("tests.none", Severity.WARNING)


def test_all_mistakes_of_a_policy_are_told_at_once_in_the_order_of_the_file():
    text = GOOD.replace("max_chars: 900", "max_char: 900").replace("{rail: secrets}", "{rail: secret}")
    findings = lint_policy(text.replace("do offer", "do offers"))
    assert [finding.code for finding in findings if finding.severity is Severity.ERROR] == [
        "rail.unknown_parameter",
        "rail.unknown",
        "colang.undefined_flow",
    ]
    assert [finding.line for finding in findings] == sorted(finding.line for finding in findings)


EVERYWHERE = """\
name: Help Desk
input:
  - rail: pattern
    deny:
      - {name: Two Words, pattern: a, example: a}
      - {name: open, pattern: "(", example: a}
      - {name: other, pattern: a, example: b, sort: x}
    passes: 5
  - {rail: length, max_chars: many, max_word_chars: -1}
output:
  - rail: secrets
refusals:
  english: {default: No.}
  de: {default: Nein.}
streaming: live
tests:
  - {text: 5, stage: sideways, expect: passed}
"""


def test_no_mistake_hides_another():
    found = {(finding.line, finding.code) for finding in lint_policy(EVERYWHERE) if finding.is_error}
    assert {line for line, _ in found} == {1, 5, 6, 7, 8, 9, 13, 15, 17}
    assert (6, "rail.pattern") in found
    assert (7, "rail.unknown_parameter") in found


def test_the_place_of_a_finding_in_colang_is_its_place_in_the_file():
    text = GOOD.replace("        do offer", "        do offers")
    (finding,) = [one for one in lint_policy(text) if one.code == "colang.undefined_flow"]
    line = text.split("\n")[finding.line - 1]
    assert line[finding.column - 1 :] == "do offers"


@pytest.mark.parametrize("text", ["", "   ", "policy", "[]", "42", "null", "---\n..."])
def test_a_file_that_is_no_policy_is_told_so(text):
    assert {finding.code for finding in lint_policy(text)} == {"policy.not_a_mapping"}


def test_a_huge_file_is_not_read():
    (finding,) = lint_policy("#" * 300_000)
    assert finding.code == "file.size"


def test_deep_nesting_is_told_and_not_followed():
    assert "yaml.depth" in {finding.code for finding in lint_policy("input: " + "[" * 500 + "]" * 500)}


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=200))
def test_no_text_at_all_breaks_the_linter(text):
    assert all(finding.line >= 1 and finding.column >= 1 for finding in lint_policy(text))


@given(st.integers(0, len(WITHOUT_DIALOG) - 1), st.integers(1, 40))
def test_what_the_linter_lets_pass_is_loaded_whatever_was_cut_out(start, length):
    text = WITHOUT_DIALOG[:start] + WITHOUT_DIALOG[start + length :]
    if not any(finding.severity is Severity.ERROR for finding in lint_policy(text)):
        load_policy(yaml.load(text, Loader=yaml.CSafeLoader))


@pytest.mark.parametrize("stage", ["input", "output"])
def test_what_is_proposed_for_an_empty_stage_can_be_written_as_it_stands(stage):
    policy = {"name": "desk", "input": [{"rail": "length"}], "output": [{"rail": "secrets"}]}
    refusals = {"en": {"default": "No."}}
    empty = yaml.safe_dump({**policy, stage: [], "refusals": refusals}, sort_keys=False)
    (finding,) = [one for one in lint_policy(empty) if one.code == "stage.empty"]
    entry = yaml.safe_load(finding.remedy.split("`")[1])
    assert not has_errors(lint_policy(yaml.safe_dump({**policy, stage: entry, "refusals": refusals})))
