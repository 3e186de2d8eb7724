"""CSV: quoted cells of which none is a formula to a spreadsheet, and which come back exactly as they were."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from store.formats.records import Cut
from store.formats.rows import BadRow, Record
from store.formats.sources import BOUNDS

_FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
"""What makes a spreadsheet compute a cell, as its first sign; the wide forms count too."""
_NEUTRAL = "'"
csv.field_size_limit(BOUNDS.row_bytes)  # of a cell, in the whole process: what is written must be readable


def neutral(text: str) -> str:
    """Returns a cell that no spreadsheet computes: an apostrophe stands before what would, and before such ones."""
    return _NEUTRAL + text if _is_marked(text) else text


def restored(text: str) -> str:
    """Returns what `neutral` was given."""
    return text[1:] if text.startswith(_NEUTRAL) and _is_marked(text[1:]) else text


def _is_marked(text: str) -> bool:
    return _FORMULA.match(text.lstrip(_NEUTRAL)) is not None


def csv_line(cells: Iterable[str]) -> bytes:
    """Returns cells as one record, neutral and quoted."""
    text = StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow([neutral(cell) for cell in cells])
    return text.getvalue().encode("utf-8")


class CsvRecords:
    """Reads the records of a CSV file after its header. A record that is wrong is told and the next ones are read."""

    def __init__(self, chunks: Iterable[bytes], row_bytes: int) -> None:
        self._lines = _whole_lines(chunks, row_bytes)
        self._most = row_bytes
        self.header: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[tuple[Cut, Record | None]]:
        """Gives each record with its cells by the header's names, or None beside what is wrong with it."""
        for raw, cells in self._records():
            if raw.problem:
                yield raw, None
            elif not self.header:
                self.header = _header(cells)
            elif len(cells) != len(self.header):
                problem = f"{len(cells)} cells under a header of {len(self.header)}"
                yield Cut(raw.place, raw.raw, problem), None
            else:
                yield raw, dict(zip(self.header, map(restored, cells), strict=True))

    def _records(self) -> Iterator[tuple[Cut, Sequence[str]]]:
        lines = iter(self._lines)
        while True:
            seen: list[Cut] = []
            try:
                cells = next(csv.reader(_followed(lines, seen, self._most), strict=True))
            except StopIteration:
                return
            except csv.Error as error:
                yield _joined(seen, f"no CSV: {error}"), ()
                continue
            except BadRow as error:
                yield _joined(seen, str(error)), ()
                continue
            if any(cells):
                yield _joined(seen, ""), cells


def _followed(lines: Iterator[Cut], seen: list[Cut], most: int) -> Iterator[str]:
    """Gives lines as text and notes them, until the record is whole."""
    size = 0
    for line in lines:
        seen.append(line)
        size += len(line.raw)
        if size > most:
            raise BadRow(f"longer than {most} bytes")
        if line.problem:
            raise BadRow(line.problem)
        try:
            yield line.raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadRow(f"not UTF-8 at byte {error.start + 1} of line {line.place}") from error


def _joined(seen: Sequence[Cut], problem: str) -> Cut:
    raw = b"".join(line.raw for line in seen)
    return Cut(seen[0].place, raw, problem, is_first=seen[0].is_first, is_last=seen[-1].is_last)


def _header(cells: Sequence[str]) -> tuple[str, ...]:
    names = tuple(restored(cell).strip() for cell in cells)
    if len(set(names)) != len(names) or not all(names):
        raise BadRow("the header has an empty name, or one twice")
    return names


def _whole_lines(chunks: Iterable[bytes], row_bytes: int) -> Iterator[Cut]:
    """Gives lines with their ends: within a quoted cell they belong to the text. One that is too long is in pieces."""
    problem = f"longer than {row_bytes} bytes"
    number, waiting, goes_on = 1, b"", False
    for chunk in chunks:
        *whole, waiting = (waiting + chunk).split(b"\n")
        for line in whole:
            yield Cut(number, line + b"\n", problem if goes_on else "", is_first=not goes_on)
            number, goes_on = number + 1, False
        if len(waiting) > row_bytes:
            yield Cut(number, waiting, problem, is_first=not goes_on, is_last=False)
            waiting, goes_on = b"", True
    if waiting or goes_on:
        yield Cut(number, waiting, problem if goes_on else "", is_first=not goes_on)
