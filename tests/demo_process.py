"""`canongate demo` as a process of its own, for tests that talk to it from outside."""

import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

from tests.gateway.command_line import environment

ROOT = Path(__file__).parents[1]


class Demo:
    """A running demo and what it wrote."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data = data
        self.lines: list[str] = []
        self.had_key = (data / "first-key").exists()
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "gateway.cli", "demo", "--port", "0", *options],
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
        try:
            return self.process.wait(40)
        finally:
            self.process.kill()
            self._reader.join(10)
