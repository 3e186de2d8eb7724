"""The words of a text that say something, each reduced to what its forms have in common."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from rails.stop_words import LANGUAGES_OF
from rails.tokens import plain_text, tokens_of
from rails.wordlists import word_list, word_set

_FRAMING = word_set(
    "please simply just also sure okay ok yes no not hello hi thanks thank welcome hope helps following follow steps "
    "step here's below above note information info answer question questions however therefore thus additionally "
    "moreover otherwise instead etc e.g i.e i.a each every either both such same own now like see well many much "
    "one two that's it's you'll we'll they'll let's let know happy glad free further feel sorry about regarding "
    "according based facts text bitte gerne hallo danke nicht nein ja hinweis frage antwort merci bonjour non "
    "question réponse hola gracias pregunta respuesta nie never cannot can't don't doesn't won't isn't aren't nor "
    "neither none without only until while whether upon within anything something else need nice things clears "
    "hesitate exactly regards cheers"
)
"""Words that wrap an answer and state nothing that facts could bear out."""
_SUFFIXES = word_list(
    "ations ation itions ition ions ments ment ings ing ness able ible ally edly ers ies ied est ion ing ed er or "
    "es al ly s y e"
)
_DOUBLE = frozenset("bdfglmnprt")
_MIN_STEM = 4
_CUT = 6
"""Letters that tell words of other languages apart; a cut does nearly as well there as rules (McNamee 2009)."""
_JOINED = (("\u0e00", "\u0eff"), ("\u1000", "\u109f"), ("\u1780", "\u17ff"), ("\u2e80", "\u9fff"), ("\uac00", "\ud7ff"))
"""Scripts that put no blanks between words, and Hangul, whose words carry endings: read by pairs of characters."""
_ARTICLES = ("وال", "بال", "كال", "فال", "لل", "ال")
_MEANS = (
    "choose select pick",
    "begin start commence",
    "end finish",
    "buy purchase",
    "mobile cellphone smartphone",
    "email mail",
    "laptop notebook",
    "fix repair mend",
    "allow permit let",
    "get receive obtain",
    "send submit",
    "request ask apply order",
    "large big",
    "quick fast rapid",
    "help assist support",
    "cost price fee",
    "manager supervisor boss",
    "holiday vacation leave",
    "login sign log",
    "screen monitor display",
    "film movie",
    "author writer",
    "car automobile vehicle",
    "reset renew",
    "need require",
    "picture photo image",
    "press click tap push",
    "delete remove erase",
    "locate situate base",
    "create found establish form",
    "state country nation",
    "town city",
)


def is_content(folded: str, language: str) -> bool:
    """Whether a word in lower case says something, as far as the small words of `language` and English are known."""
    if folded in _FRAMING or len(folded) == 1:
        return False
    owners = LANGUAGES_OF.get(folded, ())
    return not (language in owners or (language == "en" and "en" in owners))


@lru_cache(maxsize=8192)
def keys_of(folded: str, language: str) -> tuple[str, ...]:
    """Returns what stands for the word when texts are compared: mostly one stem; nothing for a small word."""
    if folded[:1] > "\u0dff" and any(low <= folded[0] <= high for low, high in _JOINED):
        return tuple(folded[at : at + 2] for at in range(max(1, len(folded) - 1)))
    if not is_content(folded, language):
        return ()
    word = folded.removesuffix("'s").removesuffix("'")
    if word[:1] == "\u0627" or word[:1] in "وبكفل":
        word = next((word[len(article) :] for article in _ARTICLES if word.startswith(article)), word)
    stem = _english_stem(word) if language == "en" else word[:_CUT]
    return (_SAME.get(stem, stem),)


def keys_in(text: str, language: str) -> frozenset[str]:
    """Returns what stands for the content words of a whole text."""
    words = (token.folded for token in tokens_of(plain_text(text)))
    return frozenset(key for word in words for key in keys_of(word, language))


def _english_stem(word: str) -> str:
    for _ in range(2):
        for suffix in _SUFFIXES:
            if word.endswith(suffix) and len(word) - len(suffix) >= _MIN_STEM:
                word = word[: -len(suffix)]
                break
    if len(word) == _MIN_STEM and word[-1] == "s" and word[-2] not in "siu":
        word = word[:-1]
    if len(word) > _MIN_STEM and word[-1] == word[-2] and word[-1] in _DOUBLE:
        word = word[:-1]
    return word


def _same() -> Mapping[str, str]:
    groups = [[_english_stem(word) for word in words.split()] for words in _MEANS]
    return MappingProxyType({stem: group[0] for group in groups for stem in group})


_SAME = _same()
"""By stem: the first of the words that mean much the same in instructions."""
