"""The documents of edits: their one stored form, their hash, and what is wrong with them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from store.changes.types import Edit, EditKind, Item
from store.content import Assistant, CanonicalPrompt, Document
from store.errors import InvalidContent
from store.formats.bundle import Bundle, convert_document
from store.formats.suite import Suite
from store.plain import canonical_hash, to_plain
from store.readable import require_readable

MOST_BYTES = 512 * 1024
"""Of one document as JSON; a prompt of 1,000 phrasings takes a fifth."""
_TYPES: Mapping[EditKind, type[Document]] = {
    EditKind.PROMPT: CanonicalPrompt,
    EditKind.ASSISTANT: Assistant,
    EditKind.SUITE: Suite,
}
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_KEY = re.compile(r"(?=.{1,80}\Z)[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)*")


def stored_form(edit: Edit) -> dict[str, Any] | None:
    """Returns the document as it is stored: without defaults when it is complete, as it was given while it is not.

    Raises `InvalidContent` for a name that no such document can have, and for data and characters that cannot be kept.
    """
    pattern = _KEY if edit.kind is EditKind.PROMPT else _NAME
    if not pattern.fullmatch(edit.name):
        raise InvalidContent(f"{edit.item}: a name has small letters, digits and hyphens, and begins with a letter.")
    if edit.document is None:
        return None
    content: Document | None = None
    plain = dict(edit.document)
    try:
        if edit.kind in (EditKind.PROMPT, EditKind.ASSISTANT):
            content = msgspec.convert(plain, _TYPES[edit.kind])
            plain = plain_document(content)
    except msgspec.ValidationError:
        pass  # a draft may be incomplete; submitting says what is missing
    try:
        size = len(msgspec.json.encode(plain))
    except (TypeError, ValueError, UnicodeEncodeError, RecursionError) as error:
        raise InvalidContent(f"{edit.item}: the document is not plain data. Send texts, numbers and lists.") from error
    require_readable(str(edit.item), content or plain, is_test=edit.kind is EditKind.SUITE)
    if size > MOST_BYTES:
        raise InvalidContent(f"{edit.item}: the document has more than {MOST_BYTES} bytes. Split it.")
    return plain


def plain_document(document: Document) -> dict[str, Any]:
    """Returns a document as JSON data, without defaults; its `canonical_hash` is the document's own."""
    plain: dict[str, Any] = msgspec.to_builtins(to_plain(document))
    return plain


def hash_of(document: Mapping[str, Any] | None) -> str:
    """Returns the canonical hash of a document in its stored form, empty for none."""
    return "" if document is None else canonical_hash(dict(document))


def hash_of_edits(edits: Iterable[tuple[Item, str, str]]) -> str:
    """Returns the hash of a change's content: of each item, the hash of its document (empty removes) and its base."""
    lines = "".join(f"{item.kind.value}\0{item.name}\0{document}\0{base}\n" for item, document, base in sorted(edits))
    return sha256(lines.encode()).hexdigest()


def bundle_of(edits: Iterable[Edit]) -> Bundle:
    """Returns the documents that the edits write, which removals are not.

    Raises `InvalidContent` with every problem of every document, a line each: item, field, what is wrong, what to do.
    """
    problems: list[str] = []
    parts: dict[EditKind, dict[str, Any]] = {kind: {} for kind in EditKind}
    for edit in edits:
        if edit.document is None:
            continue
        try:
            parts[edit.kind][edit.name] = _content(edit.kind, edit.name, edit.document)
        except InvalidContent as error:
            problems.append(f"{edit.item}: {error}")
    if problems:
        raise InvalidContent("\n".join(sorted(problems)))
    return Bundle(
        tuple(parts[EditKind.PROMPT].values()),
        tuple(parts[EditKind.ASSISTANT].values()),
        parts[EditKind.POLICY],
        parts[EditKind.SUITE],
    )


def removed_by(edits: Iterable[Edit]) -> frozenset[str]:
    """Returns what the edits remove, named as a publish names it: `prompt it.x`."""
    return frozenset(str(edit.item) for edit in edits if edit.document is None)


def _content(kind: EditKind, name: str, document: Mapping[str, Any]) -> Any:
    if kind is EditKind.POLICY:
        if document.get("name", name) != name:
            raise InvalidContent(f"name: it must be {name}, as the item is called.")
        return dict(document)
    content = convert_document(document, _TYPES[kind])
    for line in _misplaced(content, name):
        raise InvalidContent(line)
    return dict(document) if kind is EditKind.SUITE else content


def _misplaced(content: Document, name: str) -> Iterator[str]:
    match content:
        case CanonicalPrompt(key=key, area=area):
            if key != name:
                yield f"key: it must be {name}, as the item is called."
            if area != key.partition(".")[0]:
                yield f"area: the key starts with its area, so it must be {key.partition('.')[0]}."
        case Assistant(name=own) | Suite(name=own):
            if own != name:
                yield f"name: it must be {name}, as the item is called."
        case _:
            raise TypeError(f"an edit of a {type(content).__name__}. This is a bug.")
