"""A server that is gone, slow, broken or hostile ends one request with the right error, and in time."""

import json
import socket
import time

import pytest

from models.errors import ModelBusy, ModelRefused, ModelTimeout, ModelUnavailable
from models.upstream import client as upstream_client
from models.upstream.breaker import BreakerLimits
from models.upstream.target import PromptStyle
from models.worker.limits import ModelState
from tests.models.upstream.fake_upstream import answer, fake_upstream
from tests.models.upstream.upstreams import ask, upstream

GOOD = answer("The office opens at eight.")


def unused_url():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


def reset(exchange):
    exchange.reset()


def reset_after_the_head(exchange):
    exchange.head()
    exchange.data('{"choices": [{"delta": {"role": "assistant", "content": null}}]}')
    time.sleep(0.02)
    exchange.reset()


def reset_after_a_token(exchange):
    exchange.head()
    exchange.token("The")
    time.sleep(0.05)
    exchange.reset()


def says_nothing(exchange):
    exchange.wait_closed()


def ends_early(exchange):
    exchange.head()
    exchange.token("The")
    exchange.send(b"0\r\n\r\n")


def drips(exchange):
    exchange.head()
    while True:
        exchange.data('{"choices": [{"delta": {"content": null}}]}')
        time.sleep(0.02)


def drips_headers(exchange):
    exchange.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        exchange.send(b"X-Slow: 1\r\n")
        time.sleep(0.02)


def no_end_of_line(exchange):
    exchange.head()
    while True:
        exchange.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")


def no_end_of_comments(exchange):
    exchange.head()
    while True:
        exchange.send(b"10000\r\n" + (b":" + b"x" * 62 + b"\n") * 1024 + b"\r\n")


def no_end_of_words(exchange):
    exchange.head()
    while True:
        exchange.token("word ")


def no_end_of_headers(exchange):
    exchange.send(b"HTTP/1.1 200 OK\r\n")
    while True:
        exchange.send(b"X-More: " + b"x" * 8192 + b"\r\n")


def raw(body: bytes, kind: str = "text/event-stream", extra: str = ""):
    def act(exchange):
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
        exchange.send(head.encode() + body)

    return act


def events(*texts: str):
    return raw("".join(f"data: {text}\n\n" for text in texts).encode())


def status(code: int, body: str = '{"error": {"message": "no"}}', **headers: str):
    return lambda exchange: exchange.error(code, body, **headers)


def test_a_refused_connection_is_unavailable_after_some_tries():
    with upstream(unused_url()) as model:
        assert model.state is ModelState.DOWN
        started = time.monotonic()
        with pytest.raises(ModelUnavailable, match="ClientConnectorError"):
            ask(model)
        assert time.monotonic() - started < 5.0


@pytest.mark.parametrize(
    "first", [reset, reset_after_the_head, status(502), status(503), status(429), status(503, Retry_After="0")]
)
def test_what_fails_before_the_first_token_is_tried_again(first):
    with fake_upstream(GOOD, first) as server, upstream(server.url) as model:
        assert ask(model).text == "The office opens at eight."
    assert len(server.seen) == 2


def test_it_is_tried_three_times_and_no_more():
    with fake_upstream(reset) as server, upstream(server.url) as model:
        with pytest.raises(ModelUnavailable):
            ask(model)
        assert len(server.seen) == 3


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (reset_after_a_token, "connection to the upstream failed"),
        (ends_early, "ended in the middle"),
        (status(500, "secret words of the server"), "answered 500$"),
        (status(504), "answered 504$"),
        (status(302, Location="http://127.0.0.1:1/"), "redirects are not followed"),
        (status(204, ""), "answered 204$"),
        (raw(b"<html></html>", "text/html"), "without a stream"),
        (raw(b"{}", "application/json"), "without a stream"),
        (raw(b"\x1f\x8b", extra="Content-Encoding: gzip\r\n"), "compressed"),
        (events("not json"), "not the JSON"),
        (events('{"choices": 3}'), "not the JSON"),
        (events('{"choices": [{"delta": {"content": 3}}]}'), "not the JSON"),
        (events('{"choices": [{"delta": {"content": "\\ud800"}}]}'), "not the JSON"),
        (raw(b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n'), "not the JSON"),
        (events('{"choices": [{"index": 1, "delta": {"content": "a"}}]}'), "several answers"),
        (events('{"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}'), "neither stop nor length"),
        (events('{"choices": [{"delta": {}, "finish_reason": "content_filter"}]}'), "neither stop nor length"),
        (events('{"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}', "[DONE]"), "count its tokens"),
        (events('{"usage": {"prompt_tokens": -1, "completion_tokens": 1}}'), "make no sense"),
        (events('{"error": {"message": "slot crashed", "code": 500}}'), "broke off"),
        (events('{"error": "anything"}'), "broke off"),
        (raw(b'error: {"code":500,"message":"x"}\n\n'), "broke off"),
        (events("[DONE]"), "ended in the middle"),
        (raw(b""), "ended in the middle"),
        (no_end_of_line, "does not end"),
        (no_end_of_comments, "far too long"),
        (no_end_of_words, "max_tokens"),
    ],
)
def test_a_broken_answer_is_unavailable_and_not_asked_for_again(act, words):
    with fake_upstream(GOOD, act) as server, upstream(server.url) as model:
        with pytest.raises(ModelUnavailable, match=words):
            ask(model)
        assert len(server.seen) == 1
        assert ask(model).text == "The office opens at eight."


