"""Rows become draft prompts and test cases: near duplicates join, whatever cannot become one is told with a reason."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_content import version

from store.consistency import check_bundle
from store.content import Generate, Verbatim
from store.errors import InvalidContent
from store.formats.bundle import Bundle
from store.formats.drafting import Drafter, DraftSettings, Replying
from store.formats.rows import BadRow, Case, Conversation, Instruction, Speaker, Turn, line_of
from store.formats.said_rows import rows_of_prompts
from store.formats.suite import Expectation
from store.formats.suite_cases import CaseMaker

DAY = dt.date(2027, 6, 30)
SETTINGS = DraftSettings(area="doors", owner="Caretaker", review_by=DAY)


def row(question="How do I open a door?", answer="Push it.", **more):
    return Instruction(instruction=question, cases=(Case(answer, more.pop("input", "")),), **more)


def drafted(*rows, settings=SETTINGS):
    drafter = Drafter(settings)
    for one in rows:
        drafter.add(one)
    return drafter, list(drafter.prompts())


def test_a_row_becomes_a_prompt():
    _, (prompt,) = drafted(row())
    assert (prompt.key, prompt.title) == ("doors.how-do-i-open-a-door", "How do I open a door?")
    assert (prompt.area, prompt.owner, prompt.language, prompt.review_by) == ("doors", "Caretaker", "en", DAY)
    assert prompt.phrasings == ("How do I open a door?",)
    assert prompt.reply == Verbatim(answer="Push it.")


def test_a_row_with_context_can_be_worded_by_the_model():
    _, (prompt,) = drafted(
        row(context="Doors open inwards."),
        settings=DraftSettings(area="doors", owner="Caretaker", review_by=DAY, replying=Replying.GENERATE),
    )
    assert isinstance(prompt.reply, Generate)
    assert (prompt.reply.facts, prompt.reply.fallback) == ("Doors open inwards.", "Push it.")
    assert "{facts}" in prompt.reply.prompt


def test_near_duplicates_with_one_answer_join():
    drafter, prompts = drafted(
        row("How do I open a door?"),
        row("how do i open a door"),
        row("How do I open the door?"),
        row("Where is the key kept?"),
        row("How do I open a window?", "Pull it."),
    )
    assert [len(prompt.phrasings) for prompt in prompts] == [2, 1, 1]
    assert (drafter.joined, drafter.repeated) == (1, 1)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row("how do i open a door", "Kick it."), "another answer"),
        (row("Translate", input="Guten Tag"), "depends on an input"),
        (row("x" * 201), "at most 200"),
        (row(answer="x" * 4001), "at most 4000"),
        (row(" "), "question is empty"),
        (row(answer=""), "answer is empty"),
        (row("What is {this}?"), "braces"),
        (row(answer="a\x00b"), "control"),
        (row("Where is the key?", "Here.", title="The key\x92s place"), "the title has control characters"),
        (line_of((Turn(Speaker.PERSON, "a"),)), "several turns"),
        (
            Conversation(turns=(Turn(Speaker.PERSON, "a"),) * 3, parents=(None, 0, 0)),
            "tree",
        ),
    ],
)
def test_what_cannot_become_a_prompt_is_told(bad, reason):
    drafter, _ = drafted(row())
    with pytest.raises(BadRow, match=reason):
        drafter.add(bad)
    assert len(drafter) == 1


def test_keys_are_unique_and_of_any_language():
    _, prompts = drafted(*(row(text, text) for text in ("¿Qué?", "que", "كيف أفتح الباب؟", "開け方", "1st", "Que!")))
    assert [prompt.key for prompt in prompts] == ["doors.que", "doors.que-2", "doors.row", "doors.row-2", "doors.st"]


LETTERS = st.text("ab {}?=\n\x00é", max_size=8)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(LETTERS, LETTERS), max_size=12), st.sampled_from(Replying))
def test_whatever_rows_come_the_drafts_can_be_published_together(pairs, replying):
    drafter = Drafter(DraftSettings(area="doors", owner="Caretaker", review_by=DAY, replying=replying))
    taken = refused = 0
    for pair in pairs:
        try:
            drafter.add(row(*pair))
            taken += 1
        except BadRow:
            refused += 1
    prompts = tuple(drafter.prompts())
    check_bundle(Bundle(prompts))
    assert sum(len(prompt.phrasings) for prompt in prompts) + drafter.repeated == taken
    assert taken + refused == len(pairs)


@pytest.mark.parametrize("wrong", [{"area": "IT"}, {"area": "a_b"}, {"owner": ""}, {"language": "english"}])
def test_settings_that_no_prompt_could_have_are_refused(wrong):
    with pytest.raises(InvalidContent, match=next(iter(wrong))):
        DraftSettings(**{"area": "it", "owner": "Desk", "review_by": DAY} | wrong)


def test_rows_become_cases_that_expect_an_answer_or_none():
    strangers, known = CaseMaker("strangers"), CaseMaker("known", prompt="it.vpn")
    for maker in (strangers, known):
        maker.add(row("Who won?"))
        maker.add(row("who won"))
        with pytest.raises(BadRow, match="empty"):
            maker.add(row(" "))
    (case,) = strangers.suite().cases
    assert (case.message, case.expect, case.prompt) == ("Who won?", Expectation.REFUSE, None)
    assert known.suite().cases[0].expect is Expectation.ANSWER
    assert known.suite().cases[0].prompt == "it.vpn"
    assert strangers.repeated == 1


def test_a_test_set_without_cases_is_refused():
    with pytest.raises(BadRow, match="no row"):
        CaseMaker("empty").suite()


def test_prompts_are_said_as_rows_one_for_each_phrasing():
    rows = list(rows_of_prompts([version("it.b", phrasings=["one", "two"]), version("it.a")]))
    assert [(one.instruction, one.id) for one in rows] == [
        ("tell me about it.a", "it.a@1#1"),
        ("one", "it.b@1#1"),
        ("two", "it.b@1#2"),
    ]
    assert {(one.cases[0].output, one.context, one.category, one.language) for one in rows} == {
        ("It works.", "It works.", "it", "en")
    }
