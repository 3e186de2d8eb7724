"""A gateway that runs beside a program of the documentation, in a process of its own."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
READY_S = 600.0


def command(settings: Path, *words: str) -> list[str]:
    """Returns a command of the gateway that these settings are of."""
    return [sys.executable, "-m", "gateway.cli", *words, "--config", str(settings)]


@contextmanager
def running(settings: Path, how: str = "demo") -> Iterator[str]:
    """Runs the gateway, by `demo` with the example help desk, by `serve` as it is; gives its address once it serves."""
    with (settings.parent / "demo.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            command(settings, how),
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield _served(process, settings)
        finally:
            process.terminate()
            process.wait()


def _served(process: subprocess.Popen[bytes], settings: Path) -> str:
    until = time.monotonic() + READY_S
    while time.monotonic() < until and process.poll() is None:
        if found := re.search(r"listening on (http://\S+)", (settings.parent / "demo.log").read_text()):
            return found[1]
        time.sleep(0.2)
    raise SystemExit(f"the gateway did not start:\n{(settings.parent / 'demo.log').read_text()[-2000:]}")
