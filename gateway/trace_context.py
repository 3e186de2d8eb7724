"""Which request is at work, for whatever is logged or traced on its way (W3C Trace Context, level 1)."""

import os
import re
from contextvars import ContextVar
from dataclasses import dataclass

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_CHOSEN_BITS = 56
"""The last bits of a trace id, which level 2 wants to be random: all who go by them choose the same traces."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One request in its trace. Ids alone: `tracestate` and `baggage` may hold anything, and are not read."""

    request_id: str
    trace_id: str
    span_id: str
    """Of the request's own span."""
    parent_id: str
    """Of the caller's span; empty when there is none."""
    is_told: bool
    """Whether its spans go to the collector."""

    @property
    def traceparent(self) -> str:
        """The header by which others name this request."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.is_told):02x}"


CURRENT: ContextVar[Trace | None] = ContextVar("trace", default=None)
"""The request that the running task works for."""


def begin_trace(sent: str, request_id: str, *, sampling: float) -> Trace:
    """Begins a request's part of the trace that `sent` names, or a new trace for a header that is not well formed.

    Whether it is told follows from the trace's id and `sampling` alone: a caller's flag would let anybody send as
    much to the collector as they like.
    """
    found = _TRACEPARENT.fullmatch(sent)
    trace_id, parent_id = (found[1], found[2]) if found else (_NO_TRACE, _NO_SPAN)
    is_longer = found is not None and found[4] is not None and sent.startswith("00")  # only later versions may be
    if trace_id == _NO_TRACE or parent_id == _NO_SPAN or is_longer:
        trace_id, parent_id = os.urandom(16).hex(), ""
    chosen = int(trace_id[-_CHOSEN_BITS // 4 :], 16) < sampling * (1 << _CHOSEN_BITS)
    return Trace(request_id, trace_id, os.urandom(8).hex(), parent_id, chosen)
