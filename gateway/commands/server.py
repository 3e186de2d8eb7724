"""The server process: its listeners, and what it does on SIGTERM, SIGINT and SIGHUP."""

import asyncio
import dataclasses
import logging
import time
from collections.abc import Callable
from functools import partial
from signal import SIGHUP, SIGINT, SIGTERM
from socket import AF_INET, AF_INET6, create_server, socket
from types import FrameType

import uvicorn

from gateway.app import create_app
from gateway.commands.telling import tell
from gateway.components import Components
from gateway.errors import NotServing, SettingsInvalid
from gateway.http.asking import refuse_all
from gateway.http.connections import connections, cut_off_stalled
from gateway.http.doorkeeper import Doorkeeper
from gateway.http.edge import Edge
from gateway.http.hosts import Hosts
from gateway.http.listeners import EVERYWHERE, Listener
from gateway.logs import set_level
from gateway.reloading import Reloading
from gateway.service_manager import ServiceManager
from gateway.settings import Settings, service_manager_environment

ENDING_S = 2
"""Seconds in which requests that are told of the end may say so to their clients, and in which clients take it."""
_SHUTS_DOWN = "The gateway shuts down. Ask again; another one answers, or this one when it is back."

_LOG = logging.getLogger(__name__)


def tell_failure(work: asyncio.Task[None]) -> None:
    """Logs that work beside the requests has ended by an error: nobody waits for it, so nobody else would know."""
    if not work.cancelled() and (error := work.exception()):
        _LOG.critical("background_work_failed", exc_info=error)


class GatewayServer(uvicorn.Server):
    """Serves the components at one listener, or at two, until it is told to stop."""

    def __init__(
        self,
        components: Components,
        read: Callable[[], Settings] | None,
        listens: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Makes the server; `listens` is told the address once requests are taken.

        `read` gives the settings anew on SIGHUP; without it that ends the process, as when a terminal closes.
        """
        settings = components.settings
        self._components = components
        self._listens = listens
        self._manager = ServiceManager(*service_manager_environment())
        self._hosts = Hosts(settings.server.host_names)
        self._reloading = Reloading(settings, read or (lambda: settings), (self._take_over,))
        self._reads_again = read is not None
        self._connections = connections(
            lambda: self._reloading.settings.limits,
            Doorkeeper(
                components.admission.lines.chat,
                components.telemetry,
                components.widget.book if components.widget else None,
            ),
        )
        self._beside: set[asyncio.Task[None]] = set()
        self._leaves_at: float | None = None
        self._has_admin_listener = bool(settings.server.admin_listen)
        super().__init__(self._config(frozenset({Listener.DATA}) if self._has_admin_listener else EVERYWHERE))

    def _config(self, listeners: frozenset[Listener]) -> uvicorn.Config:
        components, server = self._components, self._reloading.settings.server
        app = create_app(components, listeners=listeners, current=self._current)
        return uvicorn.Config(
            Edge(app, self._hosts, components.telemetry),
            host=server.host,
            port=server.port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # it would believe whoever is on this machine; client_address.py reads them
            lifespan="on",
            ws="none",
            http=self._connections,
            timeout_graceful_shutdown=server.drain_s + ENDING_S,
        )

    def _current(self) -> Components:
        return dataclasses.replace(self._components, settings=self._reloading.settings)

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Begins to listen. Raises `SettingsInvalid` when it cannot."""
        admin = self._admin_socket() if self._has_admin_listener else None
        try:
            await super().startup(sockets)
        except SystemExit as error:  # uvicorn's way to say that it logged why
            raise SettingsInvalid("the server did not start; see the log above") from error
        address = _address_of(self.servers[0].sockets[0])
        log = self._components.settings.log
        tell(log, "listening", f"canongate is listening on {address}", address=address)
        if admin is not None:
            place = _address_of(admin)
            tell(log, "admin_listening", f"canongate's admin listener is on {place}", address=place)
            self.servers.append(await self._listen_for_admin(admin))
        loop = asyncio.get_running_loop()
        if self._reads_again:
            loop.add_signal_handler(SIGHUP, self._reload)
        stalled = cut_off_stalled(lambda: self.server_state.connections, self._send_s)
        for work in (self._manager.stay_alive(), stalled):
            task = loop.create_task(work)
            task.add_done_callback(tell_failure)
            self._beside.add(task)
        self._manager.ready(f"Listening on {address}")
        self._listens(address)

    def _send_s(self) -> float:
        """Returns how long a client may take nothing: at the end it is not waited for."""
        allowed_s = self._reloading.settings.limits.send_s
        return min(allowed_s, ENDING_S) if self.should_exit else allowed_s

    def _admin_socket(self) -> socket:
        host, port = self._reloading.settings.server.admin_address
        try:
            return create_server((host, port), family=AF_INET6 if ":" in host else AF_INET, backlog=2048)
        except OSError as error:
            raise SettingsInvalid(f"server.admin_listen: cannot listen on {host}:{port}: {error.strerror}") from error

    async def _listen_for_admin(self, listening: socket) -> asyncio.Server:
        config = self._config(frozenset({Listener.ADMIN}))
        config.load()
        state = self.lifespan.state
        make = partial(self._connections, config=config, server_state=self.server_state, app_state=state)
        return await asyncio.get_running_loop().create_server(make, sock=listening, backlog=config.backlog)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Is not ready from now on. SIGTERM leaves time for balancers to look; a second signal takes it back."""
        # In place of uvicorn's own, which raises the signal again at the end: that would kill this process before
        # the worker is ended and the database closed.
        self._components.readiness.drain()
        self.force_exit = self.should_exit and sig == SIGINT
        is_first = self._leaves_at is None
        delay_s = self._reloading.settings.server.drain_delay_s if is_first and sig == SIGTERM else 0.0
        self._leaves_at = time.monotonic() + delay_s
        if is_first:
            self._manager.stopping()
        self.should_exit = delay_s == 0

    async def on_tick(self, counter: int) -> bool:
        """Looks whether it is time to leave."""
        if self._leaves_at is not None and time.monotonic() >= self._leaves_at:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Takes no more connections, lets running requests finish, and tells those that do not that it ends."""
        loop = asyncio.get_running_loop()
        loop.remove_signal_handler(SIGHUP)
        drain_s = self._reloading.settings.server.drain_s
        self.config.timeout_graceful_shutdown = drain_s + ENDING_S
        ending = loop.call_later(drain_s, _refuse_rest)
        try:
            await super().shutdown(sockets)
        finally:
            ending.cancel()
            for task in self._beside:
                task.cancel()

    def _reload(self) -> None:
        self._manager.reloading()
        result = self._reloading.reload()
        self._manager.ready(
            f"Settings not read: {result.error}" if result.error else f"Read {len(result.changed)} settings anew"
        )

    def _take_over(self, settings: Settings) -> None:
        components = self._components
        self._hosts.replace(settings.server.host_names)
        components.keys.set_rates(settings.limits.requests_per_minute, settings.limits.rate_classes)
        if components.administration is not None:
            components.administration.access.proxies.replace(settings.server.trusted_proxies)
        if components.widget is not None:
            components.widget.proxies.replace(settings.server.trusted_proxies)
        set_level(settings.log)


def _refuse_rest() -> None:
    count = refuse_all(NotServing("not_serving", _SHUTS_DOWN))
    if count:
        _LOG.warning("requests_ended_by_shutdown", extra={"abandoned": count})


def _address_of(listening: socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
