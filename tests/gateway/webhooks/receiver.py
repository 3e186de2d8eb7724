"""A receiver of webhooks on 127.0.0.1: it keeps what comes, and answers as a test says."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[int], int]
"""Returns the status for the nth request, counted from 1; it may wait."""


@dataclass(frozen=True, slots=True)
class Got:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class LocalReceiver:
    """What came, and where to send it."""

    port: int
    got: list[Got] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def wait(self, count: int, at_most_s: float = 10.0) -> list[Got]:
        """Waits until so many requests have come; gives them."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.got) >= count, at_most_s), f"{len(self.got)} of {count} came"
            return list(self.got)


@contextmanager
def local_receiver(answer: Answer = lambda _: 204, *, location: str = "") -> Iterator[LocalReceiver]:
    """Receives on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            with found.came:
                found.got.append(Got(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                number = len(found.got)
                found.came.notify_all()
            status = answer(number)
            self.send_response(status)
            if location:
                self.send_header("location", location)
            self.send_header("content-length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            with found.came:
                found.got.append(Got(self.path, {}, b""))
                found.came.notify_all()
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(ConnectionError):  # the gateway's patience was at an end
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = LocalReceiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
