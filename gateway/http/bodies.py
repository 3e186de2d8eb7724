"""Reads JSON bodies: whatever is wrong with one is the caller's 4xx, told without quoting the body."""

import json
import re
from typing import Any, TypeVar

import msgspec
from litestar import Request

from gateway.errors import InvalidRequest

MAX_DEPTH = 32
_STRINGS_AND_BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[][{}]', re.DOTALL)
_OPENING, _CLOSING = b"[{", b"]}"
_T = TypeVar("_T")
_PLACE = re.compile(r" - at `\$\.?(?P<place>[^`]*)`$")
_OURS = re.compile(r"Expected `[^`]*`( (of length )?[<>=]+ -?[0-9.]+)?|Object missing required field `[a-z_]+`")
"""The beginnings of messages that are made of our own types, and of nothing that was sent."""
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>[^`]*)`(?: - at `\$\.?(?P<place>[^`]*)`)?")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.\[\]-]{1,64}")


async def read_object(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """Returns the body as a JSON object. Raises `InvalidRequest` with code `invalid_json`."""
    body = await request.body()
    _require_shallow(body)
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if "out of range" in str(error):
            raise InvalidRequest("invalid_json", "A number in the body is out of range. Send a smaller one.") from error
        raise InvalidRequest("invalid_json", "The body is not valid JSON in UTF-8.") from error
    except RecursionError as error:
        raise _too_deep() from error
    if not isinstance(value, dict):
        raise InvalidRequest("invalid_json", "The body must be a JSON object.")
    json.loads(body.decode(), object_pairs_hook=_require_once, parse_int=str, parse_float=str)
    return value


def convert(value: dict[str, Any], kind: type[_T], *, code: str) -> _T:
    """Returns the object as a wire struct. Raises `InvalidRequest` with `code`; its `param` names the field."""
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        text = str(error)
        if (unknown := _UNKNOWN.fullmatch(text)) and (param := plain_name(_joined(unknown))):
            raise InvalidRequest(code, f"There is no field `{param}`. See /openapi.json.", param=param) from error
        place = _PLACE.search(text)
        param = plain_name(place["place"]) if place else None
        expected = _OURS.match(text)
        reason = expected[0] if expected else "The value is not acceptable"
        where = f" at `{param}`" if param else ""
        raise InvalidRequest(code, f"{reason}{where}. See /openapi.json.", param=param) from error


def _joined(unknown: re.Match[str]) -> str:
    return ".".join(filter(None, (unknown["place"], unknown["name"])))


def plain_name(sent: str) -> str | None:
    """Returns a field's name if it is safe to repeat, else None: a name is also something that was sent."""
    return sent if _PLAIN_NAME.fullmatch(sent) else None


def _require_once(fields: list[tuple[str, Any]]) -> None:
    """Refuses a field that is there twice: of two values, what stands before the gateway may have read the other."""
    seen = set[str]()
    for name, _ in fields:
        if name in seen:
            told = plain_name(name)
            raise InvalidRequest("invalid_json", f"The field {f'`{told}` ' if told else ''}is there twice.", param=told)
        seen.add(name)


def _require_shallow(body: bytes) -> None:
    """Counts brackets outside strings before anything is made of them. Raises `InvalidRequest`.

    In valid JSON that is the depth; what is not valid the decoder refuses at the first wrong character.
    """
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for token in _STRINGS_AND_BRACKETS.finditer(body):
        first = body[token.start()]
        if first in _OPENING:
            depth += 1
            if depth > MAX_DEPTH:
                raise _too_deep()
        elif first in _CLOSING:
            depth -= 1


def _too_deep() -> InvalidRequest:
    return InvalidRequest("invalid_json", f"The body is nested deeper than {MAX_DEPTH} levels.")
