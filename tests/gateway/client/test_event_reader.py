"""Events are the same however their bytes arrive, and a stream that breaks is an error."""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.client import Blocked, Disconnected, Done, NotAllowed, Sentence, Stage, Unavailable
from gateway.client.events import EventReader
from tests.gateway.client.test_exchange import ANSWER
from tests.gateway.client.typescript_client import read_typescript

ALL = (
    b": ping\n\n"
    b'id: 1\nevent: stage\ndata: {"stage": "checking"}\n\n'
    + 'id: 2\nevent: sentence\ndata: {"text": "Grüße, 日本。"}\n\n'.encode()
    + b'event: blocked\r\ndata: {"outcome": "blocked_output"}\r\n\r\n'
    b'event: of_tomorrow\ndata: {"x": 1}\n\n'
    b"event: done\ndata: " + json.dumps(ANSWER).encode() + b"\n\n"
)


def read_python(*pieces: bytes):
    reader = EventReader("r-1")
    events = [event for piece in pieces for event in reader.feed(piece)]
    reader.end()
    return events


@pytest.fixture(scope="module", params=[read_python, read_typescript], ids=["python", "typescript"])
def read(request):
    """Reads a stream with either client."""
    return request.param


@settings(deadline=None)  # another process reads, and others keep it waiting
@given(st.lists(st.integers(0, len(ALL)), max_size=30))
def test_bytes_may_be_cut_anywhere(read, cuts):
    edges = [0, *sorted(cuts), len(ALL)]
    events = read(*(ALL[start:end] for start, end in itertools.pairwise(edges)))
    assert events[:3] == [Stage("checking"), Sentence("Grüße, 日本。"), Blocked("blocked_output")]
    assert isinstance(events[3], Done)
    assert (len(events), events[3].answer.text) == (4, "Yes.")


@settings(deadline=None)  # another process reads, and others keep it waiting
@given(st.integers(0, len(ALL) - 2))
def test_a_stream_that_ends_before_its_answer_is_broken(read, end):
    with pytest.raises(Disconnected) as caught:
        read(ALL[:end])
    assert (caught.value.code, caught.value.request_id) == ("stream_broken", "r-1")


@pytest.mark.parametrize(
    ("kind", "code", "error"),
    [("server_error", "store_unavailable", Unavailable), ("permission_error", "insufficient_scope", NotAllowed)],
)
def test_an_error_in_the_stream_is_raised_as_what_it_is(read, kind, code, error):
    told = {"error": {"message": "No.", "type": kind, "param": None, "code": code}}
    with pytest.raises(error) as caught:
        read(b"event: error\ndata: " + json.dumps(told).encode() + b"\n\n")
    assert (caught.value.code, caught.value.request_id, caught.value.status) == (code, "r-1", None)


@settings(deadline=None)  # another process reads, and others keep it waiting
@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_what_is_promised(read, sent):
    with pytest.raises(Disconnected):
        read(b"event: done\ndata: " + sent + b"\n\n")
