import pytest

from gateway.suggesting.countering import counter
from gateway.suggesting.rouge import TOO_ALIKE, rouge_l, words_of
from gateway.suggesting.templates import vary


def texts(phrasing: str, language: str = "en") -> list[str]:
    return [one.text for one in vary(phrasing, language)]


def countered(phrasing: str, language: str = "en") -> dict[str, str]:
    return {one.text: one.method for one in counter(phrasing, language)}


def test_a_question_gets_other_forms_keywords_courtesies_and_typing_errors() -> None:
    said = texts("How do I reset my password?")
    assert "What are the steps to reset my password?" in said
    assert "password reset" in said
    assert any(text.endswith("thanks a lot in advance") for text in said)
    assert "how do i rseet my paswsord" in said


@pytest.mark.parametrize(
    ("phrasing", "language", "wanted"),
    [
        ("Wie kann ich mein Passwort ändern?", "de", "Welche Schritte sind nötig, um zu mein Passwort ändern?"),
        ("¿Cómo puedo cambiar la clave?", "es", "¿Qué pasos hacen falta para cambiar la clave?"),
        ("Comment puis-je changer mon code ?", "fr", "Quelles sont les étapes pour changer mon code ?"),
    ],
)
def test_other_languages_have_forms_of_their_own(phrasing: str, language: str, wanted: str) -> None:
    assert wanted in texts(phrasing, language)


def test_a_language_without_forms_gets_typing_errors_alone() -> None:
    assert texts("Miten vaihdan salasanan?", "fi") == ["miten vahidan salsaanan"]


def test_blanks_stay_as_they_are() -> None:
    for text in texts("When is the {site} office open?"):
        assert "{site}" in text


def test_most_variants_are_new_enough_and_the_same_each_time() -> None:
    phrasing = "How do I reset my password?"
    said = texts(phrasing)
    assert said == texts(phrasing)
    new = [text for text in said if rouge_l(words_of(text), words_of(phrasing)) < TOO_ALIKE]
    assert len(new) >= 6


def test_counterexamples_deny_change_numbers_and_turn_acts_round() -> None:
    assert countered("How do I open a ticket?")["How do I close a ticket?"] == "opposite: open/close"
    assert "How do I avoid having to open a ticket?" in countered("How do I open a ticket?")
    assert "Is 28 days of leave fine?" in countered("Is 14 days of leave fine?")
    assert "How do I log out?" in countered("How do I log in?")
    assert countered("How do I work in {site}?").keys() == {
        "How do I avoid having to work in {site}?",
        "How do I keep others from being able to work in {site}?",
    }


def test_words_that_are_often_no_side_of_their_pair_are_left_alone() -> None:
    assert countered("annual leave entitlement") == {}
    assert countered("Please let me know it now") == {}
    assert "Is it 60 or 60 days?" not in countered("Is it 30 or 60 days?")


def test_keywords_are_few_and_no_pieces_of_words() -> None:
    assert "holiday paid" in texts("How much paid holiday do I get?")
    long = "I don't remember my password and the reset page of the company intranet is broken"
    assert all("t don" not in text and "broken intranet" not in text for text in texts(long))


def test_in_other_languages_only_numbers_change() -> None:
    assert countered("Kann ich 14 Tage weg?", "de").keys() == {"Kann ich 28 Tage weg?", "Kann ich 42 Tage weg?"}
