"""The JSON form that a prompt's author approved for its answers: a grammar to write them by, and a check of them.

A small part of JSON Schema is known, so that the grammar says exactly what the schema says. Objects have all of their
properties, in the order in which they are written, and no others.
"""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import jsonschema
import msgspec

from store.catalog import Catalog
from store.content import SLOT_MARK, Assistant, CanonicalPrompt, Generate

MAX_DEPTH: Final = 6
"""Of objects and lists within each other."""
_NOTES: Final = frozenset({"$schema", "title", "description"})
_KEYWORDS: Final[Mapping[str, frozenset[str]]] = {
    "object": frozenset({"properties", "required", "additionalProperties"}),
    "array": frozenset({"items", "minItems", "maxItems"}),
    "string": frozenset({"minLength", "maxLength"}),
}
_INTEGER: Final = '"-"? ("0" | [1-9] [0-9]{0,14})'
_SIMPLE: Final = {
    "integer": f"({_INTEGER})",
    "number": f'({_INTEGER} ("." [0-9]{{1,6}})?)',
    "boolean": '("true" | "false")',
    "null": '"null"',
}
_CHAR: Final = r'char ::= [^"\\\x00-\x1F] | "\\" ["\\n]'
_CACHED = 256


@lru_cache(_CACHED)
def grammar_of(schema_text: str) -> str:
    """Returns the grammar of all JSON texts that a schema allows, without blanks, as GBNF.

    Raises `ValueError`, in words, for what is no schema or says more than is known here.
    """
    schema = _read(schema_text)
    if schema.get("type") != "object":
        raise ValueError("answer_schema: an answer is an object: write type: object")
    return f"root ::= {_written(schema, 'answer_schema', 0)}\n{_CHAR}\n"


def canonical(schema: object) -> bytes:
    """Returns a schema as bytes that do not depend on the order of its names, or on blanks."""
    return msgspec.json.encode(schema, order="sorted")


def has_form(prompt: CanonicalPrompt, answer: str) -> bool:
    """Whether an answer has the form that its prompt states; every answer has where it states none."""
    schema = _stated(prompt)
    return not schema or _is_in_form(schema, answer)


def require_form(prompt: CanonicalPrompt) -> None:
    """Raises `ValueError` where a prompt's answers, or its fallback, could not have the form that it states."""
    if not isinstance(prompt.reply, Generate) or not (schema := _stated(prompt)):
        return
    if prompt.reply.sampling.grammar:
        raise ValueError("grammar and answer_schema both state a form: leave one out")
    grammar_of(schema)
    if SLOT_MARK.search(prompt.reply.fallback) or not _is_in_form(schema, prompt.reply.fallback):
        raise ValueError("the fallback takes an answer's place: write it in the form of answer_schema, without slots")


def schema_line(schema_text: str, words: str) -> int:
    """Returns the line of a schema, from 1, that the words of a `ValueError` are about."""
    try:
        json.loads(schema_text)
    except json.JSONDecodeError as error:
        return error.lineno
    except RecursionError:
        return 1
    at = 0
    for name in words.partition(": ")[0].split(".")[1:]:
        at = max(at, schema_text.find(json.dumps(name, ensure_ascii=False), at))
    return schema_text.count("\n", 0, at) + 1


def form_of(prompt: CanonicalPrompt) -> bytes | None:
    """Returns the canonical schema of a prompt's answers, None where it states none."""
    schema = _stated(prompt)
    return _canonical_form(schema) if schema else None


def is_approved(catalog: Catalog, assistant: Assistant, form: bytes) -> bool:
    """Whether one of the assistant's prompts states exactly this form."""
    prompts = (one.content for one in catalog.prompts.values())
    return any(prompt.area in assistant.areas and form_of(prompt) == form for prompt in prompts)


def _stated(prompt: CanonicalPrompt) -> str:
    return prompt.reply.sampling.answer_schema if isinstance(prompt.reply, Generate) else ""


def _is_in_form(schema_text: str, answer: str) -> bool:
    try:
        value = msgspec.json.decode(answer)
    except (msgspec.DecodeError, RecursionError):
        return False
    return _validator(schema_text).is_valid(value)


@lru_cache(_CACHED)
def _canonical_form(schema_text: str) -> bytes:
    return canonical(_read(schema_text))


def _read(schema_text: str) -> dict[str, object]:
    try:
        schema = msgspec.json.decode(schema_text, type=dict[str, object])
        jsonschema.Draft202012Validator.check_schema(schema)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(f"answer_schema: this is no object in JSON: {error}") from error
    except jsonschema.SchemaError as error:
        place = ".".join(map(str, ("answer_schema", *error.absolute_path)))
        raise ValueError(f"{place}: this is no JSON Schema: {error.message}") from error
    return schema


