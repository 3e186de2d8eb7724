"""People, their sessions and keys."""

from itertools import count

import msgspec

from gateway.access.keys import KeyWish
from store.people import OPERATOR, Role
from store.types import KeyScope
from store.widgets import WidgetSettings
from tests.administration import AdminWorld
from tests.samples.registry import body, sample

_NUMBERS = count(1)
WIDGET = {"title": "A page", "assistant": "helpdesk", "origins": ["https://page.example"]}


def user(admin: AdminWorld, assistant: str) -> str:
    return admin.user(f"{assistant} {next(_NUMBERS)}", Role.VIEWER, assistants=(assistant,)).id


def key(admin: AdminWorld, assistant: str) -> str:
    wish = KeyWish(name=f"{assistant} {next(_NUMBERS)}", scopes=(KeyScope.CHAT,), assistants=(assistant,))
    return admin.access.keys.create(OPERATOR, wish).record.id


def session(admin: AdminWorld, assistant: str) -> str:
    made = admin.user(f"{assistant} {next(_NUMBERS)}", Role.VIEWER, assistants=(assistant,))
    return admin.session(made).signed_in.session.id


def widget_client(admin: AdminWorld, assistant: str) -> str:
    settings = msgspec.convert(WIDGET | {"assistant": assistant}, WidgetSettings)
    return admin.administration.widgets.create(OPERATOR, f"{assistant}-{next(_NUMBERS)}", settings).client.id


sample("user_id", user)
sample("key_id", key)
sample("session_id", session)
sample("client_id", widget_client)
body("POST /v1/admin/widget-clients", {"id": "some-page", "settings": WIDGET})
body("PATCH /v1/admin/widget-clients/{client_id:str}", {"title": "Another"})
body("POST /v1/admin/widget-clients/{client_id:str}/rotate-secret", {})
body("POST /v1/admin/users", {"name": "somebody"})
body("PUT /v1/admin/users/{user_id:str}/grants", {"grants": [], "assistants": ["helpdesk"]})
body("POST /v1/admin/keys", {"name": "some key"})
body("POST /v1/admin/keys/{key_id:str}/rotate", {})
