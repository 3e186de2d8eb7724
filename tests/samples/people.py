"""People, their sessions and keys."""

from itertools import count

from gateway.access.keys import KeyWish
from store.people import OPERATOR, Role
from store.types import KeyScope
from tests.administration import AdminWorld
from tests.samples.registry import body, sample

_NUMBERS = count(1)


def user(admin: AdminWorld, assistant: str) -> str:
    return admin.user(f"{assistant} {next(_NUMBERS)}", Role.VIEWER, assistants=(assistant,)).id


def key(admin: AdminWorld, assistant: str) -> str:
    wish = KeyWish(name=f"{assistant} {next(_NUMBERS)}", scopes=(KeyScope.CHAT,), assistants=(assistant,))
    return admin.access.keys.create(OPERATOR, wish).record.id


def session(admin: AdminWorld, assistant: str) -> str:
    made = admin.user(f"{assistant} {next(_NUMBERS)}", Role.VIEWER, assistants=(assistant,))
    return admin.session(made).signed_in.session.id


sample("user_id", user)
sample("key_id", key)
sample("session_id", session)
body("POST /v1/admin/users", {"name": "somebody"})
body("PUT /v1/admin/users/{user_id:str}/grants", {"grants": [], "assistants": ["helpdesk"]})
body("POST /v1/admin/keys", {"name": "some key"})
body("POST /v1/admin/keys/{key_id:str}/rotate", {})
