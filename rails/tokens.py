"""Splits a text into words and sentences in one pass; patterns run only on what is not a plain word."""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from rails.matching import compile_linear

# RE2 takes some 4 µs for each match that it hands to Python: a text of 300 characters has 50 words.
_PIECE = r"(?:[0-9]+(?:[.,:'][0-9]+)*[\pL%]*|[\pL][\pL\pN\pM]*(?:'[\pL]+)*)"
_CHUNK = compile_linear(rf"{_PIECE}(?:[-_/\\.]{_PIECE})*|[%€$£¥₹]")
_DOTTED_DATE = compile_linear(r"[0-9]{1,2}\.[0-9]{1,2}\.(?:19|20)[0-9]{2}")
_LIST_MARK = compile_linear(r"(?m)^\s*[0-9]{1,2}[.)]\s")
_GLUED = compile_linear(r"([\p{Ll}\p{Nd}\"')\]])([.!?])(\p{Lu}\p{Ll})", case_sensitive=True)

_EDGES = ".,;:!?()[]{}<>\"'*_`~|•·…=+#&@^\\/\u201c\u201d\u201e\u00ab\u00bb\u2018\u2014-\u00bf\u00a1"
_SHORT = 24
_START, _END = 1, 2
"""What ends with a chunk: a heading, so that a capital follows as in a sentence; or a sentence."""
_ENDS = ".!?…"
_STARTS = ":•"
_SPELLINGS = str.maketrans(
    {
        "\u2019": "'",  # the apostrophe
        "\u2013": " – ",  # noqa: RUF001 - the dash of a range
        "\u2212": "-",
        "\u202f": None,  # the narrow blanks that group digits
        "\u2009": None,
        "\u00a0": " ",
        "\u3002": ". ",
        "\uff01": "! ",
        "\uff1f": "? ",
        "\u061f": "? ",
        "\u06d4": ". ",
        "\u0964": ". ",
        "\u066a": "%",
        "\u066b": ".",
        "\u066c": ",",
    }
)
_ABBREVIATIONS = frozenset(
    ("e.g", "i.e", "a.m", "p.m", "z.b", "d.h", "mr", "mrs", "dr", "prof", "st", "nr", "v", "vs", "etc", "ca", "bzw")
)


class Token(NamedTuple):
    """One word, number, code or currency sign."""

    text: str
    folded: str
    is_sentence_start: bool
    """Whether it is the first word after an end of sentence, a colon or a line break."""
    sentence: int
    """Number of the sentence that it stands in."""


def plain_text(text: str) -> str:
    """Returns `text` in compatible characters, with one kind of digits and of apostrophe, and glued sentences apart."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_SPELLINGS))
        digits = {
            ord(char): str(unicodedata.digit(char)) for char in set(text) if not char.isascii() and char.isdecimal()
        }
        text = text.translate(digits) if digits else text
    return str(_GLUED.sub(r"\1\2 \3", text))


def tokens_of(text: str) -> list[Token]:
    """Returns the tokens of a text that `plain_text` made, without the numbers of a list."""
    tokens: list[Token] = []
    sentence = 0
    for line in _LIST_MARK.sub("\n", text).splitlines():
        is_first = True
        for chunk in line.split():
            pieces, ending = _read(chunk) if len(chunk) <= _SHORT else _take_apart(chunk)
            for piece, folded in pieces:
                tokens.append(Token(piece, folded, is_first, sentence))
                is_first = False
            if ending:
                is_first = True
                sentence += ending == _END
        sentence += 1
    return tokens


def _take_apart(chunk: str) -> tuple[tuple[tuple[str, str], ...], int]:
    """Returns the words of what stands between two blanks, also in lower case, and whether something ends with it."""
    core = chunk.strip(_EDGES)
    parts = (core,) if core.isalpha() else tuple(_parts(core)) if core else ()
    pieces = tuple((part, part.casefold()) for part in parts)
    if chunk[-1].isalnum():
        return pieces, 0
    tail = chunk[chunk.rfind(core) + len(core) :] if core else chunk
    if any(char in _ENDS for char in tail) and not _is_abbreviated(core, tail):
        return pieces, _END
    return pieces, _START if any(char in _STARTS for char in tail) else 0


# People write the same words again and again; a long one would only take up room.
_read = lru_cache(maxsize=8192)(_take_apart)


def _is_abbreviated(core: str, tail: str) -> bool:
    """Whether a single full stop belongs to the word: `e.g.`, or the initial of a name."""
    return tail[:1] == "." and (core.casefold() in _ABBREVIATIONS or (len(core) == 1 and core.isupper()))


def _parts(core: str) -> Iterator[str]:
    """Splits hyphenated words, ranges and `30-day`; keeps codes such as `INC-123456` whole."""
    for found in _CHUNK.finditer(core):
        chunk = found.group()
        if chunk.count(".") > 1 and _DOTTED_DATE.fullmatch(chunk) is not None:
            yield from chunk.split(".")
        elif any(char in chunk for char in "_\\.") or not any(char in chunk for char in "-/"):
            yield chunk
        else:
            parts = chunk.replace("/", "-").split("-")
            is_code = any(before[-1:].isalpha() and after[:1].isdigit() for before, after in pairwise(parts))
            yield from [chunk] if is_code else parts
