"""Says in plain words why a value of a policy is not taken, and how it must be written."""

import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType, NoneType
from typing import Any

from msgspec import inspect

_SHORT = 60
"""Characters of what somebody wrote that a message repeats."""
_KINDS: Mapping[type, str] = MappingProxyType(
    {
        inspect.IntType: "a whole number",
        inspect.FloatType: "a number",
        inspect.StrType: "text",
        inspect.EnumType: "one of its choices",
        inspect.BoolType: "`true` or `false`",
        inspect.VarTupleType: "a list",
        inspect.ListType: "a list",
        inspect.DictType: "a group of names with values",
        inspect.StructType: "a group of names with values",
    }
)
_WRITTEN: Mapping[type, str] = MappingProxyType(
    {
        bool: "`true` or `false`",
        int: "a whole number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "a group of names with values",
        NoneType: "nothing",
    }
)
_PERCENT = re.compile(r"[+-]?(\d{1,9}(?:[.,]\d{1,9})?) ?%")
_COMMA = re.compile(r"([+-]?\d{1,9}),(\d{1,9})")
_BLANKS = re.compile(r"\d{1,3}(?:[ _'\u2019\u00a0\u202f]\d{3}){1,3}")
_SCIENTIFIC = re.compile(r"[+-]?\d{1,3}(?:\.\d{1,9})?[eE][+-]?\d{1,2}")
_LEADING_ZEROS = re.compile(r"0+(\d{1,18})")
_PLAIN = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,18})?")


def shown(value: object) -> str:
    """Returns a value as a message may repeat it: in one line, and not at length."""
    text = " ".join(str(value).split())
    return f"`{text}`" if len(text) <= _SHORT else f"`{text[:_SHORT]}...`"


def kind_of(kind: Any) -> str:
    """Returns what a form takes, in words."""
    return " or ".join(_KINDS.get(type(one), "a value") for one in _kinds(kind))


def wrong_kind(label: str, name: str, value: Any, kind: Any) -> tuple[str, str]:
    """Returns what is wrong with a value that is not of its kind, and how to write it; `label` says which value."""
    kinds = _kinds(kind)
    here = _WRITTEN.get(type(value), "something else")
    message = f"{label} must be {kind_of(kind)}, and here is {here}."
    if value is None:
        return f"{label} must be {kind_of(kind)}, and nothing stands here.", _write(name, kinds[0])
    return message, _REMEDIES.get(type(kinds[0]), _write_any)(name, value, kinds[0])


def bounds(kind: Any) -> str:
    """Returns the limits of a number, such as ` from 0 to 1`; empty where there are none."""
    words = []
    for name, word in (("ge", "from"), ("gt", "above"), ("le", "to"), ("lt", "below")):
        limit = getattr(kind, name, None)
        if limit is not None:
            words.append(f"{word} {limit:g}" if isinstance(limit, float) else f"{word} {limit}")
    if words[:1] == words and words and words[0].startswith("from"):
        return f", at least {words[0].removeprefix('from ')}"
    return f" {' '.join(words)}" if words else ""


def bare(kind: Any) -> Any:
    """Returns a type of msgspec's inspection without what is said about it, or the None that stands for its absence."""
    return _kinds(kind)[0]


def _kinds(kind: Any) -> list[Any]:
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        return [one for inner in kind.types if not isinstance(inner, inspect.NoneType) for one in _kinds(inner)]
    return [kind]


def _write(name: str, kind: Any) -> str:
    if isinstance(kind, inspect.StrType):
        return "Write the text behind the colon."
    if isinstance(kind, inspect.EnumType):
        return f"Choose one of: {', '.join(str(member.value) for member in kind.cls)}."
    if isinstance(kind, inspect.VarTupleType | inspect.ListType):
        return _list(name, "...", kind)
    return f"Write {kind_of(kind)}{bounds(kind)}."


def _write_any(name: str, _value: Any, kind: Any) -> str:
    return _write(name, kind)


def _number(name: str, value: Any, kind: Any) -> str:
    """Says how a number is written that somebody wrote in another way."""
    is_whole = isinstance(kind, inspect.IntType)
    if isinstance(value, str) and (remedy := _digits(value.strip(), kind, is_whole=is_whole)):
        return remedy
    if isinstance(value, str) and _BLANKS.fullmatch(value.strip()):
        return "Write the digits alone, with nothing between them."
    if is_whole and isinstance(value, float):
        return f"{_write(name, kind).removesuffix('.')}, without a point."
    return f"{_write(name, kind).removesuffix('.')}, in digits."


def _digits(text: str, kind: Any, *, is_whole: bool) -> str | None:
    if found := _PERCENT.fullmatch(text):
        most = getattr(kind, "le", None)
        share = float(found[1].replace(",", ".")) / 100
        is_share = not is_whole and most is not None and most <= 1
        return f"Write {share:g}, which is {text}." if is_share else "Write the number alone, without %."
    if found := _COMMA.fullmatch(text):
        as_share = f"Write a point and no comma: {found[1]}.{found[2]}."
        return "Write the digits alone, without a comma." if is_whole else as_share
    if _SCIENTIFIC.fullmatch(text):
        return f"Write it out: {float(text):.15g}."
    if found := _LEADING_ZEROS.fullmatch(text):
        return f"Write it without quotes, and without a zero before it: {found[1]}."
    if _PLAIN.fullmatch(text):
        return "Write it without quotes." if "." not in text or not is_whole else "Write the digits alone, no point."
    return None


def _truth(_name: str, value: Any, _kind: Any) -> str:
    is_quoted = isinstance(value, str) and value.strip().casefold() in ("true", "false")
    return f"Write `true` or `false`{', without quotes' if is_quoted else ''}."


def _text(_name: str, value: Any, _kind: Any) -> str:
    if isinstance(value, list | dict):
        return "Write one text, in quotes where it has brackets, braces or a colon in it."
    return "Put it in quotes."


def _list(name: str, value: Any, kind: Any) -> str:
    item = bare(kind.item_type)
    if isinstance(item, inspect.StructType):
        return f"Begin each entry with a hyphen, on a line of its own: `- {example_of(item)}`."
    is_closed = isinstance(item, inspect.EnumType) or getattr(item, "pattern", None) is not None
    entry = "..."  # a text that may be a secret is not repeated
    if is_closed and isinstance(value, str) and len(value) <= _SHORT:
        entry = value if re.fullmatch(r"[A-Za-z_]+", value) else json.dumps(value, ensure_ascii=False)
    return f"Put it in square brackets: `{name}: [{entry}]`."


def _names(_name: str, value: Any, kind: Any) -> str:
    example = example_of(kind) if isinstance(kind, inspect.StructType) else "name: value"
    hint = " Take the hyphens away." if isinstance(value, list) else ""
    return f"Write names with a colon and a value, such as `{example}`.{hint}"


def example_of(kind: inspect.StructType) -> str:
    """Returns how an entry is written, with the names that must be there."""
    names = [field.encode_name for field in kind.fields if field.required]
    return "{" + ", ".join(f"{name}: ..." for name in names or [field.encode_name for field in kind.fields]) + "}"


_REMEDIES: Mapping[type, Callable[[str, Any, Any], str]] = MappingProxyType(
    {
        inspect.IntType: _number,
        inspect.FloatType: _number,
        inspect.BoolType: _truth,
        inspect.StrType: _text,
        inspect.VarTupleType: _list,
        inspect.ListType: _list,
        inspect.DictType: _names,
        inspect.StructType: _names,
    }
)
