"""The demo's other site: an example intranet with the widget in its pages, beside the gateway on a port of its own."""

import datetime as dt
import importlib.util
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, cast

import click

from gateway.credentials import write_secret
from gateway.http.static import FILES
from gateway.opening import open_widgets
from gateway.settings import Settings
from gateway.widget.clients import WidgetClientService
from gateway.widget.release import pinned_snippet
from store.errors import InvalidContent, NotFound
from store.people import OPERATOR
from store.widgets import WidgetClient, WidgetSettings

SITE = Path(__file__).resolve().parents[2] / "examples" / "intranet" / "server.py"
CLIENT = "intranet"
SECRET_FILE = "widget-intranet-secret"  # noqa: S105 - the name of a file
PORT = 8090


class _Portal(Protocol):
    server_port: int

    def serve_forever(self) -> None: ...

    def shutdown(self) -> None: ...

    def server_close(self) -> None: ...


class _Site(Protocol):
    """What the demo uses of `examples/intranet/server.py`."""

    def Portal(self, port: int, *, gateway: str, client: str, secret: bytes, widget: str) -> _Portal: ...  # noqa: N802

    def plain_widget(self, gateway: str, client: str) -> str: ...


def prepare_client(settings: Settings, *, assistant: str, port: int) -> bytes | None:
    """Sees to it that the intranet may embed the widget, and returns the secret that it signs with, from its file.

    None, with a line that says why, where that cannot be.
    """
    path = settings.data_directory / SECRET_FILE
    origins = tuple(f"http://{host}:{port}" for host in ("127.0.0.1", "localhost"))
    try:
        with open_widgets(settings) as widgets:
            client = _known(widgets)
            if client is None:
                wanted = WidgetSettings(title="Tarnwick intranet", assistant=assistant, origins=origins)
                write_secret(path, widgets.create(OPERATOR, CLIENT, wanted).secret or "")
            else:
                if missing := tuple(one for one in origins if one not in client.settings.origins):
                    given = {"origins": (*client.settings.origins, *missing)}
                    widgets.change(OPERATOR, CLIENT, given, rev=client.rev)
                if not path.exists():
                    write_secret(path, widgets.rotate(OPERATOR, CLIENT, overlap=dt.timedelta(0)).secret or "")
        return path.read_text().strip().encode()
    except (InvalidContent, OSError) as error:
        click.echo(f"The example intranet is left out: {error}", err=True)
        return None


@contextmanager
def intranet(gateway: str, *, port: int, secret: bytes | None) -> Iterator[None]:
    """Serves the example intranet as long as the block runs, and prints where; a taken port leaves it out."""
    if secret is None or not SITE.exists():
        yield
        return
    site = _load()
    script = FILES.get("widget.js")
    pinned = pinned_snippet(CLIENT, gateway, script.content) if script else None
    try:
        portal = site.Portal(
            port, gateway=gateway, client=CLIENT, secret=secret, widget=pinned or site.plain_widget(gateway, CLIENT)
        )
    except OSError as error:
        told = f"The example intranet is left out: port {port} cannot be used ({error.strerror}). "
        click.echo(f"{told}Name another one with --intranet-port, or 0 for none.", err=True)
        yield
        return
    thread = threading.Thread(target=portal.serve_forever, name="intranet", daemon=True)
    thread.start()
    click.echo(f"The example intranet, with the widget in it, is at http://127.0.0.1:{portal.server_port}/", err=True)
    try:
        yield
    finally:
        portal.shutdown()
        portal.server_close()
        thread.join()


def _known(widgets: WidgetClientService) -> WidgetClient | None:
    try:
        return widgets.get(OPERATOR, CLIENT)
    except NotFound:
        return None


def _load() -> _Site:
    """Imports the example by its path: it is no part of the package, and needs nothing of it."""
    spec = importlib.util.spec_from_file_location("canongate_example_intranet", SITE)
    if spec is None or spec.loader is None:
        raise ImportError(f"{SITE} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast("_Site", module)
