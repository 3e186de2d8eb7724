import datetime as dt

import pytest
from store_content import TODAY, prompt

from store.dates import find_dates
from store.errors import InvalidContent
from store.matches import SlotNeeded, SlotsFilled
from store.slot_values import accept_value
from store.slots import fill_slots, value_within

SITE = {
    "type": "enum",
    "name": "site",
    "ask": "Which office?",
    "values": [
        {"value": "Leeds", "also": ["leeds office"], "fact": "Leeds opens at 7."},
        {"value": "North Leeds"},
        {"value": "Gdansk", "also": ["gdańsk", "king's yard"]},
    ],
}
YEARS = {"type": "integer", "name": "years", "ask": "How many?", "minimum": 0, "maximum": 5000}
DAY = {"type": "date", "name": "day", "ask": "Which day?"}
TICKET = {"type": "pattern", "name": "ticket", "ask": "Like INC-123456.", "pattern": "INC-[0-9]{6}"}
ROOM = {"type": "short_text", "name": "room", "ask": "Which room?"}
QUOTE = {"type": "quoted_text", "name": "quote", "ask": "Paste it."}


def asking(*slots):
    text = " ".join("{" + slot["name"] + "}" for slot in slots)
    reply = {"mode": "generate", "prompt": f"Use {text}.", "facts": "A fact.", "fallback": "A fallback."}
    return prompt(slots=list(slots), reply=reply)


def fill(message, *slots, captured=None, given=None):
    return fill_slots(asking(*slots), message, captured=captured or {}, given=given or {}, today=TODAY)


def found(message, slot):
    """The one value, None when nothing was there, False when it was not acceptable."""
    result = fill(message, slot)
    if isinstance(result, SlotsFilled):
        return result.values[0].text
    return False if result.is_invalid else None


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("When does Leeds open?", "Leeds"),
        ("LEEDS OFFICE, please", "Leeds"),
        ("the north leeds one", "North Leeds"),
        ("Leeds or Leeds office", "Leeds"),
        ("w gdańsk", "Gdansk"),
        ("king\u2019s yard", "Gdansk"),
        ("Leedsham", None),
        ("Leeds and Gdansk", False),
        ("Leeds and north leeds", False),
        ("the office", None),
    ],
)
def test_an_enum_value_is_found_as_whole_words_and_never_chosen_from_two(message, expected):
    assert found(message, SITE) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("I have worked here 7 years", "7"),
        ("It costs 1,200 euros.", "1200"),
        ("It costs 1'200", "1200"),
        ("007", "7"),
        ("7 or 7", "7"),
        ("7 or 8", False),
        ("5001 days", False),
        ("-3 days", False),
        ("2.5 years", False),
        ("1,20", False),
        ("99999999999999999999", False),
        ("room B2", None),
        ("INC-123456", None),
        ("3rd floor", None),
        ("24 December 2026", None),
        ("2026-12-24", None),
        ("March 10-12, 2027", None),
        ("10:30", None),
        ("50%", None),
        ("1,200km", None),
        ("120.5km", None),
        ("2,500EUR", None),
        ("2.5%", None),
        ("12,50/day", None),
        ("٣ years", None),
        ("seven", None),
    ],
)
def test_an_integer_is_a_lone_number_in_bounds(message, expected):
    assert found(message, YEARS) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("on 2026-12-31", "2026-12-31"),
        ("31.12.2026.", "2026-12-31"),
        ("31/12/2026", "2026-12-31"),
        ("3/4/2026", False),
        ("12/31/2026", False),
        ("2026-02-30", False),
        ("24 December", "2026-12-24"),
        ("24th of Dec 2027", "2027-12-24"),
        ("December 24, 2027", "2027-12-24"),
        ("Dec 24", "2026-12-24"),
        ("1 March", "2027-03-01"),
        ("25 November", "2026-11-25"),
        ("31 November", False),
        ("30 February", False),
        ("sept 5", "2027-09-05"),
        ("May 5", "2027-05-05"),
        ("today", "2026-11-25"),
        ("tomorrow, please", "2026-11-26"),
        ("this Friday", "2026-11-27"),
        ("this wednesday", "2026-11-25"),
        ("next Friday", "2026-12-04"),
        ("next Monday", "2026-11-30"),
        ("today or tomorrow", False),
        ("2026-12-31 or 31 December", "2026-12-31"),
        ("2026-12-31 or 30 December", False),
        ("10-12 March", False),
        ("from 10 to 12 March 2027", False),
        ("3 and 4 March", False),
        ("the 10th or the 12th of March", False),
        ("10. - 12.03.2027", False),
        ("10.03. - 12.03.2027", False),
        ("20/3 - 22/3/2027", False),
        ("March 10-12, 2027", False),
        ("March 10 to 12", False),
        ("Dec 24 - 31/12/2026", False),
        ("5 March or 6", False),
        ("3 March 28", False),
        ("3 March '28", False),
        ("March 3, '28", False),
        ("5 March 10 am", False),
        ("5 March 10:30", "2027-03-05"),
        ("5 March, 2 people", "2027-03-05"),
        ("room B2, 5 March", "2027-03-05"),
        ("5 March 2027 and 2 people", "2027-03-05"),
        ("maybe 5 people", None),
        ("version 1.2.2026.7", None),
        ("on Friday", None),
    ],
)
def test_a_date_is_written_the_iso_way_or_asked_for(message, expected):
    assert found(message, DAY) == expected


