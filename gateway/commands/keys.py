"""`canongate key`: make, list, rotate and revoke API keys."""

import datetime as dt
import json
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.access.keys import MOST_TOKENS, KeyWish
from gateway.commands.options import config_option, json_option, settings_from
from gateway.credentials import NewKey
from gateway.opening import Store, open_access, open_store
from store.catalog import load_catalog
from store.people import OPERATOR
from store.types import STANDARD_RATE, KeyScope


@click.group()
def key() -> None:
    """Make, list, rotate and revoke API keys.

    \b
    Example:
      canongate key create intranet --assistant helpdesk --days 90
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap


@key.command()
@click.argument("name")
@click.option("--client", help="Who uses it; several keys of a client live side by side. The name when left out.")
@click.option("--assistant", "assistants", multiple=True, help="May only talk to this assistant; repeatable.")
@click.option("--no-chat", is_flag=True, help="May not ask questions; for a key that reads metrics, say.")
@click.option("--debug", is_flag=True, help="May see scores and rails of its own requests.")
@click.option("--checks", is_flag=True, help="May try texts against the rails (POST /v1/checks).")
@click.option("--embeddings", is_flag=True, help="May turn texts into vectors (POST /v1/embeddings).")
@click.option("--metrics", is_flag=True, help="May read the metrics (GET /metrics).")
@click.option("--read", is_flag=True, help="May read the admin surface as a viewer.")
@click.option("--edit", is_flag=True, help="May draft changes as an editor; needs --owner.")
@click.option("--owner", help="Name of the user who answers for it, and whose roles it never exceeds.")
@click.option("--rate", "rate_class", default=STANDARD_RATE, show_default=True, help="Rate class, of the settings.")
@click.option("--tokens-per-day", type=click.IntRange(1, MOST_TOKENS), help="Tokens of the model it may use in a day.")
@click.option("--days", type=click.IntRange(1, 3650), help="Expires after so many days.")
@config_option
@json_option
def create(
    name: str,
    *,
    client: str | None,
    assistants: tuple[str, ...],
    no_chat: bool,
    debug: bool,
    checks: bool,
    embeddings: bool,
    metrics: bool,
    read: bool,
    edit: bool,
    owner: str | None,
    rate_class: str,
    tokens_per_day: int | None,
    days: int | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Make a key and show it once.

    \b
    Example:
      canongate key create intranet --days 90
      canongate key create prometheus --metrics --no-chat
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    if not name.strip():
        raise click.BadParameter("it is empty. Say who will use the key, such as intranet.", param_hint="NAME")
    settings = settings_from(config)
    chosen = {
        KeyScope.CHAT: not no_chat,
        KeyScope.DEBUG: debug,
        KeyScope.CHECKS: checks,
        KeyScope.EMBEDDINGS: embeddings,
        KeyScope.METRICS: metrics,
        KeyScope.READ: read,
        KeyScope.EDIT: edit,
    }
    scopes = tuple(scope for scope, is_chosen in chosen.items() if is_chosen)
    if not scopes:
        raise click.UsageError("A key with --no-chat needs something else that it may do, such as --metrics.")
    wish = KeyWish(
        name=name,
        client=client or "",
        scopes=scopes,
        assistants=assistants,
        lifetime=dt.timedelta(days=days) if days else None,
        rate_class=rate_class,
        tokens_per_day=tokens_per_day,
    )
    if assistants:
        with open_store(settings) as store:
            _require_live(assistants, store)
    with open_access(settings) as access:
        made = access.keys.create(OPERATOR, wish, owner=access.users.named(owner).id if owner else None)
    _show(made, as_json=as_json)


@key.command()
@click.argument("key_id")
@click.option(
    "--overlap",
    "overlap_days",
    type=click.IntRange(0, 90),
    default=7,
    show_default=True,
    help="Days for which the old key goes on; 0 ends it at once.",
)
@config_option
@json_option
def rotate(key_id: str, *, overlap_days: int, config: Path | None, as_json: bool) -> None:
    """Make another key like one, show it once, and let the old one end.

    \b
    Example:
      canongate key rotate Ab3dE6gH --overlap 14
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with open_access(settings_from(config)) as access:
        made = access.keys.rotate(OPERATOR, key_id, overlap=dt.timedelta(days=overlap_days))
    _show(made, as_json=as_json)


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
                "client": record.client,
                "owner": record.owner,
                "rate_class": record.rate_class,
                "tokens_per_day": record.tokens_per_day,
                "last_used_at": record.last_used_at.isoformat() if record.last_used_at else None,
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
    with open_access(settings_from(config)) as access:
        access.keys.revoke(OPERATOR, key_id)
    click.echo(f"Key {key_id} is revoked.")


def _show(made: NewKey, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"id": made.record.id, "key": made.token}))
        return
    click.echo(made.token)
    click.echo("This is the only time the key is shown; store it now.", err=True)


def _require_live(assistants: tuple[str, ...], store: Store) -> None:
    """A misspelt name would make a key that opens nothing, or one day something else."""
    live = load_catalog(store.database).assistants
    if unknown := sorted(set(assistants) - live.keys()):
        names = ", ".join(sorted(live)) or "none, nothing is published"
        raise click.BadParameter(f"{unknown[0]!r} is not live. Live: {names}.", param_hint="--assistant")
