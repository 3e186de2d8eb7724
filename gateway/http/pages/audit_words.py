"""The audit trail in words: what a row is about, who an id is, what a detail is called, and whom a name means."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote
from uuid import UUID

import msgspec

from gateway.http.pages.reasons import item_in_words
from gateway.http.pages.texts import Texts
from gateway.http.pages.visit import Visit
from store.audit import AuditEntry
from store.errors import NotFound
from store.types import KeyScope

_USER, _KEY, _CHANGE = "user:", "key:", "change:"
_PLAIN = frozenset({"system", "operator"})
_PATHS: Final[Mapping[str, str]] = {
    "user": "/admin/people/",
    "key": "/admin/keys/",
    "change": "/admin/changes/",
    "decision": "/admin/requests/",
    "import": "/admin/prompts/imports/",
    "widget": "/admin/widget/",
    "assistant": "/admin/assistants/",
}
"""Where what a row is about has a page."""
_OF_CHANGES = frozenset({"change", "reverts", "by"})
"""Details that name a change."""
_LABELS = ("detail.", "document.", "field.", "imports.")
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "outcome": ("outcome.",),
    "method": ("profile.method_",),
    "verdict": ("feedback.verdict_",),
    "reasons": ("feedback.reason_",),
    "reason": ("refused.", "requests.reason_"),
    "kept": ("assistants.keeps_",),
    "sign_in": ("widget.sign_in_",),
    "algorithm": ("widget.algorithm_",),
    "makes": ("imports.makes_",),
    "stage": ("rail.stage_",),
}
"""Details whose values are of a closed set, with what the names of its words begin with."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*")
_GRANT = re.compile(r"([a-z]+):(.+)")


@dataclass(frozen=True, slots=True)
class Target:
    """What a row is about."""

    kind: str
    """In words; empty for one that has none."""
    name: str
    """What people call it, empty where nobody gave it a name."""
    id: str
    path: str
    """Of its page; empty where it has none."""


async def names_of(visit: Visit, entries: Iterable[AuditEntry]) -> dict[str, str]:
    """Returns the names of people and keys and the titles of changes in the rows, as far as the reader may.

    They stand by `user:<id>`, `key:<id>` and `change:<id>`.
    """
    told: set[str] = set()
    for entry in entries:
        told |= {entry.actor, entry.person, entry.target.replace(" ", ":", 1), *_ids(entry.details)}
    users = {one.removeprefix(_USER) for one in told if one.startswith(_USER)}
    found = await visit.call(visit.access.users.names, visit.actor, users) if users else {}
    names = {f"{_USER}{one}": name for one, name in found.items()}
    if any(one.startswith(_KEY) for one in told):
        keys = await visit.call(visit.access.keys.all, visit.actor)
        names |= {f"{_KEY}{one.id}": one.name for one in keys if f"{_KEY}{one.id}" in told}
    asked = (_uuid(one.removeprefix(_CHANGE)) for one in told if one.startswith(_CHANGE))
    if changes := {one for one in asked if one is not None}:
        titles = await visit.call(visit.administration.changing.finder.titles, visit.actor, changes)
        names |= {f"{_CHANGE}{one}": visit.titled(title) for one, title in titles.items()}
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


def target_of(texts: Texts, names: Mapping[str, str], entry: AuditEntry) -> Target:
    """Returns what the row is about."""
    whole = f"target.{entry.target.replace(' ', '_')}"
    if texts.has(whole):
        return Target(texts(whole), "", "", "")
    kind, _, one_id = entry.target.rpartition(" ")
    words = f"target.{kind.replace(' ', '_')}"
    path = _PATHS[kind] + quote(one_id, safe="") if kind in _PATHS else ""
    return Target(texts(words) if texts.has(words) else kind, names.get(f"{kind}:{one_id}", ""), one_id, path)


def lines_of(texts: Texts, names: Mapping[str, str], entry: AuditEntry) -> list[tuple[str, str]]:
    """Returns the details as lines for reading; a name that has no words stays as it is written.

    Settings that were changed are told by what is not as it was. The number of a change, whose title stands in its row,
    is told here.
    """
    details = dict(entry.details)
    before, after = details.get("before"), details.get("after")
    lines: list[tuple[str, str]] = []
    if isinstance(before, dict) and isinstance(after, dict):
        del details["before"], details["after"]
        for name in dict.fromkeys((*before, *after)):
            if before.get(name) != after.get(name):
                was, becomes = (_told(texts, names, name, side.get(name)) for side in (before, after))
                lines.append((_label(texts, name), texts("detail.became", before=was, after=becomes)))
    for name, value in details.items():
        if isinstance(value, dict):
            lines += [(_label(texts, inner), _told(texts, names, inner, some)) for inner, some in value.items()]
        else:
            lines.append((_label(texts, name), _told(texts, names, name, value)))
    about = target_of(texts, names, entry)
    if about.name and entry.target.startswith("change "):
        lines.append((texts("detail.target"), about.id))
    return lines


def _label(texts: Texts, name: str) -> str:
    return next((texts(label + name) for label in _LABELS if texts.has(label + name)), name)


def _told(texts: Texts, names: Mapping[str, str], name: str, value: object) -> str:
    if value is None or value in ([], ""):
        return "\N{EN DASH}"
    if isinstance(value, bool):
        return texts("people.yes") if value else texts("people.no")
    if isinstance(value, int):
        return texts.number(value)
    if isinstance(value, str):
        return _worded(texts, names, name, value)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return texts("format.comma").join(_worded(texts, names, name, one) for one in value)
    return msgspec.json.encode(value).decode()


def _worded(texts: Texts, names: Mapping[str, str], name: str, value: str) -> str:
    """Returns a value in words: whose id it is, when it was, what its code means; else as it is written."""
    if known := names.get(_CHANGE + value if name in _OF_CHANGES else value):
        return known
    for words in _WORDS.get(name, ()):
        if texts.has(key := words + value.replace(" ", "_")):
            return texts(key)
    if name == "scopes" and value in {one.value for one in KeyScope}:
        return texts(f"scope.{KeyScope(value).name.lower()}")
    if name == "grants" and (found := _GRANT.fullmatch(value)) and texts.has(f"role.{found[1]}"):
        where = texts("people.everywhere") if found[2] == "*" else texts.apart(found[2].replace(",", ", "))
        return f"{texts(f'role.{found[1]}')} ({where})"
    if _MOMENT.fullmatch(value) and (at := _moment(value)):
        return texts.moment(at, with_seconds=True)
    return item_in_words(texts, value)


def _moment(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _ids(details: Mapping[str, object]) -> Iterable[str]:
    for name, value in details.items():
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, str):
                yield _CHANGE + one if name in _OF_CHANGES else one
