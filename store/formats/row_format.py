"""What a format of rows is made of: how its file is cut, and the two converters to and from the common form."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from store.formats.rows import Json, Record, Row


class Container(StrEnum):
    """What a file of rows is written as; JSON is read in both ways, and in gz."""

    LINES = "lines"
    """One JSON object a line."""
    LIST = "list"
    """One JSON list of objects."""
    CSV = "csv"
    """A header and quoted cells."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A row and where it was found."""

    place: int
    """The line, or the number of the member of a list, from 1 on."""
    row: Row
    raw: bytes
    """As it was found, to be written to the file of rejected rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFormat:
    """A format of rows."""

    name: str
    title: str
    container: Container
    fields: str
    """Its fields, for people."""
    keeps: str
    """What an export of approved prompts keeps in it."""
    licence: str
    """Of the set that was published in it; our own rows have the licence that their owner gives them."""
    parse: Callable[[Json], Row]
    compose: Callable[[Row], Iterator[Record]]
    gather: Callable[[Iterable[Placed]], Iterator[Placed]] | None = None
    """Puts rows together that stand on several lines."""

    @property
    def extension(self) -> str:
        """How its files are called."""
        return {Container.LINES: "jsonl", Container.LIST: "json", Container.CSV: "csv"}[self.container]
