"""Makes one document of the two sides of a conflict, field by field as somebody chose."""

import copy
from collections.abc import Collection, Mapping
from typing import Any

from store.changes.desk import Moved


def resolve(moved: Moved, live_fields: Collection[str]) -> Mapping[str, Any] | None:
    """Returns what both sides make together: of fields in conflict the live side where it is named, else the draft's.

    The field of a document that one side removed is empty.
    """
    if "" in live_fields:
        return moved.live
    document: dict[str, Any] | None = None if moved.merged is None else copy.deepcopy(dict(moved.merged))
    if document is None:
        return None
    for conflict in moved.conflicts:
        if conflict.field in live_fields:
            _put(document, conflict.field.split("."), conflict.live)
    return document


def _put(document: dict[str, Any], path: list[str], value: Any) -> None:
    *above, last = path
    for name in above:
        inner = document.get(name)
        document[name] = document = dict(inner) if isinstance(inner, Mapping) else {}
    if value is None:
        document.pop(last, None)
    else:
        document[last] = copy.deepcopy(value)
