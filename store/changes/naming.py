"""What a change is called until somebody gives it a title of their own: what it does, and to which documents."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from store.changes.types import Change, EditKind, Item, StoredEdit

NEW: Final = "New change"
"""Of one with nothing in it."""
_LONGEST_LIST = 120
_WORDS: Final[Mapping[EditKind, tuple[str, str]]] = {
    EditKind.PROMPT: ("prompt", "prompts"),
    EditKind.ASSISTANT: ("assistant", "assistants"),
    EditKind.POLICY: ("policy", "policies"),
    EditKind.SUITE: ("test set", "test sets"),
}


def title_of(edits: Collection[StoredEdit]) -> str:
    """Returns what the edits do, such as `Edit 2 prompts: Reset a password, VPN from home`. It holds no keys."""
    if not edits:
        return NEW
    deeds, kinds = {_deed(edit) for edit in edits}, {edit.kind for edit in edits}
    deed = deeds.pop() if len(deeds) == 1 else "Edit"
    one, several = _WORDS[kinds.pop()] if len(kinds) == 1 else ("document", "documents")
    what = one if len(edits) == 1 else f"{len(edits)} {several}"
    return f"{deed} {what}: {_listed([_name(edit) for edit in sorted(edits, key=lambda edit: edit.item)])}"


def renamed(change: Change, *, put: Sequence[StoredEdit] = (), drop: Item | None = None) -> dict[str, str]:
    """Returns the new title of a change that nobody has called anything: it says what is in it."""
    if change.title != title_of(change.edits):
        return {}
    edits = {edit.item: edit for edit in (*change.edits, *put) if edit.item != drop}
    return {"title": title_of(edits.values())}


def _deed(edit: StoredEdit) -> str:
    if edit.document is None:
        return "Remove"
    return "Edit" if edit.base else "Add"


def _name(edit: StoredEdit) -> str:
    """Returns the title of a document; of one without, its name as words."""
    documents: tuple[Mapping[str, Any] | None, ...] = (edit.document, edit.base_document)
    for document in documents:
        title = document.get("title") if document else None
        if isinstance(title, str) and title.strip() and title.isprintable():
            return title.strip()
    return edit.name.rpartition(".")[2].replace("-", " ").replace("_", " ")


def _listed(names: Sequence[str]) -> str:
    """Returns as many of the names as fit, the first one at least, and how many are left."""
    told = names[0][:_LONGEST_LIST]
    for number, name in enumerate(names[1:], 1):
        longer = f"{told}, {name}"
        if len(longer) > _LONGEST_LIST:
            return f"{told}, +{len(names) - number}"
        told = longer
    return told
