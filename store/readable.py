"""Characters that no reader sees and not every database takes: refused wherever a document or a name enters."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from store.content import Document
from store.errors import InvalidContent
from store.plain import to_plain

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but tab and line breaks, and halves of characters."""
_NUL = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL has no place for. The messages of test sets may be attacks, and have other control characters."""


def require_readable(place: str, value: object, *, is_test: bool = False) -> None:
    """Raises `InvalidContent` for a text, or a document with a text, that has such characters: a line each."""
    refused = _NUL if is_test else CONTROL
    plain = to_plain(value) if isinstance(value, Document) else value
    found = sorted(where for where, text in _texts(place, plain) if refused.search(text))
    if found:
        raise InvalidContent("\n".join(f"{where}: it has control characters. Type it anew." for where in found))


def _texts(place: str, value: Any) -> Iterator[tuple[str, str]]:
    """Gives every text with its place; a name in the document that is none itself is told by the place above it."""
    level: list[tuple[str, Any]] = [(place, value)]
    while level:  # not by recursion, which a deep document is meant to exhaust
        where, one = level.pop()
        if isinstance(one, str):
            yield where, one
        elif isinstance(one, Mapping):
            for name, each in one.items():
                yield where, str(name)
                inside = str(name) if isinstance(name, str) and name.isprintable() else "?"
                level.append((f"{where}: {inside}" if where == place else f"{where}.{inside}", each))
        elif isinstance(one, list | tuple):
            level += [(f"{where}[{number}]", each) for number, each in enumerate(one)]
