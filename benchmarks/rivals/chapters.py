"""A chapter of the page: what it says first, its tables and its plots."""

from collections.abc import Sequence
from dataclasses import dataclass

IN_TURN = "{rounds}, in which all take turns"
IN_A_ROW = "{rounds} of each, one after another"
ONCE = "each once"


@dataclass(frozen=True, slots=True)
class Value:
    """A median with the lowest and the highest of its rounds, or a share with its interval of 95 %."""

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
    """Rows of dots, one colour for each series, or of bars that are parted into the series.

    A logarithmic axis has no zero.
    """

    title: str
    unit: str
    series: Sequence[Series]
    is_logarithmic: bool = False
    name: str = ""
    """Of its file, behind the question's; the first plot of a chapter needs none."""
    is_stacked: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table beside a chapter's first one."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Chapter:
    """What one question came to. `better` says where a rival is better, and stands first."""

    better: Sequence[str]
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    plot: Plot
    remarks: Sequence[str] = ()
    """What was measured how, and what could not be run, with the error."""
    alike: Sequence[str] = ()
    """Where figures differ, but not by more than rounds or chance do."""
    summary: Sequence[Sequence[str]] = ()
    """Rows of the page's first table: what, canongate's figure, the best rival's, who that is, and who is ahead."""
    tables: Sequence[Table] = ()
    plots: Sequence[Plot] = ()
    """Beside the first table and the first plot."""
    opening: Sequence[str] = ()
    """What is to be known before the table."""
    measured: str = IN_TURN
    """How rounds were made, with `{rounds}` for how many."""

    def all_plots(self) -> Sequence[Plot]:
        """Returns every plot, the first one first."""
        return [self.plot, *self.plots]
