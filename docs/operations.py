"""The pages on every operation of the REST surface and every object in it, from the gateway's own description."""

import json
from collections.abc import Iterator, Mapping
from inspect import cleandoc
from typing import Any

Described = Mapping[str, Any]

FIRST = ("Questions", "Widget", "Operation", "Pages")
"""Parts that come before those of the admin surface."""
FAILED = 400


def operations(description: Described) -> str:
    """Returns the page on every operation, by part."""
    lines = [
        "# All operations",
        "",
        "For whoever writes a client: every route with its parameters, its body and its replies. What they mean",
        "together is in [the REST interface](../api.md), codes are in [errors](../guides/errors.md#all-codes).",
        "Generated from the description that a gateway gives at `/openapi.json`; `make docs` rewrites it, `make check`",
        "compares it.",
    ]
    parts: dict[str, list[str]] = {}
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            parts.setdefault(operation["tags"][0], []).extend(_operation(path, method, operation))
    for name in sorted(parts, key=lambda one: (FIRST.index(one) if one in FIRST else len(FIRST), one)):
        lines += ["", f"## {name}", *parts[name]]
    return "\n".join(lines) + "\n"


def objects(description: Described) -> str:
    """Returns the page on every object that is sent or comes back."""
    lines = [
        "# All objects",
        "",
        "For whoever writes a client: every object that is sent or comes back, with its fields. Generated as",
        "[all operations](operations.md) are. New fields come at any time",
        "([what you can rely on](../guides/changelog.md#what-you-can-rely-on)).",
    ]
    for name, schema in sorted(description["components"]["schemas"].items()):
        lines += ["", f"## {name}", "", *_object(schema)]
    return "\n".join(lines) + "\n"


def _operation(path: str, method: str, operation: Described) -> Iterator[str]:
    yield from ("", f"### `{method.upper()} {path}`", "", f"**{operation['summary']}.**", "")
    if text := operation.get("description"):
        yield from (text, "")
    if parameters := operation.get("parameters"):
        yield from ("| parameter | in | takes |", "|---|---|---|")
        for one in parameters:
            need = ", needed" if one.get("required") else ""
            said = " ".join(one.get("description", "").split())
            told = _kind(one["schema"]) + (_cell(f": {said}") if said else "")
            yield f"| `{one['name']}` | {one['in']}{need} | {told} |"
        yield ""
    if body := operation.get("requestBody"):
        yield from (f"Body: {_bodies(body['content'])}.", "")
    replies = [f"{status} {_bodies(reply.get('content', {}))}".strip() for status, reply in _good(operation)]
    failures = [status for status in operation["responses"] if status not in dict(_good(operation))]
    told = f"Replies: {'; '.join(replies)}." if replies else ""
    yield " ".join(filter(None, (told, f"Errors: {', '.join(failures)}." if failures else "")))


def _good(operation: Described) -> list[tuple[str, Described]]:
    return [(status, reply) for status, reply in operation["responses"].items() if int(status) < FAILED]


def _bodies(content: Described) -> str:
    return ", ".join(f"{_kind(one.get('schema', {}))} (`{kind}`)" for kind, one in content.items())


def _object(schema: Described) -> Iterator[str]:
    if text := schema.get("description"):
        yield from (" ".join(cleandoc(text).split()), "")
    if properties := schema.get("properties"):
        needed = schema.get("required", ())
        yield from ("| field | holds | |", "|---|---|---|")
        for name, one in properties.items():
            said = " ".join(one.get("description", "").split())
            default = f"`{json.dumps(one['default'])}` if left out" if "default" in one and name not in needed else ""
            yield f"| `{name}` | {_kind(one)} | {_cell('. '.join(filter(None, (said.rstrip('.'), default))))} |"
    else:
        yield f"{_kind(schema, is_alone=True)}"


def _kind(schema: Described, *, is_alone: bool = False) -> str:
    """Says what a value may be, for a cell of a table."""
    if reference := schema.get("$ref"):
        name = reference.rsplit("/", 1)[-1]
        return f"[{name}](objects.md#{name.lower()})"
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(_kind(one) for one in schema[several])
    if "enum" in schema:
        values = ", ".join(f"`{one}`" for one in schema["enum"])
        return f"One of {values}." if is_alone else values
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    more = schema.get("additionalProperties")
    return f"{_kind(more)} by name" if isinstance(more, Mapping) and more else _plain(schema)


def _plain(schema: Described) -> str:
    kinds = f"`{schema['const']}`" if "const" in schema else schema.get("type", "anything")
    told = " or ".join(kinds) if isinstance(kinds, list) else kinds
    return {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(told, told)


def _cell(text: str) -> str:
    return text.replace("|", chr(92) + "|")
