"""What is sent about changes."""

import datetime as dt
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from store.changes.types import EditKind, Item

Title = Annotated[str, Meta(min_length=1, max_length=200)]
Words = Annotated[str, Meta(max_length=4000)]
ItemName = Annotated[str, Meta(min_length=1, max_length=80)]
Plain = dict[str, Any]


class ChangeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change that should be."""

    title: Title
    note: Words = ""
    """Why; it is not submitted without it."""


class ChangePatchRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another title or note; what is left out stays."""

    title: Title | None = None
    note: Words | None = None


class EditRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A document as the change would have it."""

    document: Plain | None
    """In the bundle's form, perhaps not complete yet; null removes it."""
    base: Annotated[str, Meta(max_length=64)] = ""
    """Hash of the live document that it was drafted from; empty when there was none."""


class CommentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A comment."""

    text: Annotated[str, Meta(min_length=1, max_length=4000)]
    place: Annotated[str, Meta(max_length=200)] = ""
    """What it is about: an item and perhaps a field, such as `prompt it.vpn reply.facts`."""


class ReasonRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a step is taken. Sending back, rejecting and an emergency need it."""

    reason: Words = ""


class ApproveRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to say beside an approval."""

    comment: Words = ""


class ScheduleRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When to publish."""

    publish_at: dt.datetime


class ResolutionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole document for one of which both sides changed the same field."""

    kind: EditKind
    name: ItemName
    document: Plain | None


class RebaseRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was chosen where both sides changed the same; fields that one side changed merge by themselves."""

    resolutions: Annotated[tuple[ResolutionRequest, ...], Meta(max_length=500)] = ()


def resolved(sent: Iterable[ResolutionRequest]) -> dict[Item, Plain | None]:
    """Returns the chosen documents by item."""
    return {Item(one.kind, one.name): one.document for one in sent}
