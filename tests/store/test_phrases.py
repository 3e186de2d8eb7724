import pytest
from store_content import version

from store.phrases import PhraseTable, fold, has_blank, rows_of

SITE = {
    "slots": [{"type": "short_text", "name": "site", "ask": "Which?"}],
    "reply": {"mode": "verbatim", "answer": "{site} is open."},
}
TEMPLATES = (
    "When does the {site} office open?",
    "{site} office opening hours please",
    "Tell me the opening hours of {site}",
    "Please open a pre-{site} ticket for me",
    "Don't close the {site} office",
    "Strasse of the {site} office, please",
    "本社は{site}の どこ です か",
)


def table(*texts: str) -> PhraseTable:
    prompts = [version(f"it.p{number}", phrasings=[text], **SITE) for number, text in enumerate(texts)]
    return PhraseTable(rows_of(prompts), fold)


def found(texts: tuple[str, ...], message: str) -> list[str]:
    keys = {f"it.p{number}" for number in range(len(texts))}
    return [hit.row.text for hit in table(*texts).find(message, keys)]


def test_every_template_is_found_however_it_is_spelled():
    for text in TEMPLATES:
        filled = text.replace("{site}", "Leeds")
        for message in (filled, filled.upper(), filled.lower(), f'  "{filled}!" ', "  ".join(filled.split(" "))):
            assert found(TEMPLATES, message) == [text]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("Please open a {site}ish ticket for me", "please open a Leedsish ticket for me"),
        ("Open the pre{site} ticket for me", "open the preLeeds ticket for me"),
        ("{site}'s office is where again", "Leeds's office is where again"),
        ("where is the {site} office (again)", "where is the Leeds office (again)"),
        ("the {site} and my desk ask", "the Leeds and my de\u017fk a\u017fk"),
        ("the {site} and my desk ask", "the Leeds and my des\u212a as\u212a"),
        ("don't close the {site} office", "Don\u2019t close the Leeds office"),
        ("we \u2764\ufe0f the {site} office", "we \u2764 the Leeds office"),
    ],
)
def test_a_template_is_found_by_any_spelling_that_its_pattern_takes(template, message):
    assert found((template, *TEMPLATES), message)[:1] == [template]


def test_the_most_literal_of_several_fitting_templates_comes_first():
    texts = ("show the hours of {site}", "show the hours of {site} on friday", "show the {site} now on friday")
    assert found(texts, "show the hours of Leeds on Friday") == [texts[1], texts[0]]


def test_templates_that_share_every_word_are_all_found():
    texts = ("about the new {site} office", "about the {site} new office")
    assert found(texts, "about the new new office") == list(texts)


def test_a_template_of_another_prompt_is_not_found():
    assert table(TEMPLATES[0]).find("When does the Leeds office open?", {"it.other"}) == ()


def test_blanks_are_captured_from_the_most_literal_template_of_the_prompt():
    texts = ["show the hours of {site}", "show the hours of {site} on friday"]
    one = version("it.p0", phrasings=texts, **SITE)
    made = PhraseTable(rows_of([one]), fold)
    assert dict(made.capture(one, "Show the hours of Leeds on Friday")) == {"site": "Leeds"}
    assert dict(made.capture(version("it.gone"), "Show the hours of Leeds")) == {}


def test_a_blank_that_comes_twice_stands_for_one_thing():
    slots = [{"type": "enum", "name": "site", "ask": "Which?", "values": [{"value": "Leeds"}, {"value": "Gdansk"}]}]
    one = version("it.p0", phrasings=["Move my booking from {site} to {site}"], **(SITE | {"slots": slots}))
    made = PhraseTable(rows_of([one]), fold)
    for message in ("Move my booking from Leeds to Gdansk", "Move my booking from Leeds to anywhere"):
        assert made.find(message, {"it.p0"}) == ()
        assert dict(made.capture(one, message)) == {}
    (hit,) = made.find("move my booking from Leeds to Leeds", {"it.p0"})
    assert dict(hit.captured) == {"site": "Leeds"}


def test_a_text_with_a_blank_is_a_template():
    assert [has_blank(text) for text in ("the {site} office", "the office")] == [True, False]
