"""The command line: names every command, and imports one only when it is used."""

import importlib
import sys
from collections.abc import Mapping
from types import MappingProxyType

import click

from gateway.errors import GatewayError
from models.errors import ModelError
from rails.errors import RailsError
from store.errors import StoreError

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "demo": "gateway.commands.serving:demo",
        "serve": "gateway.commands.serving:serve",
        "check": "gateway.commands.checking:check",
        "ask": "gateway.commands.asking:ask",
        "import": "gateway.commands.content:import_content",
        "export": "gateway.commands.content:export",
        "convert": "gateway.commands.rows:convert",
        "formats": "gateway.commands.rows:formats",
        "fit": "gateway.commands.fitting:fit",
        "eval": "gateway.commands.evaluating:evaluate",
        "rails": "gateway.commands.rails:rails",
        "key": "gateway.commands.keys:key",
        "widget": "gateway.commands.widget:widget",
        "user": "gateway.commands.users:user",
        "secret": "gateway.commands.secret:secret",
        "audit": "gateway.commands.audit:audit",
        "decisions": "gateway.commands.decisions:decisions",
        "purge": "gateway.commands.decisions:purge",
        "backup": "gateway.commands.backups:backup",
        "restore": "gateway.commands.backups:restore",
        "models": "gateway.commands.models:models",
    }
)
SUMMARIES: Mapping[str, str] = MappingProxyType(
    {
        "demo": "Run the gateway with the example help desk.",
        "serve": "Run the gateway.",
        "check": "Check settings, database, content, policies and models without serving.",
        "ask": "Take one message the whole way, in the terminal.",
        "import": "Publish prompts, assistants and policies; make drafts of rows.",
        "export": "Write what is live: readable files, or another format.",
        "convert": "Write rows of one format in another.",
        "formats": "List the formats, and what each keeps.",
        "fit": "Fit the matcher to what is live and show its limits.",
        "eval": "Measure the gateway with labelled messages.",
        "rails": "Check, try, activate and roll back policies.",
        "key": "Make, list, rotate and revoke API keys.",
        "widget": "Let places embed the chat widget.",
        "user": "Make people who may sign in, and give them roles.",
        "secret": "Compare the keys in the data folder with the database.",
        "audit": "Show, export and verify the audit trail.",
        "decisions": "Export and expire decisions.",
        "purge": "Delete what there is of a person.",
        "backup": "Write everything that cannot be made again to one file.",
        "restore": "Restore a backup.",
        "models": "List, register, plan and make models.",
    }
)


class LazyGroup(click.Group):
    """Imports a command's module when the command is asked for: `--help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="canongate", prog_name="canongate")
def app() -> None:
    """Canongate: a chat gateway that sends approved prompts to the model, never a person's own words.

    \b
    Examples:
      canongate demo
      canongate ask "How do I reset my password?" --trace
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap


def main() -> None:
    """Runs a command; an error of ours is one line and exit status 1, not a traceback."""
    try:
        app(prog_name="canongate", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except (GatewayError, StoreError, RailsError, ModelError) as error:
        click.echo(f"canongate: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
