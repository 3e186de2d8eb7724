"""What a refused edit was about: no text of it is lost."""

from collections.abc import Sequence

from store.changes.types import Change, Edit
from store.errors import Conflict


def with_texts(error: Conflict, change: Change, edits: Sequence[Edit]) -> Conflict:
    """Returns the conflict with what is in the change and what was to be written, so that nobody loses a text."""
    items = []
    for edit in edits:
        now = change.edit_of(edit.item)
        items.append(
            {
                "kind": edit.kind.value,
                "name": edit.name,
                "base": now.base_document if now else None,
                "stored": now.document if now else None,
                "draft": edit.document,
            }
        )
    found = {"rev": change.rev, "state": change.state.value, "items": items}
    return Conflict(str(error), found=found, rule=error.rule)
