"""Reads the YAML text of a policy and keeps where each value is written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from rails.findings import Finding

Path = tuple[str | int, ...]
"""The way to a value: names and positions in lists, counted from 0."""

MAX_CHARS = 1 << 18
_MAX_DEPTH = 16
_MAX_NUMBER = 300
"""Signs of a number: one in sixties (1:30:00) takes the square of its length to read, or leaves what is computed."""
_TEXT_TAG = "tag:yaml.org,2002:str"

# How people write numbers. YAML 1.1 also counts in eights (0700), sixties (10:30), sixteens, twos, and skips `_`.
_PLAIN_NUMBER = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")

_OPEN = ("A quote or bracket is opened here and never closed.", "Close it.")
_LINES = ("This line does not fit the ones around it.", "Line it up with its neighbours, and look for an open quote.")
_SYNTAX = {
    "cannot start any token": (
        "A text may not begin like this: it starts with a tab, @, ` or %.",
        "Replace tabs by blanks; put other text in quotes.",
    ),
    "mapping values are not allowed": (
        "There is a second colon here, or the line is indented too far.",
        "Put a text with a colon in quotes; begin each name on a line of its own, lined up with the others.",
    ),
    "unexpected end of stream": _OPEN,
    "expected ',' or": _OPEN,
    "could not find expected ':'": (
        "A line here or just before is not of the form `name: value`.",
        "Add the colon, or put a text of several lines in quotes.",
    ),
    "did not find expected key": _LINES,
    "did not find expected '-' indicator": _LINES,
    "did not find expected <": _LINES,
    "alphabetic or numeric": ("A text may not begin with & or *.", "Put it in quotes."),
    "another document": ("A second document begins here (`---`).", "Keep one policy in a file."),
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written, counted from 1."""

    line: int = 1
    column: int = 1

    def finding(self, code: str, message: str, remedy: str) -> Finding:
        """Returns an error at this place."""
        return Finding(self.line, self.column, code, message, remedy)


@dataclass(frozen=True, slots=True)
class TextBlock:
    """How a text is written: in a block (`|`) its lines are those of the file, elsewhere they are not."""

    place: Place
    is_block: bool


@dataclass(slots=True)
class YamlText:
    """What a YAML text says, and where."""

    source: str = ""
    value: Any = None
    findings: list[Finding] = field(default_factory=list)
    _names: dict[Path, Place] = field(default_factory=dict)
    _values: dict[Path, Place] = field(default_factory=dict)
    _blocks: dict[Path, bool] = field(default_factory=dict)

    def name(self, *path: str | int) -> Place:
        """Returns where the last name of `path` is written; else where the nearest thing around it is."""
        return self._names.get(path) or self.at(*path)

    def at(self, *path: str | int) -> Place:
        """Returns where the value is written; else where the nearest thing around it is."""
        while path and path not in self._values:
            path = path[:-1]
        return self._values.get(path, Place())

    def line(self, number: int) -> str:
        """Returns a line as it is written; empty beyond the end."""
        lines = self.source.split("\n")
        return lines[number - 1].rstrip("\r") if number <= len(lines) else ""

    def block(self, *path: str | int) -> TextBlock:
        """Returns how a text is written."""
        return TextBlock(self.at(*path), self._blocks.get(path, False))

    def add(self, node: yaml.Node, path: Path) -> None:
        """Notes the place of a node and of everything in it, and what is wrong with their form."""
        self._values[path] = _place(node.start_mark)
        if len(path) > _MAX_DEPTH:
            self.findings.append(
                self.at(*path).finding("yaml.depth", f"This is nested deeper than {_MAX_DEPTH} levels.", "Flatten it.")
            )
        elif isinstance(node, yaml.ScalarNode):
            self._blocks[path] = node.style == "|"
            self._check_scalar(node, path)
        elif isinstance(node, yaml.SequenceNode):
            for position, item in enumerate(node.value):
                self.add(item, (*path, position))
        elif isinstance(node, yaml.MappingNode):
            self._add_mapping(node, path)

    def _add_mapping(self, node: yaml.MappingNode, path: Path) -> None:
        for name, value in node.value:
            place = _place(name.start_mark)
            if not isinstance(name, yaml.ScalarNode) or name.tag != _TEXT_TAG:
                what = name.value if isinstance(name, yaml.ScalarNode) else "a list or mapping"
                self.findings.append(
                    place.finding("yaml.name", f"The name {what!r} is not read as text.", "Put it in quotes.")
                )
                continue
            inner = (*path, name.value)
            if inner in self._names:
                first = self._names[inner].line
                self.findings.append(
                    place.finding(
                        "yaml.twice",
                        f"{name.value!r} is here twice, first in line {first}; the first would be lost in silence.",
                        "Keep one of the two.",
                    )
                )
                continue
            self._names[inner] = place
            self.add(value, inner)

    def _check_scalar(self, node: yaml.ScalarNode, path: Path) -> None:
        kind = node.tag.rpartition(":")[2]
        is_number = kind == "float" and node.value.lower().lstrip("+-") in (".nan", ".inf")
        if kind not in ("str", "int", "float", "bool", "null") or is_number:
            self.findings.append(
                self.at(*path).finding(
                    "yaml.value",
                    f"{node.value!r} is read as a {kind}, which a policy cannot keep.",
                    "Put it in quotes.",
                )
            )
        elif kind in ("int", "float") and len(node.value) > _MAX_NUMBER:
            self.findings.append(
                self.at(*path).finding(
                    "yaml.number",
                    "This number has more digits than can be read.",
                    "Write a shorter number; put it in quotes where it is a text.",
                )
            )
        elif kind in ("int", "float") and _PLAIN_NUMBER.fullmatch(node.value) is None:
            number = yaml.safe_load(node.value)
            self.findings.append(
                self.at(*path).finding(
                    "yaml.number",
                    f"`{node.value}` is read as the number {number}.",
                    f'Put it in quotes: "{node.value}". If the number is meant, write {number}.',
                )
            )


