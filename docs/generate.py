"""Writes the pages and parts of pages that are made from the code: settings, commands, routes, rails, tables."""

import ast
import inspect
import json
import re
import sys
from pathlib import Path

import click
import msgspec

from docs.breaking import breaking
from docs.exposing import exposure
from docs.operations import objects, operations
from docs.tables import alert_table, family_table, format_table, metric_table
from gateway import settings
from gateway.cli import app as canongate
from gateway.http.error_codes import ERROR_CODES, Surface
from gateway.http.openapi import describe
from rails.describe import ParameterNote, common_parameters, describe_rails
from rails.policy import policy_schema

DOCS = Path(__file__).parent
WIDTH = 100
BEGIN = "<!-- generated: {name}; `make docs` rewrites it -->"
END = "<!-- end of what is generated -->"
CODES = "## All codes\n"
OPENAPI = "openapi.json"


def configuration() -> str:
    """Returns the page on settings: every field with its type, its default and the text below it."""
    texts = _field_texts()
    lines = [
        "# Configuration",
        "",
        "For operators: every setting, what to choose and why.",
        "",
        "Generated from `gateway/settings.py` and the files of settings beside it; `make docs` rewrites it,",
        "`make check` compares it.",
        "",
        "Settings come from a TOML file and from environment variables named `CANONGATE_SECTION__FIELD`, which win",
        'over the file; lists are written as in TOML, `["a", "b"]`. Unknown fields are errors. Commands take the file',
        "with `--config FILE`, or from the variable `CANONGATE_CONFIG`. One that works on what is there refuses a data",
        "folder, or a database, in which no gateway ever was: its settings are then those of another place.",
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
        "For operators, and for whoever keeps prompts as files: every command with its options and an example.",
        "",
        "Generated from `canongate --help`; `make docs` rewrites it, `make check` compares it.",
    ]
    for path, command in _commands(canongate, ("canongate",)):
        # A command keeps the first option of help that it is asked for: else later ones of this process have no -h.
        context = click.Context(
            command,
            info_name=" ".join(path),
            max_content_width=WIDTH,
            terminal_width=WIDTH,
            help_option_names=canongate.context_settings["help_option_names"],
        )
        lines += ["", f"## {' '.join(path)}", "", "```text", command.get_help(context), "```"]
    return "\n".join(lines) + "\n"


def part_of(page: str, name: str, text: str) -> str:
    """Returns a page as it is, with the part of that name between its marks made anew."""
    begin = BEGIN.format(name=name)
    before, _, rest = (DOCS / page).read_text().partition(begin)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"docs/{page} lacks the marks {begin} and {END}")
    return f"{before}{begin}\n\n{text}\n{END}{after}"


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


def security() -> str:
    """Returns the promises of SECURITY.md as a page of the site, whose links stay inside it."""
    text = (DOCS.parent / "SECURITY.md").read_text().replace("](docs/", "](")
    text = re.sub(r"\[(test_\w+)\]\((tests/[\w/.]+)\)", r"`\1` in `\2`", text)
    return text.replace(
        "# Security\n",
        "# Security promises\n\nFor whoever has to judge it: what is promised, by which test, and what is not. This is"
        " `SECURITY.md`;\n`make docs` copies it, `make check` compares it.\n",
        1,
    )


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


def pages() -> dict[str, str]:
    """Returns every page that is made from the code, or has a part that is, by its path below `docs/`."""
    description = describe()
    return {
        "configuration.md": configuration(),
        "cli.md": command_line(),
        "rails.md": part_of("rails.md", "rails", _rails()),
        "models.md": part_of("models.md", "families", f"{family_table()}\n"),
        "formats.md": part_of("formats.md", "formats", f"{format_table()}\n"),
        "telemetry.md": part_of("telemetry.md", "metrics", f"{metric_table()}\n"),
        "operating/incidents.md": part_of("operating/incidents.md", "alerts", f"{alert_table()}\n"),
        "exposure.md": exposure(),
        "guides/errors.md": errors_guide(),
        "rest/operations.md": operations(description),
        "rest/objects.md": objects(description),
        "security.md": security(),
        "policy.schema.json": schema(),
        OPENAPI: json.dumps(description, indent=1, ensure_ascii=False) + "\n",
    }


def main() -> int:
    """Writes the pages, or with `--check` says which are stale."""
    made = pages()
    stale = [name for name, text in made.items() if not (DOCS / name).is_file() or (DOCS / name).read_text() != text]
    if "--check" in sys.argv[1:]:
        for name in stale:
            print(f"docs/{name} is stale; run: make docs")  # noqa: T201 - a command's output
        return 1 if stale else 0
    if OPENAPI in stale and (broken := _broken(made[OPENAPI])) and "--accept-breaking" not in sys.argv[1:]:
        print("\n".join(["this breaks clients of the API:", *broken]))  # noqa: T201 - as above
        print("put it back, or, before anybody uses it, run: python -m docs.generate --accept-breaking")  # noqa: T201
        return 1
    for name in stale:
        (DOCS / name).write_text(made[name])
        print(f"wrote docs/{name}")  # noqa: T201 - a command's output
    return 0


if __name__ == "__main__":
    sys.exit(main())
