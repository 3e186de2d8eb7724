"""Reads one JSON value strictly: what could not be written back as it was is an error."""

import json
import math
import re
from typing import cast

from store.formats.rows import BadRow, Json

_STEP = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[{]|[\]}]', re.DOTALL)
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""An escape that may be half of a pair, and is then no text."""


def decode(raw: bytes, depth: int) -> Json:
    """Returns the value. Raises `BadRow`, whose message names what is wrong and nothing that was sent."""
    if raw.count(b"[") + raw.count(b"{") > depth and _depth(raw) > depth:
        raise BadRow(f"nested deeper than {depth} levels")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRow(f"not UTF-8 at byte {error.start + 1}") from error
    try:
        value = cast("Json", _DECODER.decode(text))
        if _HALF.search(raw):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        raise BadRow(f"not JSON at character {error.pos + 1}: {error.msg}") from error
    except UnicodeEncodeError as error:
        raise BadRow("half of a surrogate pair, which is no text") from error
    except RecursionError as error:
        raise BadRow("nested too deep") from error
    except ValueError as error:  # a whole number of thousands of digits
        raise BadRow("a number that is too long") from error
    return value


def encode(value: Json) -> bytes:
    """Returns a value as one line of JSON."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


def _depth(raw: bytes) -> int:
    deepest = level = 0
    for step in _STEP.finditer(raw):
        if step[0] in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif step[0] in b"]}":
            level -= 1
    return deepest


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise BadRow("a name occurs twice in one object")
    return value


def _real(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise BadRow("a number that is too large")
    return value


def _constant(_: str) -> Json:
    raise BadRow("NaN or Infinity, which are no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_real, parse_constant=_constant)