def read_yaml_text(text: str) -> YamlText:
    """Returns what the text says; `value` is None when there are findings."""
    result = YamlText(text)
    if len(text) > MAX_CHARS:
        result.findings.append(
            Place().finding("file.size", f"The file has more than {MAX_CHARS} characters.", "Shorten it.")
        )
        return result
    try:
        result.findings += _beyond_values(text)
        loader = yaml.CSafeLoader(text)
        node = None if result.findings else loader.get_single_node()
        if node is not None:
            result.add(node, ())
            result.value = None if result.findings else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        result.findings.append(_syntax(error, text))
    except (yaml.YAMLError, ValueError) as error:
        words = re.sub(r"\s+", " ", str(error))[:200]
        result.findings.append(
            Place().finding("yaml.syntax", f"The file holds a character that cannot be read: {words}.", "Remove it.")
        )
    except RecursionError:
        result.findings.append(Place().finding("yaml.depth", "The file is nested too deep.", "Flatten it."))
    return result


def _beyond_values(text: str) -> Iterator[Finding]:
    """Tells references, by which a small file can expand without bound, and tags, by which a value becomes another."""
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            yield _place(event.start_mark).finding(
                "yaml.anchor",
                "Here a name (&) or a reference (*) of YAML stands.",
                "Write the value out, or quote it.",
            )
        if getattr(event, "tag", None):
            yield _place(event.start_mark).finding(
                "yaml.tag", "Here a tag (!) of YAML stands.", "Remove it, or quote the text."
            )


def _syntax(error: yaml.MarkedYAMLError, text: str) -> Finding:
    problem = error.problem or "unreadable"
    other = (f"The file cannot be read from here on ({problem}).", "Correct it here or just before.")
    words = next((known for sign, known in _SYNTAX.items() if sign in problem), other)
    mark = (error.context_mark if words is _OPEN else None) or error.problem_mark
    if words is _LINES and (quote := _long_quote(text)) is not None:
        mark, words = quote, _OPEN
    place = Place() if mark is None else _place(mark)
    return place.finding("yaml.syntax", *words)


def _long_quote(text: str) -> Any:
    """Returns where the last quoted text before the error begins that ends in another line: one that was left open."""
    found = None
    try:
        for token in yaml.scan(text, Loader=yaml.CSafeLoader):
            is_quoted = isinstance(token, yaml.ScalarToken) and token.style in ('"', "'")
            if is_quoted and token.start_mark.line != token.end_mark.line:
                found = token.start_mark
    except yaml.YAMLError:
        pass  # the error that is being told
    return found


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)