@pytest.mark.parametrize("act", [lambda exchange: exchange.send(b"what?\r\n\r\n"), no_end_of_headers])
@pytest.mark.parametrize("style", [PromptStyle.CHAT, PromptStyle.TOKENS])
def test_what_is_no_http_is_unavailable(act, style):
    with (
        fake_upstream(act) as server,
        upstream(server.url, style=style) as model,
        pytest.raises(ModelUnavailable),
    ):
        ask(model)


@pytest.mark.parametrize("act", [says_nothing, drips, drips_headers])
def test_a_slow_answer_ends_at_the_deadline_and_leaves_no_connection(act):
    with fake_upstream(GOOD, act) as server, upstream(server.url) as model:
        started = time.monotonic()
        with pytest.raises(ModelTimeout):
            ask(model, timeout_s=0.3)
        assert 0.25 < time.monotonic() - started < 2.0
        assert ask(model).text == "The office opens at eight."


@pytest.mark.parametrize("style", [PromptStyle.CHAT, PromptStyle.TOKENS])
def test_a_server_that_is_silent_for_long_is_broken_and_not_just_late(monkeypatch, style):
    monkeypatch.setattr(upstream_client, "SILENCE_S", 0.2)
    once = BreakerLimits(failures=1)
    with fake_upstream(says_nothing) as server, upstream(server.url, style=style, breaker=once) as model:
        with pytest.raises(ModelUnavailable, match="silent"):
            ask(model)
        assert model.state is ModelState.OPEN


def test_a_server_without_room_is_busy_when_the_deadline_leaves_no_time_to_wait():
    with fake_upstream(status(429, Retry_After="30")) as server, upstream(server.url) as model:
        started = time.monotonic()
        with pytest.raises(ModelBusy) as busy:
            ask(model, timeout_s=10.0)
        assert (busy.value.retry_after_s, len(server.seen)) == (30.0, 1)
        assert time.monotonic() - started < 5.0


def test_the_server_is_not_asked_again_before_it_said():
    with fake_upstream(GOOD, status(429, Retry_After="1")) as server, upstream(server.url) as model:
        started = time.monotonic()
        assert ask(model).text
        assert time.monotonic() - started >= 1.0
    assert len(server.seen) == 2


@pytest.mark.parametrize("value", ["soon", "-1", "9" * 400, "Sun, 06 Nov 1994 08:49:37 GMT", "\x00"])
def test_a_retry_after_that_makes_no_sense_is_not_waited_for(value):
    assert (upstream_client._retry_after_s(value) or 0.0) == 0.0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"error": {"message": "the request exceeds the context size"}}', "exceeds the context size"),
        ('{"error": "plain"}', "plain"),
        ('{"detail": [{"msg": "field required"}]}', "field required"),
        ("<h1>Bad Request</h1>", "Bad Request"),
        ("\x1b[31mred\r\nX-Injected: 1", "red X-Injected"),
        ("", "400: $"),
    ],
)
def test_a_refusal_carries_the_servers_words_on_one_line(body, words):
    with fake_upstream(status(400, body)) as server, upstream(server.url) as model:
        with pytest.raises(ModelRefused, match=words.replace("[", r"\[")) as refused:
            ask(model)
        assert len(server.seen) == 1
    assert str(refused.value).isprintable()


def test_a_refusals_words_are_cut():
    body = json.dumps({"error": {"message": "x" * 100_000}})
    with (
        fake_upstream(status(400, body)) as server,
        upstream(server.url) as model,
        pytest.raises(ModelRefused) as refused,
    ):
        ask(model)
    assert len(str(refused.value)) < 250


def test_a_refusal_whose_words_never_come_is_a_refusal_all_the_same():
    def act(exchange):
        exchange.send(b"HTTP/1.1 400 No\r\nContent-Length: 100\r\n\r\n{")
        exchange.wait_closed()

    with fake_upstream(act) as server, upstream(server.url) as model:
        started = time.monotonic()
        with pytest.raises(ModelRefused):
            ask(model)
        assert time.monotonic() - started < 5.0


def test_a_refusal_in_the_stream_is_a_refusal():
    late = events('{"error": {"message": "exceeds the context", "code": 400}}')
    with fake_upstream(late) as server, upstream(server.url) as model, pytest.raises(ModelRefused, match="exceeds"):
        ask(model)


def test_a_server_that_ignores_stop_is_cut_by_us():
    def act(exchange):
        exchange.body.pop("stop")
        answer("one two END three")(exchange)

    with fake_upstream(act) as server, upstream(server.url) as model:
        assert ask(model, stop=("END",)).text == "one two "
