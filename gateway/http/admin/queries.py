"""Reads query parameters of the admin surface; whatever is wrong with one is the caller's 4xx."""

import datetime as dt
from collections.abc import Collection
from typing import Any

from litestar import Request

from gateway.administration import Administration
from gateway.components import Components
from gateway.errors import InvalidRequest, NotServing
from gateway.http.bodies import plain_name
from store.errors import NotFound

DEFAULT_LIMIT = 50
MAX_LIMIT = 100
_MAX_CHARS = 200
_MAX_DIGITS = 18
_MOST_DIGITS_OF_ROWS = 9


class Query:
    """The query of a request, of which each parameter is known and given at most once. Raises `InvalidRequest`."""

    def __init__(self, request: Request[Any, Any, Any], known: Collection[str]) -> None:
        self._values: dict[str, str] = {}
        for name, value in request.query_params.multi_items():
            if name not in known:
                raise InvalidRequest(
                    "invalid_query",
                    f"There is no such parameter here. Known: {', '.join(known)}.",
                    param=plain_name(name),
                )
            if name in self._values:
                raise InvalidRequest("invalid_query", f"`{name}` is given twice.", param=name)
            if len(value) > _MAX_CHARS or "\x00" in value:
                raise InvalidRequest("invalid_query", f"`{name}` is too long, or no text.", param=name)
            if value:
                self._values[name] = value

    def text(self, name: str) -> str | None:
        """Returns a parameter as it is; an empty one counts as not given."""
        return self._values.get(name)

    def number(self, name: str) -> int | None:
        """Returns a parameter as a whole number from 0 on."""
        value = self._values.get(name)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS):
            raise InvalidRequest("invalid_query", f"`{name}` takes a whole number.", param=name)
        return int(value)

    def limit(self) -> int:
        """Returns how many are wanted, 1 to 100."""
        found = self.number("limit")
        if found is None:
            return DEFAULT_LIMIT
        if not 1 <= found <= MAX_LIMIT:
            raise InvalidRequest("invalid_query", f"`limit` takes 1 to {MAX_LIMIT}.", param="limit")
        return found

    def moment(self, name: str) -> dt.datetime | None:
        """Returns a parameter as a point in time."""
        value = self._values.get(name)
        if value is None:
            return None
        at = _instant(value.replace(" ", "+"))  # a plus sign that was not escaped
        if at is None:
            message = f"`{name}` takes a time with its zone, such as 2026-11-29T09:00:00Z."
            raise InvalidRequest("invalid_query", message, param=name)
        return at

    def place(self, name: str) -> tuple[dt.datetime, str] | None:
        """Returns the time and the key of the row that a page ended with: `TIME_KEY`, as its `next` was."""
        value = self._values.get(name)
        if value is None:
            return None
        time, _, key = value.partition("_")
        at = _instant(time)
        if at is None or not key:
            raise InvalidRequest("invalid_query", f"`{name}` takes the `next` of the page before.", param=name)
        return at, key


def _instant(text: str) -> dt.datetime | None:
    """Returns a time with a zone, in UTC; None for anything else, also where the zone leads out of the calendar."""
    try:
        found = dt.datetime.fromisoformat(text)
        return None if found.tzinfo is None else found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def whole_number(text: str, thing: str) -> int:
    """Returns a number of a path. Raises `NotFound` for one that nothing has."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS_OF_ROWS) or int(text) < 1:
        raise NotFound(f"there is no such {thing}")
    return int(text)


def administration_of(components: Components) -> Administration:
    """Returns the services of the admin surface. Raises `NotServing` where there are none."""
    if components.administration is None:
        raise NotServing("store_unavailable", "The admin surface has no database.")
    return components.administration