@lru_cache(_CACHED)
def _validator(schema_text: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(_read(schema_text))


def _written(schema: object, place: str, depth: int) -> str:
    """Returns the part of a grammar that a schema comes to."""
    if not isinstance(schema, dict):
        raise ValueError(f"{place}: write a schema with a type")  # noqa: TRY004 -- told like every other mistake
    if depth > MAX_DEPTH:
        raise ValueError(f"{place}: objects and lists stand {MAX_DEPTH} deep at most")
    if "enum" in schema or "const" in schema:
        return _values(schema, place)
    if "anyOf" in schema:
        _only(schema, {"anyOf"}, place)
        return _choice([_written(one, f"{place}.anyOf", depth + 1) for one in schema["anyOf"]])
    kind = schema.get("type")
    match kind:
        case [str() as one, "null"] | ["null", str() as one] if one != "null":
            return _choice([_written({**schema, "type": one}, place, depth), _SIMPLE["null"]])
        case "object" | "array" | "string":
            _only(schema, {"type", *_KEYWORDS[kind]}, place)
            return _COMPOUND[kind](schema, place, depth)
        case str() if kind in _SIMPLE:
            _only(schema, {"type"}, place)
            return _SIMPLE[kind]
    raise ValueError(f"{place}: write one type, or one and null")


def _only(schema: dict[str, object], known: set[str], place: str) -> None:
    if unknown := sorted(schema.keys() - known - _NOTES):
        raise ValueError(f"{place}: {unknown[0]} is not known here: {', '.join(sorted(known))} are")


def _values(schema: dict[str, object], place: str) -> str:
    _only(schema, {"type", "enum", "const"}, place)
    listed = schema.get("enum", [schema.get("const")])
    values = listed if isinstance(listed, list) else []
    if not values or any(isinstance(one, dict | list | float) for one in values):
        raise ValueError(f"{place}: list texts, whole numbers, true, false or null")
    validator = jsonschema.Draft202012Validator(schema)
    if wrong := [one for one in values if not validator.is_valid(one)]:
        raise ValueError(f"{place}: {wrong[0]!r} is listed, and not allowed")
    return _choice([_literal(one) for one in values])


def _object(schema: dict[str, object], place: str, depth: int) -> str:
    properties, required = schema.get("properties"), schema.get("required", [])
    if not isinstance(properties, dict) or not properties:
        raise ValueError(f"{place}: an object has properties")
    if not isinstance(required, list) or sorted(map(str, required)) != sorted(properties):
        raise ValueError(f"{place}: list every property in required; one that may be left out is of a type and null")
    if schema.get("additionalProperties") is not False:
        raise ValueError(f"{place}: write additionalProperties: false")
    parts = [f'{_literal(name)} ":" {_written(one, f"{place}.{name}", depth + 1)}' for name, one in properties.items()]
    return '("{" ' + ' "," '.join(parts) + ' "}")'


def _array(schema: dict[str, object], place: str, depth: int) -> str:
    item = _written(schema.get("items"), f"{place}.items", depth + 1)
    low, high = _counts(schema, "minItems", "maxItems", place)
    if high is None or high < 1:
        raise ValueError(f"{place}: a list has maxItems, 1 or more")
    more = f'({item} ("," {item}){{{max(low - 1, 0)},{high - 1}}})'
    return f'("[" {more}{"" if low else "?"} "]")'


def _string(schema: dict[str, object], place: str, _: int) -> str:
    low, high = _counts(schema, "minLength", "maxLength", place)
    return f'("\\"" char{{{low},{"" if high is None else high}}} "\\"")'


def _counts(schema: dict[str, object], least: str, most: str, place: str) -> tuple[int, int | None]:
    low, high = schema.get(least, 0), schema.get(most)
    if not isinstance(low, int) or not isinstance(high, int | None) or (high is not None and high < low):
        raise ValueError(f"{place}: {least} and {most} are whole numbers, the smaller one first")
    return low, high


_COMPOUND: Final[Mapping[str, Callable[[dict[str, object], str, int], str]]] = {
    "object": _object,
    "array": _array,
    "string": _string,
}


def _choice(options: list[str]) -> str:
    return f"({' | '.join(options)})"


def _literal(value: object) -> str:
    """Returns JSON as a literal of a grammar."""
    told = json.dumps(value, ensure_ascii=False)
    return '"' + told.replace("\\", "\\\\").replace('"', '\\"') + '"'
