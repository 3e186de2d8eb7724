"""Takes a text apart into what can be checked against facts: numbers, dates, names, links and codes."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rails.matching import compile_linear
from rails.wordlists import word_list, word_set

_LINK = compile_linear(r"(?:https?://|www\.)[^\s<>\"]+|[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+\.[\pL]{2,24}")
_PIECE = r"(?:[0-9]+(?:[.,:'][0-9]+)*[\pL%]*|[\pL][\pL\pN\pM]*)"
_CHUNK = compile_linear(rf"{_PIECE}(?:[-_/\\.]{_PIECE})*|[%€$£¥]")
_LIST_MARK = compile_linear(r"(?m)^\s*[0-9]{1,2}[.)]\s")
_NUMBER = compile_linear(r"([0-9]+(?:[.,:'][0-9]+)*)([\pL%]*)")
_THOUSANDS = compile_linear(r"[1-9][0-9]{0,2}(?:[.,'][0-9]{3})+")
_DECIMAL = compile_linear(r"([0-9]+)[.,]([0-9]+)")

# The apostrophe, the dash of a range and the minus sign.
_LOOKALIKES = {0x2019: "'", 0x2013: " ", 0x2212: "-"}

_ONES = word_list(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)
_TENS = {
    word: 20 + 10 * index
    for index, word in enumerate(word_list("twenty thirty forty fifty sixty seventy eighty ninety"))
}
_ORDINALS = word_list(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
_WORDS = {word: str(value) for value, word in enumerate(_ONES)} | {word: str(value) for word, value in _TENS.items()}
_ORDINAL_WORDS = {word: str(index) for index, word in enumerate(_ORDINALS, start=1)}
_KINDS = {
    **dict.fromkeys(("%", "percent", "prozent", "pct"), "%"),
    **dict.fromkeys(("€", "eur", "euro", "euros"), "€"),
    **dict.fromkeys(("$", "usd", "dollar", "dollars"), "$"),
    **dict.fromkeys(("£", "gbp", "pound", "pounds"), "£"),
    **dict.fromkeys(("¥", "jpy", "yen"), "¥"),
    **dict.fromkeys(("am", "a.m"), "am"),
    **dict.fromkeys(("pm", "p.m"), "pm"),
    **dict.fromkeys(("st", "nd", "rd", "th"), "ordinal"),
    **dict.fromkeys(("second", "seconds", "sec", "secs"), "second"),
    **dict.fromkeys(("minute", "minutes", "min", "mins", "minuten"), "minute"),
    **dict.fromkeys(("hour", "hours", "hr", "hrs", "h", "stunde", "stunden"), "hour"),
    **dict.fromkeys(("day", "days", "tag", "tage", "tagen"), "day"),
    **dict.fromkeys(("week", "weeks", "woche", "wochen"), "week"),
    **dict.fromkeys(("month", "months", "monat", "monate", "monaten"), "month"),
    **dict.fromkeys(("year", "years", "jahr", "jahre", "jahren"), "year"),
}
_SYMBOLS = frozenset("€$£¥")
_PERIODS = frozenset(("second", "minute", "hour", "day", "week", "month", "year"))
_BETWEEN = frozenset(("working", "business", "calendar", "full", "per"))
_MONTHS = word_set(
    "january february march april may june july august september october november december januar februar "
    "märz mai juni juli oktober dezember"
)
_WEEKDAYS = word_set(
    "monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag "
    "samstag sonntag"
)
_ABBREVIATIONS = frozenset(("e.g", "i.e", "a.m", "p.m", "z.b", "d.h"))
_PRONOUNS = frozenset(("i", "i'm", "i'll", "i've", "i'd", "ok", "okay"))
# "one" is a number only before a noun: not in "one of", "a new one is".
_AFTER_PRONOUN_ONE = word_set(
    "of is are at in on from to for and or if with within that which who can will should must has was may by "
    "when as here there again per before after instead yourself"
)


_BEFORE_PRONOUN_ONE = word_set("new another the this that which each every no any old other right wrong")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a text says that facts must bear out. Everything is case-folded."""

    numbers: frozenset[tuple[str, str]]
    """(value, kind): kind is a unit such as `%`, `€`, `pm`, `day`, `ordinal`, or empty."""
    dates: frozenset[tuple[str, str]]
    """(day, month)."""
    links: frozenset[str]
    codes: frozenset[str]
    """Words with digits or punctuation inside: `inc-123456`, `vpn2`, `a_b`."""
    names: frozenset[str]
    """Capitalised words inside sentences, weekdays, and words in capitals."""
    words: frozenset[str]
    """Every word, for looking up the names of another text."""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    folded: str
    is_sentence_start: bool


@lru_cache(maxsize=256)
def claims_of(text: str) -> Claims:
    """Returns the claims of `text`; kept for the facts of recent prompts."""
    plain = unicodedata.normalize("NFKC", _join_digits(text)).translate(_LOOKALIKES)
    links = frozenset(_clean_link(found.group()) for found in _LINK.finditer(plain))
    rest = _LIST_MARK.sub("\n", _LINK.sub(" link ", plain))
    tokens = list(_tokens(rest))
    numbers: set[tuple[str, str]] = set()
    codes: set[str] = set()
    names: set[str] = set()
    for position, token in enumerate(tokens):
        number = _number(tokens, position)
        if number is not None:
            numbers.add(number)
        elif _is_code(token.folded):
            codes.add(token.folded)
        elif _is_name(token):
            names.add(token.folded)
    dates = frozenset(_dates(tokens))
    return Claims(frozenset(numbers), dates, links, frozenset(codes), frozenset(names), _vocabulary(tokens))


