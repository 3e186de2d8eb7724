"""Says what of an API's description would break a client of the one before: what was taken away or narrowed."""

from collections.abc import Iterator, Mapping
from typing import Any

METHODS = ("get", "head", "put", "post", "delete", "patch")


def breaking(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Returns what breaks, in words; empty when every client of `before` can go on as it is."""
    found = []
    for path, operations in before["paths"].items():
        if path not in now["paths"]:
            found.append(f"{path}: the path is gone")
            continue
        for method in METHODS:
            if method not in operations:
                continue
            place = f"{method.upper()} {path}"
            if method not in now["paths"][path]:
                found.append(f"{place}: the operation is gone")
            else:
                found += _operation(place, operations[method], now["paths"][path][method])
    sent, received = _used(before)
    for name in sorted(sent | received):
        schema = before["components"]["schemas"][name]
        after = now["components"]["schemas"].get(name)
        if after is None:
            continue  # under another name: where it is used tells what is different
        found += _schema(name, schema, after, is_sent=name in sent, is_received=name in received)
    return found


def _operation(place: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if before["operationId"] != now["operationId"]:
        yield f"{place}: the id is {now['operationId']} and was {before['operationId']}, which clients are made from"
    known = {(one["in"], one["name"]): one for one in before.get("parameters", ())}
    new = {(one["in"], one["name"]): one for one in now.get("parameters", ())}
    for where, name in known.keys() - new.keys():
        yield f"{place}: the {where} parameter {name} is gone"
    for key, one in new.items():
        if one.get("required") and not known.get(key, {}).get("required"):
            yield f"{place}: the {key[0]} parameter {key[1]} is needed now"
    for status in before["responses"].keys() - now["responses"].keys():
        if status.startswith("2"):
            yield f"{place}: the status {status} is gone"
    yield from _bodies(f"{place} request", before.get("requestBody", {}), now.get("requestBody", {}), is_request=True)
    for status in before["responses"].keys() & now["responses"].keys():
        yield from _bodies(f"{place} {status}", before["responses"][status], now["responses"][status], is_request=False)


def _bodies(place: str, before: Mapping[str, Any], now: Mapping[str, Any], *, is_request: bool) -> Iterator[str]:
    if is_request and now.get("required") and not before:
        yield f"{place}: a body is needed now"
    known, new = before.get("content", {}), now.get("content", {})
    for media in known.keys() - new.keys():
        yield f"{place}: {media} is gone"
    for media in known.keys() & new.keys():
        gone = _references(known[media]["schema"]) - _references(new[media]["schema"])
        for name in sorted(gone):
            yield f"{place}: {media} is no {name} any more"
        events = {one["event"] for one in known[media].get("x-sse-events", ())}
        for event in sorted(events - {one["event"] for one in new[media].get("x-sse-events", ())}):
            yield f"{place}: the event {event} is gone"


def _schema(
    place: str, before: Mapping[str, Any], now: Mapping[str, Any], *, is_sent: bool, is_received: bool
) -> Iterator[str]:
    """Compares a schema that clients send, receive, or both."""
    if before.get("type") != now.get("type"):
        yield f"{place}: the type is {now.get('type')} and was {before.get('type')}"
    if is_sent:
        yield from _narrowed(place, before, now)
    known, new = before.get("properties", {}), now.get("properties", {})
    needed, needed_now = set(before.get("required", ())), set(now.get("required", ()))
    yield from (f"{place}.{field}: the field is gone" for field in sorted(known.keys() - new.keys()))
    if is_sent:
        yield from (f"{place}.{field}: the field is needed now" for field in sorted(needed_now - needed))
    if is_received:
        missing = sorted((needed & new.keys()) - needed_now)
        yield from (f"{place}.{field}: the field may be missing now" for field in missing)
    for field in sorted(known.keys() & new.keys()):
        yield from _field(f"{place}.{field}", known[field], new[field], is_sent=is_sent, is_received=is_received)


def _narrowed(place: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Gives what was taken, and is not any more."""
    values, new_values = before.get("enum"), now.get("enum")
    if new_values is not None and values is None:
        yield f"{place}: only {new_values} are taken now"
    gone = [value for value in values or () if new_values is not None and value not in new_values]
    yield from (f"{place}: the value {value!r} is no longer taken" for value in gone)
    for name in ("minimum", "minLength", "minItems", "maximum", "maxLength", "maxItems"):
        old, new = before.get(name), now.get(name)
        if new is not None and (old is None or (new < old if name.startswith("max") else new > old)):
            yield f"{place}: {name} is {new} and was {old}"


def _field(
    place: str, before: Mapping[str, Any], now: Mapping[str, Any], *, is_sent: bool, is_received: bool
) -> Iterator[str]:
    known, new = _kinds(before), _kinds(now)
    if is_sent and (gone := known - new):
        yield f"{place}: no longer takes {', '.join(sorted(gone))}"
    if is_received and (more := new - known):
        yield f"{place}: may be {', '.join(sorted(more))} now"
    yield from _schema(place, {**before, "type": None}, {**now, "type": None}, is_sent=is_sent, is_received=is_received)
    if "items" in before and "items" in now:
        yield from _field(f"{place}[]", before["items"], now["items"], is_sent=is_sent, is_received=is_received)


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    """Returns what a value may be: types, and names of structs."""
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return set().union(*map(_kinds, choices))
    if "$ref" in schema:
        return {schema["$ref"].rpartition("/")[2]}
    return {str(schema.get("type", "anything"))}


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"].rpartition("/")[2]} if "$ref" in value else set()
        return own.union(*(_references(one) for one in value.values()))
    return set().union(*map(_references, value)) if isinstance(value, list) else set()


def _used(document: Mapping[str, Any]) -> tuple[set[str], set[str]]:
    """Returns the names of schemas that clients send, and of those that they receive, with all that is inside them."""
    sent: set[str] = set()
    received: set[str] = set()
    for operations in document["paths"].values():
        for operation in operations.values():
            bodies = [one["schema"] for one in operation.get("requestBody", {}).get("content", {}).values()]
            sent |= _references(bodies)
            received |= _references([one for one in operation["responses"].values() if "$ref" not in one])
    for response in document["components"].get("responses", {}).values():
        received |= _references([one["schema"] for one in response["content"].values()])
    schemas = document["components"]["schemas"]
    return _closed(sent & schemas.keys(), schemas), _closed(received & schemas.keys(), schemas)


def _closed(names: set[str], schemas: Mapping[str, Any]) -> set[str]:
    while more := set().union(*(_references(schemas[one]) for one in names)) & schemas.keys() - names:
        names |= more
    return names
