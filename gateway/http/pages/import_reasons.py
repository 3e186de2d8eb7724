"""Why rows of a file were refused, in the reader's language: a reason is one English sentence, whoever reads it.

Its form is looked for among the English texts, so that the text of another language is the one of the same name.
"""

import re
from functools import cache

from gateway.http.pages.forms import Said
from gateway.http.pages.texts import DEFAULT, LANGUAGES, Texts

_SECTION, _WORDS = "import_reason.", "import_word."
_PLACE = re.compile(r"\\\{([a-z_]+)\\\}")


def reason_of(texts: Texts, reason: str) -> Said:
    """Returns the reason in that language; in English, and marked so, where it is none that is known."""
    if texts.language == DEFAULT:
        return Said(reason)
    for name, form in _forms():
        if found := form.fullmatch(reason):
            return Said(
                texts(_SECTION + name, **{place: _word(texts, text) for place, text in found.groupdict().items()})
            )
    return Said(reason, is_english=True)


@cache
def _forms() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Returns the names of reasons with their forms, the most particular first."""
    known = {key: text for key, text in LANGUAGES[DEFAULT].entries.items() if key.startswith(_SECTION)}
    ordered = sorted(known.items(), key=lambda one: -len(_PLACE.sub("", re.escape(one[1]))))
    return tuple((key.removeprefix(_SECTION), _form(text)) for key, text in ordered)


def _form(text: str) -> re.Pattern[str]:
    return re.compile(_PLACE.sub(lambda place: f"(?P<{place[1]}>.+?)", re.escape(text)), re.DOTALL)


def _word(texts: Texts, text: str) -> object:
    """Returns what stands in a place: a number, one of the words that reasons use, or a name as it is."""
    if text.isascii() and text.isdigit():
        return int(text)
    english = LANGUAGES[DEFAULT].entries
    known = next((key for key, word in english.items() if key.startswith(_WORDS) and word == text), None)
    return texts(known) if known else text
