"""Rows from files of JSON lines, gzipped or not; whatever is wrong with one is told with its file and line."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class FileRow:
    """One object, and where it stands."""

    path: Path
    line: int
    """From 1."""
    fields: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Returns a field that must be a text with something in it. Raises `InvalidRequest`."""
        value = self.fields.get(name)
        if not isinstance(value, str) or not value.strip():
            raise self.bad(f"{name} must be a text that is not empty")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise self.bad(f"{name} has half a surrogate pair, which is no character") from error
        return value

    def bad(self, message: str) -> InvalidRequest:
        """Returns the error for what is wrong with this row."""
        return bad_rows(self.path, self.line, message)


def raise_at_once(error: InvalidRequest) -> None:
    """Raises the error: the first bad row ends the reading."""
    raise error


def read_rows(path: Path, form: str, tell: Callable[[InvalidRequest], None] = raise_at_once) -> Iterator[FileRow]:
    """Gives the rows of a file, empty lines left out; `form` shows what a row looks like, for the error.

    `tell` gets the error of each line that is no JSON object, and may go on. Raises `InvalidRequest` with code
    `rows_invalid` for a file that cannot be read, and for one without a line.
    """
    try:
        data = path.read_bytes()
        lines = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8-sig").split("\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise bad_rows(path, None, f"cannot be read: {error}") from error
    count = 0
    for number, line in enumerate(lines, 1):
        if line.strip():
            count += 1
            try:
                row = _object(path, number, line, form)
            except InvalidRequest as error:
                tell(error)
            else:
                yield FileRow(path, number, row)
    if not count:
        raise bad_rows(path, None, "there is no row in it")


def bad_rows(path: Path, line: int | None, message: str) -> InvalidRequest:
    """Returns the error for what is wrong with a file of rows."""
    place = path.name if line is None else f"{path.name}, line {line}"
    return InvalidRequest("rows_invalid", f"{place}: {message}")


def _object(path: Path, number: int, line: str, form: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise bad_rows(path, number, f"not JSON: {error}") from error
    if not isinstance(row, dict):
        raise bad_rows(path, number, f"a row is an object {form}")
    return row
