"""Reads the rows of a file: good ones one by one, bad ones told with place and reason, none lost and none skipped."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from store.errors import InvalidContent, StoreUnavailable
from store.formats.csv_cells import CsvRecords, csv_line
from store.formats.duplicates import Duplicates
from store.formats.records import Cut, cut
from store.formats.row_format import Container, Placed, RowFormat
from store.formats.rows import BadRow, Json
from store.formats.sources import BOUNDS, Bounds, Source, opened
from store.formats.strict_json import decode, encode

TOLD = 1000
"""Problems and duplicates that are listed in memory; all of them stand in the file of reasons."""
Progress = Callable[[int, int, int], None]
"""Is told rows, bytes read and bytes of the file."""
_EVERY = 1000


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that was not taken, and why."""

    place: int
    reason: str


@dataclass(slots=True)
class Tally:
    """What was found in a file, so far."""

    rows: int = 0
    rejected: int = 0
    duplicates: int = 0
    problems: list[Problem] = field(default_factory=list)
    """The first thousand."""
    repeated: list[int] = field(default_factory=list)
    """Places of the first thousand rows that were there before; they are rows all the same."""
    notes: list[str] = field(default_factory=list)


class Rejects:
    """Writes rejected rows as they came to a new file, to be mended and read again, and the reasons beside it."""

    def __init__(self, path: Path) -> None:
        reasons = path.with_name(f"{path.name}.reasons")
        for one in (path, reasons):
            if one.exists():
                raise InvalidContent(f"{one} is there already. Name a new file.")
        try:
            self._rows: BinaryIO = path.open("xb")
            self._reasons: BinaryIO = reasons.open("xb")
        except OSError as error:
            raise StoreUnavailable(f"{path} cannot be written: {error.strerror}") from error
        self.header = b""
        """Written before the first row."""

    def add(self, place: int, reason: str, raw: bytes, *, is_first: bool = True, is_last: bool = True) -> None:
        """Writes a row, or a piece of one. Raises `StoreUnavailable`."""
        try:
            if self.header:
                self._rows.write(self.header)
                self.header = b""
            self._rows.write(raw)
            if is_last and not raw.endswith(b"\n"):
                self._rows.write(b"\n")
            if is_first:
                self._reasons.write(encode({"place": place, "reason": reason}) + b"\n")
        except OSError as error:
            raise StoreUnavailable(f"the file of rejected rows cannot be written: {error.strerror}") from error

    def close(self) -> None:
        """Ends both files. Raises `StoreUnavailable`."""
        try:
            self._rows.close()
            self._reasons.close()
        except OSError as error:
            raise StoreUnavailable(f"the file of rejected rows cannot be written: {error.strerror}") from error


def _on_one_line(raw: bytes) -> bytes:
    """Returns a member of a list as a line, to be read again; what is no JSON stays as it came."""
    if b"\n" not in raw:
        return raw
    try:
        return encode(decode(raw, BOUNDS.depth))
    except BadRow:
        return raw


class RowReader:
    """Reads one file once. Memory holds one row, or one tree of messages, at a time."""

    def __init__(
        self,
        path: Path,
        form: RowFormat,
        *,
        bounds: Bounds = BOUNDS,
        rejects: Rejects | None = None,
        progress: Progress = lambda _rows, _done, _size: None,
    ) -> None:
        self.tally = Tally()
        self._path = path
        self._format = form
        self._bounds = bounds
        self._rejects = rejects
        self._progress = progress
        self._duplicates = Duplicates()

    def __iter__(self) -> Iterator[Placed]:
        """Gives the rows. Raises `InvalidContent` for a file that cannot be read to its end."""
        with opened(self._path, self._bounds) as source:
            found = self._parsed(source)
            yield from self._format.gather(found) if self._format.gather else found
            self._end(source)

    def refuse(self, placed: Placed, reason: str) -> None:
        """Tells that a row that was read could not be used after all."""
        self._reject(Cut(placed.place, placed.raw, reason))

    def _parsed(self, source: Source) -> Iterator[Placed]:
        for one, value in self._values(source):
            if one.problem:
                self._reject(one)
                continue
            try:
                row = self._format.parse(decode(one.raw, self._bounds.depth) if value is None else value)
            except BadRow as error:
                self._reject(Cut(one.place, one.raw, str(error)))
                continue
            self.tally.rows += 1
            if self._duplicates.has(one.raw):
                self.tally.duplicates += 1
                if len(self.tally.repeated) < TOLD:
                    self.tally.repeated.append(one.place)
            if self.tally.rows % _EVERY == 0:
                self._progress(self.tally.rows, source.done, source.size)
            yield Placed(one.place, row, one.raw)

    def _values(self, source: Source) -> Iterator[tuple[Cut, Json]]:
        if self._format.container is not Container.CSV:
            for piece in cut(source.chunks(), self._bounds.row_bytes):
                yield piece, None
            return
        records = CsvRecords(source.chunks(), self._bounds.row_bytes)
        try:
            for piece, record in records:
                if self._rejects is not None and records.header and not self.tally.rejected:
                    self._rejects.header = csv_line(records.header)
                yield piece, record
        except BadRow as error:
            raise InvalidContent(f"{self._path.name}: {error}.") from error

    def _reject(self, one: Cut) -> None:
        if self._rejects is not None:
            raw = one.raw if self._format.container is Container.CSV else _on_one_line(one.raw)
            self._rejects.add(one.place, one.problem, raw, is_first=one.is_first, is_last=one.is_last)
        if one.is_first:
            self.tally.rejected += 1
            if len(self.tally.problems) < TOLD:
                self.tally.problems.append(Problem(one.place, one.problem))

    def _end(self, source: Source) -> None:
        self.tally.notes += source.notes
        if self._duplicates.is_full:
            self.tally.notes.append("there are so many rows that not all were compared with one another")
        if not self.tally.rows and not self.tally.rejected:
            self.tally.notes.append("there are no rows in the file")
        self._progress(self.tally.rows, source.size, source.size)
