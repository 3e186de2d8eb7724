"""A failure that lasts is told when it begins and changes, then once a minute; its end is told once."""

import logging

from gateway.repeated_log import AGAIN_S, RepeatedLog

LOG = logging.getLogger("gateway.test")


def test_what_lasts_is_told_once_a_minute_and_what_changes_at_once(caplog):
    caplog.set_level(logging.INFO, "gateway.test")
    now = 0.0
    repeated = RepeatedLog(LOG, "part_failed", "part_works_again", clock=lambda: now)
    repeated.went()
    for _ in range(5):
        repeated.failed("it is away", revision=7)
        now += 1.0
    repeated.failed("it is full")
    now += AGAIN_S
    repeated.failed("it is full")
    repeated.went()
    repeated.went()
    repeated.failed("it is full")
    told = [(one.levelname, one.getMessage(), getattr(one, "error", None)) for one in caplog.records]
    assert told == [
        ("ERROR", "part_failed", "it is away"),
        ("ERROR", "part_failed", "it is full"),
        ("ERROR", "part_failed", "it is full"),
        ("INFO", "part_works_again", None),
        ("ERROR", "part_failed", "it is full"),
    ]
    assert caplog.records[0].revision == 7
