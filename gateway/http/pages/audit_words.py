"""The audit trail in words: who an id is, what a detail is called, and whom somebody means by a name."""

from collections.abc import Iterable, Mapping

import msgspec

from gateway.http.pages.texts import Texts
from gateway.http.pages.visit import Visit
from store.audit import AuditEntry
from store.errors import NotFound

_USER, _KEY = "user:", "key:"
_PLAIN = frozenset({"system", "operator"})


async def names_of(visit: Visit, entries: Iterable[AuditEntry]) -> dict[str, str]:
    """Returns the names of people and keys in the rows, by `user:<id>` and `key:<id>`, as far as the reader may."""
    told = set()
    for entry in entries:
        told |= {entry.actor, entry.person, entry.target.replace(" ", ":", 1), *_ids(entry.details)}
    users = {one.removeprefix(_USER) for one in told if one.startswith(_USER)}
    found = await visit.call(visit.access.users.names, visit.actor, users) if users else {}
    names = {f"{_USER}{one}": name for one, name in found.items()}
    if any(one.startswith(_KEY) for one in told):
        keys = await visit.call(visit.access.keys.all, visit.actor)
        names |= {f"{_KEY}{one.id}": one.name for one in keys if f"{_KEY}{one.id}" in told}
    return names


async def person_of(visit: Visit, text: str) -> str:
    """Returns the id of whoever is meant: the name of a person or of a key, or an id as the trail has it."""
    if ":" in text or text in _PLAIN:
        return text
    try:
        user = await visit.call(visit.access.users.named, text)
    except NotFound:
        keys = await visit.call(visit.access.keys.all, visit.actor)
        return next((f"{_KEY}{one.id}" for one in keys if text.casefold() == one.name.casefold()), text)
    return f"{_USER}{user.id}"


def lines_of(texts: Texts, names: Mapping[str, str], entry: AuditEntry) -> list[tuple[str, str]]:
    """Returns the details as lines for reading; a name that has no words stays as it is written."""
    return [
        (texts(f"detail.{name}") if texts.has(f"detail.{name}") else name, _told(texts, names, value))
        for name, value in entry.details.items()
    ]


def _told(texts: Texts, names: Mapping[str, str], value: object) -> str:
    if value is None or value in ([], ""):
        return "\N{EN DASH}"
    if isinstance(value, bool):
        return texts("people.yes") if value else texts("people.no")
    if isinstance(value, int):
        return texts.number(value)
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return texts("format.comma").join(names.get(one, one) for one in value)
    return msgspec.json.encode(value).decode()


def _ids(details: Mapping[str, object]) -> Iterable[str]:
    for value in details.values():
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, str):
                yield one
