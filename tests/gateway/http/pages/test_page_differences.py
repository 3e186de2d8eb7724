"""What differs between two documents is shown field by field, and word by word inside a text."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.http.pages.diff import document_difference, text_difference
from gateway.http.pages.texts import LANGUAGES
from gateway.http.templates import load_templates
from store.changes.differences import Part

TEMPLATES = load_templates()


def drawn(found, language: str = "en") -> str:
    source = '{% from "admin/diff.html" import differences with context %}{{ differences(found) }}'
    return TEMPLATES.from_string(source).render(t=LANGUAGES[language], found=found)


def test_words_that_differ_are_marked_and_the_others_stay() -> None:
    (found,) = document_difference({"title": "Open the old door"}, {"title": "Open the new door"})
    html = drawn([found])
    assert "<del><span" in html
    assert "old</del>" in html
    assert "new</ins>" in html
    assert "Open the " in html
    assert found.way is Part.SAME


def test_of_a_list_only_the_texts_that_came_or_went_are_shown() -> None:
    (found,) = document_difference({"phrasings": ["a", "b", "c"]}, {"phrasings": ["a", "c", "d"]})
    assert [(one.part.value, one.text) for one in found.lines] == [("removed", "b"), ("added", "d")]
    assert found.kept_lines == 2
    assert "Unchanged: 2" in drawn([found]).replace("\u2068", "").replace("\u2069", "")


def test_what_has_no_texts_is_compared_as_it_is_written_in_files() -> None:
    before = {"slots": [{"name": "site", "minimum": 1}], "limits": {"most": 3}, "on": True}
    after = {"slots": [{"name": "site", "minimum": 2}], "limits": {"most": 3, "least": 1}, "on": False}
    slots, least, switch = document_difference(before, after)
    assert slots.is_code
    assert (least.field, least.way) == ("limits.least", Part.ADDED)
    assert "true</del>" in drawn([switch])


def test_a_document_that_is_gone_shows_everything_that_goes() -> None:
    found = document_difference({"title": "x", "phrasings": ["a"]}, None)
    assert {one.way for one in found} == {Part.REMOVED}


def test_fields_have_names_in_every_language_and_the_others_their_own() -> None:
    found = document_difference({}, {"reply": {"facts": "x"}, "odd_one": "y"})
    assert "الجواب" in drawn(found, "ar")
    assert "<code" in drawn(found)
    assert "odd_one" in drawn(found)


def test_phrases_that_change_are_shown_whole_and_not_word_by_word() -> None:
    words = text_difference("x", "Open the old gate now", "Open a new door now").words
    assert [(one.part.value, one.text) for one in words] == [
        ("same", "Open "),
        ("removed", "the old gate"),
        ("added", "a new door"),
        ("same", " now"),
    ]


def test_of_a_long_list_the_entry_that_came_is_shown_and_little_beside_it() -> None:
    cases = [{"id": f"c{number}", "message": f"Where is room {number}?", "expect": "answer"} for number in range(400)]
    added = {"id": "gym", "message": "Is there a gym?", "expect": "refuse"}
    (found,) = document_difference({"cases": cases}, {"cases": [*cases, added]})
    assert {one.part for one in found.words} == {Part.SAME, Part.ADDED}
    came = "".join(one.text for one in found.words if one.part is Part.ADDED)
    assert " ".join(came.split()) == "- id: gym message: Is there a gym? expect: refuse"
    assert sum(one.text.count("\n") for one in found.words) < 12


def test_two_long_texts_without_a_common_line_are_told_as_a_whole() -> None:
    before, after = "".join(f"a{number}\n" for number in range(5000)), "".join(f"b{number}\n" for number in range(5000))
    words = text_difference("x", before, after).words
    assert [(one.part, one.text) for one in words] == [(Part.REMOVED, before), (Part.ADDED, after)]


@given(st.text(max_size=60), st.text(max_size=60))
@example("a b", "c d ")
def test_both_texts_can_be_read_off_what_is_shown(before: str, after: str) -> None:
    words = text_difference("x", before, after).words
    assert "".join(one.text for one in words if one.part is not Part.ADDED) == before
    assert "".join(one.text for one in words if one.part is not Part.REMOVED) == after


@given(st.text(alphabet="<>&\"'ab ", max_size=40))
def test_no_text_becomes_markup(text: str) -> None:
    html = drawn([text_difference("title", text, "plain")])
    shown = html.partition("<dd>")[2]
    assert "<" not in re.sub(r"</?(?:dd|div|dl|p|ins|del|span)(?: [a-z-]+=\"[a-z- ]*\")*>", "", shown)


def test_of_code_the_lines_near_a_difference_are_shown_and_the_rest_is_left_out() -> None:
    rails = [{"rail": f"rail-{number}"} for number in range(40)]
    (found,) = document_difference({"input": rails}, {"input": [*rails[:20], {"rail": "new"}, *rails[20:]]})
    text = "".join(one.text for one in found.words)
    assert "rail-19" in text
    assert "rail-20" in text
    assert "new" in text
    assert "rail-10" not in text
    assert text.count("⋮") == 2
    assert [one.part for one in found.words].count(Part.REMOVED) == 0
