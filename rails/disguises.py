"""Reads text through the disguises that hide orders from filters: spacing, look-alike digits, codes and encodings.

Every function is linear in its text, and what an encoded part decodes to is never longer than the part.
"""

import base64
import binascii
import contextlib
import html
import quopri
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from rails.letterforms import redrawn
from rails.matching import compile_linear
from rails.respelling import has_inner_capital, respelt
from rails.stop_words import LANGUAGES_OF
from rails.wordlists import word_list
from rails.wordplay import wordplay

# Left, right, low and angle quotes and dashes, by code point because they look alike; joiners and what selects the
# style of an emoji are not read at all, nor is the stroke that stretches an Arabic word.
_MARKS: dict[int, str | None] = {
    **dict.fromkeys((0x2018, 0x2019, 0x201A), "'"),
    **dict.fromkeys((0x201C, 0x201D, 0x201E, 0xAB, 0xBB), '"'),
    **dict.fromkeys((0x2013, 0x2014), "-"),
    **dict.fromkeys((0x0640, 0x200C, 0x200D, 0xFE0E, 0xFE0F)),
}
_LEET = str.maketrans(
    {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i", "|": "l"}
)
_LEET_WORD = compile_linear(r"[a-z][0-9@$!|]+[a-z]|[0-9@$][a-z]+[0-9@$!|]|\b[0-9][a-z]{3,}")
_BASE64 = compile_linear(r"[A-Za-z0-9+/_-]{16,}={0,2}")
# Base64 broken by blanks or line breaks, as mail programs write it. Prose matches too and decodes to nothing readable:
# it is left out, for its time, when no word has a capital inside.
_BROKEN_BASE64 = compile_linear(r"(?:[A-Za-z0-9+/_-]{4,}[ \n\r\t]{1,3}){2,}[A-Za-z0-9+/_-]{2,}={0,2}")
_HEX = compile_linear(r"(?:(?:0x|\\x|%)?[0-9a-fA-F]{2}[ ,:\n\r-]{0,2}){12,}")
_BINARY = compile_linear(r"(?:[01]{8}\s?){8,}")
_ESCAPES = compile_linear(r"%[0-9a-fA-F]{2}|&#?[a-zA-Z0-9]{2,8};")
_BASE32 = compile_linear(r"\b[A-Z2-7]{24,}={0,6}")
_CHARACTER_CODES = compile_linear(r"\b(?:0o)?\d{2,3}(?:[ ,;\n\r]{1,2}(?:0o)?\d{2,3}){11,}\b")
_MORSE = compile_linear(r"[.\-]{1,5}(?:[ /|]{1,3}[.\-]{1,5}){7,}")
_BRAILLE = compile_linear(r"[\x{2801}-\x{283f}][\x{2800}-\x{283f} ]{7,}")
_QUOTED_PRINTABLE = compile_linear(r"(?:=[0-9A-F]{2}[^=]{0,20}){3}", case_sensitive=True)
_UU_LINE = compile_linear(r"[ -`]{9,61}", case_sensitive=True)
_UU_ROW = compile_linear(r"[!-`]{9}", case_sensitive=True)
_CODE = compile_linear(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\([0-3][0-7]{2})")
_ESCAPED_BLANK = compile_linear(r"\\[nrt]")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_MORSE_SIGNS = word_list(
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.."
)
_MORSE_LETTERS = dict(zip(_MORSE_SIGNS, _ALPHABET, strict=True))
_BRAILLE_LETTERS = dict(zip("⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵", _ALPHABET, strict=True)) | {"⠀": " "}
_BASE85_CHARS = 20
_UU_CUT = 3
"""How many blanks at the end of a line may have been lost, or noughts added."""
_HEX_FIGURES = 8
"""What can be read has `_READABLE_CHARS`, and nearly each has a figure among its bytes."""
_BASE64_CHARS, _BASE32_CHARS, _BINARY_DIGITS, _CHARACTER_CODES_DIGITS, _MORSE_GROUPS = 16, 24, 64, 24, 8
"""The least that the patterns of these names ask for."""
_ROT13 = str.maketrans(_ALPHABET, _ALPHABET[13:] + _ALPHABET[:13])
_ASCII_SIGNS = bytes(code for code in range(128) if not chr(code).isalnum())
_AROUND = ".,;:!?"
_SMALL = frozenset(word for word, languages in LANGUAGES_OF.items() if "en" in languages)
_SMALL_IN_ROT13 = frozenset(word.translate(_ROT13) for word in _SMALL)
_SMALL_BACKWARDS = frozenset(word[::-1] for word in _SMALL)
_READABLE_SHARE = 0.9
_READABLE_CHARS = 8
_BYTE = 256
_SURROGATES = range(0xD800, 0xE000)


@lru_cache(maxsize=16)  # several rails read the same text
def plain(text: str) -> str:
    """Returns `text` as a reader takes it in: lower case, without accents, with straight quotes and single blanks."""
    if not text.isascii():
        spread = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in spread if not unicodedata.combining(char)).translate(_MARKS)
    return "\n".join(" ".join(line.split()) for line in text.casefold().splitlines())


def squeezed(folded: str) -> str:
    """Returns only the letters and digits of a folded text."""
    if folded.isascii():
        return folded.encode().translate(None, _ASCII_SIGNS).decode()
    return "".join(char for char in folded if char.isalnum())


def unleet(folded: str) -> str | None:
    """Returns the text with digits read as letters, or None when no word mixes the two."""
    return folded.translate(_LEET) if _LEET_WORD.occurs_in(folded) else None


def mirrored(folded: str) -> tuple[str, str]:
    """Returns the text in ROT13 and backwards."""
    return folded.translate(_ROT13), folded[::-1]


def turned(folded: str, verbs: tuple[str, ...]) -> Iterator[str]:
    """Yields the text with its words backwards, and with the letters of each word backwards, if it has such a verb."""
    # Most texts have none, which costs a tenth of turning them.
    backwards = folded[::-1]
    if any(verb in folded for verb in verbs):
        yield " ".join(reversed(folded.split()))
    if any(verb in backwards for verb in verbs):
        yield " ".join(reversed(backwards.split()))


@lru_cache(maxsize=16)  # several rails decode the same text
def decoded(text: str) -> tuple[str, ...]:
    """Returns what the encoded parts of `text` say.

    Percent, entity and escape forms, Base64, Base32, Base85, uuencode, quoted-printable, hexadecimal, binary, character
    codes, Morse and braille, letters moved along the alphabet or mirrored in it, and pig Latin.
    """
    return (*_escaped(text), *_in_bytes(text), *_uuencoded(text), *_in_signs(text), *wordplay(plain(text)))


@lru_cache(maxsize=16)  # several rails read the same text
def readings(text: str) -> tuple[str, ...]:
    """Returns what `text` says when it is decoded, redrawn, respelt, mirrored or read with digits for letters."""
    folded = plain(text)
    drawn = tuple(redrawn(folded))
    spelt = (view for part in drawn for view in respelt(part, part))
    return (*decoded(text), *drawn, *spelt, *respelt(text, folded), *turned_round(folded))


def turned_round(folded: str) -> Iterator[str]:
    """Yields a folded text mirrored and with digits for letters, where that has more small words of English.

    Chance makes few of them.
    """
    bare = [word.strip(_AROUND) for word in folded.split()]
    known = _count(_SMALL, bare)
    # Counted before the text is turned, by what the small words look like in it: most texts need no turning.
    if _count(_SMALL_IN_ROT13, bare) > known:
        yield folded.translate(_ROT13)
    if _count(_SMALL_BACKWARDS, bare) > known:
        yield folded[::-1]
    letters = unleet(folded)
    if letters is not None and _count(_SMALL, [word.strip(_AROUND) for word in letters.split()]) > known:
        yield letters


def _count(known: frozenset[str], words: Sequence[str]) -> int:
    return sum(map(known.__contains__, words))


def _escaped(text: str) -> Iterator[str]:
    if ("%" in text or "&" in text) and _ESCAPES.occurs_in(text):
        yield html.unescape(unquote(text))
    if "\\" in text and _CODE.occurs_in(text):
        yield str(_CODE.sub(_character, _ESCAPED_BLANK.sub(" ", text)))
    if "=" in text and _QUOTED_PRINTABLE.occurs_in(text):
        yield quopri.decodestring(text.encode()).decode("utf-8", "ignore")


def _character(found: Any) -> str:
    code = int(found.group(1) or found.group(2), 16) if found.group(3) is None else int(found.group(3), 8)
    return "" if code in _SURROGATES else chr(code)


def _in_bytes(text: str) -> Iterator[str]:
    # What must be there for a pattern to occur, where looking for that is cheaper.
    longest, figures = max(map(len, text.split()), default=0), sum(map(text.count, "0123456789"))
    for found in _BASE64.finditer(text) if longest >= _BASE64_CHARS else ():
        yield from _readable(_base64(found.group()))
        yield from _readable(_base64(found.group().rstrip("=")[::-1]))
    for found in _BROKEN_BASE64.finditer(text) if has_inner_capital(text) else ():
        yield from _readable(_base64("".join(found.group().split())))
    for found in _HEX.finditer(text) if figures >= _HEX_FIGURES else ():
        digits = "".join(char for char in found.group().replace("0x", "") if char in "0123456789abcdefABCDEF")
        yield from _readable(bytes.fromhex(digits[: len(digits) // 2 * 2]))
    for found in _BINARY.finditer(text) if figures >= _BINARY_DIGITS else ():
        bits = "".join(found.group().split())
        yield from _readable(bytes(int(bits[index : index + 8], 2) for index in range(0, len(bits) - 7, 8)))
    for found in _BASE32.finditer(text) if longest >= _BASE32_CHARS else ():
        part = found.group().upper().rstrip("=")
        yield from _readable(base64.b32decode(part[: len(part) // 8 * 8]))
    for found in _CHARACTER_CODES.finditer(text) if figures >= _CHARACTER_CODES_DIGITS else ():
        codes = found.group().replace(",", " ").replace(";", " ").replace("0o", "").split()
        yield from _readable(bytes(code for code in map(int, codes) if code < _BYTE))
        if not any(digit in code for code in codes for digit in "89"):
            yield from _readable(bytes(code for code in (int(number, 8) for number in codes) if code < _BYTE))
    for word in text.split() if longest >= _BASE85_CHARS else ():
        if len(word) >= _BASE85_CHARS:
            yield from _base85(word)


def _uuencoded(text: str) -> Iterator[str]:
    """Yields what the lines of a text say in uuencode; a gateway may have made blanks of their ends."""
    # Nothing in lower case, in a row as long as a line at least.
    for parts in (text.splitlines(), text.split()) if _UU_ROW.occurs_in(text) else ():
        raw = b"".join(map(_uu_line, parts))
        if raw:
            yield from _readable(raw)


def _uu_line(line: str) -> bytes:
    size = (ord(line[0]) - ord(" ")) & 63 if line else 0
    # The first sign counts the bytes; what fits it by chance decodes to nothing readable.
    if not 0 <= len(line) - 1 - (size + 2) // 3 * 4 + _UU_CUT <= 2 * _UU_CUT or _UU_LINE.fullmatch(line) is None:
        return b""
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        return b""


def _in_signs(text: str) -> Iterator[str]:
    for found in _MORSE.finditer(text) if text.count(".") + text.count("-") >= _MORSE_GROUPS else ():
        words = found.group().replace("|", "/").split("/")
        yield " ".join("".join(_MORSE_LETTERS.get(sign, "") for sign in word.split()) for word in words)
    for found in _BRAILLE.finditer(text) if not text.isascii() else ():
        yield "".join(_BRAILLE_LETTERS.get(char, char) for char in found.group())


def _base64(part: str) -> bytes:
    bare = part.rstrip("=").replace("-", "+").replace("_", "/")
    # One letter beyond a group of four carries no byte.
    bare = bare[: len(bare) - 1] if len(bare) % 4 == 1 else bare
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error:
        return b""


def _base85(word: str) -> Iterator[str]:
    """Yields what a word says in either alphabet of Base85."""
    bare = word.removeprefix("<~").removesuffix("~>")
    for decode in (base64.a85decode, base64.b85decode):
        with contextlib.suppress(ValueError):
            yield from _readable(decode(bare))


def _readable(raw: bytes) -> Iterator[str]:
    text = raw.decode("utf-8", "ignore")
    readable = sum(char.isprintable() or char in "\n\t" for char in text)
    is_text = readable >= _READABLE_SHARE * len(text) and len(text.encode()) >= _READABLE_SHARE * len(raw)
    if len(text) >= _READABLE_CHARS and is_text:
        yield text
