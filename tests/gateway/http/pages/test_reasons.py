"""Why rows were refused, in another language: no reason that the readers of files give is left in English."""

import re
from pathlib import Path

import pytest

from gateway.http.pages.reasons import reason_of
from gateway.http.pages.texts import LANGUAGES
from rails.describe import describe_rails

ROOT = Path(__file__).parents[4]
FILES = (*sorted((ROOT / "store" / "formats").glob("*.py")), ROOT / "gateway" / "importing.py")
GIVEN = re.compile(
    r'BadRow\(f?"([^"\n]+)"\)|problem = f?"([^"\n]+)"|_leftover\([^"\n]*"([^"\n]+)"|raw, f?"([^"\n]+)"\)'
)
HOLE = re.compile(r"\{[^{}]*\}")
AR = LANGUAGES["ar"]
OTHER_FORM = {
    "{self._where}{name}: {'null' if name in self.record else 'it is missing'}": ("a.b: null", "a: it is missing")
}
"""Reasons whose form is decided in the middle."""


def reasons() -> list[str]:
    """Gives every reason as it stands in the sources, a number in the place of what is filled in."""
    found = {next(filter(None, one)) for path in FILES for one in GIVEN.findall(path.read_text())}
    told = {text for one in found for text in OTHER_FORM.get(one, (HOLE.sub("7", one),))}
    return sorted(told)


@pytest.mark.parametrize("reason", reasons())
def test_every_reason_has_words_in_another_language(reason: str) -> None:
    told = reason_of(AR, reason)
    assert not told.is_english, reason
    assert re.search(r"[\u0600-\u06ff]", told.text)


def test_the_sources_were_read() -> None:
    assert len(reasons()) > 45


def test_what_is_filled_in_stands_in_the_sentence() -> None:
    assert AR.number(500) in reason_of(AR, "the answer has 500 characters, and at most 400 are taken").text
    assert "الجواب" in reason_of(AR, "the answer is empty").text
    assert "messages[3].content" in reason_of(AR, "messages[3].content: a list where text belongs").text
    assert "قائمة" in reason_of(AR, "messages[3].content: a list where text belongs").text
    two = reason_of(AR, "not UTF-8 at byte 12 of line 34").text
    assert AR.number(12) in two
    assert AR.number(34) in two


def test_a_reason_that_nobody_knows_stays_as_it_is_and_says_that_it_is_english() -> None:
    told = reason_of(AR, "the moon is full")
    assert (told.text, told.is_english) == ("the moon is full", True)
    assert reason_of(LANGUAGES["en"], "the answer is empty").text == "the answer is empty"


def test_a_sentence_with_commas_of_its_own_is_told_whole() -> None:
    for note in describe_rails():
        for one in note.parameters:
            told = reason_of(AR, one.doc)
            assert not told.is_english
            assert not re.match("\u2068?[A-Za-z]", told.text), told.text
            assert "cosine to" not in one.doc.casefold()


def test_the_phases_of_a_fit_are_told_in_words() -> None:
    assert "tuning" not in reason_of(AR, "tuning for fold 1 of 4, 25%").text
    assert AR.number(4) in reason_of(AR, "tuning for fold 1 of 4").text
