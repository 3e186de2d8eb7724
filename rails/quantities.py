"""Reads numbers with their units, and dates, among the tokens of a text."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from rails.matching import compile_linear
from rails.number_words import (
    ARTICLES,
    BETWEEN,
    CURRENCIES,
    HALVES,
    KINDS,
    MONTHS,
    NUMBER_WORDS,
    ORDINAL,
    ORDINAL_WORDS,
    RANGE_WORDS,
    SCALES,
    TIMES,
    UNCAPITALISED_MONTHS,
    WORKING,
)
from rails.tokens import Token
from rails.wordlists import word_set

Number = tuple[str, str]
"""(value, kind): kind is a unit such as `%`, `€`, `pm`, `day`, `ordinal`, or empty."""
Date = tuple[int, int]
"""(day, month)."""

_NUMBER = compile_linear(r"([0-9]+(?:[.,:'][0-9]+)*)([\pL%]*)")
_THOUSANDS = compile_linear(r"[1-9][0-9]{0,2}(?:[.,'][0-9]{3})+")
_DECIMAL = compile_linear(r"([0-9]+)[.,]([0-9]+)")
_HUNDRED, _TEN = 100, 10
_UNSAID = 10**30
"""Nobody says more in words; without a bound, a row of `thousand` would be a number of any length."""
_LAST_DAY, _LAST_MONTH = 31, 12
_YEAR_DIGITS = 4
_OF = frozenset(("of", "de"))
_CENTURIES = (19, 20)
# "one" is a number only before a noun: not in "one of", "a new one is".
_AFTER_PRONOUN_ONE = word_set(
    "of is are at in on to from for and or if with within that which who can will should must has was may by "
    "when as here there again per before after instead yourself"
)
_BEFORE_PRONOUN_ONE = word_set("new another the this that which each every no any old other right wrong")
_BEFORE_ORDINAL = frozenset(("the", "every", "each"))
_BEFORE_ARTICLE_ONE = frozenset(("within", "takes", "lasts"))
_COUNTING = HALVES | ARTICLES
_AND_A_HALF = ("and", "a", "half")
_PERCENT = frozenset((("per", "cent"), ("pour", "cent"), ("por", "ciento")))


def quantities_of(
    tokens: Sequence[Token], places: Sequence[int], language: str
) -> tuple[dict[int, Number], frozenset[Date]]:
    """Returns the numbers by the position of their first token, and the dates.

    `places` are the positions of the tokens that are not ordinary. A date written in digits counts as day, then month,
    unless only the other order makes a date.
    """
    numbers = dict(_numbers(tokens, places, NUMBER_WORDS.get(language, NUMBER_WORDS["en"])))
    dates = {*_dates_in_words(tokens, places, numbers), *_dates_in_digits(tokens, numbers)}
    return numbers, frozenset(dates)


def _numbers(tokens: Sequence[Token], places: Sequence[int], words: Mapping[str, int]) -> Iterator[tuple[int, Number]]:
    end = 0
    for position in places:
        if position < end:
            continue
        token, number = tokens[position], None
        if token.folded in _COUNTING:
            number = _in_articles(tokens, position)
        if number is not None:
            pass
        elif token.folded[0].isdigit():
            number = _in_digits(tokens, position)
        elif token.folded in words and not _is_pronoun_one(tokens, position):
            value, end = _in_words(tokens, position, words)
            half, end = (".5", end + 3) if _has_half(tokens, end) else ("", end)
            number = f"{value}{half}", _kind_before(tokens, position) or _kind_after(tokens, end)
        elif token.folded in ORDINAL_WORDS and not token.is_sentence_start:
            is_figure = tokens[position - 1].folded in _BEFORE_ORDINAL
            number = (str(ORDINAL_WORDS[token.folded]), ORDINAL) if is_figure else None
        if number is not None:
            yield position, number


def _in_digits(tokens: Sequence[Token], position: int) -> Number | None:
    match = _NUMBER.fullmatch(tokens[position].text)
    if match is None:
        return None
    value, suffix, end = _value(match.group(1)), match.group(2).casefold(), position + 1
    if suffix in SCALES:
        value = _scaled(value, SCALES[suffix])
    elif suffix:
        return (value, KINDS[suffix]) if suffix in KINDS else None
    elif (after := _word(tokens, end)) in SCALES:
        value, end = _scaled(value, SCALES[after]), end + 1
    elif value.isdecimal() and _has_half(tokens, end):
        value, end = f"{value}.5", end + len(_AND_A_HALF)
    return value, _kind_before(tokens, position) or _kind_after(tokens, end)


def _in_articles(tokens: Sequence[Token], position: int) -> Number | None:
    """Returns the time that a half or an article counts: `half an hour`, `an hour and a half`, `within a week`."""
    word, after = tokens[position].folded, _word(tokens, position + 1)
    if word in HALVES:
        unit = KINDS.get(_word(tokens, position + 2) if after in ARTICLES else after, "")
        return ("0.5", unit) if unit in TIMES else None
    unit = KINDS.get(after, "")
    if unit not in TIMES:
        return None
    if _has_half(tokens, position + 2):
        return "1.5", unit
    is_one = word != "one" and position > 0 and tokens[position - 1].folded in _BEFORE_ARTICLE_ONE
    return ("1", unit) if is_one else None


def _has_half(tokens: Sequence[Token], end: int) -> bool:
    return _word(tokens, end) == "and" and tuple(_word(tokens, end + at) for at in range(3)) == _AND_A_HALF


def _in_words(tokens: Sequence[Token], position: int, words: Mapping[str, int]) -> tuple[int, int]:
    """Returns the number that begins at `position`, and where the words after it begin: `two hundred and five`."""
    before, current, end = 0, words[tokens[position].folded], position + 1
    may_add_up_to = _TEN if _TEN < current < _HUNDRED and current % _TEN == 0 else 0
    while max(before, current) < _UNSAID and (word := _word(tokens, end)):
        if word == "and" and may_add_up_to >= _HUNDRED and _word(tokens, end + 1) in words:
            end += 1
        elif (scale := SCALES.get(word, 0)) > _HUNDRED:
            before, current, may_add_up_to = before + current * scale, 0, scale
            end += 1
        elif scale:
            current, may_add_up_to = current * scale, scale
            end += 1
        elif word in words and words[word] < may_add_up_to:
            current += words[word]
            may_add_up_to = _TEN if words[word] > _TEN and words[word] % _TEN == 0 else 0
            end += 1
        else:
            break
    return before + current, end


def _is_pronoun_one(tokens: Sequence[Token], position: int) -> bool:
    if tokens[position].folded != "one":
        return False
    after = _word(tokens, position + 1)
    return (
        not after
        or after in _AFTER_PRONOUN_ONE
        or (position > 0 and tokens[position - 1].folded in _BEFORE_PRONOUN_ONE)
    )


def _word(tokens: Sequence[Token], position: int) -> str:
    """Returns the word at `position` in lower case, or nothing when a sentence ends before it."""
    if position >= len(tokens) or tokens[position].is_sentence_start:
        return ""
    return tokens[position].folded


def _kind_before(tokens: Sequence[Token], position: int) -> str:
    kind = KINDS.get(tokens[position - 1].folded, "") if position else ""
    return kind if kind in CURRENCIES else ""


def _kind_after(tokens: Sequence[Token], end: int) -> str:
    """Returns the unit that follows; the numbers of a range share theirs, as in `2 to 5 days`."""
    is_working = False
    for position in range(end, end + 4):
        word = _word(tokens, position)
        is_working = is_working or word in WORKING
        if word in KINDS:
            is_working = KINDS[word] == "day" and (is_working or _word(tokens, position + 1) in WORKING)
            return "working day" if is_working else KINDS[word]
        if (word, _word(tokens, position + 1)) in _PERCENT:
            return "%"
        is_range = word in RANGE_WORDS and _word(tokens, position + 1)[:1].isdigit()
        if not (is_range or word in BETWEEN or word[:1].isdigit()):
            return ""
    return ""


def _value(digits: str) -> str:
    """Returns one spelling for a number: `1,000` and `1.000` are 1000, `3,50` and `3.5` are 3.5, `09:00` is 9:00."""
    if digits.isdigit():
        return digits
    if ":" in digits:
        return digits.lstrip("0") if not digits.startswith(("00:", "0:")) else "0:" + digits.partition(":")[2]
    if _THOUSANDS.fullmatch(digits):
        return digits.replace(",", "").replace(".", "").replace("'", "")
    decimal = _DECIMAL.fullmatch(digits)
    if decimal is not None:
        return f"{decimal.group(1)}.{decimal.group(2)}".rstrip("0").rstrip(".")
    return digits


def _scaled(value: str, scale: int) -> str:
    """Returns a number such as `2.5` times a million, in the spelling of `_value`."""
    try:
        return str(Decimal(value) * scale).rstrip("0").rstrip(".") if "." in value else str(int(value) * scale)
    except (ArithmeticError, ValueError):
        return value


def _dates_in_words(tokens: Sequence[Token], places: Sequence[int], numbers: dict[int, Number]) -> Iterator[Date]:
    """Gives the dates, and makes their days plain numbers, however they are written."""
    for position in places:
        token = tokens[position]
        month = MONTHS.get(token.folded)
        if month is None or not (token.text[0].isupper() or token.folded in UNCAPITALISED_MONTHS):
            continue
        before = position - 2 if position > 1 and tokens[position - 1].folded in _OF else position - 1
        for place in (before, position + 1):
            day = numbers.get(place, ("", ""))[0]
            if day.isdecimal() and 1 <= int(day) <= _LAST_DAY:
                numbers[place] = str(int(day)), ""
                yield int(day), month
                break


def _dates_in_digits(tokens: Sequence[Token], numbers: dict[int, Number]) -> Iterator[Date]:
    """Gives the dates, and leaves of each only day and year among the numbers, as when the month is a word."""
    for position in [*numbers]:
        parts = [token.text for token in tokens[position : position + 3]]
        if len(parts) < len("dmy") or not all(part.isdecimal() for part in parts):
            continue
        places = (position, position + 1, position + 2)
        if len(parts[0]) == _YEAR_DIGITS:
            parts, places = parts[::-1], places[::-1]
        day, month, year = (int(part) for part in parts)
        if len(parts[2]) != _YEAR_DIGITS or year // _HUNDRED not in _CENTURIES:
            continue
        if month > _LAST_MONTH:
            day, month, places = month, day, (places[1], places[0], places[2])
        if 1 <= day <= _LAST_DAY and 1 <= month <= _LAST_MONTH:
            numbers[places[0]] = str(day), ""
            numbers.pop(places[1], None)
            yield day, month
