"""JSON Schema as others read it: what msgspec makes of our types has Python's patterns."""

import re
from collections.abc import Mapping
from typing import Any

_PYTHONS_END = re.compile(r"(\\n\?)?\\Z$")


def portable_schema(schema: Any) -> Any:
    r"""Writes the end of patterns as every implementation of JSON Schema reads it, in JavaScript's syntax.

    Python's `\Z` is an error there. A line break at the end is for what was stored long ago, and not for writers.
    """
    if isinstance(schema, Mapping):
        return {key: portable_schema(value) for key, value in schema.items()}
    if isinstance(schema, list | tuple):
        return [portable_schema(value) for value in schema]
    return _PYTHONS_END.sub("$", schema) if isinstance(schema, str) else schema
