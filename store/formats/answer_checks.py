"""What a test set may say about the words of an answer; every check ends in a time that grows with the answer alone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import jsonschema
import msgspec
import numpy as np
from jsonschema.validators import extend
from msgspec import Meta

from store.content import Document, Text
from store.errors import InvalidContent
from store.slot_values import compile_pattern
from store.vectors import Embed

MOST_CHARS = 20_000
"""Of an answer; more is not looked at, and fails."""
_MOST_PARTS = 500
"""Objects and lists of a schema."""
_KEYWORDS = frozenset(
    {
        "$schema",
        "title",
        "description",
        "type",
        "enum",
        "const",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "prefixItems",
        "contains",
        "minItems",
        "maxItems",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minProperties",
        "maxProperties",
        "pattern",
        "propertyNames",
        "anyOf",
        "allOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
    }
)
"""A keyword that nobody knows checks nothing. References are not among them: they may refer to themselves."""
_NAMED, _LISTED = frozenset({"properties"}), frozenset({"prefixItems", "anyOf", "allOf", "oneOf"})
_SINGLE = frozenset({"additionalProperties", "items", "contains", "propertyNames", "not", "if", "then", "else"})


class AnswerCheck(Document, frozen=True, kw_only=True, tag_field="check"):
    """Something that must hold of the answer."""


class Contains(AnswerCheck, frozen=True, kw_only=True, tag="contains"):
    """A text stands in the answer, in these letters but for small and capital ones."""

    text: Text


class Matches(AnswerCheck, frozen=True, kw_only=True, tag="regex"):
    """A pattern is found in the answer (RE2: there are no patterns that never end)."""

    pattern: Text

    def __post_init__(self) -> None:
        try:
            compile_pattern(self.pattern)
        except InvalidContent as error:
            raise ValueError(f"{error}. Write it without look-around or back-references.") from error


class FitsSchema(AnswerCheck, frozen=True, kw_only=True, tag="json_schema"):
    """The answer is JSON, and fits a JSON Schema (2020-12) without references."""

    schema: dict[str, Any]

    def __post_init__(self) -> None:
        if problem := next(_wrong_in(self.schema), None):
            raise ValueError(f"schema: {problem}")
        try:
            _Validator.check_schema(self.schema)
        except jsonschema.SchemaError as error:
            place = ".".join(map(str, error.absolute_path)) or "the schema"
            raise ValueError(f"schema: {place}: {error.message[:200]}") from error


class Resembles(AnswerCheck, frozen=True, kw_only=True, tag="similarity"):
    """The answer means about the same as a text."""

    text: Text
    at_least: Annotated[float, Meta(gt=0, le=1)]
    """Cosine of both, as the embedder has it."""


AnyCheck = Contains | Matches | FitsSchema | Resembles


def failure_of(check: AnyCheck, answer: str, embed: Embed) -> str:
    """Returns in words what does not hold, without quoting the answer; empty when the check holds.

    What `embed` raises passes through.
    """
    if len(answer) > MOST_CHARS:
        return f"the answer has more than {MOST_CHARS} characters"
    match check:
        case Contains(text=text):
            return "" if text.casefold() in answer.casefold() else f"the answer does not contain {text!r}"
        case Matches(pattern=pattern):
            return "" if compile_pattern(pattern).search(answer) else f"the answer does not match {pattern!r}"
        case FitsSchema(schema=schema):
            return _misfit(schema, answer)
        case Resembles(text=text, at_least=wanted):
            return _difference(text, answer, wanted, embed)


def _misfit(schema: Mapping[str, Any], answer: str) -> str:
    try:
        value = msgspec.json.decode(answer)
        error = next(iter(_Validator(schema).iter_errors(value)), None)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return "the answer is not JSON"
    if error is None:
        return ""
    place = ".".join(map(str, error.absolute_path)) or "the whole"
    return f"the answer does not fit the schema: {place} breaks `{error.validator}`"


def _difference(text: str, answer: str, wanted: float, embed: Embed) -> str:
    if not answer.strip():
        return "the answer is empty"
    vectors = embed([text, answer])
    found = float(np.dot(vectors[0], vectors[1]))
    return "" if found >= wanted else f"the answer resembles the text by {found:.2f}, and {wanted:.2f} is wanted"


def _wrong_in(schema: object) -> Iterator[str]:
    """Gives what of a schema would not be checked, or not be done in time. Takes no recursion: depth is bounded too."""
    waiting: list[object] = [schema]
    parts = 0
    while waiting:
        one = waiting.pop()
        if isinstance(one, bool):
            continue
        if not isinstance(one, Mapping):
            yield "a part of it is neither an object nor true or false."
            return
        parts += 1
        if parts > _MOST_PARTS:
            yield f"it has more than {_MOST_PARTS} parts. Check less."
            return
        for keyword, value in one.items():
            if keyword not in _KEYWORDS:
                yield f"{keyword!r} is not checked here. Known are: {', '.join(sorted(_KEYWORDS))}."
                return
            if keyword == "pattern":
                try:
                    compile_pattern(value if isinstance(value, str) else "")
                except InvalidContent as error:
                    yield f"{error}. Write it without look-around or back-references."
                    return
            waiting += _below(keyword, value)


def _below(keyword: str, value: object) -> Sequence[object]:
    if keyword in _NAMED:
        return tuple(value.values()) if isinstance(value, Mapping) else ()
    if keyword in _LISTED:
        return tuple(value) if isinstance(value, list | tuple) else ()
    return (value,) if keyword in _SINGLE else ()


def _pattern(
    _validator: object, pattern: str, instance: object, _schema: object
) -> Iterator[jsonschema.ValidationError]:
    if isinstance(instance, str) and not compile_pattern(pattern).search(instance):
        yield jsonschema.ValidationError("it does not match the pattern")


_Validator: type[Any] = extend(  # type: ignore[no-untyped-call]  # its stubs have no types for it
    jsonschema.Draft202012Validator, {"pattern": _pattern}
)
