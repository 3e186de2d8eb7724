"""Sorted lists in addresses: `sort=latency` or `sort=-latency`, and `after` for where the page before ended."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import msgspec

from gateway.errors import InvalidRequest
from gateway.http.pages.visit import ROWS, Visit
from store.sorting import Mark, Order, Sort

_Row = TypeVar("_Row")
_LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Sorting(Generic[_Row]):
    """The order in which a list is asked for."""

    order: Order
    sorts: Mapping[str, Sort[_Row]]
    first: Order
    """Which it has when nothing is asked for."""
    visit: Visit

    @property
    def is_first(self) -> bool:
        """Whether the page is the first one."""
        return self.order.after is None

    @property
    def asked(self) -> str:
        """The order as addresses have it."""
        return _written(self.order)

    def cut(self, rows: Sequence[_Row], key: Callable[[_Row], str]) -> tuple[Sequence[_Row], str | None]:
        """Returns the rows of the page, of one more that were read, and `after` of the next page."""
        if len(rows) <= ROWS:
            return rows, None
        last = rows[ROWS - 1]
        return rows[:ROWS], self.mark(self.sorts[self.order.column].of(last), key(last))

    def mark(self, value: object, key: str) -> str:
        """Returns `after` of the page behind a row."""
        text = msgspec.json.encode((value, key))
        return base64.urlsafe_b64encode(text).decode().rstrip("=")

    def direction(self, column: str) -> str:
        """Returns what `aria-sort` says of a column, empty where the list is not sorted by it."""
        if column != self.order.column:
            return ""
        return "descending" if self.order.is_down else "ascending"

    def can(self, column: str) -> bool:
        """Whether the list can be sorted by that column."""
        return column in self.sorts

    def link(self, column: str, *, is_down_first: bool = False) -> str:
        """Returns the address of the list by that column, the other way round where it is sorted by it already."""
        is_here = column == self.order.column
        order = Order(column, is_down=not self.order.is_down if is_here else is_down_first)
        return self.visit.link(sort=None if order == self.first else _written(order), after=None)

    def options(self) -> list[tuple[str, str, str]]:
        """Returns all orders with their columns and directions."""
        orders = [Order(column, is_down=is_down) for column in self.sorts for is_down in (False, True)]
        return [(_written(one), one.column, "down" if one.is_down else "up") for one in orders]


def sorting_of(visit: Visit, sorts: Mapping[str, Sort[_Row]], first: str) -> Sorting[_Row]:
    """Reads `sort` and `after`; an `after` of another order is the first page. Raises `InvalidRequest`."""
    usual = _order(first)
    order = _order(visit.request.query_params.get("sort", "").strip() or first)
    if order.column not in sorts:
        raise InvalidRequest("invalid_query", f"`sort` takes {', '.join(sorts)}, each with a `-` or not.", param="sort")
    mark = _mark(visit.request.query_params.get("after", ""), sorts[order.column].kind)
    return Sorting(replace(order, after=mark), sorts, usual, visit)


def _order(text: str) -> Order:
    return Order(text.removeprefix("-"), is_down=text.startswith("-"))


def _written(order: Order) -> str:
    return f"-{order.column}" if order.is_down else order.column


def _mark(text: str, kind: type[Any]) -> Mark | None:
    try:
        told = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if text.isascii() else b""
        value, key = msgspec.json.decode(told, type=tuple[kind, str])  # type: ignore[valid-type] # chosen here
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
        return None
    is_right = len(key) <= _LONGEST_KEY and "\x00" not in f"{key}{value}"
    return Mark(value, key) if is_right and getattr(value, "tzinfo", True) is not None else None
