"""Orders of lists: by which column, which way, and where the page before ended."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, SQLColumnExpression, tuple_

from store.errors import InvalidContent

Value = str | int | float | dt.datetime | dt.date
LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""In place of a time that is not there: a page ends at values that can be compared."""
_Row = TypeVar("_Row")
_Rows = TypeVar("_Rows", bound=Select[*tuple[Any, ...]])


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a page ended: what its last row has in the column, and the row's own key."""

    value: Value
    key: str


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list, and where in it a page begins."""

    column: str
    is_down: bool = False
    """Whether the greatest comes first."""
    after: Mark | None = None


@dataclass(frozen=True, slots=True)
class Sort(Generic[_Row]):
    """A column that a list can be in the order of."""

    kind: type[Value]
    of: Callable[[_Row], Value]
    """What a row has in the column: the same value as the expression, which is never NULL."""
    by: SQLColumnExpression[Any] | None = None
    """None where the list is made without the database."""


def sort_of(sorts: Mapping[str, Sort[_Row]], order: Order) -> Sort[_Row]:
    """Returns the column of an order. Raises `InvalidContent` for one that the list does not have."""
    found = sorts.get(order.column)
    if found is None:
        raise InvalidContent(f"sort: takes {', '.join(sorts)}.")
    return found


def in_order(
    query: _Rows,
    order: Order,
    by: SQLColumnExpression[Any] | None,
    key: SQLColumnExpression[Any],
    *,
    of_key: Callable[[str], Any] = str,
    is_grouped: bool = False,
) -> _Rows:
    """Returns the query in that order, rows with the same value by their keys, from the mark on.

    `of_key` makes of the mark's key what the column holds. Raises `InvalidContent` for a key that is none.
    """
    if by is None:
        raise TypeError("a column of another list, or one that the database does not know. This is a bug.")
    if order.after is not None:
        try:
            ends = (order.after.value, of_key(order.after.key))
        except ValueError as error:
            raise InvalidContent("after: this is no place of the list.") from error
        behind = tuple_(by, key) < ends if order.is_down else tuple_(by, key) > ends
        query = query.having(behind) if is_grouped else query.where(behind)
    return query.order_by(by.desc(), key.desc()) if order.is_down else query.order_by(by, key)


def sorted_by(
    rows: Iterable[_Row], order: Order, sort: Sort[_Row], key: Callable[[_Row], str], limit: int
) -> tuple[_Row, ...]:
    """Returns up to `limit` rows that are in memory, in that order, from the mark on."""
    at = order.after

    def place(row: _Row) -> tuple[Any, str]:
        return sort.of(row), key(row)

    found = sorted(rows, key=place, reverse=order.is_down)
    if at is not None:
        ends: tuple[Any, str] = (at.value, at.key)
        found = [row for row in found if (place(row) < ends if order.is_down else place(row) > ends)]
    return tuple(found[:limit])
