"""Writes the pages and parts of pages that are made from the code: settings, commands, rails and their schema."""

import ast
import inspect
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import click
import msgspec

from docs.breaking import breaking
from gateway import (
    access_settings,
    faults,
    model_settings,
    replica_settings,
    server_settings,
    settings,
    telemetry_settings,
    webhook_settings,
)
from gateway.app import HANDLERS
from gateway.cli import app as canongate
from gateway.http.access import ROUTE_SCOPES
from gateway.http.admin.guard import PREFIX as ADMIN
from gateway.http.admin.key_authenticator import KEY_ROLES
from gateway.http.admin.route_table import OPEN_ROUTES, PERSONAL_ROUTES, ROUTES
from gateway.http.error_codes import ERROR_CODES, Surface
from gateway.http.listeners import EVERYWHERE, Listener, listeners_of
from gateway.http.openapi import OPERATIONS, describe
from gateway.http.pages.page_table import OPEN_PAGES, PAGES
from gateway.http.widget.origins import PREFIX as WIDGET
from rails.describe import ParameterNote, common_parameters, describe_rails
from rails.policy import policy_schema
from store.people import Role

DOCS = Path(__file__).parent
WIDTH = 100
BEGIN = "<!-- generated from the rails' own source; `make docs` rewrites it -->"
CODES = "## All codes\n"
OPENAPI = "openapi.json"
END = "<!-- end of what is generated -->"


def configuration() -> str:
    """Returns the page on settings: every field with its type, its default and the text below it."""
    texts = _field_texts()
    lines = [
        "# Configuration",
        "",
        "Generated from `gateway/settings.py` and the files of settings beside it; `make docs` rewrites it,",
        "`make check` compares it.",
        "",
        "Settings come from a TOML file (`canongate serve --config FILE`) and from environment variables named",
        '`CANONGATE_SECTION__FIELD`, which win over the file; lists are written as in TOML, `["a", "b"]`. Unknown',
        "fields are errors.",
    ]
    for section in msgspec.structs.fields(settings.Settings):
        kind = section.type
        lines += ["", f"## [{section.name}]", "", inspect.getdoc(kind) or ""]
        for field in msgspec.structs.fields(kind):
            default = field.default if field.default != "" else '""'
            variable = f"CANONGATE_{section.name.upper()}__{field.name.upper()}"
            lines += ["", f"### {section.name}.{field.name}", "", texts[kind.__name__, field.name]]
            lines += ["", f"Default `{default}`. Variable `{variable}`."]
    return "\n".join(lines) + "\n"


def command_line() -> str:
    """Returns the page on the commands: the help of each, as it is printed."""
    lines = [
        "# Command line",
        "",
        "Generated from `canongate --help`; `make docs` rewrites it, `make check` compares it.",
    ]
    for path, command in _commands(canongate, ("canongate",)):
        context = click.Context(command, info_name=" ".join(path), max_content_width=WIDTH, terminal_width=WIDTH)
        lines += ["", f"## {' '.join(path)}", "", "```text", command.get_help(context), "```"]
    return "\n".join(lines) + "\n"


def rails_page() -> str:
    """Returns the page on rails as it is, with the part between the marks made anew."""
    page = (DOCS / "rails.md").read_text()
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"docs/rails.md lacks the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{_rails()}\n{END}{after}"


def errors_guide() -> str:
    """Returns the guide on errors as it is, with the table of codes at its end made anew."""
    before, heading, _ = (DOCS / "guides" / "errors.md").read_text().partition(CODES)
    lines = ["| status | code | meaning | try again |", "|---|---|---|---|"]
    lines += [
        f"| {one.status} | `{one.name}` | {one.text} | {'yes' if one.is_worth_repeating else ''} |"
        for one in ERROR_CODES
        if one.surfaces != {Surface.PAGES}
    ]
    return "\n".join([f"{before}{heading}", *lines]) + "\n"


def exposure() -> str:
    """Returns the page on what answers to whom: the tables that the guards go by."""
    described = {f"{one.method.upper()} {one.path}": one for one in OPERATIONS}
    lines = [
        "# What answers to whom",
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


def schema() -> str:
    """Returns the JSON Schema of policies."""
    return json.dumps(policy_schema(), indent=2) + "\n"


def _rails() -> str:
    lines = ["| every rail | takes | default | |", "|---|---|---|---|", *map(_row, common_parameters()), ""]
    for rail in describe_rails():
        stages = " and ".join(stage.value for stage in rail.stages)
        changes = "; `on_fail: transform` changes the text" if rail.may_rewrite else ""
        lines += [f"### {rail.name}", "", f"{rail.doc} On {stages}{changes}.", ""]
        if rail.parameters:
            lines += ["| parameter | takes | default | |", "|---|---|---|---|", *map(_row, rail.parameters), ""]
    return "\n".join(lines)


def _row(note: ParameterNote) -> str:
    default = f"`{note.default}`" if note.default else "must be given"
    cells = (f"`{note.name}`", note.kind, default, note.doc)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _commands(command: click.Command, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], click.Command]]:
    found = [(path, command)]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            if inner := command.get_command(context, name):
                found += _commands(inner, (*path, name))
    return found


def _field_texts() -> dict[tuple[str, str], str]:
    """The strings below the fields, which Python itself throws away."""
    texts = {}
    source = "".join(
        map(
            inspect.getsource,
            (
                access_settings,
                model_settings,
                server_settings,
                settings,
                replica_settings,
                telemetry_settings,
                webhook_settings,
                faults,
            ),
        )
    )
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            for field, text in zip(node.body, node.body[1:], strict=False):
                if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
                    texts[node.name, ast.unparse(field.target)] = ast.literal_eval(text.value)
    return texts


def _broken(described: str) -> list[str]:
    path = DOCS / OPENAPI
    return breaking(json.loads(path.read_text()), json.loads(described)) if path.is_file() else []


def main() -> int:
    """Writes the pages, or with `--check` says which are stale."""
    pages = {
        "configuration.md": configuration(),
        "cli.md": command_line(),
        "rails.md": rails_page(),
        "exposure.md": exposure(),
        "guides/errors.md": errors_guide(),
        "policy.schema.json": schema(),
        OPENAPI: json.dumps(describe(), indent=1, ensure_ascii=False) + "\n",
    }
    stale = [name for name, text in pages.items() if not (DOCS / name).is_file() or (DOCS / name).read_text() != text]
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"docs/{name} is stale; run: make docs")  # noqa: T201 - a command's output
        return 1 if stale else 0
    if OPENAPI in stale and (broken := _broken(pages[OPENAPI])) and "--accept-breaking" not in sys.argv[1:]:
        print("\n".join(["this breaks clients of the API:", *broken]))  # noqa: T201 - as above
        print("put it back, or, before anybody uses it, run: python -m docs.generate --accept-breaking")  # noqa: T201
        return 1
    for name in stale:
        (DOCS / name).write_text(pages[name])
        print(f"wrote docs/{name}")  # noqa: T201 - a command's output
    return 0


if __name__ == "__main__":
    sys.exit(main())
