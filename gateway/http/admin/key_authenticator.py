"""API keys on the admin surface: a key may read or draft, and never approves or publishes."""

from collections.abc import Awaitable, Callable
from typing import Any

from anyio import CapacityLimiter, to_thread
from litestar.connection import ASGIConnection

from gateway.credentials import KeyRing, Principal
from gateway.errors import NotAllowed, NotServing
from gateway.http.bearer import bearer_token
from store.accounts import User
from store.errors import NotFound, StoreUnavailable
from store.people import Actor, Grant, Role
from store.types import KeyScope

KEY_ROLES = {KeyScope.READ: Role.VIEWER, KeyScope.EDIT: Role.EDITOR}
"""What scopes of a key are on the admin surface."""
_OWNERS = {KeyScope.READ: frozenset(Role), KeyScope.EDIT: frozenset({Role.EDITOR, Role.ADMIN})}
"""Roles any one of which the owner must still have, in all areas."""


class KeyAuthenticator:
    """Knows actors by their API keys. A key is never more than its owner is at that moment."""

    def __init__(
        self,
        keys: KeyRing,
        owner: Callable[[str], User],
        unknown: Callable[[ASGIConnection[Any, Any, Any, Any]], Awaitable[None]],
    ) -> None:
        """`owner` returns the user with an id, or raises `NotFound`; it may block.

        `unknown` counts a request whose key has to be looked up.
        """
        self._keys = keys
        self._owner = owner
        self._unknown = unknown
        self._threads = CapacityLimiter(4)

    async def actor(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Actor:
        """Returns the key as an actor. Raises `NotAllowed`, `RateLimited`, `NotServing`."""
        token = bearer_token(connection)
        if self._keys.known(token) is None:
            await self._unknown(connection)
        try:
            return await to_thread.run_sync(self._actor, token, limiter=self._threads)
        except StoreUnavailable as error:
            raise NotServing("store_unavailable", "API keys cannot be checked, so nothing is answered.") from error

    def _actor(self, token: str) -> Actor:
        principal = self._keys.known(token) or self._keys.principal(token)
        name = f"key:{principal.id}"
        roles = {KEY_ROLES[scope] for scope in principal.scopes if scope in KEY_ROLES}
        if principal.owner is None:
            grants = frozenset(map(Grant, roles))
            return Actor(name, principal.name, person=name, grants=grants, assistants=principal.assistants)
        return _within(principal, self._known_owner(principal.owner))

    def _known_owner(self, user_id: str) -> User:
        try:
            owner = self._owner(user_id)
        except NotFound:
            owner = None
        if owner is None or owner.disabled_at is not None:
            raise NotAllowed("invalid_api_key", "The API key is missing, wrong, expired or revoked.")
        return owner


def _within(principal: Principal, owner: User) -> Actor:
    """Returns the key as far as its owner reaches."""
    kept = {
        KEY_ROLES[scope]
        for scope, roles in _OWNERS.items()
        if scope in principal.scopes and any(one.role in roles and not one.areas for one in owner.grants)
    }
    assistants = principal.assistants or owner.assistants
    if owner.assistants:
        assistants &= owner.assistants
        if not assistants:  # an empty set would mean all of them
            kept = set()
    return Actor(
        f"key:{principal.id}",
        principal.name,
        person=owner.actor.person,
        grants=frozenset(map(Grant, kept)),
        assistants=assistants,
    )
