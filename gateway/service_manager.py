"""Tells systemd how the service is: started, reading its settings again, ending, alive (sd_notify's protocol)."""

import asyncio
import logging
import socket
import time

_LOG = logging.getLogger(__name__)
_PINGS_PER_PERIOD = 3


class ServiceManager:
    """Sends datagrams to the socket that systemd named; without one it does nothing."""

    def __init__(self, address: str, watchdog_s: float | None = None) -> None:
        """`address` is a path, or begins with `@` for an abstract socket; the watchdog waits `watchdog_s` seconds."""
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._watchdog_s = watchdog_s

    def ready(self, status: str) -> None:
        """Says that requests are taken."""
        self._send("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """Says that the settings are read again; `ready` says when that is done."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Says that the end has begun."""
        self._send("STOPPING=1", "STATUS=Running requests finish")

    async def stay_alive(self) -> None:
        """Feeds the watchdog for as long as the event loop runs, which is what `/livez` says as well."""
        if self._watchdog_s is None:
            return
        while True:
            self._send("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_s / _PINGS_PER_PERIOD)

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
                sending.setblocking(False)  # noqa: FBT003 - the socket's own form
                sending.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:  # the service goes on; systemd acts on what it does not hear
            _LOG.warning("systemd_not_told", extra={"error": str(error.strerror)})
