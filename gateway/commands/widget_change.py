"""`canongate widget change`: put other settings in place of those of a place that embeds the widget."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

import click
import msgspec
from msgspec import UNSET

from gateway.commands.options import config_option, json_option, settings_from
from gateway.commands.widget_documents import keys_of, told_of
from gateway.http.admin.widget_clients import WidgetChangeRequest
from gateway.opening import open_widgets
from store.errors import InvalidContent
from store.people import OPERATOR
from store.widgets import Algorithm, SignIn, WidgetSettings

_CONTACT = ("name", "email", "phone", "url", "hours")


@click.command()
@click.argument("client_id", metavar="CLIENT")
@click.option("--title", help="For administrators and screen readers.")
@click.option("--assistant", help="The assistant that answers there.")
@click.option("--origin", "origins", multiple=True, help="Of its pages, exactly; repeatable, in place of all before.")
@click.option("--sign-in", type=click.Choice([one.value for one in SignIn]), help="Whether visitors are known.")
@click.option("--algorithm", type=click.Choice([one.value for one in Algorithm]), help="How the site signs.")
@click.option(
    "--keys",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JWKS file with the site's public keys, in place of those before.",
)
@click.option("--language", "languages", multiple=True, help="Repeatable, in place of all before.")
@click.option(
    "--texts",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="TOML or JSON file: for each language heading, greeting and strings; in place of all before.",
)
@click.option("--contact", multiple=True, metavar="FIELD=TEXT", help=f"One of {', '.join(_CONTACT)}; repeatable.")
@click.option("--no-contact", is_flag=True, help="Name nobody.")
@click.option("--accent", help="Main colour, such as #1f4fbf.")
@click.option("--on-accent", help="Colour of what stands on it.")
@click.option("--radius", type=int, help="Of corners, in pixels.")
@click.option("--position", type=click.Choice(["end", "start"]), help="In which corner the button stands.")
@click.option("--max-length", type=int, help="Characters of a question.")
@config_option
@json_option
def change(client_id: str, *, config: Path | None, as_json: bool, **typed: object) -> None:
    """Change a place that embeds the widget; what is left out stays as it is.

    \b
    Examples:
      canongate widget change hr-portal --origin https://intranet.example --origin https://hr.example
      canongate widget change hr-portal --accent "#7a1fa2" --contact "name=HR desk" --texts texts.toml
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    with open_widgets(settings_from(config)) as widgets:
        before = widgets.get(OPERATOR, client_id)
        given = _given(before.settings, typed)
        if not given:
            raise click.UsageError("say what to change: `canongate widget change --help` has it all.")
        made = widgets.change(OPERATOR, client_id, given, rev=before.rev)
    if as_json:
        click.echo(json.dumps({**told_of(made.client), "secret": made.secret}, indent=2))
        return
    click.echo(f"{client_id} is changed: {', '.join(sorted(given))}.")
    if made.secret:
        click.echo(made.secret)
        click.echo("This is the only time the secret is shown; give it to the site's server now.", err=True)


def _given(before: WidgetSettings, typed: Mapping[str, object]) -> dict[str, object]:
    """Returns settings by their names, read as the REST surface reads them. Raises `InvalidContent`."""
    plain = ("title", "assistant", "origins", "sign_in", "algorithm", "languages", "max_length")
    document = {name: typed[name] for name in plain if typed[name] not in (None, ())}
    looks = {name: typed[name] for name in ("accent", "on_accent", "radius", "position") if typed[name] is not None}
    if looks:
        document["theme"] = msgspec.to_builtins(before.theme) | looks
    if typed["no_contact"]:
        document["contact"] = None
    elif contact := _contact(typed["contact"]):
        document["contact"] = (msgspec.to_builtins(before.contact) if before.contact else {}) | contact
    if isinstance(keys := typed["keys"], Path):
        document["keys"] = keys_of(keys)
    elif typed["algorithm"] == Algorithm.HS256.value:
        document["keys"] = None
    if isinstance(texts := typed["texts"], Path):
        document["texts"] = _texts(texts)
    try:
        asked = msgspec.convert(document, WidgetChangeRequest)
    except msgspec.ValidationError as error:
        raise InvalidContent(f"{error}.") from error
    return {name: value for name, value in msgspec.structs.asdict(asked).items() if value is not UNSET}


def _contact(typed: object) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in typed if isinstance(typed, tuple) else ():
        name, mark, text = str(one).partition("=")
        if not mark or name not in _CONTACT:
            raise click.BadParameter(f"write one of {', '.join(_CONTACT)}, =, and a text.", param_hint="--contact")
        found[name] = text
    return found


def _texts(path: Path) -> object:
    try:
        written = path.read_text(encoding="utf-8")
        read: object = json.loads(written) if path.suffix == ".json" else tomllib.loads(written)
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"it is no TOML or JSON of texts: {error}.", param_hint="--texts") from error
    return read
