"""What is live, item by item, and where it belongs: what changes are compared with and judged by."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from store.changes.documents import hash_of, plain_document
from store.changes.rules import Touched
from store.changes.types import ChangeHead, EditKind, Item, StoredEdit
from store.content import Assistant, KeepsText, Tolerance
from store.database import Database
from store.errors import InvalidContent
from store.people import Actor
from store.repositories.assistants import Assistants
from store.repositories.policies import Policies
from store.repositories.prompts import Prompts
from store.repositories.suites import Suites

Weakens = Callable[[Mapping[str, Any], Mapping[str, Any] | None], bool]
"""Whether a policy, in place of the live one (first), would stop less; None takes it away."""

_QUOTED = "quoted_text"


class LiveContent:
    """Reads single documents that are live, without reading everything else."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def documents(self, items: Collection[Item], session: Session | None = None) -> Mapping[Item, Mapping[str, Any]]:
        """Returns the documents of those items that are live, in their stored form."""
        with self._database.reading(session) as opened:
            keys = [item.name for item in items if item.kind is EditKind.PROMPT]
            found = {
                Item(EditKind.PROMPT, version.key): plain_document(version.content)
                for version in Prompts(self._database).live_of(keys, opened)
            }
            return found | self._named(items, opened)

    def hashes(self, items: Collection[Item], session: Session | None = None) -> Mapping[Item, str]:
        """Returns the canonical hash of each item, empty for one that is not live."""
        with self._database.reading(session) as opened:
            keys = [item.name for item in items if item.kind is EditKind.PROMPT]
            prompts = Prompts(self._database).live_hashes(keys, opened)
            hashes = {Item(EditKind.PROMPT, key): digest for key, digest in prompts.items()}
            hashes |= {item: hash_of(document) for item, document in self._named(items, opened).items()}
        return {item: hashes.get(item, "") for item in items}

    def ground(self, session: Session | None = None) -> "Ground":
        """Returns the assistants that are live, by which everything else belongs to an area and to a tenant."""
        found = Assistants(self._database).all(session)
        return Ground({assistant.name: assistant for assistant in found})

    def _named(self, items: Collection[Item], session: Session) -> dict[Item, Mapping[str, Any]]:
        kinds = {item.kind for item in items}
        found: dict[Item, Mapping[str, Any]] = {}
        if EditKind.ASSISTANT in kinds:
            for assistant in Assistants(self._database).all(session):
                found[Item(EditKind.ASSISTANT, assistant.name)] = plain_document(assistant)
        if EditKind.POLICY in kinds:
            for policy in Policies(self._database).live(session):
                found[Item(EditKind.POLICY, policy.name)] = policy.document
        if EditKind.SUITE in kinds:
            for suite in Suites(self._database).live(session):
                found[Item(EditKind.SUITE, suite.name)] = suite.document
        return {item: found[item] for item in items if item in found}


