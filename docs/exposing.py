"""The page on what answers to whom, made from the tables of routes."""

import re
from collections.abc import Iterable

from gateway.app import HANDLERS
from gateway.http.access import ROUTE_SCOPES
from gateway.http.admin.guard import PREFIX as ADMIN
from gateway.http.admin.key_authenticator import KEY_ROLES
from gateway.http.admin.route_table import OPEN_ROUTES, PERSONAL_ROUTES, ROUTES
from gateway.http.listeners import EVERYWHERE, Listener, listeners_of
from gateway.http.openapi import OPERATIONS
from gateway.http.pages.page_table import OPEN_PAGES, PAGES
from gateway.http.widget.origins import PREFIX as WIDGET
from store.people import Role


def exposure() -> str:
    """Returns the page on what answers to whom: the tables that the guards go by."""
    described = {f"{one.method.upper()} {one.path}": one for one in OPERATIONS}
    lines = [
        "# What answers to whom",
        "",
        "For operators, and for whoever reviews its security.",
        "",
        "Generated from the tables that the guards go by; `make docs` rewrites it, `make check` compares it. What is",
        "in no table is closed.",
        "",
        *_listeners(),
        "## Without a credential",
        "",
        *_exposed(
            name
            for name in described
            if not described[name].needs_key and not name.split()[1].startswith((ADMIN, WIDGET))
        ),
        "",
        "Of the admin surface, where people get a credential:",
        "",
        *_exposed(map(_plain_path, OPEN_ROUTES)),
        "",
        "## With an API key",
        "",
        "| operation | scope |",
        "|---|---|",
    ]
    scopes = {_plain_path(path): scope for path, scope in ROUTE_SCOPES.items()}
    for name, one in described.items():
        if one.needs_key and not one.path.startswith((ADMIN, WIDGET)):
            lines.append(f"| `{name}` | `{scopes[one.path].value}` |")
    lines += [
        "",
        "`debug` shows scores and rails of a key's own requests. On the admin surface a key with `admin:read` is a",
        "viewer and one with `admin:edit` an editor, never more than its owner is. A session opens nothing here.",
        "",
        "## The widget",
        "",
        "For pages of the origins that a widget client lists, exactly, and for `/embed/chat`; no key and no session of",
        "the admin surface opens anything here. `OPTIONS` answers listed origins alone. What needs a visitor's session",
        "needs one that was begun at that very origin.",
        "",
        "| operation | visitor's session |",
        "|---|---|",
        *(
            f"| `{name}` | {'yes' if one.needs_key else ''} |"
            for name, one in described.items()
            if one.path.startswith(WIDGET)
        ),
        "",
        "## The admin surface",
        "",
        "A session opens what a role of its person opens; a service may ask for the role in an area too. What belongs",
        "to another tenant is not found.",
        "",
        f"| operation | {' | '.join(Role)} | key |",
        f"|---|{'---|' * (len(Role) + 1)}",
    ]
    for name, roles in ROUTES.items():
        marks = ["yes" if role in roles else "" for role in Role]
        scopes = [scope.value for scope, role in KEY_ROLES.items() if role in roles and name not in PERSONAL_ROUTES]
        lines.append(f"| `{_plain_path(name)}` | {' | '.join(marks)} | {', '.join(f'`{one}`' for one in scopes)} |")
    lines += ["", *_pages()]
    return "\n".join(lines) + "\n"


def _listeners() -> list[str]:
    paths = {path for handler in HANDLERS for path in handler.paths}
    at = {listener: {path for path in paths if listeners_of(path) == {listener}} for listener in Listener}
    everywhere = sorted(path for path in paths if listeners_of(path) == EVERYWHERE)
    return [
        "## At which listener",
        "",
        "With `--admin-listen` (`server.admin_listen`) there are two listeners, and what one serves is not found at",
        "the other. `/v1/admin`, `/admin` and `/widget/v1` stand for all that is below them.",
        "",
        "| listener | serves |",
        "|---|---|",
        f"| both | {_listed(everywhere)} |",
        f"| for questions | {_listed(at[Listener.DATA])} |",
        f"| for people who administer | {_listed(at[Listener.ADMIN])} |",
        "",
    ]


def _listed(paths: Iterable[str]) -> str:
    below = {"/v1/admin/": "/v1/admin", "/admin": "/admin", "/widget/": "/widget/v1"}
    short = {next((to for start, to in below.items() if path.startswith(start)), _plain_path(path)) for path in paths}
    return ", ".join(f"`{path}`" for path in sorted(short))


def _pages() -> list[str]:
    lines = [
        "## The pages",
        "",
        "For people with a session; no key opens one. A form counts with the session's token, from our own pages.",
        "Without a session these open:",
        "",
        *_exposed(map(_plain_path, OPEN_PAGES)),
        "",
        f"| page | {' | '.join(Role)} |",
        f"|---|{'---|' * len(Role)}",
    ]
    for name, roles in PAGES.items():
        lines.append(f"| `{_plain_path(name)}` | {' | '.join('yes' if role in roles else '' for role in Role)} |")
    return lines


def _exposed(names: Iterable[str]) -> list[str]:
    return [f"- `{name}`" for name in sorted(names)]


def _plain_path(name: str) -> str:
    return re.sub(r":[a-z]+}", "}", name)