def _join_digits(text: str) -> str:
    """Returns `text` without the narrow and no-break blanks that group digits."""
    return text.replace("\u202f", "").replace("\u2009", "").replace("\u00a0", " ")


def _clean_link(link: str) -> str:
    return link.rstrip(".,;:!?)]}'*_").casefold().removeprefix("https://").removeprefix("http://").rstrip("/")


def _tokens(text: str) -> Iterator[_Token]:
    end, is_first = 0, True
    for found in _CHUNK.finditer(text):
        between = text[end : found.start()]
        end = found.end()
        is_first = is_first or any(char in ".!?:\n•" for char in between)
        chunk = found.group()
        for index, part in enumerate(_parts(chunk)):
            yield _Token(part, part.casefold(), is_first and index == 0)
        is_first = False


def _parts(chunk: str) -> list[str]:
    """Splits hyphenated words, ranges and `30-day`; keeps codes such as `INC-123456` whole."""
    if any(char in chunk for char in "_\\."):
        return [chunk]
    parts = chunk.replace("/", "-").split("-")
    for before, after in pairwise(parts):
        if before[-1:].isalpha() and after[:1].isdigit():
            return [chunk]
    return parts


def _number(tokens: list[_Token], position: int) -> tuple[str, str] | None:
    token = tokens[position]
    before = tokens[position - 1] if position else None
    if token.folded in _ORDINAL_WORDS:
        is_figure = before is not None and before.folded in ("the", "every", "each") and not token.is_sentence_start
        return (_ORDINAL_WORDS[token.folded], "ordinal") if is_figure else None
    if token.folded in _WORDS:
        return _number_word(tokens, position, before)
    found = _NUMBER.fullmatch(token.text)
    if found is None:
        return None
    suffix = found.group(2).casefold()
    if suffix:
        return (_value(found.group(1)), _KINDS[suffix]) if suffix in _KINDS else None
    kind = _kind_after(tokens, position)
    if not kind and before is not None and before.text in _SYMBOLS:
        kind = before.text
    return _value(found.group(1)), kind


def _number_word(tokens: list[_Token], position: int, before: _Token | None) -> tuple[str, str] | None:
    word = tokens[position].folded
    after = tokens[position + 1] if position + 1 < len(tokens) else None
    if word == "one" and (
        (before is not None and before.folded in _BEFORE_PRONOUN_ONE)
        or after is None
        or after.is_sentence_start
        or after.folded in _AFTER_PRONOUN_ONE
    ):
        return None
    value = int(_WORDS[word])
    if before is not None and before.folded in _TENS and value < _TENS["twenty"]:
        value += _TENS[before.folded]
    return str(value), _kind_after(tokens, position)


def _kind_after(tokens: list[_Token], position: int) -> str:
    for token in tokens[position + 1 : position + 3]:
        if token.is_sentence_start:
            return ""
        if token.folded in _KINDS:
            return _KINDS[token.folded]
        if token.folded not in _BETWEEN:
            return ""
    return ""


def _value(digits: str) -> str:
    """Returns one spelling for a number: `1,000` and `1.000` are 1000, `3,50` and `3.5` are 3.5, `09:00` is 9:00."""
    if ":" in digits:
        return digits.lstrip("0") if not digits.startswith(("00:", "0:")) else "0:" + digits.partition(":")[2]
    if _THOUSANDS.fullmatch(digits):
        return digits.replace(",", "").replace(".", "").replace("'", "")
    decimal = _DECIMAL.fullmatch(digits)
    if decimal is not None:
        return f"{decimal.group(1)}.{decimal.group(2)}".rstrip("0").rstrip(".")
    return digits


def _dates(tokens: list[_Token]) -> Iterator[tuple[str, str]]:
    for position, token in enumerate(tokens):
        if token.folded not in _MONTHS or not token.text[:1].isupper():
            continue
        near = [tokens[position - 1]] if position else []
        near += [tokens[position - 2]] if position > 1 and near[0].folded == "of" else []
        near += tokens[position + 1 : position + 2]
        for other in near:
            found = _NUMBER.fullmatch(other.text)
            if found is not None and len(found.group(1)) <= len("31"):
                yield found.group(1).lstrip("0"), token.folded
                break


def _is_code(folded: str) -> bool:
    if folded in _ABBREVIATIONS:
        return False
    return any(char in folded for char in "_\\.-") or (any(c.isdigit() for c in folded) and not folded.isdigit())


def _is_name(token: _Token) -> bool:
    if token.folded in _PRONOUNS or not token.text[:1].isalpha():
        return False
    if token.folded in _WEEKDAYS:
        return True
    if token.text.isupper() and len(token.text) > 1:
        return True
    return token.text[:1].isupper() and not token.is_sentence_start


def _vocabulary(tokens: list[_Token]) -> frozenset[str]:
    words = {token.folded for token in tokens}
    return frozenset(words | {word[:-1] for word in words if word.endswith("s")} | {f"{word}s" for word in words})
