"""The stream of an answer: however it is cut into pieces it says the same, and nonsense is an error of ours."""

import contextlib
import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import ModelError, ModelRefused, ModelUnavailable
from models.ports import FinishReason, Sampling
from models.upstream.prompts import UpstreamRequest
from models.upstream.stream import StreamedAnswer, server_words

REQUEST = UpstreamRequest("chat/completions", b"{}", Sampling(max_tokens=10))


def event(**choice):
    return f"data: {json.dumps({'choices': [{'index': 0, **choice}]}, ensure_ascii=False)}\n\n"


USAGE = 'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}\n\n'
GOOD = (
    ": keep alive\r\n\r\n"
    + event(delta={"role": "assistant", "content": None})
    + event(delta={"content": "Grüße, "}, finish_reason=None).replace("\n", "\r\n")
    + event(delta={"content": "السلام 🙂"})
    + event(delta={}, finish_reason="stop")
    + USAGE
    + "data:[DONE]\n\n"
).encode()


def read(data, cuts=(), request=REQUEST, on_text=lambda _: None):
    answer = StreamedAnswer(request, on_text)
    places = [0, *sorted(cuts), len(data)]
    for start, end in itertools.pairwise(places):
        answer.add(data[start:end])
    return answer.completion()


@given(st.lists(st.integers(0, len(GOOD)), max_size=60))
def test_pieces_of_any_size_make_the_same_answer(cuts):
    completion = read(GOOD, cuts)
    assert completion.text == "Grüße, السلام 🙂"
    assert (completion.finish_reason, completion.prompt_token_count) == (FinishReason.STOP, 3)


@given(st.lists(st.integers(0, len(GOOD)), max_size=60))
def test_what_is_told_as_it_comes_adds_up_to_the_answer_and_holds_no_part_of_a_stop_text(cuts):
    request = UpstreamRequest("chat/completions", b"{}", Sampling(max_tokens=10, stop=(", الس",)))
    told = []
    completion = read(GOOD, cuts, request, told.append)
    assert "".join(told) == completion.text == "Grüße"
    assert "" not in told


@settings(max_examples=300)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=8))
def test_a_damaged_stream_is_an_error_of_ours_or_an_answer(place, noise):
    with contextlib.suppress(ModelError):
        read(GOOD[:place] + noise + GOOD[place + len(noise) :])


@given(st.integers(0, len(GOOD) - len(b"[DONE]\n\n") - 1))
def test_a_stream_that_was_cut_is_never_an_answer(length):
    with pytest.raises(ModelUnavailable):
        read(GOOD[:length])


def test_what_comes_after_the_end_is_not_read():
    assert read(GOOD + event(delta={"content": "more"}).encode()).text == "Grüße, السلام 🙂"


def test_words_after_the_reason_to_end_are_an_error():
    late = event(delta={}, finish_reason="stop") + event(delta={"content": "more"})
    with pytest.raises(ModelUnavailable, match="spoke on"):
        read(late.encode())


def test_an_answer_without_words_is_an_answer():
    completion = read((event(delta={}, finish_reason="stop") + USAGE + "data: [DONE]\n\n").encode())
    assert (completion.text, completion.first_token_ms) == ("", completion.duration_ms)


@given(st.binary(max_size=600))
def test_any_error_body_becomes_one_short_line(body):
    words = server_words(body, "secret")
    assert len(words) <= 200
    assert not words or words.isprintable()


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"error":' * 5_000 + b"1" + b"}" * 5_000, b"null", b"[1, 2]"])
def test_a_hostile_error_body_becomes_words_too(body):
    assert len(server_words(body)) <= 200


def test_a_hostile_event_is_an_error_of_ours():
    for nested in (b'{"choices":' + b"[" * 50_000, b'{"other":' + b"[" * 50_000, b'{"error":' + b"[" * 50_000):
        with pytest.raises(ModelUnavailable):
            read(b"data: " + nested + b"\n\n")


def test_a_late_refusal_keeps_the_servers_words():
    with pytest.raises(ModelRefused, match="too long for me"):
        read(b'data: {"error": {"code": 400, "message": "too long\\u001b for me"}}\n\n')
