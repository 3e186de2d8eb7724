"""YAML files that are read strictly and written readably."""

import os
import re
import stat
from pathlib import Path
from typing import Any

import yaml

from store.errors import InvalidContent

MAX_BYTES = 1024 * 1024
_MAX_DEPTH = 16
_RARE_BREAKS = re.compile("[\x85\u2028\u2029\ufeff]")
"""Line breaks to YAML and not to people: outside double quotes they come back as something else."""
_LONG = 100
"""A line of text longer than this is folded over several."""
_NUMBER = re.compile(r"[-+0-9_:.]+|[-+]?0[bx][0-9a-fA-F_]+")
_MAX_NUMBER = 300
"""Signs of a number: one in sixties (1:30:00) takes the square of its length to read, or leaves what is computed."""


class _StrictLoader(yaml.CSafeLoader):
    """The safe loader, refusing a mapping that names a key twice: the first of the two would be lost in silence."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 -- the base class's signature
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                raise InvalidContent(f"line {key.start_mark.line + 1}: a name must be text. Put it in quotes.")
            if key.value in seen:
                raise InvalidContent(f"line {key.start_mark.line + 1}: {key.value!r} occurs twice. Keep one of them.")
            seen.add(key.value)
        return dict(super().construct_mapping(node, deep=deep))


class _ReadableDumper(yaml.SafeDumper):
    """The safe dumper, with lists indented and long texts as blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002 -- the base class's signature
        super().increase_indent(flow, False)  # noqa: FBT003 -- as above


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else ">" if len(text) > _LONG else None
    if _RARE_BREAKS.search(text):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_ReadableDumper.add_representer(str, _text_node)


def read_yaml(path: Path) -> dict[str, Any]:
    """Returns the mapping that a file holds. Raises `InvalidContent`, naming the file, as `parse_yaml` does."""
    try:
        return parse_yaml(read_capped(path))
    except InvalidContent as error:
        raise InvalidContent(f"{path}: {error}") from error


def read_capped(path: Path, most: int = MAX_BYTES) -> bytes:
    """Returns a file's bytes, at most one more than `most`. Raises `InvalidContent`."""
    try:
        # Without O_NONBLOCK, opening a named pipe waits for a writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise InvalidContent("this is not a file. Remove it.")
            return file.read(most + 1)
    except OSError as error:
        raise InvalidContent(f"the file cannot be read: {error.strerror}.") from error


def parse_yaml(data: bytes, most: int = MAX_BYTES, *, depth: int = _MAX_DEPTH) -> dict[str, Any]:
    """Returns the mapping that `data` holds.

    Raises `InvalidContent` for anything over `most` bytes, not UTF-8, not one mapping, nested too deep, with a key
    twice, with a number that takes too long to read, with tags, which say what a text is to be read as, or with anchors
    (an alias can make a small file expand without bound).
    """
    if len(data) > most:
        raise InvalidContent(f"the file is larger than {most} bytes. Split it.")
    try:
        text = data.decode()
        _check_events(text, depth)
        document = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 -- a subclass of the safe loader # nosec B506
    except UnicodeDecodeError as error:
        raise InvalidContent("the file is not UTF-8 text. Save it as UTF-8.") from error
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise InvalidContent(f"{line}not valid YAML: {error.problem}. Correct it there or just before.") from error
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidContent(f"not valid YAML: {error}") from error
    if not isinstance(document, dict):
        raise InvalidContent("the file must hold one mapping of names to values.")
    return document


def write_yaml(document: dict[str, Any]) -> str:
    """Returns `document` as YAML text, fields in the order given."""
    text: str = yaml.dump(document, Dumper=_ReadableDumper, sort_keys=False, allow_unicode=True, width=110)
    return text


def _check_events(text: str, most: int) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise InvalidContent(f"{_line(event)}anchors and aliases are not read. Write it out.")
        if getattr(event, "tag", None):
            raise InvalidContent(f"{_line(event)}tags are not read. Remove it.")
        if isinstance(event, yaml.ScalarEvent) and event.implicit[0] and _is_long_number(event.value):
            raise InvalidContent(f"{_line(event)}a number that is too long. Put it in quotes.")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > most:
            raise InvalidContent(f"{_line(event)}nested deeper than {most} levels.")


def _is_long_number(text: str) -> bool:
    return len(text) > _MAX_NUMBER and _NUMBER.fullmatch(text) is not None


def _line(event: yaml.Event) -> str:
    return f"line {event.start_mark.line + 1}: " if event.start_mark else ""
