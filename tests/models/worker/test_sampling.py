"""Settings out of range, of another type, or that could not be sent to the worker: all are an error here."""

import math

import msgspec
import pytest

from models.ports import Sampling


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("max_tokens", (0, -1, 513, 2**63, 1.5, 8.0, True, None, "5", math.nan, math.inf)),
        ("temperature", (math.nan, math.inf, -math.inf, -0.1, 2.01, 1e-40, 5e-324, 10**400, True, "0", None)),
        ("top_p", (0.0, -0.0, math.nan, math.inf, 1.0000001, -1.0, 10**400, True, "1", None)),
        ("seed", (-1, 2**32, 1.0, True, None, math.nan, "7")),
        ("stop", (("a",) * 5, ("",), ("a" * 65,), ("\ud800",), "abc", ["a"], (1,), (None,), None)),
        ("grammar", ("a" * 4097, 'root ::= "a"\0', "\udfff", None, b"root", 1)),
    ],
)
def test_what_is_out_of_range_or_of_another_type_is_refused_by_its_name(name, values):
    for value in values:
        with pytest.raises(ValueError, match=f"^(a )?{name}"):
            Sampling(**{name: value})


@pytest.mark.parametrize(
    "settings",
    [
        {"max_tokens": 1, "temperature": 0, "top_p": 1, "seed": 2**32 - 1},
        {"max_tokens": 512, "temperature": 2.0, "top_p": 5e-324, "seed": 0},
        {"temperature": 1e-9, "stop": ("\0", "\U0001f389", "x" * 64, "\n"), "grammar": "x" * 4096},
    ],
)
def test_what_is_at_the_edge_reaches_the_worker_as_it_is(settings):
    sampling = Sampling(**settings)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(sampling), type=Sampling) == sampling
