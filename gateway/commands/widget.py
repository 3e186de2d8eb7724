"""`canongate widget`: let places embed the chat widget, rotate what they sign with, and turn them off."""

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.commands.options import config_option, json_option, settings_from
from gateway.commands.widget_change import change
from gateway.commands.widget_documents import keys_of, show_new, told_of
from gateway.http.static import FILES
from gateway.opening import open_widgets
from gateway.widget.release import snippets_of
from store.errors import InvalidContent
from store.people import OPERATOR
from store.widgets import Algorithm, SignIn, WidgetSettings


@click.group()
def widget() -> None:
    """Let places embed the chat widget.

    \b
    Example:
      canongate widget create hr-portal --assistant helpdesk --origin https://intranet.example
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap


@widget.command()
@click.argument("client_id", metavar="CLIENT")
@click.option("--assistant", required=True, help="The assistant that answers there.")
@click.option("--origin", "origins", multiple=True, required=True, help="Of its pages, exactly; repeatable.")
@click.option("--title", help="For administrators and screen readers; the client's id when left out.")
@click.option(
    "--sign-in",
    type=click.Choice([one.value for one in SignIn]),
    default=SignIn.REQUIRED.value,
    show_default=True,
    help="Whether visitors are known.",
)
@click.option("--language", "languages", multiple=True, default=("en",), show_default=True, help="Repeatable.")
@click.option(
    "--algorithm",
    type=click.Choice([one.value for one in Algorithm]),
    default=Algorithm.HS256.value,
    show_default=True,
    help="How the site signs: HS256 with a secret, the others with keys of its own.",
)
@click.option(
    "--keys",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JWKS file with the site's public keys, for RS256 and EdDSA.",
)
@config_option
@json_option
def create(
    client_id: str,
    *,
    assistant: str,
    origins: tuple[str, ...],
    title: str | None,
    sign_in: str,
    languages: tuple[str, ...],
    algorithm: str,
    keys: Path | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Let a place embed the widget; a secret for its server is shown once.

    \b
    Examples:
      canongate widget create hr-portal --assistant helpdesk --origin https://intranet.example
      canongate widget create shop --assistant shop --origin https://shop.example --sign-in none
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    document: dict[str, object] = {
        "title": title or client_id,
        "assistant": assistant,
        "origins": origins,
        "sign_in": sign_in,
        "languages": languages,
        "algorithm": algorithm,
        "keys": keys_of(keys) if keys else None,
    }
    with open_widgets(settings_from(config)) as widgets:
        show_new(widgets.create(OPERATOR, client_id, _settings(document)), as_json=as_json)


@widget.command(name="list")
@config_option
@json_option
def list_clients(*, config: Path | None, as_json: bool) -> None:
    """List the places that embed the widget.

    \b
    Example:
      canongate widget list --json
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with open_widgets(settings_from(config)) as widgets:
        found = widgets.all(OPERATOR)
    if as_json:
        click.echo(json.dumps([told_of(one) for one in found], indent=2))
        return
    table = Table(box=None)
    for title in ("id", "assistant", "origins", "sign in", "disabled"):
        table.add_column(title, no_wrap=title == "id", overflow="fold")
    for one in found:
        disabled = f"{one.disabled_at:%Y-%m-%d}" if one.disabled_at else ""
        table.add_row(
            one.id,
            escape(one.settings.assistant),
            escape(" ".join(one.settings.origins)),
            one.settings.sign_in,
            disabled,
        )
    Console().print(table)


@widget.command()
@click.argument("client_id", metavar="CLIENT")
@config_option
@json_option
def show(client_id: str, *, config: Path | None, as_json: bool) -> None:
    """Show a place that embeds the widget, with all its settings.

    \b
    Example:
      canongate widget show hr-portal
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with open_widgets(settings_from(config)) as widgets:
        told = told_of(widgets.get(OPERATOR, client_id))
    if as_json:
        click.echo(json.dumps(told, indent=2))
        return
    for name, value in told.items():
        click.echo(f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}")


@widget.command()
@click.argument("client_id", metavar="CLIENT")
@click.option(
    "--overlap",
    "overlap_days",
    type=click.IntRange(0, 90),
    default=7,
    show_default=True,
    help="Days for which the secret before goes on; 0 ends it at once.",
)
@config_option
@json_option
def rotate(client_id: str, *, overlap_days: int, config: Path | None, as_json: bool) -> None:
    """Give a place another secret, shown once, and let the one before end.

    \b
    Example:
      canongate widget rotate hr-portal --overlap 14
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with open_widgets(settings_from(config)) as widgets:
        made = widgets.rotate(OPERATOR, client_id, overlap=dt.timedelta(days=overlap_days))
    show_new(made, as_json=as_json)


@widget.command()
@click.argument("client_id", metavar="CLIENT")
@config_option
@json_option
def disable(client_id: str, *, config: Path | None, as_json: bool) -> None:
    """Turn a place off: a running gateway ends its sessions within a second.

    \b
    Example:
      canongate widget disable hr-portal
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with open_widgets(settings_from(config)) as widgets:
        changed = widgets.disable(OPERATOR, client_id)
    told = f"{client_id} is disabled. `canongate widget enable {client_id}` serves it again."
    click.echo(json.dumps(told_of(changed)) if as_json else told)


@widget.command()
@click.argument("client_id", metavar="CLIENT")
@config_option
@json_option
def enable(client_id: str, *, config: Path | None, as_json: bool) -> None:
    """Serve a place again that was turned off.

    \b
    Example:
      canongate widget enable hr-portal
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with open_widgets(settings_from(config)) as widgets:
        changed = widgets.enable(OPERATOR, client_id)
    click.echo(json.dumps(told_of(changed)) if as_json else f"{client_id} is served.")


@widget.command()
@click.argument("client_id", metavar="CLIENT")
@click.option("--server", help="Where browsers reach the gateway; server.public_url of the settings when left out.")
@config_option
@json_option
def snippet(client_id: str, *, server: str | None, config: Path | None, as_json: bool) -> None:
    """Print what a site copies into its pages, and what its content security policy must allow.

    \b
    Example:
      canongate widget snippet hr-portal --server https://chat.example
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = settings_from(config)
    address = server or next(iter(settings.server.origins), "")
    if not address:
        raise click.UsageError("say where browsers reach the gateway: --server, or server.public_url in the settings.")
    with open_widgets(settings) as widgets:
        client = widgets.get(OPERATOR, client_id)
    script = FILES.get("widget.js")
    found = snippets_of(client, address.rstrip("/"), script.content if script else None)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found), indent=2))
        return
    pinned = found.pinned or "(the widget was not built on this machine: run `make setup` where there is npm)"
    own = "In the site's own script, so that the frame knows who is signed in"
    for title, text in (
        ("One line, which follows the widget's first version", found.loader),
        ("Pinned: this very file and no other", pinned),
        ("In a frame, for sites that let no scripts of others in", found.frame),
        *(((own, found.frame_token),) if found.frame_token else ()),
        ("The site's content security policy must allow", "; ".join(found.content_security_policy)),
    ):
        click.echo(f"{title}:\n\n{text}\n")


def _settings(document: Mapping[str, object]) -> WidgetSettings:
    try:
        return msgspec.convert(document, WidgetSettings)
    except msgspec.ValidationError as error:
        raise InvalidContent(f"{error}.") from error


widget.add_command(change)
