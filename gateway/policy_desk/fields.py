"""Which fields a form has for a rail, from the types of its parameters alone."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import msgspec
from msgspec.inspect import (
    BoolType,
    EnumType,
    FloatType,
    IntType,
    ListType,
    Metadata,
    NoneType,
    StrType,
    StructType,
    UnionType,
    VarTupleType,
    type_info,
)

from rails.definition import RAIL_FIELD
from rails.describe import describe_rails
from rails.registry import SHIPPED_RAILS

_COMMON = (RAIL_FIELD, "on_fail", "monitor")


class FieldKind(StrEnum):
    """How a parameter is typed."""

    WHOLE = "whole"
    NUMBER = "number"
    FLAG = "flag"
    TEXT = "text"
    LINES = "lines"
    """Texts, one a line."""
    CHOICES = "choices"
    """Some of a closed set."""
    CODE = "code"
    """Too deep for a form: shown, and edited as text."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One parameter of a rail."""

    name: str
    kind: FieldKind
    default: Any
    """None when there is none, or when it must be given."""
    is_required: bool
    low: float | None = None
    high: float | None = None
    is_low_open: bool = False
    """Whether `low` itself is already too little."""
    is_high_open: bool = False
    choices: tuple[str, ...] = ()
    doc: str = ""
    """English, from the source of the rail; may be empty."""

    def holds(self, value: float) -> bool:
        """Whether a number is within the bounds."""
        is_low = self.low is not None and (value <= self.low if self.is_low_open else value < self.low)
        is_high = self.high is not None and (value >= self.high if self.is_high_open else value > self.high)
        return not is_low and not is_high


@cache
def fields_of(rail: str) -> tuple[FieldSpec, ...]:
    """Returns the fields of a shipped rail, in the order of its parameters."""
    params = SHIPPED_RAILS[rail].params
    docs = next({one.name: one.doc for one in note.parameters} for note in describe_rails() if note.name == rail)
    kind = type_info(params)
    if not isinstance(kind, StructType):
        raise TypeError(f"{params.__name__} is not a struct. This is a bug.")
    return tuple(
        _field(field, docs.get(field.encode_name, "")) for field in kind.fields if field.encode_name not in _COMMON
    )


def is_plain(rail: str) -> bool:
    """Whether the rail can be added with its name alone."""
    return not any(field.is_required for field in fields_of(rail))


def _field(field: Any, doc: str) -> FieldSpec:
    default = None
    if not field.required:
        made = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        default = msgspec.to_builtins(made)
    kind = _inner(field.type)
    more: dict[str, Any] = {}
    match kind:
        case IntType() | FloatType():
            of = FieldKind.WHOLE if isinstance(kind, IntType) else FieldKind.NUMBER
            low, high = (kind.gt if kind.ge is None else kind.ge), (kind.lt if kind.le is None else kind.le)
            more = {"low": low, "high": high, "is_low_open": kind.gt is not None, "is_high_open": kind.lt is not None}
        case BoolType():
            of = FieldKind.FLAG
        case StrType():
            of = FieldKind.TEXT
        case VarTupleType() | ListType() if isinstance(_inner(kind.item_type), StrType):
            of = FieldKind.LINES
        case VarTupleType() | ListType() if isinstance(choices := _inner(kind.item_type), EnumType):
            of, more = FieldKind.CHOICES, {"choices": tuple(str(member.value) for member in choices.cls)}
        case _:
            of = FieldKind.CODE
    return FieldSpec(field.encode_name, of, default, field.required, doc=doc, **more)


def _inner(kind: Any) -> Any:
    """Returns a type without bounds of its length and without None."""
    if isinstance(kind, Metadata):
        return _inner(kind.type)
    if isinstance(kind, UnionType):
        left = [one for one in kind.types if not isinstance(one, NoneType)]
        return _inner(left[0]) if len(left) == 1 else kind
    return kind
