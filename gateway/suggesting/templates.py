"""Says a phrasing in other ways without a model: other question forms, keywords, courtesies, synonyms, typing errors.

Sentences as people type them, in four languages. What comes out is checked like a model's words and needs a person.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from gateway.suggesting.forms import COURTESIES, FORMS, SYNONYMS
from store.content import SLOT_MARK
from store.wordlists import word_set

_WORD = re.compile(r"[^\W\d_]+")
_KEYWORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_SHORTEST_MISTYPED = 5
_FEWEST_KEYWORDS = 2
_MOST_KEYWORDS = 4
"""More are not what is typed into a search field."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A sentence and how it came about."""

    text: str
    method: str
    source: str
    """The phrasing that it says in another way."""


def vary(phrasing: str, language: str) -> Iterator[Variant]:
    """Yields other ways to say a phrasing; the same ones each time, the plainest first."""
    forms = list(_forms(phrasing, language))
    for method, text in forms:
        yield Variant(text, method, phrasing)
    keywords = _keywords(phrasing, language)
    if keywords:
        yield Variant(keywords, "keywords", phrasing)
    for method, text in chain([("phrasing", phrasing)], forms):
        for renamed in _with_synonym(text, language):
            yield Variant(renamed, f"{method}, synonym", phrasing)
    for number, (method, text) in enumerate([*forms, ("phrasing", phrasing)]):
        before, after = COURTESIES.get(language, (("", ""),))[number % len(COURTESIES.get(language, (("", ""),)))]
        if before or after:
            said = text.rstrip("?.! ") if after else text
            yield Variant(f"{before}{_lowered(said)}{after}", f"{method}, courtesy", phrasing)
    for method, text in [*forms, ("phrasing", phrasing)]:
        yield Variant(_mistyped(text), f"{method}, typing errors", phrasing)


def _forms(phrasing: str, language: str) -> Iterator[tuple[str, str]]:
    bare = phrasing.strip().rstrip("?.! ")
    for group in FORMS.get(language, ()):
        for opening in group.openings:
            found = re.match(opening, bare, re.IGNORECASE)
            if found is None:
                continue
            core = bare[found.end() :].strip()
            if core:
                for template in group.templates:
                    yield "question form", template.replace("<>", core)
                return


def _keywords(phrasing: str, language: str) -> str:
    """Returns the words that carry the meaning, the last first, as people type into a search field."""
    idle = _IDLE.get(language)
    if idle is None or SLOT_MARK.search(phrasing):
        return ""
    words = [word for word in _KEYWORD.findall(phrasing) if word.casefold() not in idle]
    is_short = _FEWEST_KEYWORDS <= len(words) <= _MOST_KEYWORDS
    return " ".join(reversed(words)).lower() if is_short else ""


def _with_synonym(text: str, language: str) -> Iterator[str]:
    for word, other in SYNONYMS.get(language, {}).items():
        renamed = re.sub(rf"(?<![\w{{]){re.escape(word)}(?![\w}}])", other, text, count=1, flags=re.IGNORECASE)
        if renamed != text:
            yield renamed


def _mistyped(text: str) -> str:
    """Returns the text with two letters of its two longest words in the wrong order; blanks stay."""
    blanks = [found.span() for found in SLOT_MARK.finditer(text)]
    places = [
        found.span()
        for found in _WORD.finditer(text)
        if len(found[0]) >= _SHORTEST_MISTYPED and not any(start <= found.start() < end for start, end in blanks)
    ]
    changed = text.lower() if not blanks else text
    for start, end in sorted(places, key=lambda span: (span[0] - span[1], span))[:2]:
        middle = (start + end) // 2
        changed = changed[: middle - 1] + changed[middle] + changed[middle - 1] + changed[middle + 1 :]
    return changed.rstrip("?.! ")


def _lowered(text: str) -> str:
    """Returns the text to go on a sentence with: the first letter small, unless the word stands in capitals."""
    first = text.split(maxsplit=1)[0] if text.split() else ""
    is_name = first[1:] != first[1:].lower() or first == "I"
    return text if is_name else text[:1].lower() + text[1:]


_IDLE: Mapping[str, frozenset[str]] = {
    "en": word_set(
        "a an the i me my we us our you your it its is are am was be been do does did can could will would shall "
        "should may might must have has had to of in on at for from with by about as and or but if not no how what "
        "where when who which why there here please pls need want like get got tell know let help now already again "
        "any some much many take don't doesn't can't cannot didn't isn't i'm i've what's still just also new"
    ),
    "de": word_set(
        "ein eine einen einem einer der die das den dem des ich mir mich mein meine meinen meinem meiner wir uns "
        "unser unsere sie ihr ist sind bin war sein kann können darf dürfen muss müssen will soll habe hat haben zu "
        "in im an am auf für von vom mit bei und oder aber wenn nicht kein wie was wo wann wer welche warum bitte"
    ),
    "es": word_set(
        "un una el la los las yo me mi mis nos nuestro nuestra es son soy fue ser puedo puede debo debe tengo tiene "
        "hay a de del en por para con y o pero si no cómo como qué que dónde donde cuándo cuando quién cuál favor"
    ),
    "fr": word_set(
        "un une le la les des du de je me mon ma mes nous notre nos est sont suis était être peux peut puis dois doit "
        "ai a avons avez il elle y en dans sur pour par avec et ou mais si ne pas comment que quoi où quand qui quel "
        "quelle pourquoi vous"
    ),
}
"""Words that a search field does without."""
