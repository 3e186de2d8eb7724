"""Options that several commands share, and the settings that they lead to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from gateway.commands.places import require_place
from gateway.logs import set_up_logging
from gateway.settings import CONFIG_VARIABLE, Settings, load_settings

Command = TypeVar("Command", bound=Callable[..., Any])


def config_option(command: Command) -> Command:
    """Adds `--config FILE`; without it, settings come from the environment and the defaults."""
    return click.option(
        "--config",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar=CONFIG_VARIABLE,
        show_envvar=True,
        help="Settings file (TOML). See docs/configuration.md.",
    )(command)


def json_option(command: Command) -> Command:
    """Adds `--json`, for scripts."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")(command)


def assistant_option(command: Command) -> Command:
    """Adds `--assistant NAME`."""
    return click.option("--assistant", default="helpdesk", show_default=True, help="Assistant to talk to.")(command)


def meant_options(command: Command) -> Command:
    """Adds `--without-live-tests` and `--unused`: what is a mistake of a policy, unless somebody says it is meant."""
    command = click.option("--unused", is_flag=True, help="Take a policy whose name no assistant uses.")(command)
    return click.option(
        "--without-live-tests", is_flag=True, help="Let tests of the live policy fail that this one no longer has."
    )(command)


def settings_from(config: Path | None) -> Settings:
    """Reads the settings that the command at work runs with; only warnings are logged.

    Raises `SettingsInvalid`, also where the command works on what is there and nothing is (`MAY_BEGIN`).
    """
    settings = load_settings(config)
    set_up_logging(msgspec.structs.replace(settings.log, level="warning"))
    require_place(settings, _words(click.get_current_context()))
    return settings


def _words(context: click.Context) -> str:
    """Returns the words of a command behind the program's name, which may have several: `python -m gateway.cli`."""
    if context.parent is None:
        return ""
    return f"{_words(context.parent)} {context.info_name}".strip()
