"""An OpenAI-compatible server on a real socket that answers, or misbehaves, as it is told to."""

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

CONTEXT = 2048
GOOD_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass
class Exchange:
    """One request, and the connection to answer it on."""

    connection: socket.socket
    line: str
    headers: dict[str, str]
    body: dict

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def head(self) -> None:
        self.send(GOOD_HEAD)

    def data(self, text: str) -> None:
        """Sends one event."""
        event = f"data: {text}\n\n".encode()
        self.send(b"%x\r\n%b\r\n" % (len(event), event))

    def token(self, text: str, finish: str | None = None) -> None:
        said = {"delta": {"content": text}} if "messages" in self.body else {"text": text}
        self.data(json.dumps({"choices": [{"index": 0, "finish_reason": finish, **said}]}))

    def finish(self, reason: str, tokens: int) -> None:
        self.token("", reason)
        usage = {"prompt_tokens": len(prompt_words(self.body)), "completion_tokens": tokens}
        self.data(json.dumps({"choices": [], "usage": usage}))
        self.data("[DONE]")
        self.send(b"0\r\n\r\n")

    def error(self, status: int, body: str = '{"error": {"message": "no"}}', **headers: str) -> None:
        extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        self.send(f"HTTP/1.1 {status} No\r\nContent-Length: {len(body.encode())}\r\n{extra}\r\n{body}".encode())

    def reset(self) -> None:
        """Ends the connection as a killed process does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def wait_closed(self, timeout_s: float = 20.0) -> float | None:
        """Returns when the other side closed the connection, on the monotonic clock; None when it did not."""
        self.connection.settimeout(timeout_s)
        with contextlib.suppress(ConnectionError):
            try:
                if self.connection.recv(1):
                    return None
            except TimeoutError:
                return None
        return time.monotonic()


Act = Callable[[Exchange], None]


def prompt_words(body: dict) -> list[str]:
    if "messages" in body:
        return " ".join(message["content"] for message in body["messages"]).split()
    return body["prompt"].split() if isinstance(body["prompt"], str) else [str(token) for token in body["prompt"]]


def answer(text: str, *, token_s: float = 0.0) -> Act:
    """Streams a text word by word, as long as max_tokens allows and until a stop text."""

    def act(exchange: Exchange) -> None:
        if len(prompt_words(exchange.body)) + exchange.body["max_tokens"] > CONTEXT:
            exchange.error(400, json.dumps({"error": {"message": "the request exceeds the context size"}}))
            return
        exchange.head()
        ends = [at for stop in exchange.body.get("stop", []) if (at := text.find(stop)) >= 0]
        words = text[: min(ends, default=len(text))].split(" ")
        said = words[: exchange.body["max_tokens"]]
        for place, word in enumerate(said):
            time.sleep(token_s)
            exchange.token(word if place == 0 else f" {word}")
        exchange.finish("length" if len(words) > len(said) else "stop", len(said))

    return act


@dataclass
class FakeUpstream:
    """The server. `acts` are played once each, in order; then every request gets `usual`."""

    usual: Act
    acts: list[Act] = field(default_factory=list)
    health: int = 200
    models: int = 200
    is_silent: bool = False
    """Whether it says nothing when its health is asked for."""
    lists_nothing: bool = False
    """Whether it says nothing when its models are asked for."""
    seen: list[Exchange] = field(default_factory=list)
    """The requests for an answer."""
    looks: int = 0
    """How often the health was asked for."""
    connections: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self._open.add(connection)
        with connection, contextlib.suppress(OSError):
            while (exchange := _read(connection)) is not None:
                self._play(exchange)
        self._open.discard(connection)

    def _play(self, exchange: Exchange) -> None:
        path = exchange.line.split()[1]
        if path == "/health":
            self.looks += 1
            if self.is_silent:
                exchange.wait_closed()
            exchange.error(self.health, "{}")
        elif path == "/v1/models":
            if self.lists_nothing:
                exchange.wait_closed()
            exchange.error(self.models, "{}")
        else:
            with self._lock:
                self.seen.append(exchange)
                act = self.acts.pop(0) if self.acts else self.usual
            act(exchange)


def _read(connection: socket.socket) -> Exchange | None:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    line, *rest = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
    length = int(headers.get("content-length", "0"))
    while len(body) < length:
        if not (more := connection.recv(65536)):
            return None
        body += more
    return Exchange(connection, line, headers, json.loads(body) if body else {})


@contextlib.contextmanager
def fake_upstream(usual: Act | None = None, *acts: Act) -> Iterator[FakeUpstream]:
    server = FakeUpstream(usual=usual or answer("The office opens at eight."), acts=list(acts))
    try:
        yield server
    finally:
        server.close()
