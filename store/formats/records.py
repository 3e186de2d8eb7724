"""Cuts a stream of bytes into the texts of rows, lines or members of one JSON list, with bounded memory."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_SPACE = b" \t\r\n"
_STEP = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{},]', re.DOTALL)
"""A whole text, or a sign of structure; a lone quotation mark begins a text whose end has not come yet."""
_TEXT_END = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Cut:
    """The bytes of a row, or a piece of one that is too long to be one."""

    place: int
    """The line, or the number of the member, from 1 on."""
    raw: bytes
    problem: str = ""
    """Why it is no row; "" for a row."""
    is_first: bool = True
    """Of the pieces of a row that is too long."""
    is_last: bool = True


def cut(chunks: Iterable[bytes], row_bytes: int) -> Iterator[Cut]:
    """Cuts by the first sign that is there: `[` begins a list, anything else is lines. Blank lines are no rows."""
    rest = iter(chunks)
    head = b""
    for chunk in rest:
        head += chunk
        if head.strip(_SPACE):
            break
    if head.lstrip(_SPACE).startswith(b"["):
        yield from _Members(row_bytes).cut(head, rest)
    else:
        yield from cut_lines(_before(head, rest), row_bytes)


def cut_lines(chunks: Iterable[bytes], row_bytes: int) -> Iterator[Cut]:
    """Cuts at line ends."""
    number, waiting = 1, b""
    overlong = _Overlong(row_bytes)
    for chunk in chunks:
        *whole, waiting = (waiting + chunk).split(b"\n")
        for line in whole:
            yield from overlong.end(number, line)
            number += 1
        if len(waiting) > row_bytes:
            yield overlong.piece(number, waiting)
            waiting = b""
    if waiting or overlong.is_open:
        yield from overlong.end(number, waiting)


class _Overlong:
    """Gives rows as they are, and one that is too long in pieces, so that none of it is lost."""

    def __init__(self, row_bytes: int) -> None:
        self._most = row_bytes
        self._problem = f"longer than {row_bytes} bytes"
        self.is_open = False

    def piece(self, place: int, raw: bytes) -> Cut:
        """Gives a piece of a row that goes on."""
        found = Cut(place, raw, self._problem, is_first=not self.is_open, is_last=False)
        self.is_open = True
        return found

    def end(self, place: int, raw: bytes) -> Iterator[Cut]:
        """Gives a row, or the last piece of one; nothing for a blank line."""
        if self.is_open:
            self.is_open = False
            yield Cut(place, raw, self._problem, is_first=False)
        elif len(raw) > self._most:
            yield Cut(place, raw, self._problem)
        elif raw := raw.strip(_SPACE):
            yield Cut(place, raw)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a look found: signs that end members with their places, and how far it went."""

    ends: tuple[tuple[bytes, int], ...]
    looked: int
    is_over: bool


class _Members:
    """Finds the members of one JSON list, without reading what is in them."""

    def __init__(self, row_bytes: int) -> None:
        self._most = row_bytes
        self._overlong = _Overlong(row_bytes)
        self._number = 1
        self._level = 0
        self._is_after_comma = False
        self._is_in_text = False
        """Whether a piece of a member that is too long ended within a text."""

    def cut(self, head: bytes, rest: Iterator[bytes]) -> Iterator[Cut]:
        """Gives the members, and what is left where the list is damaged."""
        waiting, looked = head.lstrip(_SPACE)[1:], 0
        while True:
            found = self._looked(waiting, looked)
            start = 0
            for sign, at in found.ends:
                yield from self._member(waiting[start:at], is_end=sign != b",")
                start = at + 1
            waiting, looked = waiting[start:], found.looked - start
            if found.is_over:
                yield from self._leftover(waiting, rest, "text after the end of the list")
                return
            if len(waiting) > self._most:
                free = self._free(waiting, looked)
                yield self._overlong.piece(self._number, waiting[:free])
                waiting, looked = waiting[free:], 0
            chunk = next(rest, b"")
            if not chunk:
                yield from self._leftover(waiting, rest, "the list has no end")
                return
            waiting += chunk

    def _looked(self, waiting: bytes, looked: int) -> "_Found":
        """Looks at what has not been looked at, for the ends of members."""
        ends: list[tuple[bytes, int]] = []
        if self._is_in_text:
            end = _TEXT_END.match(waiting)
            if end is None:
                return _Found((), 0, is_over=False)
            self._is_in_text, looked = False, end.end()
        for step in _STEP.finditer(waiting, looked):
            sign = step[0]
            if sign == b'"':  # the text's end has not come
                return _Found(tuple(ends), step.start(), is_over=False)
            looked = step.end()
            if self._ends_member(sign):
                ends.append((sign, step.start()))
                if sign != b",":
                    return _Found(tuple(ends), looked, is_over=True)
        return _Found(tuple(ends), len(waiting), is_over=False)

    def _free(self, waiting: bytes, looked: int) -> int:
        """Returns up to where a member that is too long can be given away: not between a backslash and its sign."""
        if looked and not self._is_in_text:
            return looked
        self._is_in_text = True
        slashes = len(waiting) - len(waiting.rstrip(b"\\"))
        return len(waiting) - slashes % 2

    def _ends_member(self, sign: bytes) -> bool:
        if sign in (b"[", b"{"):
            self._level += 1
        elif sign in (b"]", b"}"):
            self._level -= 1
        return self._level < 0 or (self._level == 0 and sign == b",")

    def _member(self, raw: bytes, *, is_end: bool) -> Iterator[Cut]:
        is_empty = not raw.strip(_SPACE) and not self._overlong.is_open
        if is_empty and (not is_end or self._is_after_comma):
            yield Cut(self._number, raw, "nothing between two commas")
        else:
            yield from self._overlong.end(self._number, raw)
        self._number += 1
        self._is_after_comma = not is_end

    def _leftover(self, waiting: bytes, rest: Iterator[bytes], problem: str) -> Iterator[Cut]:
        is_first = True
        for piece in _before(waiting, rest):
            if is_first and not piece.strip(_SPACE):
                continue
            yield Cut(self._number, piece, problem, is_first=is_first, is_last=False)
            is_first = False
        if not is_first:
            yield Cut(self._number, b"", problem, is_first=False)
        elif problem.startswith("the list has no end"):
            yield Cut(self._number, b"", problem)


def _before(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest
