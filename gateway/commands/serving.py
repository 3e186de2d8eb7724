"""`canongate serve` and `canongate demo`: the gateway itself."""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from pathlib import Path

import click
import msgspec

from gateway.access.sealing import hash_of
from gateway.access.users import Awaited, Invited
from gateway.access_settings import LOOPBACK
from gateway.beginning import example_folder
from gateway.bootstrap import open_components
from gateway.commands.intranet import PORT, intranet, prepare_client
from gateway.commands.options import config_option, settings_from
from gateway.commands.rail_means import command_services
from gateway.commands.server import GatewayServer
from gateway.commands.telling import tell
from gateway.content import import_folder
from gateway.credentials import write_secret
from gateway.errors import ExtraMissing, SettingsInvalid
from gateway.faults import Faults
from gateway.logs import set_up_logging
from gateway.on_ray.environment import prepare
from gateway.opening import first_key, open_access, open_store
from gateway.settings import Settings, load_settings
from gateway.start_checks import log_cautions, require_startable
from store.pauses import settle

EXAMPLE_ASSISTANT = "helpdesk"
FIRST_KEY_FILE = "first-key"
INVITATION_FILE = "first-token"


@click.command()
@config_option
@click.option("--port", type=click.IntRange(0, 65535), help="Overrides server.port.")
@click.option("--admin-listen", metavar="HOST:PORT", help="Overrides server.admin_listen: administration only there.")
@click.option("--on-ray", is_flag=True, help="Runs gateway, embedder and model as deployments of Ray Serve ([ray]).")
@click.option("--trial", is_flag=True, help="Takes faults on purpose (faults.points): never where people are served.")
def serve(*, config: Path | None, port: int | None, admin_listen: str | None, on_ray: bool, trial: bool) -> None:
    """Run the gateway.

    SIGTERM and SIGINT end it when running requests are done; SIGHUP reads the settings again.

    \b
    Examples:
      canongate serve --config canongate.toml
      canongate serve --config canongate.toml --admin-listen 127.0.0.1:8081
      canongate serve --config canongate.toml --on-ray
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap

    def read() -> Settings:
        return _overridden(load_settings(config), port, admin_listen)

    settings = _overridden(settings_from(config), port, admin_listen)
    faults = require_startable(settings, is_trial=trial)
    _announce_first_key(settings)
    _announce_first_administrator(settings)
    if on_ray:
        _run_on_ray(settings, faults)
    else:
        _run(settings, read, faults=faults)


@click.command()
@config_option
@click.option("--port", type=click.IntRange(0, 65535), help="Overrides server.port.")
@click.option(
    "--example",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=example_folder,
    help="Folder that an empty store is filled from.",
)
@click.option(
    "--intranet-port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="Of an example intranet with the widget in its pages; 0 for none.",
)
def demo(*, config: Path | None, port: int | None, example: Path | None, intranet_port: int) -> None:
    """Run the gateway with the example help desk, a try-it form, and an intranet page with the widget.

    \b
    Example:
      canongate demo --port 8081
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = _for_demo(_overridden(settings_from(config), port))
    require_startable(settings)
    with open_store(settings) as store:
        if not store.is_published:
            if example is None:
                raise SettingsInvalid("the example help desk is not installed here. Say --example and a folder.")
            services = command_services(settings)
            report = import_folder(store.database, example, note="example", services=services)
            click.echo(f"Published the example store: {len(report.added)} documents.", err=True)
    _announce_first_key(settings)
    administrator = _announce_first_administrator(settings)
    secret = prepare_client(settings, assistant=EXAMPLE_ASSISTANT, port=intranet_port) if intranet_port else None

    def beside(gateway: str) -> AbstractContextManager[None]:
        _tell_places(settings, gateway, administrator)
        return intranet(gateway, port=intranet_port, secret=secret)

    _run(settings, None, beside=beside)


Beside = Callable[[str], AbstractContextManager[None]]
"""What runs beside the gateway, whose address it is told, once that listens."""


def _nothing(_: str) -> AbstractContextManager[None]:
    return nullcontext()


def _overridden(settings: Settings, port: int | None, admin_listen: str | None = None) -> Settings:
    given = {"port": port, "admin_listen": admin_listen}
    named = {name: value for name, value in given.items() if value is not None}
    tree = msgspec.to_builtins(settings)
    try:
        return msgspec.convert({**tree, "server": {**tree["server"], **named}}, Settings)
    except msgspec.ValidationError as error:
        raise SettingsInvalid(f"settings: {error}. See docs/configuration.md for every field.") from error


def _for_demo(settings: Settings) -> Settings:
    if settings.server.host in LOOPBACK and not settings.access.plain_http:
        access = msgspec.structs.replace(settings.access, plain_http=True)
        settings = msgspec.structs.replace(settings, access=access)
    if not settings.page.try_it:
        page = msgspec.structs.replace(settings.page, try_it=EXAMPLE_ASSISTANT)
        settings = msgspec.structs.replace(settings, page=page)
    return settings


def _announce_first_key(settings: Settings) -> None:
    with open_store(settings) as store:
        made = first_key(settings, store)
    path = settings.data_directory / FIRST_KEY_FILE
    if made is not None:
        _keep(path, made.token, another="canongate key create NAME")
        click.echo(f"First API key: in {path} (delete the file once the key is stored)", err=True)


def _announce_first_administrator(settings: Settings) -> str | None:
    """Makes one token, into a file; it stays good at further starts, which say how to get another.

    Returns what was told, None when there is an administrator.
    """
    with open_access(settings) as access:
        found = access.users.first_administrator()
    path = settings.data_directory / INVITATION_FILE
    match found:
        case Invited():
            _keep(path, found.token, another=f"canongate user reset-password {found.user.name}")
            told = f"First administrator {found.user.name!r}: set a password on the page /admin/setup, or with "
            told += f"POST /v1/admin/setup, within 24 hours and with the token in {path}"
        case Awaited():
            elsewhere = f"shown by the command that made it, or in {INVITATION_FILE} in another gateway's data folder"
            where = f"in {path}" if _is_kept(path, found) else elsewhere
            until = f"{found.expires_at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
            told = f"First administrator {found.user.name!r} has not set a password yet. "
            told += f"The token, {where}, is good until {until}. "
            told += f"For another one: canongate user reset-password {found.user.name}"
        case None:
            path.unlink(missing_ok=True)
            return None
    click.echo(told, err=True)
    return told


def _keep(path: Path, secret: str, *, another: str) -> None:
    """Writes what was made, and can be had nowhere else. Raises `SettingsInvalid`, with the command for another one."""
    try:
        write_secret(path, secret)
    except OSError as error:
        told = f"{path} cannot be written ({error.strerror}), and what was to be in it is gone."
        raise SettingsInvalid(f"{told} Mend that, make another one with `{another}`, and start again.") from error


def _is_kept(path: Path, awaited: Awaited) -> bool:
    """Whether the file has the token that is good now; one that was made since is not there."""
    with suppress(OSError, UnicodeDecodeError):
        return hash_of(path.read_text().strip()) == awaited.token_hash
    return False


def _tell_places(settings: Settings, gateway: str, administrator: str | None) -> None:
    """Says again, after all the lines of the start, what a person needs next."""
    click.echo(f"\n  Ask              {gateway}", err=True)
    click.echo(f"  Admin pages      {gateway}/admin", err=True)
    click.echo(f"  API and guides   {gateway}/docs", err=True)
    if (key := settings.data_directory / FIRST_KEY_FILE).exists():
        click.echo(f"  API key          in {key}", err=True)
    if administrator:
        click.echo(f"\n{administrator}", err=True)


def _run_on_ray(settings: Settings, faults: Faults | None) -> None:
    if faults is not None:
        raise SettingsInvalid("--trial: faults on purpose are of one process; leave out --on-ray")
    prepare(settings.ray)
    try:
        from gateway.on_ray.serving import serve_on_ray  # noqa: PLC0415 - an extra, loaded by those who asked for it
    except ImportError as error:
        raise ExtraMissing("--on-ray needs Ray Serve", "ray") from error
    set_up_logging(settings.log)
    serve_on_ray(settings, lambda line: click.echo(line, err=True))


def _run(
    settings: Settings,
    read: Callable[[], Settings] | None,
    beside: Beside = _nothing,
    *,
    faults: Faults | None = None,
) -> None:
    set_up_logging(settings.log)
    log_cautions(settings)

    def say(line: str) -> None:
        tell(settings.log, "starting", f"… {line}", phase=line)

    with (
        open_components(settings, is_followed=True, progress=say, faults=faults) as components,
        ExitStack() as stack,
    ):
        server = GatewayServer(components, read, lambda address: stack.enter_context(beside(address)))
        settle()
        server.run()
