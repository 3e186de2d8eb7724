"""Which changes a list has, and the orders that it can have."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import replace

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select

from store.changes.types import ChangeHead, ChangeState, Item
from store.sorting import Mark, Order, Sort
from store.tables import ChangeAuthorRow, ChangeEditRow, ChangeRow

SORTS: Mapping[str, Sort[ChangeHead]] = {
    "title": Sort(str, lambda one: one.title, ChangeRow.title),
    "state": Sort(str, lambda one: one.state.value, ChangeRow.state),
    "updated": Sort(dt.datetime, lambda one: one.updated_at, ChangeRow.updated_at),
}
"""Columns that lists are sorted by."""


def behind(order: Order, last: ChangeHead) -> Order:
    """Returns the order from behind that change on."""
    return replace(order, after=Mark(SORTS[order.column].of(last), str(last.id)))


def chosen(
    *,
    states: Collection[ChangeState] = (),
    author: str | None = None,
    item: Item | None = None,
    purpose: str | None = None,
) -> Select[ChangeRow]:
    """Returns the query for changes in those states, that the person edited, that touch the item, for the purpose."""
    query = select(ChangeRow)
    if states:
        query = query.where(ChangeRow.state.in_([state.value for state in states]))
    if author is not None:
        by = exists().where(ChangeAuthorRow.change_id == ChangeRow.id, ChangeAuthorRow.person == author)
        query = query.where(by)
    if purpose is not None:
        query = query.where(ChangeRow.purpose == purpose)
    if item is not None:
        touches = exists().where(
            ChangeEditRow.change_id == ChangeRow.id,
            ChangeEditRow.kind == item.kind.value,
            ChangeEditRow.name == item.name,
        )
        query = query.where(touches)
    return query


def waits_for(person: str, *, decides: bool) -> ColumnElement[bool]:
    """Returns the condition that a change may wait for the person, as far as its columns tell.

    Own ones do that were sent back; with `decides` also those of others that are to be approved, or published at no
    set time.
    """
    is_own = exists().where(ChangeAuthorRow.change_id == ChangeRow.id, ChangeAuthorRow.person == person)
    sent_back = and_(ChangeRow.state == ChangeState.CHANGES_REQUESTED.value, is_own)
    if not decides:
        return sent_back
    to_decide = ChangeRow.state.in_([ChangeState.IN_REVIEW.value, ChangeState.APPROVED.value])
    return or_(sent_back, and_(to_decide, ChangeRow.publish_at.is_(None), ~is_own))
