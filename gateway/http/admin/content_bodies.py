"""What is told about documents that are live or drafted, and about what was published."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from gateway.http.admin.change_replies import ItemReply
from gateway.http.admin.change_requests import Plain
from store.changes.contents import Shown
from store.changes.history import Version
from store.changes.lists import ContentHead
from store.changes.published import Publication
from store.changes.types import ChangeState, EditKind


class DocumentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document in the bundle's form, perhaps not complete yet."""

    document: Plain


class OpenChangeReply(msgspec.Struct, frozen=True):
    """An open change that touches a document."""

    id: UUID
    title: str
    state: ChangeState
    rev: int


class DocumentReply(msgspec.Struct, frozen=True):
    """A document as it is live, or as the change of `?change=` would have it."""

    kind: EditKind
    name: str
    document: Plain
    hash: str
    """Its canonical hash, which is its ETag."""
    version: int | None
    """What is live: of a prompt its version, of everything else the revision that made it live; null when nothing."""
    change: UUID | None
    """Whose draft this is; null for what is live."""
    open_changes: tuple[OpenChangeReply, ...]


class DocumentHeadReply(msgspec.Struct, frozen=True):
    """A live document in a list. What its kind does not have is empty or null."""

    name: str
    title: str
    hash: str
    version: int
    area: str
    owner: str
    language: str
    audience: str
    review_by: dt.date | None
    assistants: tuple[str, ...]
    """Those that use it."""


class DocumentsReply(msgspec.Struct, frozen=True):
    """Live documents by name. `next` is what to send as `after` for more; null at the end."""

    items: tuple[DocumentHeadReply, ...]
    next: str | None


class VersionReply(msgspec.Struct, frozen=True):
    """A state of a document that was live at some time."""

    number: int
    at: dt.datetime
    author: str
    note: str
    hash: str
    is_live: bool


class VersionsReply(msgspec.Struct, frozen=True):
    """States of a document, newest first. `next` is what to send as `after` for more; null at the end."""

    versions: tuple[VersionReply, ...]
    next: int | None


class OneVersionReply(msgspec.Struct, frozen=True):
    """One state of a document, as it was."""

    version: VersionReply
    document: Plain


class RevisionReply(msgspec.Struct, frozen=True):
    """What was published at once."""

    number: int
    at: dt.datetime
    author: str
    """Everybody who edited it, or who published a bundle on the machine."""
    note: str
    change: UUID | None
    """Null for what an operator published on the machine."""
    approved_by: str | None
    published_by: str | None
    is_emergency: bool
    items: tuple[ItemReply, ...]


class RevisionsReply(msgspec.Struct, frozen=True):
    """Revisions, newest first. `next` is what to send as `after` for more; null at the end."""

    revisions: tuple[RevisionReply, ...]
    next: int | None


def document_reply(shown: Shown) -> DocumentReply:
    """Returns a document as it is told."""
    return DocumentReply(
        kind=shown.item.kind,
        name=shown.item.name,
        document=dict(shown.document),
        hash=shown.digest,
        version=shown.number,
        change=shown.change,
        open_changes=tuple(OpenChangeReply(one.id, one.title, one.state, one.rev) for one in shown.open_changes),
    )


def document_head_reply(head: ContentHead) -> DocumentHeadReply:
    """Returns a document as lists tell it."""
    return DocumentHeadReply(
        name=head.name,
        title=head.title,
        hash=head.digest,
        version=head.number,
        area=head.area,
        owner=head.owner,
        language=head.language,
        audience=head.audience,
        review_by=head.review_by,
        assistants=head.assistants,
    )


def version_reply(version: Version) -> VersionReply:
    """Returns a state without its document."""
    return VersionReply(version.number, version.at, version.author, version.note, version.digest, version.is_live)


def one_version_reply(found: tuple[Version, Mapping[str, Any]]) -> OneVersionReply:
    """Returns a state with its document."""
    return OneVersionReply(version_reply(found[0]), dict(found[1]))


def revision_reply(found: Publication) -> RevisionReply:
    """Returns a revision as it is told."""
    revision, change = found.revision, found.change
    return RevisionReply(
        number=revision.number,
        at=revision.at,
        author=revision.said.author,
        note=revision.said.note,
        change=revision.said.change,
        approved_by=change.approved_by if change else None,
        published_by=change.published_by if change else None,
        is_emergency=revision.said.is_emergency,
        items=tuple(ItemReply(item.kind, item.name) for item in change.items) if change else (),
    )
