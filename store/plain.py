"""Documents as plain data, the one form that is hashed, stored and written."""

import datetime as dt
from enum import Enum
from hashlib import sha256
from typing import Any

import msgspec

from store.content import Document


def to_plain(document: Document) -> dict[str, Any]:
    """Returns a document as dicts, lists, texts, numbers and dates; a field that says its default is left out.

    msgspec's own `omit_defaults` compares by identity, so that `audience: everyone`, written out, would make another
    hash than the same left out. Leaving out equal ones also lets a later version add a field without changing hashes.
    """
    config = document.__struct_config__
    plain: dict[str, Any] = {config.tag_field: config.tag} if config.tag_field else {}
    for field in msgspec.structs.fields(document):
        value = getattr(document, field.name)
        if value != _default(field):
            plain[field.name] = _plain(value)
    return plain


def canonical_hash(document: Any) -> str:
    """Returns the hex SHA-256 of the canonical JSON of a document or of plain data: names sorted, no defaults."""
    plain = to_plain(document) if isinstance(document, Document) else document
    return sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Document):
        return to_plain(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, str | int | float | dt.date | None):
        return value
    raise TypeError(f"a document holds a {type(value).__name__}. This is a bug.")


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default
