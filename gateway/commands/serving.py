"""`canongate serve` and `canongate demo`: the gateway itself."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from signal import SIGINT
from socket import socket
from types import FrameType

import click
import msgspec
import uvicorn

from gateway.access_settings import LOOPBACK
from gateway.app import create_app
from gateway.bootstrap import first_key, open_access, open_components, open_store
from gateway.commands.intranet import PORT, intranet, prepare_client
from gateway.commands.options import config_option, settings_from
from gateway.commands.rail_means import command_services
from gateway.components import Components
from gateway.content import import_folder
from gateway.errors import SettingsInvalid
from gateway.http.connections import connections
from gateway.logs import set_up_logging
from gateway.settings import Settings
from store.pauses import settle

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "helpdesk"
EXAMPLE_ASSISTANT = "helpdesk"
FIRST_KEY_FILE = "first-key"


@click.command()
@config_option
@click.option("--port", type=click.IntRange(0, 65535), help="Overrides server.port.")
def serve(*, config: Path | None, port: int | None) -> None:
    """Run the gateway.

    \b
    Example:
      canongate serve --config canongate.toml
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = _with_port(settings_from(config), port)
    _announce_first_key(settings)
    _announce_first_administrator(settings)
    _run(settings)


@click.command()
@config_option
@click.option("--port", type=click.IntRange(0, 65535), help="Overrides server.port.")
@click.option(
    "--example",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=EXAMPLE,
    help="Folder that an empty store is filled from.",
)
@click.option(
    "--intranet-port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="Of an example intranet with the widget in its pages; 0 for none.",
)
def demo(*, config: Path | None, port: int | None, example: Path, intranet_port: int) -> None:
    """Run the gateway with the example help desk, a try-it form, and an intranet page with the widget.

    \b
    Example:
      canongate demo --port 8081
    """  # noqa: D301 - \b is click's mark for text that it must not re-wrap
    settings = _with_port(settings_from(config), port)
    if settings.server.host in LOOPBACK and not settings.access.plain_http:
        access = msgspec.structs.replace(settings.access, plain_http=True)
        settings = msgspec.structs.replace(settings, access=access)
    if not settings.page.try_it:
        page = msgspec.structs.replace(settings.page, try_it=EXAMPLE_ASSISTANT)
        settings = msgspec.structs.replace(settings, page=page)
    with open_store(settings) as store:
        if not store.is_published:
            services = command_services(settings)
            report = import_folder(store.database, example, note="example", services=services)
            click.echo(f"Published the example store: {len(report.added)} documents.", err=True)
    _announce_first_key(settings)
    _announce_first_administrator(settings)
    secret = prepare_client(settings, assistant=EXAMPLE_ASSISTANT, port=intranet_port) if intranet_port else None
    _run(settings, beside=lambda gateway: intranet(gateway, port=intranet_port, secret=secret))


Beside = Callable[[str], AbstractContextManager[None]]
"""What runs beside the gateway, whose address it is told, once that listens."""


def _nothing(_: str) -> AbstractContextManager[None]:
    return nullcontext()


def _with_port(settings: Settings, port: int | None) -> Settings:
    if port is None:
        return settings
    return msgspec.structs.replace(settings, server=msgspec.structs.replace(settings.server, port=port))


def _announce_first_key(settings: Settings) -> None:
    with open_store(settings) as store:
        made = first_key(settings, store)
    path = settings.data_directory / FIRST_KEY_FILE
    if made is not None:
        path.touch(mode=0o600)
        path.write_text(made.token + "\n")
        click.echo(f"First API key, also in {path} (delete it once stored): {made.token}", err=True)


def _announce_first_administrator(settings: Settings) -> None:
    """Until the first administrator has set a password, each start gives a new token and ends the one before."""
    with open_access(settings) as access:
        invited = access.users.first_administrator()
    if invited is not None:
        told = f"First administrator {invited.user.name!r}: set a password on the page /admin/setup, or with "
        told += f"POST /v1/admin/setup, within 24 hours and with this token: {invited.token}"
        click.echo(told, err=True)


def _run(settings: Settings, beside: Beside = _nothing) -> None:
    set_up_logging(settings.log)
    with open_components(settings, progress=lambda line: click.echo(f"… {line}", err=True)) as components:
        config = uvicorn.Config(
            create_app(components),
            host=settings.server.host,
            port=settings.server.port,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            http=connections(receive_s=settings.limits.receive_s, header_bytes=settings.limits.header_bytes),
            timeout_graceful_shutdown=settings.server.drain_s,
        )
        settle()
        with ExitStack() as stack:
            _Server(config, components, lambda address: stack.enter_context(beside(address))).run()


class _Server(uvicorn.Server):
    """Says where it listens, and reports not ready as soon as it is told to stop."""

    def __init__(self, config: uvicorn.Config, components: Components, listens: Callable[[str], None]) -> None:
        super().__init__(config)
        self._components = components
        self._listens = listens

    async def startup(self, sockets: list[socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit as error:  # uvicorn's way to say that it logged why
            raise SettingsInvalid("the server did not start; see the log above") from error
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        click.echo(f"canongate is listening on http://{host}:{port}", err=True)
        self._listens(f"http://{host}:{port}")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # In place of uvicorn's own, which raises the signal again at the end: that would kill this process before
        # the worker is ended and the database closed.
        self._components.readiness.drain()
        self.force_exit = self.should_exit and sig == SIGINT
        self.should_exit = True
