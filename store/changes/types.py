"""What a change is: the edits of several documents, who made them, and how far they are on their way to people."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID


class EditKind(StrEnum):
    """What kind of document an edit is of."""

    PROMPT = "prompt"
    ASSISTANT = "assistant"
    POLICY = "policy"
    SUITE = "suite"


class ChangeState(StrEnum):
    """How far a change is."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    CHANGES_REQUESTED = "changes_requested"
    APPROVED = "approved"
    LIVE = "live"
    SUPERSEDED = "superseded"
    """Later live changes replaced everything in it."""
    WITHDRAWN = "withdrawn"
    """By its authors, or rejected; editing it makes it a draft again."""


OPEN_STATES = frozenset({ChangeState.DRAFT, ChangeState.IN_REVIEW, ChangeState.CHANGES_REQUESTED, ChangeState.APPROVED})


class Item(NamedTuple):
    """A document, by kind and name: a prompt's name is its key."""

    kind: EditKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind.value} {self.name}"


@dataclass(frozen=True, slots=True)
class Edit:
    """One document as a change would have it."""

    kind: EditKind
    name: str
    document: Mapping[str, Any] | None
    """Plain data in the bundle's form, perhaps not complete yet; None removes the document."""
    base: str = ""
    """Canonical hash of the live document that it was drafted from; empty when there was none."""

    @property
    def item(self) -> Item:
        """What is edited."""
        return Item(self.kind, self.name)


@dataclass(frozen=True, slots=True)
class StoredEdit(Edit):
    """An edit in its change."""

    base_document: Mapping[str, Any] | None = None
    """The live document that it was drafted from; when it is published, that is what it replaces."""


class EventKind(StrEnum):
    """What happened to a change, as its page tells it."""

    CREATED = "created"
    EDITED = "edited"
    DESCRIBED = "described"
    COMMENTED = "commented"
    SUBMITTED = "submitted"
    WITHDRAWN = "withdrawn"
    CHANGES_REQUESTED = "changes_requested"
    REJECTED = "rejected"
    APPROVED = "approved"
    REBASED = "rebased"
    SCHEDULED = "scheduled"
    UNSCHEDULED = "unscheduled"
    SCHEDULE_FAILED = "schedule_failed"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    REVERTED = "reverted"


@dataclass(frozen=True, slots=True)
class ChangeEvent:
    """One step of a change, or a comment on it. Only ever added."""

    id: UUID
    at: dt.datetime
    kind: EventKind
    actor: str
    name: str
    """The actor's name at that time."""
    person: str
    text: str
    """The comment or reason; empty where none is needed."""
    place: str = ""
    """What a comment is about: an item and perhaps a field, such as `prompt it.vpn reply.facts`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeHead:
    """All of a change but its documents."""

    id: UUID
    title: str
    note: str
    """Why; a change is not submitted without it."""
    state: ChangeState
    rev: int
    """Goes up with every write. A write names the one that was read."""
    authors: frozenset[str]
    """Every person who ever edited it, by whatever credential. Never shrinks."""
    hands: frozenset[str]
    """Persons who set an author's account up so late that they may have edited as that author."""
    items: tuple[Item, ...]
    created_at: dt.datetime
    updated_at: dt.datetime
    content_hash: str
    """Over all its edits; approval and evidence are bound to it."""
    submitted_at: dt.datetime | None = None
    approved_by: str | None = None
    """The person."""
    approved_at: dt.datetime | None = None
    approved_hash: str | None = None
    """The content that was approved."""
    publish_at: dt.datetime | None = None
    scheduled_by: str | None = None
    """The person who set the time."""
    schedule_problem: str = ""
    """Why it was not published at its time."""
    published_at: dt.datetime | None = None
    published_by: str | None = None
    published_revision: int | None = None
    is_emergency: bool = False
    """Published by an admin without approval or evidence."""
    reverts: UUID | None = None
    purpose: str = ""
    """What it was made to gather, such as questions of the review queue; empty for one that a person began."""

    @property
    def is_approved(self) -> bool:
        """Whether the content that it has now was approved."""
        return self.state is ChangeState.APPROVED and self.approved_hash == self.content_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(ChangeHead):
    """A change with its documents and its story."""

    edits: tuple[StoredEdit, ...]
    """By kind and name."""
    events: tuple[ChangeEvent, ...] = ()
    """Oldest first."""

    def edit_of(self, item: Item) -> StoredEdit | None:
        """Returns the edit of a document, None when the change does not touch it."""
        return next((edit for edit in self.edits if edit.item == item), None)
