"""What people and their grants look like on the wire."""

import datetime as dt
from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from store.accounts import User
from store.people import Actor, Grant, Role

Area = Annotated[str, Meta(min_length=1, max_length=40)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Mail = Annotated[str, Meta(min_length=3, max_length=255)]
Password = Annotated[str, Meta(min_length=1, max_length=256)]
AssistantName = Annotated[str, Meta(min_length=1, max_length=40)]


class GrantBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role and the areas where it holds; none means everywhere."""

    role: Role
    areas: Annotated[tuple[Area, ...], Meta(max_length=100)] = ()

    @property
    def grant(self) -> Grant:
        """The grant that it tells of."""
        return Grant(self.role, frozenset(self.areas))


class GrantReply(msgspec.Struct, frozen=True):
    """A role and the areas where it holds; none means everywhere."""

    role: Role
    areas: tuple[str, ...]


class UserReply(msgspec.Struct, frozen=True):
    """Somebody who may sign in. The ETag is `rev`."""

    id: str
    name: str
    mail: str | None
    grants: tuple[GrantReply, ...]
    assistants: tuple[str, ...]
    """Whose decisions and questions they see; none means all."""
    has_password: bool
    has_totp: bool
    disabled_at: dt.datetime | None
    created_at: dt.datetime
    rev: int


def grant_replies(grants: Iterable[Grant]) -> tuple[GrantReply, ...]:
    """Returns grants in one order."""
    ordered = sorted(grants, key=lambda one: (one.role, sorted(one.areas)))
    return tuple(GrantReply(one.role, tuple(sorted(one.areas))) for one in ordered)


def user_reply(user: User) -> UserReply:
    """Returns a user as they are told."""
    return UserReply(
        id=user.id,
        name=user.name,
        mail=user.mail,
        grants=grant_replies(user.grants),
        assistants=tuple(sorted(user.assistants)),
        has_password=user.password_hash is not None,
        has_totp=user.has_totp,
        disabled_at=user.disabled_at,
        created_at=user.created_at,
        rev=user.rev,
    )


def actor_grants(actor: Actor) -> tuple[GrantReply, ...]:
    """Returns what an actor may do."""
    return grant_replies(actor.grants)
