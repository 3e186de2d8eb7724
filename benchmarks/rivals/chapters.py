"""A chapter of the page: what it says first, its table and its plot."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Value:
    """A median with the lowest and the highest of its rounds."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one kind, such as "8 at once", for some rows of a plot."""

    title: str
    values: dict[str, Value]
    """By the row's name. A row that is missing was not measured."""


@dataclass(frozen=True, slots=True)
class Plot:
    """Rows of dots, one colour for each series. A logarithmic axis has no zero."""

    title: str
    unit: str
    series: Sequence[Series]
    is_logarithmic: bool = False


@dataclass(frozen=True, slots=True)
class Chapter:
    """What one question came to. `better` says where a rival is better, and stands first."""

    better: Sequence[str]
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    plot: Plot
    remarks: Sequence[str] = ()
    """What was measured how, and what could not be run, with the error."""
