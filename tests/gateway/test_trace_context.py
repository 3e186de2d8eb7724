"""`traceparent`: what a caller names is joined when it is well formed, and never taken on trust."""

import re

import pytest

from gateway.trace_context import begin_trace

SENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_trace_of_the_caller_is_joined():
    begun = begin_trace(SENT, "req-1", sampling=1.0)
    assert (begun.trace_id, begun.parent_id) == ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
    assert begun.span_id != begun.parent_id
    assert begun.traceparent == f"00-{begun.trace_id}-{begun.span_id}-01"


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "my secret words",
        SENT.upper(),
        SENT[:-1],
        f"{SENT}-more",
        f"{SENT} ",
        SENT.replace("00-", "ff-", 1),
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01",
    ],
)
def test_what_is_not_well_formed_begins_a_new_trace(sent):
    begun = begin_trace(sent, "req-1", sampling=0.0)
    assert begun.parent_id == ""
    assert begun.trace_id not in sent
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", begun.traceparent)
    assert begun.trace_id != begin_trace(sent, "req-1", sampling=0.0).trace_id


def test_a_later_version_may_say_more():
    assert begin_trace(SENT.replace("00-", "01-", 1) + "-more", "req-1", sampling=0.0).parent_id == "00f067aa0ba902b7"


def test_the_share_that_is_told_follows_from_the_ids_and_not_from_the_callers_flag():
    asked = [begin_trace(SENT[:-1] + flag, "r", sampling=share) for flag in "01" for share in (0.0, 1.0)]
    assert [one.is_told for one in asked] == [False, True, False, True]
    told = [begin_trace("", "r", sampling=0.25) for _ in range(4000)]
    assert 0.2 < sum(one.is_told for one in told) / len(told) < 0.3
    again = [begin_trace(f"00-{one.trace_id}-{one.span_id}-00", "r", sampling=0.25) for one in told]
    assert [one.is_told for one in again] == [one.is_told for one in told]
