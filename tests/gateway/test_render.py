"""What the model is given and the person is shown: approved text, typed values, and nothing that escapes its place."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.render import QUOTE_MARK, asked_of, fill_text, gather_facts, render_opening, render_prompt, tidy_answer
from models.ports import Completion, FinishReason, PartKind, PromptPart
from store.content import Assistant, CanonicalPrompt, EnumSlot, EnumValue, Generate, QuotedTextSlot
from store.matches import SlotValue
from tests.building import ASSISTANT, HOURS, RESET

SITE = EnumSlot(name="site", ask="Which?", values=(EnumValue("Leeds"),))
LEEDS = SlotValue(SITE, "Leeds", "Leeds opens at 07:30.")
TICKET = QuotedTextSlot(name="ticket", ask="Which ticket?")


def reply(prompt="Explain it.", **changes):
    return msgspec.structs.replace(Generate(prompt=prompt, facts="It is so.", fallback="So."), **changes)


def desk(instructions):
    return msgspec.convert({**ASSISTANT, "instructions": instructions}, Assistant)


def opening(content):
    return render_opening(desk("Be brief."), msgspec.convert(content, CanonicalPrompt))


def said(parts):
    return "".join(part.text for part in parts)


def test_facts_stand_before_the_text_unless_it_says_where():
    before = render_prompt(desk(" Be brief. "), reply(" Explain it. "), ())
    assert said(before.instructions) == "Be brief."
    assert said(before.question) == "It is so.\n\nExplain it."
    within = render_prompt(desk("Be brief."), reply("Read: {facts} Now explain."), ())
    assert said(within.question) == "Read: It is so. Now explain."
    assert said(render_prompt(desk("x"), reply("Explain: {facts}"), ()).question) == "Explain: It is so."


def test_the_opening_of_a_prompt_without_slots_is_the_whole_of_it():
    content = RESET | {"reply": {"mode": "generate", "prompt": "Explain it.", "facts": "So.", "fallback": "So."}}
    whole = render_prompt(desk("Be brief."), msgspec.convert(content, CanonicalPrompt).reply, ())
    assert opening(content) == whole
    assert whole.assistant == ASSISTANT["name"]


def test_the_opening_of_a_prompt_with_slots_ends_before_the_first_value_and_before_facts_that_depend_on_it():
    without_facts = HOURS | {"slots": [HOURS["slots"][0] | {"values": [{"value": "Leeds"}]}]}
    assert [part.text for part in opening(without_facts).question] == [
        "Offices are open on working days.",
        "\n\nSay when the ",
        "",
    ]
    assert [part.text for part in opening(HOURS).question] == [""]


def test_a_slot_value_is_a_part_of_its_own():
    rendered = render_prompt(desk("Be brief."), reply("{site}: when is {site} open? {facts}"), (LEEDS,))
    assert rendered.question == (
        PromptPart("Leeds", PartKind.SLOT),
        PromptPart(": when is ", PartKind.APPROVED),
        PromptPart("Leeds", PartKind.SLOT),
        PromptPart(" open? ", PartKind.APPROVED),
        PromptPart("It is so. Leeds opens at 07:30.", PartKind.APPROVED),
    )
    assert not rendered.has_quoted_text


def test_a_value_that_looks_like_a_blank_is_not_filled_again():
    value = SlotValue(SITE, "{facts} {site}")
    assert said(render_prompt(desk("x"), reply("Say {site}."), (value,)).question) == "It is so.\n\nSay {facts} {site}."
    assert fill_text("Say {site}.", (value,)) == "Say {facts} {site}."


def test_facts_of_the_chosen_values_are_added_on_one_line():
    facts = reply(facts="One.\nTwo.\n")
    assert gather_facts(facts, (LEEDS, SlotValue(SITE, "x"))) == "One. Two. Leeds opens at 07:30."


def test_an_approved_text_is_shown_with_its_blanks_filled():
    assert fill_text("\nThe {site} office.\n", (LEEDS,)) == "The Leeds office."
    with pytest.raises(KeyError):
        fill_text("The {other} office.", (LEEDS,))


def test_what_a_prompt_is_asked_for_is_its_title_and_phrasings_without_blanks():
    assert asked_of(msgspec.convert(HOURS, CanonicalPrompt)).splitlines() == [
        "Office opening hours",
        "When is the  office open?",
        "What are the opening hours?",
    ]


def test_quoted_text_is_marked_line_by_line():
    value = SlotValue(TICKET, "first\n\nthird")
    rendered = render_prompt(desk("x"), reply("Summarise: {ticket}"), (value,))
    assert rendered.has_quoted_text
    assert rendered.question[-1] == PromptPart("\n> first\n> \n> third\n", PartKind.QUOTED)


BREAKS = ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "> ", '"""', "```", "</ticket>")


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.one_of(st.sampled_from(BREAKS), st.text(max_size=8)), min_size=1).map("".join))
def test_no_quoted_text_can_close_its_quotation(text):
    rendered = render_prompt(desk("x"), reply("Summarise: {ticket} Now."), (SlotValue(TICKET, text),))
    (quoted,) = (part for part in rendered.question if part.kind is PartKind.QUOTED)
    assert quoted.text[0] == quoted.text[-1] == "\n"
    lines = quoted.text[1:-1].split("\n")
    assert all(line.startswith(QUOTE_MARK) for line in lines) or not text.splitlines()
    assert all(len(line.splitlines()) <= 1 for line in lines)


def completion(text, reason=FinishReason.STOP):
    return Completion(text, reason, (1,), 1, 0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("Open the door.", "Open the door."),
        ("  Open the door. \n", "Open the door."),
        ('"Open the door."', "Open the door."),
        ('" Open the door. "', "Open the door."),
        ('"Open" the "door"', '"Open" the "door"'),
        ('Open the "door"', 'Open the "door"'),
        ("No end", "No end"),
        ('"', ""),
        ("", ""),
    ],
)
def test_an_answer_loses_the_quotation_marks_around_it_and_nothing_else(text, tidied):
    assert tidy_answer(completion(text)) == tidied


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("Open the door. Then go", "Open the door."),
        ("Open the door. Then go! And th", "Open the door. Then go!"),
        ("See id.example for 3.5 more. And", "See id.example for 3.5 more."),
        ("Open the door.", "Open the door."),
        ("Open the do", ""),
        ('"Open the door. Then', "Open the door."),
        ("Is it open? Ye", "Is it open?"),
    ],
)
def test_an_answer_that_was_cut_ends_with_its_last_whole_sentence(text, tidied):
    assert tidy_answer(completion(text, FinishReason.LENGTH)) == tidied
