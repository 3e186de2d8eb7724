"""Describes the shipped rails from their own source: what they do, where they run, which parameters they take."""

import ast
import inspect
import sys
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec
from msgspec.inspect import (
    BoolType,
    DictType,
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

from rails.definition import RailDefinition, RailParams
from rails.registry import SHIPPED_RAILS
from rails.types import Stage


@dataclass(frozen=True, slots=True)
class ParameterNote:
    """One parameter of a rail."""

    name: str
    kind: str
    """What it takes, in words."""
    default: str
    """As it is written in a policy; empty when it must be given."""
    doc: str


@dataclass(frozen=True, slots=True)
class RailNote:
    """One rail that a policy may name."""

    name: str
    doc: str
    stages: tuple[Stage, ...]
    may_rewrite: bool
    parameters: tuple[ParameterNote, ...]


@cache
def describe_rails() -> tuple[RailNote, ...]:
    """Returns a note on each shipped rail, in the order of the registry."""
    return tuple(_rail(definition) for definition in SHIPPED_RAILS.values())


def common_parameters() -> tuple[ParameterNote, ...]:
    """Returns the parameters that every rail has."""
    return _parameters(RailParams)


def _rail(definition: RailDefinition) -> RailNote:
    module = sys.modules[definition.check.__module__]
    doc = " ".join((inspect.getdoc(module) or "").split("\n\n")[0].split())
    common = {note.name: note for note in common_parameters()}
    own = tuple(note for note in _parameters(definition.params) if common.get(note.name) != note)
    stages = tuple(stage for stage in Stage if stage in definition.stages)
    return RailNote(definition.name, doc, stages, definition.may_rewrite, own)


def _parameters(params: type[msgspec.Struct]) -> tuple[ParameterNote, ...]:
    docs = _docs_of(params)
    kind = type_info(params)
    if not isinstance(kind, StructType):
        raise TypeError(f"{params.__name__} is not a struct. This is a bug.")
    return tuple(
        ParameterNote(field.encode_name, _words(field.type), _default(params, field.name), docs.get(field.name, ""))
        for field in kind.fields
    )


def _docs_of(params: type[msgspec.Struct]) -> dict[str, str]:
    """Returns the strings below the fields of a struct and of what it inherits from, which Python itself drops."""
    docs: dict[str, str] = {}
    for kind in reversed(params.__mro__):
        if not issubclass(kind, msgspec.Struct) or kind is msgspec.Struct:
            continue
        (found,) = ast.parse(inspect.getsource(kind)).body
        body = found.body if isinstance(found, ast.ClassDef) else []
        for field, text in pairwise(body):
            is_doc = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
            if isinstance(field, ast.AnnAssign) and is_doc:
                docs[ast.unparse(field.target)] = " ".join(str(ast.literal_eval(ast.unparse(text))).split())
    return docs


def _default(params: type[msgspec.Struct], name: str) -> str:
    field = next(one for one in msgspec.structs.fields(params) if one.name == name)
    if field.required:
        return ""
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return msgspec.json.encode(value).decode()


def _words(kind: Any) -> str:  # noqa: PLR0911 - a table of types
    match kind:
        case Metadata(type=inner):
            return _words(inner)
        case UnionType(types=types):
            return " or ".join(_words(one) for one in types if not isinstance(one, NoneType))
        case BoolType():
            return "true or false"
        case IntType() | FloatType():
            return f"{'number' if isinstance(kind, FloatType) else 'whole number'}{_bounds(kind)}"
        case StrType():
            return "text"
        case EnumType(cls=choices):
            return " or ".join(f"`{member.value}`" for member in choices)
        case VarTupleType() | ListType():
            return f"list of {_words(kind.item_type)}"
        case DictType():
            return f"{_words(kind.value_type)} by name"
        case StructType(fields=fields):
            return "{" + ", ".join(field.encode_name for field in fields) + "}"
        case _:
            return "value"


def _bounds(kind: IntType | FloatType) -> str:
    words = []
    for name, word in (("ge", "from"), ("gt", "above"), ("le", "to"), ("lt", "below")):
        value = getattr(kind, name)
        if value is not None:
            words.append(f"{word} {value:g}" if isinstance(value, float) else f"{word} {value}")
    return f" {' '.join(words)}" if words else ""
