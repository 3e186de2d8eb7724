"""Says when two numbers with units are the same amount: fourteen days and two weeks, 17:00 and 5 pm."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

Measure = tuple[Fraction, str]
"""(amount, base unit)."""

# Months are not weeks, working days are not days, and a kilobyte has two sizes: such units have no common base.
_BASES: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "second": (1, "second"),
        "minute": (60, "second"),
        "hour": (3600, "second"),
        "day": (86_400, "second"),
        "week": (604_800, "second"),
        "month": (1, "month"),
        "year": (12, "month"),
        "mm": (1, "mm"),
        "cm": (10, "mm"),
        "m": (1000, "mm"),
        "km": (1_000_000, "mm"),
    }
)
_CLOCK = ("", "am", "pm")
_NOON, _HOURS, _MINUTES = 12, 24, 60


@lru_cache(maxsize=4096)
def measure_of(value: str, kind: str) -> Measure | None:
    """Returns the amount of `value` in `kind`, or the time of day in minutes; None where neither can be said."""
    if kind in _BASES:
        size, base = _BASES[kind]
        try:
            return Fraction(Decimal(value)) * size, base
        except (InvalidOperation, ValueError, OverflowError):
            return None
    return _time_of(value, kind) if kind in _CLOCK else None


def _time_of(value: str, kind: str) -> Measure | None:
    hours, colon, minutes = value.partition(":")
    if not hours.isdecimal() or len(hours) > len("24") or not (colon or kind):
        return None
    if colon and not (minutes.isdecimal() and len(minutes) == len("00")):
        return None
    hour, minute = int(hours), int(minutes or 0)
    if kind:
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if kind == "pm" else 0)
    if hour >= _HOURS or minute >= _MINUTES:
        return None
    return Fraction(hour * _MINUTES + minute), "clock"