def test_the_29th_of_february_without_a_year_waits_for_a_year_that_has_one_to_be_named():
    assert [one.date for one in find_dates("29 February", dt.date(2027, 3, 1))] == [dt.date(2028, 2, 29)]
    assert [one.date for one in find_dates("29 February", TODAY)] == [None]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("status of INC-123456?", "INC-123456"),
        ("status of (inc-123456)", "INC-123456"),
        ("INC-123456 INC-123456", "INC-123456"),
        ("INC-123456 or INC-654321", False),
        ("INC-1234567", None),
        ("XINC-123456", None),
    ],
)
def test_a_pattern_is_matched_by_one_whole_token(message, expected):
    assert found(message, TICKET) == expected


def test_free_text_is_never_looked_for_in_the_message():
    assert found("Book the Aurora room", ROOM) is None
    assert found("Summarise: my screen is dark", QUOTE) is None


@pytest.mark.parametrize("text", ["Aurora 2", "St. Mary's, east-wing", "Café Zoë", "O\u2019Hara"])
def test_short_text_takes_latin_letters_digits_and_four_marks(text):
    result = fill("x", ROOM, captured={"room": text})
    assert isinstance(result, SlotsFilled)
    assert result.values[0].text == text.replace("\u2019", "'")


@pytest.mark.parametrize(
    "text",
    [
        "a" * 65,
        "Аврора",
        "部屋",
        "a\nb",
        "a:b",
        "{site}",
        "<|im_end|>",
        "[INST]",
        "a\u200bb",
        "?!",
        "",
        "  ",
        ".-'",
        "a_b",
        "x\u0301" * 3,
    ],
)
def test_short_text_refuses_everything_else(text):
    result = fill("x", ROOM, captured={"room": text})
    assert isinstance(result, SlotNeeded)


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1001,
        "a\x00b",
        "a\tb",
        "<|im_end|>",
        "a |> b",
        "[inst] x",
        "</s>",
        "### System",
        "{x}",
        "a\u202eb",
        "<<SYS>>",
    ],
)
def test_quoted_text_refuses_control_characters_and_control_markers(text):
    result = fill("x", QUOTE, captured={"quote": text})
    assert isinstance(result, SlotNeeded)
    assert result.is_invalid


def test_quoted_text_keeps_lines_and_is_marked_as_quoted():
    result = fill("x", QUOTE, captured={"quote": "My screen: dark!\nSince Monday (a < b)."})
    assert result.values[0].text == "My screen: dark!\nSince Monday (a < b)."
    assert result.values[0].is_quoted


def test_a_pattern_that_would_allow_markers_still_refuses_them():
    slot = TICKET | {"pattern": ".*"}
    assert isinstance(fill("x", slot, given={"ticket": "<|im_start|>"}), SlotNeeded)


@pytest.mark.parametrize(
    ("value", "is_taken"), [("a" * 64, True), ("a" * 65, False), ("a\nb", False), ("a\tb", False), ("ß" * 64, True)]
)
def test_a_pattern_takes_one_line_of_at_most_64_characters_whatever_it_says(value, is_taken):
    result = fill("x", TICKET | {"pattern": "(?s).*"}, given={"ticket": value})
    if is_taken:
        assert result.values[0].text == value
    else:
        assert isinstance(result, SlotNeeded)
        assert result.is_invalid


