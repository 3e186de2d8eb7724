"""What a client sends and when it sends it again: the steps of a call, without any network."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.client import Disconnected, NotAllowed, RateLimited, RequestRefused, Retrying, Unavailable
from gateway.client.calls import Asked, chat, models
from gateway.client.exchange import GRACE_S, Lost, Pause, Received, Send, exchange
from tests.gateway.client.typescript_client import TypeScriptPlayed

ANSWER = {
    "id": "d1",
    "outcome": "answered",
    "text": "Yes.",
    "source": "verbatim",
    "prompt": None,
    "suggestions": [],
    "slot": None,
    "contact": None,
    "has_quoted_text": False,
    "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    "policy_version": "desk@1",
    "store_revision": 1,
    "reference": "r1",
    "a_field_of_tomorrow": {"x": 1},
}
FINE = Received(200, {}, json.dumps(ANSWER).encode())
ASKED = Asked(assistant="desk", message="Is it open?")


def failed(status, code="some_code", kind="server_error", **headers):
    body = {"error": {"message": "It failed.", "type": kind, "param": None, "code": code}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Received(status, {"x-request-id": "r-9", **named}, json.dumps(body).encode())


class Played:
    """Drives a call with replies that are given in turn; its time passes only while it pauses."""

    def __init__(self, *heard, most=2, timeout_s=30.0, chance=0.0, took_s=0.0, key=None):
        self.now_s = 100.0
        self.sent: list[Send] = []
        self.pauses: list[float] = []
        self._heard = list(heard)
        self._took_s = took_s
        retrying = Retrying(most=most, clock=lambda: self.now_s, chance=lambda: chance)
        self._steps = exchange(chat(ASKED, idempotency_key=key, timeout_s=timeout_s), retrying)

    def run(self):
        heard = None
        while True:
            try:
                step = self._steps.send(heard)
            except StopIteration as done:
                return done.value
            if isinstance(step, Pause):
                self.pauses.append(step.seconds)
                self.now_s += step.seconds
                heard = None
            else:
                self.sent.append(step)
                self.now_s += self._took_s
                heard = self._heard.pop(0)


@pytest.fixture(scope="module", params=[Played, TypeScriptPlayed], ids=["python", "typescript"])
def play(request):
    """Plays replies to either client."""
    return request.param


def test_a_call_that_works_is_sent_once_with_a_key_of_its_own_and_the_time_it_has(play):
    played = play(FINE)
    assert played.run().text == "Yes."
    (sent,) = played.sent
    assert (sent.method, sent.path) == ("POST", "/v1/chat")
    assert json.loads(sent.body) == {"assistant": "desk", "message": "Is it open?"}
    assert len(sent.headers["idempotency-key"]) == 32
    assert sent.headers["x-canongate-timeout-ms"] == "30000"
    assert sent.timeout_s == 30.0 + GRACE_S


def test_two_calls_have_two_keys_and_a_key_of_the_callers_is_kept(play):
    first, second, mine = play(FINE), play(FINE), play(FINE, key="order-4711")
    for played in (first, second, mine):
        played.run()
    keys = [played.sent[0].headers["idempotency-key"] for played in (first, second, mine)]
    assert keys[0] != keys[1]
    assert keys[2] == "order-4711"


@pytest.mark.parametrize(
    "turned_away",
    [
        failed(503, "queue_full", x_should_retry="true", retry_after="1"),
        failed(429, "rate_limit_exceeded", "rate_limit_error", retry_after="1"),
        failed(409, "idempotency_in_progress", "invalid_request_error", x_should_retry="true"),
        Received(502, {}, b"<html>Bad gateway</html>"),
        Lost(is_late=False),
    ],
)
def test_what_may_work_later_is_sent_again_the_same_and_with_the_same_key(play, turned_away):
    played = play(turned_away, turned_away, FINE)
    assert played.run().outcome == "answered"
    assert len(played.sent) == 3
    assert len({(one.body, one.headers["idempotency-key"]) for one in played.sent}) == 1


@pytest.mark.parametrize(
    ("refused", "kind"),
    [
        (failed(400, "invalid_value", "invalid_request_error"), RequestRefused),
        (failed(401, "invalid_api_key", "authentication_error"), NotAllowed),
        (failed(403, "insufficient_scope", "permission_error"), NotAllowed),
        (failed(404, "model_not_found", "invalid_request_error"), RequestRefused),
        (failed(409, "conflict", "invalid_request_error", x_should_retry="false"), RequestRefused),
        (failed(409, "conflict", "invalid_request_error"), RequestRefused),
        (failed(422, "message_too_long", "invalid_request_error"), RequestRefused),
        (failed(500, "internal_error", x_should_retry="false"), Unavailable),
        (failed(503, "rails_unavailable", x_should_retry="false"), Unavailable),
        (Received(418, {}, b"a teapot"), RequestRefused),
        (Received(500, {}, b"oh"), Unavailable),
        (Lost(is_late=True), Disconnected),
    ],
)
def test_what_no_repetition_mends_is_raised_after_one_request(play, refused, kind):
    played = play(refused)
    with pytest.raises(kind) as caught:
        played.run()
    assert type(caught.value) is kind
    assert len(played.sent) == 1
    assert caught.value.advice in str(caught.value)


def test_an_error_says_everything_that_helps(play):
    with pytest.raises(Unavailable) as caught:
        play(failed(503, "rails_unavailable", x_should_retry="false")).run()
    error = caught.value
    assert (error.code, error.status, error.request_id) == ("rails_unavailable", 503, "r-9")
    assert str(error) == (
        "It failed. [rails_unavailable] (request r-9) "
        "Asking again does not help: tell the gateway's operator the request id."
    )


def test_the_last_error_is_raised_when_nothing_helped(play):
    played = play(*[failed(429, "rate_limit_exceeded", "rate_limit_error", retry_after="2")] * 3)
    with pytest.raises(RateLimited) as caught:
        played.run()
    assert caught.value.retry_after_s == 2.0
    assert len(played.sent) == 3


@settings(deadline=None)  # another process reads, and others keep it waiting
@given(st.integers(0, 20), st.floats(0, 1), st.integers(0, 5))
def test_no_pause_is_shorter_than_the_gateway_says(play, retry_after, chance, most):
    turned_away = failed(503, "queue_full", x_should_retry="true", retry_after=str(retry_after))
    played = play(*[turned_away] * (most + 1), most=most, chance=chance, timeout_s=10_000.0)
    with pytest.raises(Unavailable):
        played.run()
    assert len(played.pauses) == most
    assert all(retry_after <= pause <= retry_after * 1.25 for pause in played.pauses)


def test_pauses_without_a_word_of_the_gateway_grow_and_end_somewhere(play):
    played = play(*[Lost(is_late=False)] * 9, most=8, chance=1.0, timeout_s=1000.0)
    with pytest.raises(Disconnected):
        played.run()
    assert played.pauses == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_a_pause_that_leaves_no_time_is_not_begun(play):
    played = play(failed(429, "rate_limit_exceeded", "rate_limit_error", retry_after="31"))
    with pytest.raises(RateLimited) as caught:
        played.run()
    assert caught.value.retry_after_s == 31.0
    assert not played.pauses


def test_a_repetition_tells_the_gateway_only_the_time_that_is_left(play):
    turned_away = failed(503, "queue_full", x_should_retry="true", retry_after="4")
    played = play(turned_away, FINE, took_s=5.0, timeout_s=20.0)
    played.run()
    assert [one.headers["x-canongate-timeout-ms"] for one in played.sent] == ["20000", "11000"]


@settings(deadline=None)  # another process reads, and others keep it waiting
@given(st.binary(max_size=200))
def test_a_reply_of_anything_else_is_an_error_of_the_client_and_never_another(play, body):
    with pytest.raises(Unavailable) as caught:
        play(Received(200, {}, body)).run()
    assert caught.value.code == "unreadable_reply"


@settings(deadline=None)  # another process reads, and others keep it waiting
@given(st.integers(300, 599), st.binary(max_size=200))
def test_an_error_of_anything_else_is_one_too(play, status, body):
    with pytest.raises((RequestRefused, NotAllowed, RateLimited, Unavailable)) as caught:
        play(Received(status, {}, body), most=0).run()
    assert caught.value.code == f"http_{status}"


def test_a_read_has_no_key_of_its_own():
    assert "idempotency-key" not in models(timeout_s=1.0).headers
