"""Days in filters: `since` is from the beginning of a day, `until` to its end, in UTC."""

import datetime as dt

from gateway.errors import InvalidRequest
from gateway.http.pages.visit import Visit

_DAY = dt.timedelta(days=1)


def day_of(visit: Visit, name: str, *, at_end: bool = False) -> dt.datetime | None:
    """Returns the moment for a query parameter that holds a day. Raises `InvalidRequest`."""
    text = visit.request.query_params.get(name, "").strip()
    if not text:
        return None
    try:
        begin = dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC)
        return begin + _DAY if at_end else begin
    except (ValueError, OverflowError) as error:
        raise InvalidRequest("invalid_query", f"`{name}` takes a day, such as 2026-11-29.", param=name) from error
