"""Reads text through the disguises that hide orders from filters: spacing, look-alike digits, codes and encodings.

Every function is linear in its text, and what an encoded part decodes to is never longer than the part.
"""

import base64
import binascii
import codecs
import html
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

from rails.matching import compile_linear

# Left, right, low and angle quotes and dashes, by code point because they look alike.
_QUOTES = {
    **dict.fromkeys((0x2018, 0x2019, 0x201A), "'"),
    **dict.fromkeys((0x201C, 0x201D, 0x201E, 0xAB, 0xBB), '"'),
    **dict.fromkeys((0x2013, 0x2014), "-"),
}
_LEET = str.maketrans(
    {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i", "|": "l"}
)
_LEET_WORD = compile_linear(r"[a-z][0-9@$!|]+[a-z]|[0-9@$][a-z]+[0-9@$!|]|\b[0-9][a-z]{3,}")
_BASE64 = compile_linear(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = compile_linear(r"(?:(?:0x|\\x|%)?[0-9a-fA-F]{2}[ ,:]?){12,}")
_BINARY = compile_linear(r"(?:[01]{8}\s?){8,}")
_ESCAPES = compile_linear(r"%[0-9a-fA-F]{2}|&#?[a-zA-Z0-9]{2,8};")
_CODE = compile_linear(r"\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}")
_READABLE_SHARE = 0.9
_READABLE_CHARS = 8


def plain(text: str) -> str:
    """Returns `text` as a reader takes it in: lower case, without accents, with straight quotes and single blanks."""
    if not text.isascii():
        spread = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in spread if not unicodedata.combining(char)).translate(_QUOTES)
    return "\n".join(" ".join(line.split()) for line in text.casefold().splitlines())


def squeezed(folded: str) -> str:
    """Returns only the letters and digits of a folded text."""
    return "".join(char for char in folded if char.isalnum())


def unleet(folded: str) -> str | None:
    """Returns the text with digits read as letters, or None when no word mixes the two."""
    return folded.translate(_LEET) if _LEET_WORD.search(folded) is not None else None


def mirrored(folded: str) -> tuple[str, str]:
    """Returns the text in ROT13 and backwards."""
    return codecs.encode(folded, "rot13"), folded[::-1]


def decoded(text: str) -> Iterator[str]:
    """Yields what the encoded parts of `text` say: Base64, hexadecimal, binary, percent, entity and escape forms."""
    if _ESCAPES.search(text) is not None:
        yield html.unescape(unquote(text))
    if _CODE.search(text) is not None:
        yield text.encode("ascii", "ignore").decode("unicode_escape", "ignore")
    for found in _BASE64.finditer(text):
        yield from _readable(_base64(found.group()))
    for found in _HEX.finditer(text):
        digits = "".join(char for char in found.group().replace("0x", "") if char in "0123456789abcdefABCDEF")
        yield from _readable(bytes.fromhex(digits[: len(digits) // 2 * 2]))
    for found in _BINARY.finditer(text):
        bits = "".join(found.group().split())
        yield from _readable(bytes(int(bits[index : index + 8], 2) for index in range(0, len(bits) - 7, 8)))


def _base64(part: str) -> bytes:
    bare = part.rstrip("=").replace("-", "+").replace("_", "/")
    # One letter beyond a group of four carries no byte.
    bare = bare[: len(bare) - 1] if len(bare) % 4 == 1 else bare
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error:
        return b""


def _readable(raw: bytes) -> Iterator[str]:
    text = raw.decode("utf-8", "ignore")
    readable = sum(char.isprintable() or char in "\n\t" for char in text)
    if len(text) >= _READABLE_CHARS and readable >= _READABLE_SHARE * len(raw):
        yield text
