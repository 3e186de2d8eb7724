"""Blocks characters that a person cannot see, and words that mix look-alike alphabets.

The gateway's canonicalizer refuses the same in messages; this rail is the second wall, with its own code, and the only
one for answers. Linear in the text.
"""

import unicodedata
from collections.abc import Iterator

from rails.definition import Probes, RailDefinition, RailParams, probes_of
from rails.nemo import RailOutcome, verdict
from rails.scripts import script_of
from rails.types import Stage
from rails.wordlists import word_set

_PLAIN_CONTROLS = frozenset("\t\n\r")
_WITHOUT_PLAIN_CONTROLS = str.maketrans(dict.fromkeys(_PLAIN_CONTROLS))
_ZWNJ, _ZWJ, _TEXT_STYLE, _EMOJI_STYLE = "\u200c", "\u200d", "\ufe0e", "\ufe0f"
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Blank or default-ignorable characters that Unicode does not file under its format category.
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u180b\u180c\u180d\u180f\u2065") | {
    chr(code) for code in range(0xFFF0, 0xFFF9)
}
# Scripts whose spelling needs the joiners.
_JOINING = word_set(
    "ARABIC DEVANAGARI BENGALI GURMUKHI GUJARATI TAMIL TELUGU KANNADA MALAYALAM SINHALA MONGOLIAN KHMER"
)
# Scripts written without blanks between words, where a Latin word may stand inside a run of letters.
_UNSPACED = word_set("CJK HIRAGANA KATAKANA BOPOMOFO HANGUL THAI LAO KHMER MYANMAR TIBETAN")
_TAG_FLAGS = frozenset(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f"
    for region in ("gbeng", "gbsct", "gbwls")
)
_FLAG_LENGTH = 7
_TAGS = range(0xE0000, 0xE0080)
_SELECTORS = frozenset((*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
_IGNORABLE = range(0xE0000, 0xE1000)
_NONCHARACTER = 0xFFFE
_SKIN_TONES = range(0x1F3FB, 0x1F400)
# Mathematical letters, enclosed letters, and squared letters other than the emoji that are made of them.
_STYLED = frozenset((*range(0x1D400, 0x1D800), *range(0x249C, 0x24EA), *range(0x1F130, 0x1F170)))
# Greek letters that units borrow (micrometre, kiloohm), in words of at most three letters.
_UNIT_LETTERS = frozenset("μΩω")
_UNIT_LENGTH = 3
# Polytonic Greek stacks three marks on a letter, cantillated Hebrew four.
_MAX_MARKS = 4
_STRAY_MARKS = 3
_STRAY_SHARE = 0.2
_MAX_STYLED = 2


class HiddenParams(RailParams, frozen=True, kw_only=True, tag="hidden"):
    """Has no parameters: what cannot be seen is never wanted."""


def hidden_character(text: str) -> str | None:
    """Returns the reason code of the first character that is not there to be read, or None."""
    if text.isascii() and text.translate(_WITHOUT_PLAIN_CONTROLS).isprintable():
        return None
    flags_end = 0
    for position, char in enumerate(text):
        if char.isascii() and (char.isprintable() or char in _PLAIN_CONTROLS):
            continue
        if position < flags_end:
            continue
        if char == "\U0001f3f4" and text[position : position + _FLAG_LENGTH] in _TAG_FLAGS:
            flags_end = position + _FLAG_LENGTH
            continue
        reason = _character_reason(char, text, position)
        if reason is not None:
            return reason
    return None


def _character_reason(char: str, text: str, position: int) -> str | None:
    code = ord(char)
    if code in _SELECTORS:
        return None if _selects_a_style(char, text, position) else "hidden.variation_selector"
    if char in (_ZWJ, _ZWNJ):
        return None if _joins(char, text, position) else "hidden.zero_width"
    if char in _BIDI or code in _TAGS:
        return "hidden.bidi" if char in _BIDI else "hidden.tag"
    category = unicodedata.category(char)
    if category in ("Cc", "Cs", "Co") or code & _NONCHARACTER == _NONCHARACTER:
        return "hidden.control"
    is_blank = category == "Cf" or char in _BLANKS or code in _IGNORABLE
    return "hidden.zero_width" if is_blank else None


def _selects_a_style(char: str, text: str, position: int) -> bool:
    """Says whether the selector follows a sign that has both a text and an emoji form."""
    if char not in (_TEXT_STYLE, _EMOJI_STYLE) or position == 0:
        return False
    before = text[position - 1]
    return before in "#*0123456789\u2139" or unicodedata.category(before) in ("So", "Sm", "Po", "Pd", "No", "Cn")


def _joins(char: str, text: str, position: int) -> bool:
    """Says whether the joiner stands where emoji sequences or the spelling of a script need one."""
    before, after = text[max(position - 1, 0) : position], text[position + 1 : position + 2]
    if not before or not after:
        return False
    if script_of(before) in _JOINING:
        return script_of(after) in _JOINING
    if char == _ZWNJ:
        return False
    return _is_emoji(before, may_modify=True) and _is_emoji(after, may_modify=False)


def _is_emoji(char: str, *, may_modify: bool) -> bool:
    if may_modify and (char == _EMOJI_STYLE or ord(char) in _SKIN_TONES):
        return True
    # Emoji newer than this Python's Unicode tables are unassigned there.
    return unicodedata.category(char) in ("So", "Cn") or char in "♀♂↔↕"


def mixed_script(text: str) -> bool:
    """Says whether a word mixes alphabets that can pass for each other, such as Latin and Cyrillic."""
    for word in _words(text):
        if word.isascii():
            continue
        scripts = {script for char in word if (script := script_of(char)) is not None} - _UNSPACED
        if len(scripts) > 1 and not _is_unit(word, scripts):
            return True
    return False


def _is_unit(word: str, scripts: set[str]) -> bool:
    greek = {char for char in word if script_of(char) == "GREEK"}
    return scripts == {"LATIN", "GREEK"} and len(word) <= _UNIT_LENGTH and greek <= _UNIT_LETTERS


def _words(text: str) -> Iterator[str]:
    start: int | None = None
    for position, char in enumerate(text):
        if char.isalpha() or unicodedata.combining(char):
            start = position if start is None else start
        elif start is not None:
            yield text[start:position]
            start = None
    if start is not None:
        yield text[start:]


def stacked_marks(text: str) -> bool:
    """Says whether letters carry more marks than any spelling asks for."""
    run = 0
    for char in unicodedata.normalize("NFD", text):
        run = run + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if run > _MAX_MARKS:
            return True
    stray = letters = 0
    before: str | None = None
    for char in unicodedata.normalize("NFC", text):
        if unicodedata.category(char) in ("Mn", "Me"):
            stray += before in ("LATIN", "GREEK", "CYRILLIC")
        elif char.isalpha():
            letters += 1
            before = script_of(char)
        else:
            before = None
    return stray > _STRAY_MARKS and stray > _STRAY_SHARE * letters


def styled_letters(text: str) -> bool:
    """Says whether words are written in mathematical, small-capital or enclosed letters, which only look like text."""
    styled = sum(
        ord(char) in _STYLED or "LETTER SMALL CAPITAL" in unicodedata.name(char, "")
        for char in text
        if not char.isascii()
    )
    return styled > _MAX_STYLED


def find(text: str) -> str | None:
    """Returns the reason to block `text`, or None."""
    reason = hidden_character(text)
    if reason is not None or text.isascii():
        return reason
    if mixed_script(text):
        return "hidden.mixed_script"
    if stacked_marks(text):
        return "hidden.stacked_marks"
    return "hidden.styled_letters" if styled_letters(text) else None


async def check(text: str, params: HiddenParams) -> RailOutcome:  # noqa: ARG001 - every check takes its parameters
    """Returns the verdict on what cannot be seen in `text`."""
    return verdict(find(text))


def _probes(_params: HiddenParams) -> Probes:
    return probes_of(
        blocked=["reset\u200b my password", "reset my p\u0430ssword", "reset \u202emy password", "hello\U000e0041"],
        passed=["Wie setze ich mein Passwort zurück? 👨‍👩‍👧"],
    )


RAIL = RailDefinition(name="hidden", stages=frozenset(Stage), params=HiddenParams, check=check, probes=_probes)
