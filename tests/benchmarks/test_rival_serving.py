import subprocess
import sys
import time
from pathlib import Path
from socket import create_server, socket

import pytest

from benchmarks.rivals.serving import NotServing, serving
from benchmarks.rivals.venvs import ROOT


def free_port() -> int:
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def files(port: int) -> list[str]:
    return [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]


def is_up(port: int) -> bool:
    with socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def test_a_server_is_ready_when_it_replies_and_ends_with_the_block(tmp_path: Path) -> None:
    port = free_port()
    with serving("files", files(port), f"http://127.0.0.1:{port}/", folder=tmp_path) as up:
        assert up.memory_mib() > 1
        assert is_up(port)
    assert not is_up(port)


def test_who_is_at_the_address_already_is_not_taken_for_the_server(tmp_path: Path) -> None:
    with create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        with pytest.raises(NotServing, match=f"another program answers at 127.0.0.1:{port}"):
            serving("files", files(port), f"http://127.0.0.1:{port}/", folder=tmp_path).__enter__()


def test_a_server_that_ends_says_what_it_said(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no licence'); raise SystemExit(3)"]
    with pytest.raises(NotServing, match=r"exit status 3(.|\n)*no licence"):
        serving("broken", command, f"http://127.0.0.1:{free_port()}/", folder=tmp_path).__enter__()


def test_a_server_ends_with_a_benchmark_that_is_killed(tmp_path: Path) -> None:
    port = free_port()
    program = f"""
import time
from pathlib import Path
from benchmarks.rivals.serving import serving
with serving("files", {files(port)!r}, "http://127.0.0.1:{port}/", folder=Path({str(tmp_path)!r})):
    print("up", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE) as benchmark:  # noqa: S603 - ours
        assert benchmark.stdout is not None
        assert benchmark.stdout.readline() == b"up\n"
        assert is_up(port)
        benchmark.kill()
    until_s = time.monotonic() + 10.0
    while is_up(port) and time.monotonic() < until_s:
        time.sleep(0.05)
    assert not is_up(port)
