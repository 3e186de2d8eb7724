"""What a new policy changes: rails, parameters, order and modes, with defaults as if they were written."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rails.changes import ChangeKind, changes_between
from rails.difference_words import differences_in_words
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
            'refusals.en.default changes from "No." to "Sorry."',
        ),
        ({"streaming": "checked_sentences"}, ChangeKind.OUTSIDE, "streaming changes"),
        ({"tests": [{"text": "x", "stage": "input", "expect": "passed"}]}, ChangeKind.OUTSIDE, "tests[1] is added"),
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
        ("attacks", {}, {"limit": 2.5}),
        ("attacks", {}, {"families": ["override"]}),
        ("attacks", {}, {"allowed": ["Ignore the earlier mail."]}),
        ("injection", {}, {"max_turns": 20}),
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


LONG = "Sorry, I can only help with what the office has published, and with nothing else. "


def test_texts_that_begin_alike_are_told_where_they_part():
    texts = [{"refusals": {"en": {"default": f"{LONG * 3}{end}"}}} for end in ("Ask Ann.", "Ask Bob.")]
    (change,) = changes_between(*(load_policy({**POLICY, **one}) for one in texts))
    assert str(change).startswith("refusals.en.default changes from ...")
    assert "Ask Ann." in str(change)
    assert "Ask Bob." in str(change)


def test_only_the_text_that_differs_is_told():
    before = {"en": {"default": LONG, "length": "Too long."}, "de": {"default": "Nein."}}
    after = {"en": {"default": LONG, "length": "Too much."}, "fr": {"default": "Non."}}
    (change,) = changes_between(*(load_policy({**POLICY, "refusals": one}) for one in (before, after)))
    assert str(change) == (
        'refusals.en.length changes from "Too long." to "Too much."; '
        'refusals.de is taken out: {"default":"Nein."}; refusals.fr is added: {"default":"Non."}'
    )


def test_entries_of_lists_are_told_one_by_one():
    live, new = load_policy({**POLICY, "tests": TESTS}), load_policy({**POLICY, "tests": [TESTS[1] | {"text": "z"}]})
    (change,) = changes_between(live, new)
    assert 'is taken out: {"text":"x"' in str(change)
    more = [{"text": f"{LONG}{number}", "stage": "input", "expect": "passed"} for number in range(20)]
    (change,) = changes_between(live, load_policy({**POLICY, "tests": [*TESTS, *more]}))
    assert str(change).endswith("; and 14 more")
    verdicts = [TESTS[0] | {"text": LONG, "expect": expect} for expect in ("passed", "blocked")]
    (change,) = changes_between(*(load_policy({**POLICY, "tests": [one]}) for one in verdicts))
    assert str(change) == 'tests[1].expect changes from "passed" to "blocked"'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab", min_size=1), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, JSON)
def test_both_sides_of_a_change_never_look_alike(before, after):
    assume(before != after)
    for told in differences_in_words("part", before, after).split("; part"):
        old, separator, new = told.partition(" changes from ")[2].partition(" to ")
        assert not separator or old != new
    assert differences_in_words("part", before, after)
