"""Characters that no reader sees and not every database takes: refused wherever a document or a name enters."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from msgspec import inspect, structs

from store.content import Document
from store.errors import InvalidContent

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but tab and line breaks, and halves of characters."""
_NUL = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL has no place for. The messages of test sets may be attacks, and have other control characters."""


def require_readable(place: str, value: object, *, is_test: bool = False) -> None:
    """Raises `InvalidContent` for a text, or a document with a text, that has such characters: a line each.

    Where a document takes one line, a line break at its end is one.
    """
    refused = _NUL if is_test else CONTROL
    found = []
    for where, text, is_line in _texts(place, value):
        if refused.search(text):
            found.append(f"{where}: it has control characters. Type it anew.")
        elif is_line and text.endswith("\n"):
            found.append(f"{where}: it ends in a line break. Take that away.")
    if found:
        raise InvalidContent("\n".join(sorted(found)))


def _texts(place: str, value: Any) -> Iterator[tuple[str, str, bool]]:
    """Gives every text with its place, and whether it is one line.

    A name in the document that is none itself is told by the place above it.
    """
    level: list[tuple[str, Any, bool]] = [(place, value, False)]
    while level:  # not by recursion, which a deep document is meant to exhaust
        where, one, is_line = level.pop()
        before = f"{where}: " if where == place else f"{where}."
        if isinstance(one, str):
            yield where, one, is_line
        elif isinstance(one, Document):
            level += [(before + name, getattr(one, name), has_lines) for name, has_lines in _fields(type(one))]
        elif isinstance(one, Mapping):
            for name, each in one.items():
                yield where, str(name), False
                inside = str(name) if isinstance(name, str) and name.isprintable() else "?"
                level.append((before + inside, each, False))
        elif isinstance(one, list | tuple):
            level += [(f"{where}[{number}]", each, is_line) for number, each in enumerate(one)]


@cache
def _fields(kind: type[Document]) -> tuple[tuple[str, bool], ...]:
    """Returns the fields, and whether their texts are one line each: where a pattern says their form."""
    return tuple((one.name, _is_line(inspect.type_info(one.type))) for one in structs.fields(kind))


def _is_line(kind: inspect.Type) -> bool:
    match kind:
        case inspect.StrType(pattern=pattern):
            return pattern is not None
        case inspect.VarTupleType(item_type=item):
            return _is_line(item)
        case inspect.UnionType(types=kinds):
            return any(map(_is_line, kinds))
        case _:
            return False
