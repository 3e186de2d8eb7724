"""The gateway as a process: how it listens, starts, reads its settings again, and ends."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.gateway.command_line import environment

ROOT = Path(__file__).parents[3]
SOON_S = 60.0
ASKED = {"model": "helpdesk", "messages": [{"role": "user", "content": "How do I reset my password?"}]}
CANARY = """
[startup]
canary = "{question}"
canary_assistant = "helpdesk"
canary_prompt = "it.reset"
"""


def until(condition: Callable[[], bool], words: str) -> None:
    given_up = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < given_up, words
        time.sleep(0.02)


@dataclass(slots=True)
class Manager:
    """What systemd is to the gateway: a socket that it sends datagrams to."""

    path: Path
    told: list[str] = field(default_factory=list)
    _socket: socket.socket = field(default_factory=lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))

    def __post_init__(self) -> None:
        self._socket.bind(str(self.path))
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.told.extend(self._socket.recv(4096).decode().splitlines())

    def heard(self, line: str) -> bool:
        return any(one.startswith(line) for one in self.told)


@dataclass(slots=True)
class Gateway:
    """A served gateway."""

    process: subprocess.Popen[bytes]
    log: Path
    settings: Path
    key: str
    manager: Manager

    @property
    def said(self) -> str:
        return self.log.read_text()

    def address(self, words: str = "listening on") -> str:
        wanted = re.compile(rf"{words} (http://\S+)\n")
        until(lambda: bool(wanted.search(self.said)) or self.process.poll() is not None, words)
        found = wanted.search(self.said)
        assert found, self.said
        return found[1]

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"{self.address()}{path}", headers=headers, timeout=SOON_S)

    def ready(self) -> dict[str, object]:
        parts: dict[str, object] = self.get("/readyz").json()
        return parts

    def ask(self, **more: object) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.key}"}
        sent = {**ASKED, **more}
        return httpx.post(f"{self.address()}/v1/chat/completions", json=sent, headers=headers, timeout=SOON_S)

    def tell(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    def reload(self, settings: str) -> None:
        before = self.manager.told.count("RELOADING=1")
        self.settings.write_text(settings)
        self.tell(signal.SIGHUP)
        until(lambda: self.manager.told[-2:-1] == ["READY=1"] and self.manager.told.count("RELOADING=1") > before, "no")


Serve = Callable[..., "contextlib.AbstractContextManager[Gateway]"]


@pytest.fixture
def serve(published, tmp_path: Path) -> Serve:
    made = published("key", "create", "process", "--metrics", "--json")
    data = shutil.copytree(published.data, tmp_path / "served")
    key = json.loads(made.out)["key"]

    @contextlib.contextmanager
    def serving(settings: str = "", *options: str, answer_s: float = 0.0, watchdog_s: int = 0) -> Iterator[Gateway]:
        file, log, manager = tmp_path / "canongate.toml", tmp_path / "log", Manager(tmp_path / "notify")
        file.write_text(settings)
        more = {"NOTIFY_SOCKET": str(manager.path)}
        if watchdog_s:
            more["WATCHDOG_USEC"] = str(watchdog_s * 1_000_000)
        program = [sys.executable, "-m", "tests.gateway.commands.fake_gateway", str(answer_s), "serve"]
        with log.open("w") as writing:
            process = subprocess.Popen(  # noqa: S603 - our own program
                [*program, "--config", str(file), "--port", "0", *options],
                cwd=ROOT,
                stdout=writing,
                stderr=subprocess.STDOUT,
                env=environment(data, **more),
            )
        try:
            yield Gateway(process, log, file, key, manager)
        finally:
            process.kill()
            process.wait()

    return serving


def ended(gateway: Gateway) -> int:
    return gateway.process.wait(SOON_S)


def until_in_work(gateway: Gateway, count: int) -> None:
    headers = {"authorization": f"Bearer {gateway.key}"}
    wanted = re.compile(rf"^canongate_requests_in_work(?:{{[^}}]*}})? {count}(?:\.0)?$", re.MULTILINE)
    until(lambda: bool(wanted.search(gateway.get("/metrics", **headers).text)), "nothing is at work")


def test_two_listeners_in_one_process(serve) -> None:
    with serve("", "--admin-listen", "127.0.0.1:0") as gateway:
        data, admin = gateway.address(), gateway.address("admin listener is on")
        headers = {"authorization": f"Bearer {gateway.key}"}

        def status(address: str, path: str) -> int:
            return httpx.get(address + path, headers=headers).status_code

        for path, at_data, at_admin in (
            ("/livez", 200, 200),
            ("/readyz", 200, 200),
            ("/v1/models", 200, 404),
            ("/", 200, 404),
            ("/metrics", 404, 200),
            ("/docs", 404, 200),
            ("/openapi.json", 404, 200),
            ("/admin", 404, 303),
            ("/v1/admin/whoami", 404, 403),
        ):
            assert (status(data, path), status(admin, path)) == (at_data, at_admin), path
        assert httpx.get(f"{admin}/metrics", headers={**headers, "host": "evil.example"}).status_code == 421
        gateway.tell(signal.SIGINT)
        assert ended(gateway) == 0


def test_an_admin_listener_that_cannot_be_is_an_error_of_ours(serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serve("", "--admin-listen", f"127.0.0.1:{port}") as gateway:
            assert ended(gateway) == 1
            assert f"canongate: server.admin_listen: cannot listen on 127.0.0.1:{port}: Address already" in gateway.said


def test_head_is_get_without_a_body(serve) -> None:
    with serve() as gateway:
        for path, status in (("/livez", 200), ("/", 200), ("/v1/models", 401), ("/v1/chat", 405), ("/nothing", 404)):
            told = httpx.head(gateway.address() + path)
            assert (told.status_code, told.content) == (status, b""), path
            assert int(told.headers["content-length"]) > 0, path


def test_nobody_is_believed_about_names_and_addresses_without_the_settings(serve) -> None:
    with serve() as gateway:
        assert gateway.get("/v1/models", host="evil.example").status_code == 421
        forged = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "https", "x-forwarded-for": "1.2.3.4"}
        told = gateway.get("/", **forged)
        assert told.status_code == 200
        assert "evil.example" not in told.text
        assert "https://127.0.0.1" not in told.text


def test_told_to_end_it_lets_running_requests_finish_and_takes_no_others(serve) -> None:
    with serve("[server]\ndrain_delay_s = 1.5\n", answer_s=4.0) as gateway, ThreadPoolExecutor(2) as people:
        address = gateway.address()
        whole: Future[httpx.Response] = people.submit(gateway.ask)
        stream = people.submit(gateway.ask, stream=True)
        until_in_work(gateway, 2)
        gateway.tell(signal.SIGTERM)
        until(lambda: gateway.get("/readyz").status_code == 503, "it says that it is ready")
        assert gateway.ready()["parts"]["gateway"]["reason"] == "shutting down"
        assert gateway.get("/livez").status_code == 200, "in the delay it still takes connections"

        def refuses() -> bool:
            try:
                httpx.get(f"{address}/livez", timeout=1)
            except httpx.ConnectError:
                return True
            return False

        until(refuses, "it takes connections")
        assert gateway.process.poll() is None, "and goes on with what runs"
        assert whole.result().json()["choices"][0]["finish_reason"] == "stop"
        assert stream.result().text.endswith("data: [DONE]\n\n")
        assert ended(gateway) == 0
        assert gateway.manager.heard("STOPPING=1")


def test_what_does_not_finish_in_time_is_told_so_and_ends(serve) -> None:
    settings = "[server]\ndrain_delay_s = 0\ndrain_s = 1\n"
    with serve(settings, answer_s=60.0) as gateway, ThreadPoolExecutor(2) as people:
        gateway.address()
        whole, stream = people.submit(gateway.ask), people.submit(gateway.ask, stream=True)
        until_in_work(gateway, 2)
        gateway.tell(signal.SIGTERM)
        told = whole.result()
        assert (told.status_code, told.json()["error"]["code"]) == (503, "not_serving")
        assert told.headers["retry-after"]
        last = stream.result()
        error = json.loads(last.text.rstrip().rpartition("data: ")[2]) if last.status_code == 200 else last.json()
        assert error["error"]["code"] == "not_serving"
        assert ended(gateway) == 0
        assert "requests_ended_by_shutdown" in gateway.said


def test_settings_are_read_again_and_a_broken_file_changes_nothing(serve) -> None:
    with serve("") as gateway:
        assert gateway.get("/livez").status_code == 200
        assert gateway.get("/", host="chat.example").status_code == 421
        gateway.reload('[server]\nallowed_hosts = ["chat.example"]\n[limits]\nheader_bytes = 4096\nmatch_s = 2.0\n')
        assert gateway.get("/", host="chat.example").status_code == 200
        assert gateway.get("/", host="localhost").status_code == 421
        assert gateway.get("/", host="chat.example", **{"x-large": "x" * 5000}).status_code == 431
        assert gateway.get("/" + "x" * 5000, host="chat.example").status_code == 414
        (line,) = [json.loads(one) for one in gateway.said.splitlines() if "settings_reloaded" in one]
        assert line["changed"] == ["limits.header_bytes", "server.allowed_hosts"]
        assert line["needs_restart"] == ["limits.match_s"]
        gateway.reload('[server]\nallowed_hosts = ["CHAT example"]\n')
        assert gateway.manager.told[-1].startswith(
            "STATUS=Settings not read: settings: server.allowed_hosts[0] takes a name"
        )
        gateway.reload("[server\n")
        assert gateway.said.count("settings_not_reloaded") == 2
        assert gateway.get("/", host="chat.example").status_code == 200
        gateway.reload("")
        assert gateway.get("/", host="localhost").status_code == 200


def test_systemd_is_told_of_the_start_and_that_it_lives(serve) -> None:
    with serve("", watchdog_s=1) as gateway:
        until(lambda: gateway.manager.told.count("WATCHDOG=1") >= 4, "the watchdog is not fed")
        assert gateway.manager.heard("READY=1")
        gateway.tell(signal.SIGSTOP)
        time.sleep(0.3)
        fed = gateway.manager.told.count("WATCHDOG=1")
        time.sleep(1.0)
        assert gateway.manager.told.count("WATCHDOG=1") == fed, "whoever hangs does not feed it"
        gateway.tell(signal.SIGCONT)
        until(lambda: gateway.manager.told.count("WATCHDOG=1") > fed, "the watchdog is not fed")


def test_it_is_ready_once_the_question_of_the_settings_is_answered(serve) -> None:
    with serve(CANARY.format(question="How do I reset my password?"), answer_s=2.0) as gateway:
        first = gateway.ready()
        assert first["status"] == "not_ready"
        assert first["parts"]["canary"]["state"] == "not_ready"
        until(lambda: gateway.get("/readyz").status_code == 200, "it is not ready")
        assert gateway.ready()["parts"]["canary"]["reason"] == "answered by it.reset, from generate"


def test_a_question_that_is_answered_otherwise_keeps_it_from_being_ready_and_says_why(serve) -> None:
    with serve(CANARY.format(question="Where do fish sleep at night?")) as gateway:
        until(lambda: "expected" in str(gateway.ready()["parts"]), "it does not say why")
        told = gateway.ready()
        assert told["status"] == "not_ready"
        assert told["parts"]["canary"]["reason"] == "expected it.reset, got no_match"
        assert "fish" not in gateway.get("/readyz").text + gateway.said
