"""Reads the GBNF grammars of prompt authors: without recursion, and bounded in everything.

llama.cpp's own reader and matcher are not used. Some grammars of less than a hundred characters end the process there,
and many others take endless time and memory, at the cost of everybody else's requests.
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from models.errors import ModelRefused

MAX_DEPTH = 32
"""Of brackets within brackets."""
MAX_COUNT = 2000
"""Repetitions that a grammar may name."""
LAST_CHARACTER = 0x10FFFF

_SPACE = re.compile(r"(?:[ \t]|#[^\r\n]*)*")
_SPACE_AND_LINES = re.compile(r"(?:[ \t\r\n]|#[^\r\n]*)*")
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]*")
_RULE = re.compile(rf"({_NAME.pattern})[ \t]*::=")
_COUNTS = re.compile(r"\{[ \t]*(\d{1,9})?[ \t]*(,)?[ \t]*(\d{1,9})?[ \t]*\}")
_CODE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Characters:
    """One character out of ranges of code points, which are in order and apart."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """One part after the other."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    options: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same so often; `high` is None for any number."""

    part: "Node"
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Reference:
    """What another rule says."""

    name: str


Node = Characters | Sequence | Choice | Repeat | Reference


def read_grammar(text: str) -> dict[str, Node]:
    """Returns the rules by name; raises `ModelRefused`, in words, for anything that is not such a grammar."""
    return _Reader(text).rules()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def rules(self) -> dict[str, Node]:
        rules: dict[str, Node] = {}
        self._skip(_SPACE_AND_LINES)
        while self._at < len(self._text):
            found = _RULE.match(self._text, self._at)
            if found is None:
                self._refuse("a rule begins with its name and ::=")
            if found[1] in rules:
                self._refuse(f"the rule {found[1]} stands twice")
            self._at = found.end()
            self._skip(_SPACE_AND_LINES)
            rules[found[1]] = self._choice(_SPACE)
            if self._at < len(self._text) and self._text[self._at] not in "\r\n":
                self._refuse("this cannot stand here")
            self._skip(_SPACE_AND_LINES)
        if "root" not in rules:
            raise ModelRefused("the grammar is not GBNF: it has no rule named root")
        return rules

    def _choice(self, space: re.Pattern[str]) -> Node:
        options = [self._sequence(space)]
        while self._take("|"):
            self._skip(_SPACE_AND_LINES)
            options.append(self._sequence(space))
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self, space: re.Pattern[str]) -> Node:
        parts: list[Node] = []
        while (part := self._part()) is not None:
            self._skip(space)
            while (repeated := self._repeated(part)) is not None:
                part = repeated
                self._skip(space)
            parts.append(part)
        return Sequence(tuple(parts))

    def _part(self) -> Node | None:
        """Returns the next literal, class, group or reference, None when something else follows."""
        if self._take('"'):
            return self._literal()
        if self._take("["):
            return self._class()
        if self._take("."):
            return Characters(((0, LAST_CHARACTER),))
        if self._take("("):
            return self._group()
        found = _NAME.match(self._text, self._at)
        # A name at the beginning of a line may be the next rule's.
        if found is None or _RULE.match(self._text, self._at):
            return None
        self._at = found.end()
        return Reference(found[0])

    def _group(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._refuse(f"brackets stand {MAX_DEPTH} deep at most")
        self._skip(_SPACE_AND_LINES)
        inner = self._choice(_SPACE_AND_LINES)
        if not self._take(")"):
            self._refuse("a bracket is not closed")
        self._depth -= 1
        return inner

    def _literal(self) -> Node:
        parts: list[Node] = []
        while not self._take('"'):
            code = self._character()
            parts.append(Characters(((code, code),)))
        return Sequence(tuple(parts))

    def _class(self) -> Node:
        is_negated = self._take("^")
        ranges = []
        while not self._take("]"):
            low = high = self._character()
            if self._text.startswith("-", self._at) and not self._text.startswith("-]", self._at):
                self._at += 1
                high = self._character()
            if high < low:
                self._refuse("a range goes backwards")
            ranges.append((low, high))
        return Characters(_negated(_merged(ranges)) if is_negated else _merged(ranges))

    def _character(self) -> int:
        if self._at >= len(self._text) or self._text[self._at] in "\r\n":
            self._refuse("a text or a class is not closed")
        char = self._text[self._at]
        if char != "\\":
            self._at += 1
            return ord(char)
        code = _CODE.match(self._text, self._at)
        if code is not None:
            self._at = code.end()
            number = int(code[1] or code[2] or code[3], 16)
            if number > LAST_CHARACTER:
                self._refuse("there is no such character")
            return number
        escaped = self._text[self._at + 1 : self._at + 2]
        if escaped not in tuple('nrt\\"[]'):
            self._refuse("this escape is not known")
        self._at += 2
        return ord(_ESCAPES.get(escaped, escaped))

    def _repeated(self, part: Node) -> Node | None:
        """Returns the part with the repetition that follows it, None when there is none."""
        for sign, low, high in (("*", 0, None), ("+", 1, None), ("?", 0, 1)):
            if self._take(sign):
                return Repeat(part, low, high)
        if not self._text.startswith("{", self._at):
            return None
        found = _COUNTS.match(self._text, self._at)
        if found is None or found[1] is None:
            self._refuse("a count is written {2}, {2,} or {2,5}")
        first, last = int(found[1]), int(found[3]) if found[3] else None
        most = last if found[2] else first
        if max(first, most or 0) > MAX_COUNT or (most is not None and most < first) or (found[3] and not found[2]):
            self._refuse(f"counts go up to {MAX_COUNT}, the smaller one first")
        self._at = found.end()
        return Repeat(part, first, most)

    def _skip(self, space: re.Pattern[str]) -> None:
        found = space.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _take(self, sign: str) -> bool:
        if not self._text.startswith(sign, self._at):
            return False
        self._at += len(sign)
        return True

    def _refuse(self, reason: str) -> NoReturn:
        line = self._text.count("\n", 0, self._at) + 1
        found = self._text[self._at : self._at + 12]
        raise ModelRefused(f"the grammar is not GBNF: {reason} (line {line}, at {found!r})")


def _merged(ranges: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def _negated(ranges: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    edges = [-1, *(edge for low, high in ranges for edge in (low, high)), LAST_CHARACTER + 1]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return tuple((low + 1, high - 1) for low, high in pairs if low + 1 <= high - 1)
