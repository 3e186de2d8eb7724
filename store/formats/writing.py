"""Writes rows in a format, as a stream of bytes; a row that the format cannot say is told and left out."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from store.formats.csv_cells import csv_line
from store.formats.row_format import Container, RowFormat
from store.formats.rows import BadRow, Conversation, Instruction, Record, Row
from store.formats.strict_json import encode

_TOLD = 1000
_NAMES = 50


@dataclass(slots=True)
class Written:
    """What became of rows that were written."""

    rows: int = 0
    left_out: int = 0
    reasons: list[tuple[int, str]] = field(default_factory=list)
    """Of the first thousand rows that were left out: its number, and why."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Fields of another format that this one has no place for, with the number of rows that had them."""


def encoded(form: RowFormat, rows: Iterable[Row], told: Written) -> Iterator[bytes]:
    """Gives the file in pieces. `told` is filled meanwhile."""
    records = _records(form, rows, told)
    match form.container:
        case Container.LINES:
            for record in records:
                yield encode(record) + b"\n"
        case Container.LIST:
            before = b"[\n"
            for record in records:
                yield before + encode(record)
                before = b",\n"
            yield b"\n]\n" if before == b",\n" else b"[]\n"
        case Container.CSV:
            yield from _csv(records, told)


def _records(form: RowFormat, rows: Iterable[Row], told: Written) -> Iterator[Record]:
    for number, row in enumerate(rows, 1):
        try:
            records = list(form.compose(row))
        except BadRow as error:
            told.left_out += 1
            if len(told.reasons) < _TOLD:
                told.reasons.append((number, str(error)))
            continue
        told.rows += 1
        for name in _aside(form, row):
            if name in told.dropped or len(told.dropped) < _NAMES:
                told.dropped[name] += 1
        yield from records


def _aside(form: RowFormat, row: Row) -> set[str]:
    """Returns the names of fields that only the format that the row came in has a place for."""
    parts = row.cases if isinstance(row, Instruction) else row.turns if isinstance(row, Conversation) else row.chosen
    if form.name.partition("-")[0] == row.kept.format.partition("-")[0]:
        return set()
    return {name for kept in (row.kept, *(part.kept for part in parts)) for name in kept.values}


def _csv(records: Iterator[Record], told: Written) -> Iterator[bytes]:
    header: tuple[str, ...] = ()
    number = 0
    for record in records:
        number += 1
        if not header:
            header = tuple(record)
            yield csv_line(header)
        if tuple(record) != header:
            told.rows -= 1
            told.left_out += 1
            if len(told.reasons) < _TOLD:
                told.reasons.append((number, "other columns than the first row"))
            continue
        yield csv_line(str(value) for value in record.values())
