"""The table of errors: nothing foreign leaves, nothing unforeseen is logged with its text."""

import pytest
from structlog.testing import capture_logs

from gateway.errors import GatewayError, InvalidRequest, NotServing, RateLimited
from gateway.http.problems import problem_of
from store.errors import Conflict

SECRET = "the-words-of-a-person"


def scope(path: str = "/v1/chat") -> dict:
    return {"type": "http", "path": path, "headers": [], "state": {}}


def test_every_error_that_can_reach_a_caller_has_a_row():
    reachable = {one for one in GatewayError.__subclasses__() if one.__name__ != "SettingsInvalid"}
    for kind in reachable:
        more = {"retry_after_s": 2.0} if kind is RateLimited else {}
        error = kind("slow", **more) if kind is RateLimited else kind("some_code", "text", **more)
        assert 400 <= problem_of(error, scope()).status < 600
        assert problem_of(error, scope()).status != 500, kind


def test_an_unforeseen_error_says_nothing_and_is_logged_without_its_text():
    def fail():
        raise RuntimeError(SECRET) from KeyError(SECRET)

    with pytest.raises(RuntimeError) as caught:
        fail()
    with capture_logs() as logs:
        problem = problem_of(caught.value, scope())
    assert problem.status == 500
    assert problem.code == "internal_error"
    assert SECRET not in problem.message
    (line,) = logs
    assert line["request_id"] in problem.message
    assert line["error"] == ["builtins.RuntimeError", "builtins.KeyError"]
    assert any("fail" in frame for frame in line["frames"])
    assert SECRET not in str(line)


@pytest.mark.parametrize(
    ("error", "header", "value"),
    [
        (RateLimited("slow", retry_after_s=12.3), "retry-after", "13"),
        (NotServing("queue_full", "busy", retry_after_s=0.2), "retry-after", "1"),
        (NotServing("matcher_unavailable", "down"), "retry-after", "1"),
        (NotServing("rails_unavailable", "broken"), "x-should-retry", "false"),
        (NotServing("store_unavailable", "away"), "x-should-retry", "true"),
        (NotServing("store_unavailable", "away"), "retry-after", "2"),
        (RateLimited("slow", retry_after_s=12.3), "x-should-retry", "true"),
        (NotServing("queue_full", "busy"), "x-should-retry", "true"),
        (InvalidRequest("idempotency_in_progress", "at work"), "x-should-retry", "true"),
        (InvalidRequest("idempotency_in_progress", "at work"), "retry-after", "1"),
        (Conflict("changed"), "x-should-retry", "false"),
    ],
)
def test_a_failure_says_when_to_try_again_or_that_it_would_not_help(error, header, value):
    assert problem_of(error, scope()).headers[header] == value


def test_a_message_that_cannot_be_read_is_unprocessable():
    assert problem_of(InvalidRequest("message_too_long", "long", param="message"), scope()).status == 422


@pytest.mark.anyio
@pytest.mark.parametrize(("path", "kind"), [("/v1/models", "error"), ("/readyz", "request_id")])
async def test_an_unforeseen_error_reaches_the_caller_in_the_form_of_the_surface(world, path, kind):
    world.readiness._probes = {"broken": lambda: 1 / 0}
    world.live.current = None
    async with world.client(world.key()) as client:
        response = await client.get(path)
    assert response.status_code == 500
    assert kind in response.json()
    assert "division" not in response.text
    assert "NoneType" not in response.text
    assert response.headers["x-should-retry"] == "false"
