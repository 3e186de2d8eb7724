"""Splits a text into words and sentences in one pass; patterns run only on what is not a plain word."""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, pairwise
from typing import NamedTuple

from rails.matching import compile_linear
from rails.number_words import COUNTED

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
    is_ordinary: bool
    """Whether it is a word in small letters that is no part of a number or date, in no language."""


def plain_text(text: str) -> str:
    """Returns `text` in compatible characters, with one kind of digits and of apostrophe, and glued sentences apart."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_SPELLINGS))
        digits = {
            ord(char): str(unicodedata.digit(char)) for char in set(text) if not char.isascii() and char.isdecimal()
        }
        text = text.translate(digits) if digits else text
    return str(_GLUED.sub(r"\1\2 \3", text))


def sentences_of(text: str) -> list[list[Token]]:
    """Returns the tokens of each sentence of a text that `plain_text` made, without the numbers of a list."""
    sentences: list[list[Token]] = []
    said: list[Token] = []
    for line in _LIST_MARK.sub("\n", text).splitlines():
        is_first = True
        for chunk in line.split():
            opening, inside, ending = _read(chunk) if len(chunk) <= _SHORT else _take_apart(chunk)
            if opening:
                said += opening if is_first else inside
                is_first = False
            if ending:
                is_first = True
                if ending == _END and said:
                    sentences.append(said)
                    said = []
        if said:
            sentences.append(said)
            said = []
    return sentences


def tokens_of(text: str) -> list[Token]:
    """Returns the tokens of all sentences, in their order."""
    return [*chain.from_iterable(sentences_of(text))]


_Pieces = tuple[Token, ...]


def _take_apart(chunk: str) -> tuple[_Pieces, _Pieces, int]:
    """Returns the words of what stands between two blanks, and whether something ends with it.

    They come twice: as they are at the start of a sentence, and inside of one.
    """
    core = chunk.strip(_EDGES)
    parts = (core,) if core.isalpha() else tuple(_parts(core)) if core else ()
    inside = tuple(_token(part) for part in parts)
    opening = (inside[0]._replace(is_sentence_start=True), *inside[1:]) if inside else ()
    return opening, inside, _ending(chunk, core)


def _token(part: str) -> Token:
    folded = part.casefold()
    is_ordinary = part.isalpha() and part.islower() and COUNTED.isdisjoint((part, folded))
    return Token(part, folded, is_sentence_start=False, is_ordinary=is_ordinary)


def _ending(chunk: str, core: str) -> int:
    if chunk[-1].isalnum():
        return 0
    tail = chunk[chunk.rfind(core) + len(core) :] if core else chunk
    if any(char in _ENDS for char in tail) and not _is_abbreviated(core, tail):
        return _END
    return _START if any(char in _STARTS for char in tail) else 0


# People write the same words again and again, and a word is looked up at once; a long one would only take up room.
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
