"""Writes the pages and parts of pages that are made from the code: settings, commands, rails and their schema."""

import ast
import inspect
import json
import sys
from pathlib import Path

import click
import msgspec

from docs.breaking import breaking
from docs.exposing import exposure
from gateway import settings
from gateway.cli import app as canongate
from gateway.http.error_codes import ERROR_CODES, Surface
from gateway.http.openapi import describe
from rails.describe import ParameterNote, common_parameters, describe_rails
from rails.policy import policy_schema

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
            given = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
            default = given if given != "" else '""'
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
    modules = {sys.modules[section.type.__module__] for section in msgspec.structs.fields(settings.Settings)}
    source = "".join(map(inspect.getsource, sorted(modules, key=lambda module: module.__name__)))
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
