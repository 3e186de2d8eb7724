"""Which script a letter belongs to, as far as the standard library knows."""

import unicodedata
from functools import lru_cache

from rails.wordlists import word_set

_SCRIPTS = word_set(
    "LATIN GREEK CYRILLIC ARMENIAN HEBREW ARABIC SYRIAC DEVANAGARI BENGALI GURMUKHI GUJARATI ORIYA TAMIL TELUGU "
    "KANNADA MALAYALAM SINHALA THAI LAO TIBETAN MYANMAR GEORGIAN HANGUL ETHIOPIC CHEROKEE KHMER MONGOLIAN "
    "HIRAGANA KATAKANA BOPOMOFO CJK COPTIC RUNIC OGHAM LISU TIFINAGH DESERET GLAGOLITIC GOTHIC BRAILLE "
    "THAANA NKO VAI YI ADLAM CANADIAN JAVANESE BALINESE SUNDANESE"
)
_WIDTHS = ("FULLWIDTH ", "HALFWIDTH ")


@lru_cache(maxsize=4096)
def script_of(char: str) -> str | None:
    """Returns the script of a letter or mark by the first word of its Unicode name, such as `LATIN`.

    None for what all scripts share (digits, punctuation, combining accents) and for letters without a known script.
    """
    name = unicodedata.name(char, "")
    for width in _WIDTHS:
        name = name.removeprefix(width)
    first = name.partition(" ")[0].partition("-")[0]
    if first == "KATAKANA" and char == "ー":  # the long-vowel mark serves both Japanese syllabaries
        return None
    return first if first in _SCRIPTS else None
