"""Lines of the server library: garbage fills no log, and requests that are ended leave no stacks."""

import asyncio
import logging

from gateway.server_lines import ServerLines


def line(said: str, error: BaseException | None = None) -> logging.LogRecord:
    found = (type(error), error, None) if error else None
    return logging.LogRecord("uvicorn.error", logging.WARNING, __file__, 1, said, (), found)


def test_of_garbage_there_is_a_line_a_minute_that_counts_the_others() -> None:
    at_s = [100.0]
    lines = ServerLines(lambda: at_s[0])
    garbage = [line("Invalid HTTP request received.") for _ in range(50)]
    assert [lines.filter(one) for one in garbage] == [True] + [False] * 49
    at_s[0] += 61
    last = line("Unsupported upgrade request.")
    assert lines.filter(last)
    assert (last.getMessage(), last.dropped) == ("not_http", 49)


def test_a_request_that_was_ended_is_no_error_and_one_that_broke_is() -> None:
    lines = ServerLines()
    assert not lines.filter(line("Exception in ASGI application\n", asyncio.CancelledError()))
    assert lines.filter(line("Exception in ASGI application\n", ValueError()))
    assert lines.filter(line("Waiting for connections to close."))
