"""What is wrong with a body is told with its place, and never with what was sent."""

import msgspec
import pytest

from gateway.errors import InvalidRequest
from gateway.http.bodies import convert


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    size: int = 0


class Body(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    inner: Inner = msgspec.field(default_factory=Inner)


@pytest.mark.parametrize(
    ("sent", "message", "param"),
    [
        ({}, "Object missing required field `name`. See /openapi.json.", None),
        ({"name": 1}, "Expected `str` at `name`. See /openapi.json.", "name"),
        ({"name": "x", "reason": 1}, "There is no field `reason`. See /openapi.json.", "reason"),
        ({"name": "x", "inner": {"sise": 1}}, "There is no field `inner.sise`. See /openapi.json.", "inner.sise"),
        ({"name": "x", "my secret, typed here": 1}, "The value is not acceptable. See /openapi.json.", None),
        ({"name": "x", "a\nb": 1}, "The value is not acceptable. See /openapi.json.", None),
    ],
)
def test_the_field_is_named_and_the_value_is_not(sent, message, param) -> None:
    with pytest.raises(InvalidRequest) as told:
        convert(sent, Body, code="validation_error")
    assert (str(told.value), told.value.param) == (message, param)
