"""Finds calendar dates in what a person wrote, and says so when one cannot be read safely."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

_MONTHS = (
    "january february march april may june july august september october november december".split()  # noqa: SIM905 -- one line reads as the calendar it is
)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?\\.?" if len(name) > 3 else name for name in _MONTHS).replace(  # noqa: PLR2004 -- may has no short form
    "sep(?:tember)?", "sept?(?:ember)?"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
_OTHER = r"\d{1,2}(?:st|nd|rd|th|[./]\d{1,2}\.?|\.)?"
_AND = r"\s*(?:[-\u2013/&]|\b(?:to|and|or|until|till)\b)\s*(?:the )?"
_BEFORE = rf"(?P<before>(?<![\w./:-]){_OTHER}{_AND})?"
"""A further day beside the date: of "10-12 March" neither is chosen."""
_MORE = rf"(?P<more>{_AND}{_OTHER}(?![\w:/-]|\.\d)|,? '\d{{2}}| \d{{2}}(?!:))?"
"""The same behind it, or what may be a year, an hour or a count: "3 March 28"."""
_EDGE_LEFT, _EDGE_RIGHT = r"(?<![\w./-])", r"(?![\w/-]|\.\d)"

_ISO = re.compile(rf"{_EDGE_LEFT}(?P<year>\d{{4}})-(?P<month>\d{{1,2}})-(?P<day>\d{{1,2}}){_EDGE_RIGHT}", re.ASCII)
_DOTTED = re.compile(
    rf"{_EDGE_LEFT}{_BEFORE}(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d{{4}}){_EDGE_RIGHT}", re.ASCII
)
_SLASHED = re.compile(
    rf"{_EDGE_LEFT}{_BEFORE}(?P<day>\d{{1,2}})/(?P<month>\d{{1,2}})/(?P<year>\d{{4}}){_EDGE_RIGHT}", re.ASCII
)
_DAY_MONTH = re.compile(
    rf"\b{_BEFORE}{_DAY}(?: of)? (?P<name>{_MONTH}){_MORE}(?:,? {_YEAR})?(?!\w)", re.IGNORECASE | re.ASCII
)
_MONTH_DAY = re.compile(rf"\b(?P<name>{_MONTH}) {_DAY}{_MORE}(?:,? {_YEAR})?(?!\w)", re.IGNORECASE | re.ASCII)
_RELATIVE = re.compile(r"\b(?P<word>today|tomorrow)\b", re.IGNORECASE)
_WEEKDAY = re.compile(rf"\b(?P<which>this|next) (?P<name>{'|'.join(_WEEKDAYS)})\b", re.IGNORECASE)
_LAST_AMBIGUOUS = 12
"""A day up to here could be a month, so that 03/04/2026 has two readings."""


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A piece of text that names a date; `date` is None when it has no safe reading."""

    start: int
    end: int
    date: dt.date | None


def find_dates(text: str, today: dt.date) -> tuple[FoundDate, ...]:
    """Returns every date in `text`, in order of place.

    A date without a year is the next one to come. "this Friday" is the first one from today on; "next Friday" is the
    one in the week after the current one (weeks start on Monday).
    """
    found: list[FoundDate] = []
    unsafe_first = sorted(_all_dates(text, today), key=lambda one: one.date is not None)
    for one in unsafe_first:
        if not any(one.start < other.end and other.start < one.end for other in found):
            found.append(one)
    return tuple(sorted(found, key=lambda one: one.start))


def _all_dates(text: str, today: dt.date) -> Iterator[FoundDate]:
    for pattern in (_ISO, _DOTTED, _SLASHED):
        for hit in pattern.finditer(text):
            year, month, day = (int(hit[part]) for part in ("year", "month", "day"))
            is_ambiguous = pattern is _SLASHED and day <= _LAST_AMBIGUOUS and month <= _LAST_AMBIGUOUS
            yield FoundDate(*hit.span(), None if is_ambiguous or _is_beside_more(hit) else _date(year, month, day))
    for pattern in (_DAY_MONTH, _MONTH_DAY):
        for hit in pattern.finditer(text):
            yield FoundDate(*hit.span(), None if _is_beside_more(hit) else _named_date(hit, today))
    for hit in _RELATIVE.finditer(text):
        days = 0 if hit["word"].lower() == "today" else 1
        yield FoundDate(*hit.span(), today + dt.timedelta(days=days))
    for hit in _WEEKDAY.finditer(text):
        yield FoundDate(*hit.span(), _weekday(hit, today))


def _is_beside_more(hit: re.Match[str]) -> bool:
    found = hit.groupdict()
    return any(found.get(part) for part in ("before", "more"))


def _named_date(hit: re.Match[str], today: dt.date) -> dt.date | None:
    month = 1 + next(number for number, name in enumerate(_MONTHS) if name.startswith(hit["name"][:3].lower()))
    day = int(hit["day"])
    if hit["year"]:
        return _date(int(hit["year"]), month, day)
    this_year = _date(today.year, month, day)
    if this_year and this_year >= today:
        return this_year
    return _date(today.year + 1, month, day)


def _weekday(hit: re.Match[str], today: dt.date) -> dt.date:
    number = _WEEKDAYS.index(hit["name"].lower())
    if hit["which"].lower() == "this":
        return today + dt.timedelta(days=(number - today.weekday()) % 7)
    return today + dt.timedelta(days=7 - today.weekday() + number)


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None