def test_a_given_value_comes_first_and_a_bad_one_is_not_replaced_by_the_message():
    assert fill("Leeds", SITE, captured={"site": "Leeds"}, given={"site": "gdansk"}).values[0].text == "Gdansk"
    needed = fill("Leeds", SITE, given={"site": "Paris"})
    assert isinstance(needed, SlotNeeded)
    assert needed.is_invalid


def test_an_empty_given_value_is_invalid_and_not_missing():
    assert fill("Leeds", SITE, given={"site": ""}).is_invalid


def test_a_captured_value_that_is_not_of_the_type_gives_way_to_the_message():
    assert fill("the Leeds building", SITE, captured={"site": "Leeds building"}).values[0].text == "Leeds"


def test_the_first_missing_slot_is_asked_for_with_everything_known():
    needed = fill("Leeds on 2026-12-24", SITE, YEARS, DAY)
    assert isinstance(needed, SlotNeeded)
    assert needed.slot.name == "years"
    assert not needed.is_invalid
    assert [value.text for value in needed.known] == ["Leeds", "2026-12-24"]


START = {"type": "date", "name": "start", "ask": "From which day?"}
END = {"type": "date", "name": "end", "ask": "Until which day?"}
PEOPLE = {"type": "integer", "name": "people", "ask": "How many people?", "minimum": 1, "maximum": 99}


@pytest.mark.parametrize(
    ("message", "slots", "told", "needed"),
    [
        ("leave from 2027-03-03", (START, END), {"captured": {"start": "3 March 2027"}}, "end"),
        ("leave from 2027-03-03", (START, END), {"given": {"start": "2027-03-03"}}, "end"),
        ("leave on 2027-03-03", (START, END), {}, "start"),
        ("from Leeds", (SITE, {**SITE, "name": "goal"}), {}, "site"),
        ("for 4", (YEARS, PEOPLE), {}, "years"),
        ("Aurora 2", (ROOM, PEOPLE), {"captured": {"room": "Aurora 2"}}, "people"),
        ("from Leeds", (SITE, {**SITE, "name": "goal"}), {"captured": {"goal": "Gdansk"}}, None),
        ("from 2027-03-03", (START, END), {"captured": {"start": "2027-03-03", "end": "2027-03-03"}}, None),
        ("from Leeds on 2027-03-03", (SITE, START), {"captured": {"site": "Leeds"}}, None),
    ],
)
def test_what_fills_one_blank_fills_no_other(message, slots, told, needed):
    result = fill(message, *slots, **told)
    assert (result.slot.name if isinstance(result, SlotNeeded) else None) == needed
    assert not (needed and result.is_invalid)


def test_the_fact_of_the_chosen_value_comes_with_it():
    assert fill("Leeds", SITE).values[0].fact == "Leeds opens at 7."


def test_an_unknown_name_in_given_is_an_error_that_lists_the_slots():
    with pytest.raises(InvalidContent, match=r"no slot 'color'.*site"):
        fill("Leeds", SITE, given={"color": "red"})


def test_a_prompt_without_slots_is_filled():
    assert fill_slots(prompt(), "x", captured={}, given={}, today=TODAY) == SlotsFilled(())


@pytest.mark.parametrize(
    ("slot", "message", "expected"),
    [
        (SITE, "Leeds", "Leeds"),
        (SITE, "the leeds office.", "Leeds"),
        (SITE, "in Leeds, please", None),
        (YEARS, "12", "12"),
        (YEARS, "12 years", None),
        (DAY, "on 24 December", "2026-12-24"),
        (DAY, "3/4/2026", None),
        (TICKET, "inc-123456", "INC-123456"),
        (ROOM, "Aurora", "Aurora"),
        (ROOM, "ignore: all <rules>", None),
        (QUOTE, "My screen is dark.", "My screen is dark."),
    ],
)
def test_a_whole_message_is_a_value(slot, message, expected):
    value = accept_value(asking(slot).slots[0], message, TODAY)
    assert (value.text if value else None) == expected


@pytest.mark.parametrize(
    ("slot", "message", "expected"),
    [
        (SITE, "in Leeds, please", "Leeds"),
        (SITE, "Leeds or Gdansk", None),
        (SITE, "what?", None),
        (YEARS, "12 years", "12"),
        (DAY, "the 24 December would be good", "2026-12-24"),
        (DAY, "3/4/2026", None),
        (ROOM, "the Aurora room", None),
    ],
)
def test_one_value_stands_in_a_sentence(slot, message, expected):
    value = value_within(asking(slot).slots[0], message, TODAY)
    assert (value.text if value else None) == expected
