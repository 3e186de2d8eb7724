"""JSON that is too deep or too large, or that is none, is refused before anything is made of it."""

import inspect
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar.connection import ASGIConnection

import gateway.http
from gateway.app import HANDLERS
from gateway.errors import InvalidRequest
from gateway.http.access import FILE_ROUTES, FORM_ROUTES, require_media_type
from gateway.http.bodies import MAX_DEPTH, read_object
from gateway.http.pages.guard import is_page

pytestmark = pytest.mark.anyio
HTTP = Path(gateway.http.__file__).parent
DECODES = {"bodies.py", "widget/calls.py", "pages/kept.py", "pages/sorting.py"}
"""Files that decode JSON: the one for bodies, and those that read back what the gateway itself wrote."""
WRITES = ("POST", "PUT", "PATCH", "DELETE")
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=40,
)


class Sent:
    """A request, as far as its body goes."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def body(self) -> bytes:
        return self._body


async def read(body: bytes):
    return await read_object(Sent(body))


async def refused(body: bytes) -> str:
    with pytest.raises(InvalidRequest) as told:
        await read(body)
    assert told.value.code == "invalid_json"
    return told.value.message


def nested(depth: int, *, kind: str) -> bytes:
    """Returns an object that is `depth` levels deep."""
    opening, closing = {"lists": ("[", "]"), "objects": ('{"a":', "}")}[kind]
    return ('{"a":' + opening * (depth - 1) + "1" + closing * (depth - 1) + "}").encode()


@pytest.mark.parametrize("kind", ["lists", "objects"])
async def test_the_deepest_body_is_read_and_one_level_more_is_not(kind):
    assert await read(nested(MAX_DEPTH, kind=kind))
    assert await refused(nested(MAX_DEPTH + 1, kind=kind)) == f"The body is nested deeper than {MAX_DEPTH} levels."


@pytest.mark.parametrize("depth", [100, 5_000, 200_000])
async def test_a_very_deep_body_is_told_as_such_whether_or_not_it_ends(depth):
    assert "deeper" in await refused(nested(depth, kind="lists"))
    assert "deeper" in await refused(b'{"a":' * depth)
    assert "deeper" in await refused(b"[" * depth + b"]" * depth)


@pytest.mark.parametrize("text", ["[" * 500, '\\"' + "[" * 500, "\\\\", '"{"[' * 99, "\\" * 7 + '"' + "{" * 99])
async def test_brackets_in_texts_are_no_depth(text):
    sent = {"text": text, text: ["{" * 50]}
    assert await read(json.dumps(sent).encode()) == sent
    assert await read(json.dumps(sent, ensure_ascii=False).encode()) == sent


@pytest.mark.parametrize("count", [33, 20_000])
async def test_many_values_beside_each_other_are_no_depth(count):
    assert len((await read(b'{"a":[' + b",".join([b"{}"] * count) + b"]}"))["a"]) == count


def depth_of(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


@given(ANYTHING, st.integers(0, 40), st.booleans())
@settings(max_examples=300, deadline=None)
async def test_whatever_is_shallow_comes_back_as_it_was_sent_and_nothing_else_does(value, wrapped, escapes):
    for number in range(wrapped):
        value = [value, "]["] if number % 2 else {"}{": value}
    sent = {"it": value}
    body = json.dumps(sent, ensure_ascii=escapes).encode("utf-8", "surrogatepass")
    if depth_of(sent) > MAX_DEPTH:
        assert "deeper" in await refused(body)
        return
    try:
        assert await read(body) == sent
    except InvalidRequest:
        assert any(0xD800 <= ord(char) <= 0xDFFF for char in repr(sent).encode().decode("unicode_escape"))


@given(st.binary(max_size=300) | st.text('[]{}":,\\ 0eE+-.nulltrue', max_size=300).map(str.encode))
@settings(max_examples=500, deadline=None)
async def test_any_bytes_are_an_object_or_the_callers_mistake(body):
    try:
        found = await read(body)
    except InvalidRequest:
        assert await refused(body)
    else:
        assert isinstance(found, dict)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" * 400 + ".0", "9" * 60_000, "1.8e308"])
async def test_a_number_out_of_range_is_told_as_such(number):
    assert await refused(f'{{"a":{number}}}'.encode()) == "A number in the body is out of range. Send a smaller one."


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "01", "+1", "0x10", "1_000", ".5", "'a'", "undefined"]
)
async def test_what_only_looks_like_a_value_is_none(value):
    assert await refused(f'{{"a":{value}}}'.encode()) == "The body is not valid JSON in UTF-8."


@pytest.mark.parametrize(
    "inner", [b'"a":1,"b":2,"a":[2]', b'"b":{"a":1,"a":1}', b'"b":[{"x":"a"},{"\\u0061":1,"a":2}]']
)
async def test_a_name_that_comes_twice_is_refused_as_another_reader_may_take_the_other_value(inner: bytes) -> None:
    assert await refused(b"{" + inner + b"}") == "The field `a` is there twice."


async def test_of_a_name_that_comes_twice_only_a_plain_one_is_repeated() -> None:
    assert await refused(b'{"<b>":1,"<b>":2}') == "The field is there twice."
    assert await read(b'{"a":{"a":[{"a":1},{"a":1}]}}') == {"a": {"a": [{"a": 1}, {"a": 1}]}}


def test_one_place_reads_json_from_bodies():
    decoding = re.compile(r"json\.decode\(|json\.loads\(|json\.load\(|request\.json\(")
    found = {str(path.relative_to(HTTP)) for path in HTTP.rglob("*.py") if decoding.search(path.read_text())}
    assert found == DECODES
    for handler in HANDLERS:
        assert "data" not in inspect.signature(handler.fn).parameters, "the framework would decode the body itself"


def connection(method: str, kind: str | None, length: bytes = b"20") -> ASGIConnection:
    headers = [(b"content-length", length)] + ([(b"content-type", kind.encode())] if kind is not None else [])
    return ASGIConnection({"type": "http", "method": method, "headers": headers, "path": "/", "state": {}})


@pytest.mark.parametrize(
    "kind",
    [
        *(None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"),
        *("text/json", "application/jsonx", "application/json, text/plain", "application/problem+json", "json"),
    ],
)
async def test_every_json_route_refuses_other_types(kind):
    seen = 0
    for handler in HANDLERS:
        if is_page(handler) or handler.paths & (FORM_ROUTES | FILE_ROUTES):
            continue
        for method in set(WRITES) & set(map(str, handler.http_methods)):
            with pytest.raises(InvalidRequest) as told:
                await require_media_type(connection(method, kind), handler)
            assert told.value.code == "unsupported_media_type", handler.paths
            await require_media_type(connection(method, "Application/JSON; charset=utf-8"), handler)
            seen += 1
    assert seen > 60


async def test_what_is_no_json_route_is_listed_and_takes_no_json():
    for handler in HANDLERS:
        if handler.paths & (FORM_ROUTES | FILE_ROUTES):
            with pytest.raises(InvalidRequest):
                await require_media_type(connection("POST", "application/json"), handler)
    assert {"/try"} == FORM_ROUTES
    assert {"/v1/admin/imports"} == FILE_ROUTES


async def test_a_body_in_pieces_has_a_type_as_well():
    chunked = ASGIConnection({"type": "http", "method": "POST", "headers": [(b"transfer-encoding", b"chunked")]})
    (handler,) = (one for one in HANDLERS if "/v1/chat" in one.paths)
    with pytest.raises(InvalidRequest):
        await require_media_type(chunked, handler)
