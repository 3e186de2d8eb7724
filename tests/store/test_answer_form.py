"""An approved form: the grammar writes nothing but what the schema allows, and what is no such schema is told."""

import json
import random

import jsonschema
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.worker.byte_table import DEAD, ByteTable
from store.answer_form import canonical, form_of, grammar_of, has_form, require_form
from store.content import CanonicalPrompt

NOTE = {
    "type": "object",
    "properties": {"office": {"enum": ["Leeds", 'Lisbon "B"', 7, None]}, "note": {"type": ["string", "null"]}},
    "required": ["office", "note"],
    "additionalProperties": False,
}


def object_of(properties, **more):
    listed = list(properties)
    return {"type": "object", "properties": properties, "required": listed, "additionalProperties": False, **more}


def prompt_of(schema="", fallback='{"office":"Leeds","note":null}', **sampling):
    document = {
        "key": "it.note",
        "title": "Note",
        "area": "it",
        "owner": "Desk",
        "language": "en",
        "review_by": "2027-06-30",
        "phrasings": ["Note it"],
        "reply": {
            "mode": "generate",
            "prompt": "Say it.",
            "facts": "It is so.",
            "fallback": fallback,
            "sampling": {"answer_schema": schema if isinstance(schema, str) else json.dumps(schema), **sampling},
        },
    }
    return msgspec.convert(document, CanonicalPrompt)


SCALARS = st.sampled_from(
    [
        {"type": "integer"},
        {"type": "number"},
        {"type": "boolean"},
        {"type": "null"},
        {"type": ["null", "integer"]},
        {"type": "string", "minLength": 1, "maxLength": 4},
        {"type": "string", "description": "of any length"},
        {"type": "string", "enum": ["a", "ü\\\n"]},
        {"const": True},
    ]
)
NAMES = st.text(min_size=1, max_size=4)
SCHEMAS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner, min_size=1, max_size=3).map(object_of),
        st.tuples(inner, st.integers(0, 2)).map(
            lambda two: {"type": "array", "items": two[0], "maxItems": 3, "minItems": two[1]}
        ),
        st.lists(inner, min_size=1, max_size=2).map(lambda options: {"anyOf": options}),
    ),
    max_leaves=5,
)


def walked(table: ByteTable, chance: random.Random) -> bytes:
    """Goes through a grammar by chance; after 300 bytes by the ways that end soonest."""
    left = np.where(table.is_end, 0, len(table.is_end))
    for _ in left:
        nearer = np.minimum(left, np.where(table.next == DEAD, len(left), left[table.next] + 1).min(axis=1))
        if (nearer == left).all():
            break
        left = nearer
    state, written = 0, bytearray()
    while True:
        ways = [(byte, int(to)) for byte, to in enumerate(table.next[state]) if to != DEAD]
        if table.is_end[state] and (not ways or chance.random() < 0.5):
            return bytes(written)
        if len(written) > 300:
            ways = [min(ways, key=lambda one: left[one[1]])]
        byte, state = chance.choice(ways)
        written.append(byte)


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(NAMES, SCHEMAS, min_size=1, max_size=3).map(object_of), st.randoms(use_true_random=False))
def test_whatever_the_grammar_allows_the_schema_allows_too(schema, chance):
    table = ByteTable(grammar_of(json.dumps(schema)))
    prompt = prompt_of(schema)
    for _ in range(3):
        written = walked(table, chance).decode()
        assert jsonschema.Draft202012Validator(schema).is_valid(json.loads(written)), written
        assert has_form(prompt, written)
        assert not has_form(prompt, written[:-1])


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("{", "no object in JSON"),
        ("[]", "no object in JSON"),
        ("[" * 4000, "no object in JSON"),
        ({"type": "circle"}, "no JSON Schema"),
        ({"type": "string"}, "type: object"),
        ({"type": "object"}, "has properties"),
        (object_of({"a": {"type": "string", "pattern": "(a+)+"}}), "pattern is not known"),
        (object_of({"a": {"type": "integer", "maximum": 3}}), "maximum is not known"),
        (object_of({"a": {"$ref": "#"}}), "one type"),
        (object_of({"a": {}}), "one type"),
        (object_of({"a": True}), "a schema with a type"),
        (object_of({"a": {"type": "array", "items": {"type": "null"}}}), "maxItems"),
        (object_of({"a": {"type": "string", "maxLength": 1, "minLength": 2}}), "smaller one first"),
        (object_of({"a": {"type": "integer", "enum": ["x"]}}), "listed, and not allowed"),
        (object_of({"a": {"enum": [1.5]}}), "whole numbers"),
        (object_of({"a": {"type": "null"}}, required=[]), "every property"),
        (object_of({"a": {"type": "null"}}, additionalProperties=True), "additionalProperties: false"),
        (object_of({"a": {"type": ["string", "integer"]}}), "one type"),
    ],
)
def test_what_the_grammar_could_not_say_is_told(schema, words):
    with pytest.raises(ValueError, match=words):
        require_form(prompt_of(schema))


def test_a_schema_that_is_too_deep_is_told():
    schema = {"type": "null"}
    for _ in range(8):
        schema = object_of({"a": schema})
    with pytest.raises(ValueError, match="deep at most"):
        grammar_of(json.dumps(schema))


@pytest.mark.parametrize(
    ("fallback", "more", "words"),
    [
        ("It is so.", {}, "fallback"),
        ('{"office":"Paris","note":null}', {}, "fallback"),
        ('{"office":"Leeds","note":null}', {"grammar": 'root ::= "x"'}, "leave one out"),
    ],
)
def test_a_fallback_has_the_form_and_only_one_form_is_stated(fallback, more, words):
    with pytest.raises(ValueError, match=words):
        require_form(prompt_of(NOTE, fallback, **more))
    require_form(prompt_of(NOTE))
    require_form(prompt_of("", fallback))


def test_two_texts_of_one_schema_are_the_same_form_and_another_is_not():
    turned = {name: NOTE[name] for name in reversed(NOTE)}
    assert form_of(prompt_of(json.dumps(NOTE, indent=2))) == canonical(turned) == form_of(prompt_of(turned))
    assert form_of(prompt_of(NOTE)) != canonical(NOTE | {"title": "Note"})
    assert form_of(prompt_of("")) is None
    assert has_form(prompt_of(""), "anything")
