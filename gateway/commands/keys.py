"""`canongate key`: make, list and revoke API keys."""

import datetime as dt
import json
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.bootstrap import Store, open_store
from gateway.commands.options import config_option, json_option, settings_from
from gateway.credentials import load_pepper, new_key
from store.catalog import load_catalog
from store.types import KeyScope


@click.group()
def key() -> None:
    """Make, list and revoke API keys.

    \b
    Example:
      canongate key create intranet --assistant helpdesk --days 90
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap


@key.command()
@click.argument("name")
@click.option("--assistant", "assistants", multiple=True, help="May only talk to this assistant; repeatable.")
@click.option("--debug", is_flag=True, help="May see scores and rails of its own requests.")
@click.option("--checks", is_flag=True, help="May try texts against the rails (POST /v1/checks).")
@click.option("--days", type=click.IntRange(1, 3650), help="Expires after so many days.")
@config_option
@json_option
def create(
    name: str,
    *,
    assistants: tuple[str, ...],
    debug: bool,
    checks: bool,
    days: int | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Make a key and show it once.

    \b
    Example:
      canongate key create intranet --days 90
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    if not name.strip():
        raise click.BadParameter("it is empty. Say who will use the key, such as intranet.", param_hint="NAME")
    settings = settings_from(config)
    scopes = (KeyScope.CHAT, *([KeyScope.DEBUG] * debug), *([KeyScope.CHECKS] * checks))
    with open_store(settings) as store:
        if assistants:
            _require_live(assistants, store)
        made = new_key(
            name,
            load_pepper(settings.data_directory / "pepper"),
            scopes=scopes,
            assistants=assistants,
            lifetime=dt.timedelta(days=days) if days else None,
        )
        store.keys.add(made.record)
    if as_json:
        click.echo(json.dumps({"id": made.record.id, "key": made.token}))
    else:
        click.echo(made.token)
        click.echo("This is the only time the key is shown; store it now.", err=True)


@key.command(name="list")
@config_option
@json_option
def list_keys(*, config: Path | None, as_json: bool) -> None:
    """List keys, oldest first; secrets are not kept and cannot be shown.

    \b
    Example:
      canongate key list --json
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with open_store(settings_from(config)) as store:
        records = store.keys.all()
    if as_json:
        rows = [
            {
                "id": record.id,
                "name": record.name,
                "scopes": [scope.value for scope in record.scopes],
                "assistants": list(record.assistants),
                "created_at": record.created_at.isoformat(),
                "expires_at": record.expires_at.isoformat() if record.expires_at else None,
                "revoked_at": record.revoked_at.isoformat() if record.revoked_at else None,
            }
            for record in records
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    table = Table(box=None)
    for title in ("id", "name", "scopes", "assistants", "created", "expires", "revoked"):
        # A cut id cannot be revoked and a cut date is none; names may take more lines.
        table.add_column(title, no_wrap=title not in ("name", "scopes", "assistants"), overflow="fold")
    for record in records:
        table.add_row(
            record.id,
            escape(record.name),
            " ".join(record.scopes),
            escape(" ".join(record.assistants)) or "all",
            f"{record.created_at:%Y-%m-%d}",
            f"{record.expires_at:%Y-%m-%d}" if record.expires_at else "never",
            f"{record.revoked_at:%Y-%m-%d}" if record.revoked_at else "",
        )
    Console().print(table)


@key.command()
@click.argument("key_id")
@config_option
def revoke(key_id: str, *, config: Path | None) -> None:
    """End a key: a running gateway refuses it within a second.

    \b
    Example:
      canongate key revoke Ab3dE6gH
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with open_store(settings_from(config)) as store:
        store.keys.revoke(key_id, at=dt.datetime.now(dt.UTC))
    click.echo(f"Key {key_id} is revoked.")


def _require_live(assistants: tuple[str, ...], store: Store) -> None:
    """A misspelt name would make a key that opens nothing, or one day something else."""
    live = load_catalog(store.database).assistants
    if unknown := sorted(set(assistants) - live.keys()):
        names = ", ".join(sorted(live)) or "none, nothing is published"
        raise click.BadParameter(f"{unknown[0]!r} is not live. Live: {names}.", param_hint="--assistant")