@dataclass(frozen=True, slots=True)
class Ground:
    """The live assistants, and what follows from them about other documents."""

    assistants: Mapping[str, Assistant]

    def touched(self, edits: Iterable[StoredEdit], weakens: Weakens) -> Touched:
        """Returns what edits reach, before and after: whoever acts on them needs the role there."""
        edits = tuple(edits)
        drafted = {edit.name: edit.document for edit in edits if edit.kind is EditKind.ASSISTANT and edit.document}
        touched = Touched()
        for edit in edits:
            for document in [one for one in (edit.document, edit.base_document) if one is not None] or [{}]:
                areas = frozenset(self._areas(edit.item, document, drafted))
                touched |= Touched(areas, is_everywhere=not areas)
            touched |= Touched(needs_admin=_needs_admin(edit, weakens) or self._opens_again(edit))
        return touched

    def sees(self, actor: Actor, item: Item, document: Mapping[str, Any] | None = None) -> bool:
        """Whether the item belongs to the actor's tenant, live or as `document` would have it."""
        if not actor.assistants:
            return True
        mine = [one for name, one in self.assistants.items() if name in actor.assistants]
        match item.kind:
            case EditKind.PROMPT:
                return any(_area_of(item.name) in one.areas for one in mine)
            case EditKind.ASSISTANT:
                return item.name in actor.assistants and not self.foreign_areas(actor, item, document)
            case EditKind.POLICY:
                users = {name for name, one in self.assistants.items() if one.policy == item.name}
                return bool(users) and users <= actor.assistants
            case EditKind.SUITE:
                asked = (document or {}).get("assistant") or self._only
                return asked in actor.assistants

    def foreign_areas(self, actor: Actor, item: Item, document: Mapping[str, Any] | None) -> frozenset[str]:
        """Returns the areas of an assistant's document that are not the tenant's: they would open what is in them."""
        if not actor.assistants or item.kind is not EditKind.ASSISTANT:
            return frozenset()
        own = {area for name, one in self.assistants.items() if name in actor.assistants for area in one.areas}
        return frozenset(_texts((document or {}).get("areas"))) - own

    def require_own_areas(self, actor: Actor, item: Item, document: Mapping[str, Any] | None) -> None:
        """Raises `InvalidContent` for an own assistant that would get areas of others."""
        if item.name in actor.assistants and (foreign := self.foreign_areas(actor, item, document)):
            raise _not_own(item, "areas", foreign)

    def require_own_names(
        self, actor: Actor, item: Item, document: Mapping[str, Any] | None, live: Mapping[str, Any] | None
    ) -> None:
        """Raises `InvalidContent` for a document that newly refers to one that is not the tenant's, there or not.

        A refusal of what is not there alone would tell which names others have.
        """
        added = _referred(item, document) - _referred(item, live) if actor.assistants else frozenset()
        if foreign := {one.name for one in added if not self.sees(actor, one)}:
            raise _not_own(item, "follows" if item.kind is EditKind.PROMPT else "policy", foreign)

    def sees_change(self, actor: Actor, head: ChangeHead, edits: Iterable[StoredEdit] = ()) -> bool:
        """Whether the actor may know of the change: everything in it is its tenant's; an empty one is its authors'."""
        if not actor.assistants:
            return True
        documents = {edit.item: edit.document or edit.base_document for edit in edits}
        if not head.items:
            return actor.person in head.authors
        return all(self.sees(actor, item, documents.get(item)) for item in head.items)

    @property
    def _only(self) -> str:
        """The assistant, where there is one alone; else empty."""
        return next(iter(self.assistants)) if len(self.assistants) == 1 else ""

    def _areas(
        self, item: Item, document: Mapping[str, Any], drafted: Mapping[str, Mapping[str, Any]]
    ) -> Iterator[str]:
        match item.kind:
            case EditKind.PROMPT:
                yield _area_of(item.name)
                yield from _texts([document.get("area")])
            case EditKind.ASSISTANT:
                yield from self._areas_of(item.name, drafted)
                yield from _texts(document.get("areas"))
            case EditKind.POLICY:
                for name in {*self.assistants, *drafted}:
                    live = self.assistants.get(name)
                    if item.name in (live.policy if live else None, drafted.get(name, {}).get("policy")):
                        yield from self._areas_of(name, drafted)
            case EditKind.SUITE:
                yield from self._areas_of(str(document.get("assistant") or self._only), drafted)

    def _opens_again(self, edit: StoredEdit) -> bool:
        """Whether a new assistant would serve what another one serves, perhaps under a weaker policy."""
        if edit.kind is not EditKind.ASSISTANT or edit.base_document is not None:
            return False
        areas = frozenset(_texts((edit.document or {}).get("areas")))
        return any(areas.intersection(one.areas) for name, one in self.assistants.items() if name != edit.name)

    def _areas_of(self, name: str, drafted: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
        if name in self.assistants:
            yield from self.assistants[name].areas
        yield from _texts(drafted.get(name, {}).get("areas"))


def _referred(item: Item, document: Mapping[str, Any] | None) -> frozenset[Item]:
    """Returns the documents of others that a document depends on."""
    said = document or {}
    match item.kind:
        case EditKind.PROMPT:
            return frozenset(Item(EditKind.PROMPT, key) for key in _texts(said.get("follows")))
        case EditKind.ASSISTANT:
            return frozenset(Item(EditKind.POLICY, name) for name in _texts([said.get("policy")]))
        case _:
            return frozenset()


def _not_own(item: Item, field: str, names: Collection[str]) -> InvalidContent:
    said = ", ".join(sorted(names))
    return InvalidContent(
        f"{item}: {field}: {said} is not of your own assistants. Ask an administrator of all of them."
    )


def _area_of(key: str) -> str:
    return key.partition(".")[0]


def _texts(values: object) -> Iterator[str]:
    """Gives what is text in a list of a document that may not be complete."""
    if isinstance(values, list | tuple):
        yield from (value for value in values if isinstance(value, str))


def _needs_admin(edit: StoredEdit, weakens: Weakens) -> bool:
    if edit.kind is EditKind.PROMPT:
        return _quotes(edit.document) and not _quotes(edit.base_document)
    if edit.kind is EditKind.POLICY and edit.base_document is not None:
        return weakens(edit.base_document, edit.document)
    if edit.kind is EditKind.ASSISTANT and edit.base_document is not None and edit.document is not None:
        return _loosens(edit.base_document, edit.document)
    return False


def _loosens(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether an assistant would answer with less certainty, keep more of people's words, or keep them for longer."""
    # Another policy may be a weaker one under another name, and other areas open other prompts.
    if any(before.get(one) != after.get(one) for one in ("policy", "areas")):
        return True
    try:
        was, becomes = (msgspec.convert(one, _Guarded) for one in (before, after))
    except msgspec.ValidationError:
        return True
    kept = list(KeepsText)
    return (
        becomes.match.false_match_rate > was.match.false_match_rate
        or kept.index(becomes.keeps_text) > kept.index(was.keeps_text)
        or becomes.retention_days > was.retention_days
    )


class _Guarded(msgspec.Struct):
    """Of an assistant's document, which may be unfinished, what only an admin may loosen."""

    match: Tolerance = Tolerance()
    keeps_text: KeepsText = KeepsText.OFF
    retention_days: int = 365


def _quotes(document: Mapping[str, Any] | None) -> bool:
    slots = (document or {}).get("slots")
    return isinstance(slots, list) and any(isinstance(one, dict) and one.get("type") == _QUOTED for one in slots)
