"""What `canongate widget` reads from files, and how it shows a place that embeds the widget."""

import json
from pathlib import Path

import click
import msgspec

from gateway.widget.clients import NewSecret
from store.widgets import KeyDocument, WidgetClient


def keys_of(path: Path) -> KeyDocument:
    """Reads public keys of a site. Raises `click.BadParameter`, which never says what is in them."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=KeyDocument)
    except (msgspec.DecodeError, OSError) as error:  # a decode error may name a field, never what is in it
        raise click.BadParameter(f"it is no JWKS document of public keys: {error}.", param_hint="--keys") from error


def told_of(client: WidgetClient) -> dict[str, object]:
    """Returns a place with all its settings, without what is secret."""
    secrets = [
        {
            "id": one.id,
            "created_at": one.created_at.isoformat(),
            "ends_at": one.ends_at.isoformat() if one.ends_at else None,
        }
        for one in client.secrets
    ]
    told: dict[str, object] = {"id": client.id, **msgspec.to_builtins(client.settings), "secrets": secrets}
    told["created_at"] = client.created_at.isoformat()
    told["disabled_at"] = client.disabled_at.isoformat() if client.disabled_at else None
    return told


def show_new(made: NewSecret, *, as_json: bool) -> None:
    """Shows the one time that there is a new secret."""
    if as_json:
        click.echo(json.dumps({"id": made.client.id, "secret": made.secret}))
        return
    click.echo(made.secret or f"{made.client.id} is served; its site needs no secret of ours.")
    if made.secret:
        click.echo("This is the only time the secret is shown; give it to the site's server now.", err=True)
