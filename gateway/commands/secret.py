"""`canongate secret`: whether the keys in the data folder are the database's, and the way on when one is lost."""

import json
import sys
from pathlib import Path

import click

from gateway.admin_services import auditing_of
from gateway.commands.options import config_option, json_option, settings_from
from gateway.errors import SettingsInvalid
from gateway.key_files import ACCESS_KEY, AUDIT_KEY, CHECKPOINT_KEY, KEY_FILES, PEPPER, find_keys
from gateway.opening import open_store
from store.people import OPERATOR
from store.signals import is_served

LOST = {
    PEPPER: "all API keys made so far are refused; people in decisions are not known again, so that a purge does not "
    "find what they said",
    AUDIT_KEY: "the audit trail so far cannot be verified any more: `canongate audit verify` names its first row",
    CHECKPOINT_KEY: "the file of checkpoints cannot be continued: move it away, with what it proves",
    ACCESS_KEY: "authenticators must be enrolled again, and the secrets of widget clients rotated",
}
"""What a new key in place of one costs."""


@click.group()
def secret() -> None:
    """Compare the keys in the data folder with the database, and go on without one that is lost.

    \b
    Example:
      canongate secret show
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap


@secret.command()
@config_option
@json_option
def show(*, config: Path | None, as_json: bool) -> None:
    """Say of each key file whether it is the database's; exit status 1 when one is not.

    \b
    Example:
      canongate secret show --json
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    with open_store(settings, adopted=None) as store:
        found = find_keys(settings.data_directory, store.database)
    words = dict.fromkeys(KEY_FILES, "the database's")
    words |= dict.fromkeys(found.missing, "missing")
    words |= dict.fromkeys(found.foreign, "another one than the database's")
    words |= dict.fromkeys(found.new, "not known to the database yet")
    if as_json:
        click.echo(json.dumps(words))
    else:
        for name, said in words.items():
            click.echo(f"{name:<14}  {said}")
    sys.exit(1 if found.missing or found.foreign else 0)


@secret.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True, type=click.Choice(KEY_FILES))
@click.option("--yes", is_flag=True, help="Do not ask.")
@config_option
def adopt(names: tuple[str, ...], *, yes: bool, config: Path | None) -> None:
    """Take the files of these names for the database's from now on; one that is not there is made.

    Only for what is lost for good: the right files are in the data folders of other gateways and with the backups.

    \b
    Example:
      canongate secret adopt pepper
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    with open_store(settings, adopted=None) as store:
        found = find_keys(settings.data_directory, store.database)
        lost = [name for name in dict.fromkeys(names) if name in (*found.missing, *found.foreign)]
        if not lost:
            raise SettingsInvalid("nothing to do: these files are the database's.")
        if is_served(store.database):
            raise SettingsInvalid(
                "a gateway serves from this database, with the right keys: copy them from its data folder."
            )
    found.without(lost).require()
    for name in lost:
        click.echo(f"{name}: {LOST[name]}.", err=True)
    if not yes:
        click.confirm("Go on without?", abort=True, err=True)
    with open_store(settings, adopted=lost) as store:
        trail = auditing_of(settings, store.database).trail
        with store.database.writing() as session:
            for name in lost:
                trail.append(OPERATOR, "secret.adopted", f"secret {name}", session=session)
    click.echo(f"{', '.join(lost)} of {settings.data_directory}: the database's from now on. Keep a copy elsewhere.")
