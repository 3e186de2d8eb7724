"""Units of one kind on one scale, and figures as people write them: 48 hours are 2 days, 1.000 euros 1,000."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Unit(NamedTuple):
    """What one of a unit comes to on the scale of its kind, at least and at most."""

    kind: str
    least: float
    most: float


_TABLE = """
duration: seconds sec secs = 0.000011574 | minut min = 0.000694444 | hour hr hrs h = 0.041666667
 day dai = 1 | week wk wks = 7 | fortnight = 14 | month mth mths = 28 31 | year yr yrs = 365 366
money: euro eur \u20ac dollar usd $ pound gbp \u00a3 chf franc jpy yen pln zloti = 1
percent: % percent = 1
clock: am pm = 1
distance: mm = 0.001 | cm centimetr centimeter = 0.01 | metr meter = 1 | km kilometr kilometer = 1000
 inch inches = 0.025 0.0254 | foot feet ft = 0.3 0.305 | yard = 0.9 0.915 | mile mil = 1600 1625
weight: gram = 0.001 | kg kilo kilogram = 1 | tonn ton = 900 1020 | lb lbs = 0.45 0.455 | ounc oz = 0.028 0.0285
size: kb kilobyt = 1 | mb megabyt = 1000 1024 | gb gigabyt = 1000000 1048576 | tb terabyt = 1000000000 1073741824
"""
"""Words or stems by kind, and what one is: days, metres, kilograms, kilobytes. Other measures are rounded as people
round them ("5 km" is "3.1 miles"); currencies are told apart by their names, and their amounts compared as numbers."""


def _units() -> Mapping[str, Unit]:
    units: dict[str, Unit] = {}
    kind = ""
    for line in _TABLE.strip().splitlines():
        head, colon, rest = line.partition(":")
        kind = head if colon else kind
        for entry in (rest if colon else line).split("|"):
            words, _, ends = entry.partition("=")
            sizes = [float(end) for end in ends.split()]
            units |= dict.fromkeys(words.split(), Unit(kind, sizes[0], sizes[-1]))
    return MappingProxyType(units)


UNITS = _units()
SIGNS = frozenset("\u20ac$\u00a3") | {"eur", "usd", "gbp", "chf", "jpy", "pln"}
"""What stands in front of an amount, or after it."""
_MONTH = 30.437
"""Days of a mean month: of two months one is never short and both are never long."""
_SHORTEST, _LONGEST = 3.0, 2.0
"""Days that some months in a row may be shorter or longer than as many mean ones."""

_CLOCK = re.compile(r"(\d+):(\d+)")
_SPACED = re.compile(r"[ '\u00a0\u2009\u202f]")
_GROUPED = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*")


def span(value: float, unit: Unit) -> tuple[float, float]:
    """Returns from where to where so many of a unit may lie on the scale of its kind."""
    low, high = value * unit.least, value * unit.most
    if unit == UNITS["month"]:
        low, high = max(low, value * _MONTH - _SHORTEST), min(high, value * _MONTH + _LONGEST)
    return low, high


def figures(digits: str) -> tuple[float, ...]:
    """Returns what the digits may say, the likeliest first; nothing for what is no number ("1.2.3")."""
    if clock := _CLOCK.fullmatch(digits):
        return (float(clock[1]) + float(clock[2]) / 60,)
    if ":" in digits:
        return ()
    plain = _SPACED.sub("", digits)
    if " " in digits and not all(group.startswith("0") for group in digits.split(" ")[1:]):
        # "10 500" may be two numbers.
        return (*_marked(plain), *(one for part in digits.split(" ") for one in _marked(part)))
    return _marked(plain)


def _marked(digits: str) -> tuple[float, ...]:
    """Points and commas: the last of two kinds is the decimal one; one alone before three digits may be either."""
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return (float(digits),)
    mark = digits[last]
    other = "," if mark == "." else "."
    if other in digits:
        whole = digits[:last]
        is_number = digits.count(mark) == 1 and _GROUPED.fullmatch(whole) is not None
        return (float(f"{whole.replace(other, '')}.{digits[last + 1 :]}"),) if is_number else ()
    decimal = (float(digits.replace(",", ".")),) if digits.count(mark) == 1 else ()
    is_grouped = _GROUPED.fullmatch(digits) is not None and not digits.startswith("0")
    return (float(digits.replace(mark, "")), *decimal) if is_grouped else decimal
