"""API keys on the admin surface: a key may read or draft, and never approves or publishes."""

from typing import Any

from anyio import CapacityLimiter, to_thread
from litestar.connection import ASGIConnection

from gateway.credentials import KeyRing
from gateway.errors import NotServing
from gateway.http.bearer import bearer_token
from store.errors import StoreUnavailable
from store.people import Actor, Grant, Role
from store.types import KeyScope

_ROLES = {KeyScope.READ: Role.VIEWER, KeyScope.EDIT: Role.EDITOR}


class KeyAuthenticator:
    """Knows actors by their API keys."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._threads = CapacityLimiter(4)

    async def actor(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Actor:
        """Returns the key as an actor. Raises `NotAllowed`, `NotServing`."""
        try:
            principal = await to_thread.run_sync(self._keys.principal, bearer_token(connection), limiter=self._threads)
        except StoreUnavailable as error:
            raise NotServing("store_unavailable", "API keys cannot be checked, so nothing is answered.") from error
        name = f"key:{principal.id}"
        grants = frozenset(Grant(_ROLES[scope]) for scope in principal.scopes if scope in _ROLES)
        return Actor(name, principal.name, person=name, grants=grants, assistants=principal.assistants)
