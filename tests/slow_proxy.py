"""A way to a server that is as bad as a test wants: it delays, drips, goes silent, cuts what is open, takes nobody."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(slots=True)
class SlowProxy:
    """Passes bytes on; the fields may change while it does."""

    target: tuple[str, int] | str
    """Where to: host and port, or the path of a socket."""
    delay_s: float = 0.0
    drip: int = 0
    """How many bytes of an answer pass at once, with a pause of 2 ms after them; 0 for all that there are."""
    refuses: bool = False
    is_silent: bool = False
    """Connections stay open, new ones are taken, and nothing passes."""
    _open: list[socket.socket] = field(default_factory=list)

    def cut(self) -> None:
        """Breaks every connection there is."""
        while self._open:
            with suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)

    def serve(self, listening: socket.socket) -> None:
        """Takes connections until the socket is closed."""
        while True:
            try:
                near, _ = listening.accept()
            except OSError:
                return
            if self.refuses:
                near.close()
                continue
            far = self._connected()
            self._open += [near, far]
            threading.Thread(target=self._pass, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, True), daemon=True).start()

    def _connected(self) -> socket.socket:
        if not isinstance(self.target, str):
            return socket.create_connection(self.target)
        far = socket.socket(socket.AF_UNIX)
        far.connect(self.target)
        return far

    def _pass(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:  # noqa: FBT001 - a thread's own
        with suppress(OSError):
            while data := source.recv(65536):
                time.sleep(self.delay_s)
                while self.is_silent:
                    time.sleep(0.01)
                step = self.drip if is_answer and self.drip else len(data)
                for at in range(0, len(data), step):
                    sink.sendall(data[at : at + step])
                    if self.drip:
                        time.sleep(0.002)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def slow_way(server: str) -> Iterator[tuple[SlowProxy, str]]:
    """Gives a proxy and the address at which it takes what is meant for the server."""
    place = urlsplit(server)
    with slow_port((place.hostname or "", place.port or 0)) as (proxy, port):
        yield proxy, f"http://127.0.0.1:{port}"


@contextmanager
def slow_port(target: tuple[str, int] | str) -> Iterator[tuple[SlowProxy, int]]:
    """Gives a proxy and the port of this machine at which it takes what is meant for the target."""
    proxy = SlowProxy(target)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=proxy.serve, args=(listening,), daemon=True).start()
        try:
            yield proxy, int(listening.getsockname()[1])
        finally:
            proxy.is_silent = False
            proxy.cut()
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
