"""`canongate demo` as a process of its own: it starts, answers, outlives its worker, and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.gateway.command_line import environment

pytestmark = pytest.mark.weights
ROOT = Path(__file__).parents[3]
QUESTION = {"model": "helpdesk", "messages": [{"role": "user", "content": "I forgot my password"}]}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, embedder_cache: Path) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    (folder / "embedder").symlink_to(embedder_cache)
    return folder


class Demo:
    """A running demo and what it wrote."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli", "demo", "--port", "0"],
            cwd=ROOT,
            env=environment(data),
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self.process.stderr as errors:
            self.lines.extend(errors)

    @property
    def log(self) -> str:
        return "".join(self.lines)

    @property
    def worker(self) -> int | None:
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        pids = [int(pid) for task in tasks for pid in task.read_text().split()]
        return pids[0] if pids else None

    def until(self, condition, seconds: float = 180.0):
        """Returns what the condition gives as soon as it is true."""
        ends = time.monotonic() + seconds
        while not (found := condition()):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < ends, self.log
            time.sleep(0.05)
        return found

    def client(self) -> httpx.Client:
        place = self.until(lambda: re.search(r"listening on (http://127\.0\.0\.1:\d+)", self.log))
        key = (self.data / "first-key").read_text().strip()
        return httpx.Client(base_url=place[1], headers={"authorization": f"Bearer {key}"}, timeout=40.0)

    def until_ready(self, client: httpx.Client) -> dict[str, object]:
        return self.until(lambda: (got := client.get("/readyz")).status_code == 200 and got.json())

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(40)
        self._reader.join(10)
        return status


@pytest.fixture
def demo(data: Path) -> Iterator[Demo]:
    started = Demo(data)
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.wait(10)
    started._reader.join(10)


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_it_answers_the_first_key_and_ends_with_status_0_and_without_a_worker(demo):
    with demo.client() as client:
        ready = demo.until_ready(client)
        assert (ready["status"], ready["degraded"]) == ("ready", False)
        worker = demo.worker
        assert is_alive(worker)
        answer = client.post("/v1/chat/completions", json=QUESTION)
        assert answer.status_code == 200
        assert answer.headers["x-canongate-outcome"] == "answered"
        assert answer.json()["choices"][0]["message"]["content"]
        assert (
            client.post("/v1/chat/completions", json=QUESTION, headers={"authorization": "Bearer no"}).status_code
            == 401
        )
        assert client.get("/").status_code == 200
    assert demo.end() == 0
    assert not is_alive(worker)
    assert "Traceback" not in demo.log
    assert "I forgot my password" not in demo.log


def test_a_killed_worker_costs_no_answer_and_comes_back(demo):
    with demo.client() as client:
        demo.until_ready(client)
        assert "First API key" not in demo.log, "the first start made it"
        worker = demo.worker
        os.kill(worker, signal.SIGKILL)
        outcomes = []
        for _ in range(3):
            answer = client.post("/v1/chat/completions", json=QUESTION)
            assert answer.status_code == 200
            outcomes.append(answer.headers["x-canongate-outcome"])
            assert answer.json()["choices"][0]["message"]["content"]
        assert set(outcomes) <= {"answered", "degraded"}
        demo.until(lambda: not client.get("/readyz").json()["degraded"] and demo.worker not in (None, worker))
        demo.until_ready(client)
        again = client.post("/v1/chat/completions", json=QUESTION)
        assert (again.status_code, again.headers["x-canongate-outcome"]) == (200, "answered")
        replacement = demo.worker
    assert demo.end() == 0
    assert not is_alive(replacement)


def test_a_worker_that_dies_at_work_costs_no_answer(demo):
    with demo.client() as client:
        demo.until_ready(client)
        stop = threading.Event()

        def kill_one_at_work() -> None:
            while not stop.wait(0.15):
                if worker := demo.worker:
                    os.kill(worker, signal.SIGKILL)
                    return

        killer = threading.Thread(target=kill_one_at_work)
        killer.start()
        try:
            answers = [client.post("/v1/chat/completions", json=QUESTION) for _ in range(2)]
        finally:
            stop.set()
            killer.join(10)
        assert [answer.status_code for answer in answers] == [200, 200]
    assert demo.end() == 0
