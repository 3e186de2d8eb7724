"""What a new policy changes: rails, parameters, order and modes, with defaults as if they were written."""

import pytest

from rails.changes import ChangeKind, changes_between
from rails.policy import load_policy
from rails.registry import SHIPPED_RAILS
from rails.weakening import WEAKER, Weakening, weakening_of

POLICY = {
    "name": "desk",
    "input": [{"rail": "length"}, {"rail": "hidden"}, {"rail": "injection"}],
    "output": [{"rail": "secrets"}],
    "refusals": {"en": {"default": "No."}},
}


def changes(**edits):
    return changes_between(load_policy(POLICY), load_policy({**POLICY, **edits}))


@pytest.mark.parametrize(
    ("edits", "kind", "words"),
    [
        ({"output": [{"rail": "secrets"}, {"rail": "grounding"}]}, ChangeKind.ADDED, "output: grounding is added"),
        ({"input": [{"rail": "length"}, {"rail": "hidden"}]}, ChangeKind.REMOVED, "input: injection is removed"),
        (
            {"input": [{"rail": "length", "max_chars": 5}, {"rail": "hidden"}, {"rail": "injection"}]},
            ChangeKind.PARAMETER,
            "input: length.max_chars changes from 1000 to 5",
        ),
        (
            {"input": [{"rail": "length"}, {"rail": "hidden", "monitor": True}, {"rail": "injection"}]},
            ChangeKind.MODE,
            "input: hidden.monitor changes from false to true",
        ),
        (
            {"input": [{"rail": "length"}, {"rail": "hidden"}, {"rail": "injection", "on_fail": "clarify"}]},
            ChangeKind.MODE,
            'input: injection.on_fail changes from "block" to "clarify"',
        ),
        (
            {"input": [{"rail": "hidden"}, {"rail": "length"}, {"rail": "injection"}]},
            ChangeKind.ORDER,
            "input: the order becomes hidden, length, injection",
        ),
        (
            {"refusals": {"en": {"default": "Sorry."}}},
            ChangeKind.OUTSIDE,
            'refusals changes from {"en":{"default":"No."}} to {"en":{"default":"Sorry."}}',
        ),
        ({"streaming": "checked_sentences"}, ChangeKind.OUTSIDE, "streaming changes"),
        ({"tests": [{"text": "x", "stage": "input", "expect": "passed"}]}, ChangeKind.OUTSIDE, "tests changes"),
    ],
)
def test_an_edit_is_one_change_in_words(edits, kind, words):
    (change,) = changes(**edits)
    assert change.kind is kind
    assert str(change).startswith(words)


def test_a_default_that_is_written_out_changes_nothing():
    assert changes(input=[{"rail": "length", "max_chars": 1000}, {"rail": "hidden"}, {"rail": "injection"}]) == ()


def test_a_rail_that_goes_or_only_watches_weakens_the_policy():
    weaker = changes(input=[{"rail": "length"}, {"rail": "hidden", "monitor": True}])
    assert [change.weakens for change in weaker] == [True, True]
    assert not any(change.weakens for change in changes(output=[{"rail": "secrets"}, {"rail": "markup"}]))


def test_without_a_live_policy_every_rail_is_added():
    added = changes_between(None, load_policy(POLICY))
    assert [(one.kind, one.what) for one in added] == [
        (ChangeKind.ADDED, name) for name in ("length", "hidden", "injection", "secrets")
    ]


TESTS = [{"text": "x", "stage": "input", "expect": "passed"}, {"text": "y", "stage": "input", "expect": "passed"}]


def weakening(rail, before, after, stage="output"):
    other = {"output": [{"rail": "secrets"}]} if stage == "input" else {"input": [{"rail": "length"}]}
    live, new = (load_policy({**POLICY, **other, stage: [{"rail": rail, **given}]}) for given in (before, after))
    (change,) = changes_between(live, new)
    return change.weakening


@pytest.mark.parametrize(
    ("rail", "strict", "loose"),
    [
        ("grounding", {}, {"min_support": 0}),
        ("grounding", {}, {"names": False}),
        ("grounding", {}, {"contradictions": False}),
        ("grounding", {"min_similarity": 0.5}, {}),
        ("attacks", {}, {"limit": 10}),
        ("attacks", {}, {"families": ["override"]}),
        ("attacks", {}, {"allowed": ["Ignore the earlier mail."]}),
        ("injection", {}, {"max_turns": 50}),
        ("length", {}, {"max_chars": 100_000}),
        ("length", {}, {"min_distinct_share": 0}),
        ("toxicity", {}, {"categories": ["insults"]}),
        ("toxicity", {"words": ["flimsy"]}, {}),
        ("urls", {"hosts": ["a.example"]}, {"hosts": ["a.example", "b.example"]}),
        ("personal", {}, {"approved": ["desk@tarnwick.example"]}),
        ("personal", {}, {"entities": {"email": "allow"}}),
        ("secrets", {}, {"min_entropy_bits": 6}),
    ],
)
def test_a_parameter_that_lets_more_pass_weakens_and_the_way_back_does_not(rail, strict, loose):
    stage = "input" if rail in ("attacks", "injection", "length") else "output"
    assert weakening(rail, strict, loose, stage) is Weakening.YES
    assert weakening(rail, loose, strict, stage) is Weakening.NO


def test_a_change_that_nobody_can_judge_may_weaken():
    assert weakening_of("grounding", "new_parameter", 1, 2) is Weakening.MAY
    deny = {"name": "word", "pattern": "chair", "example": "a chair"}
    before, after = ({"deny": [{**deny, "pattern": one}], "passes": "hello"} for one in ("chair", "a chair"))
    assert weakening("pattern", before, after) is Weakening.MAY


def test_a_rail_that_changes_what_it_stopped_before_weakens():
    assert weakening("secrets", {}, {"on_fail": "transform"}) is Weakening.YES
    assert weakening("secrets", {"on_fail": "transform"}, {}) is Weakening.NO


def test_a_test_that_is_taken_out_weakens():
    more, fewer = (load_policy({**POLICY, "tests": tests}) for tests in (TESTS, TESTS[:1]))
    assert [change.weakens for change in changes_between(more, fewer)] == [True]
    assert [change.weakens for change in changes_between(fewer, more)] == [False]


def test_the_table_names_only_parameters_that_are_there():
    assert [pair for pair in WEAKER if pair[1] not in SHIPPED_RAILS[pair[0]].params.__struct_fields__] == []
