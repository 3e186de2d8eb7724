"""It calls nobody: a whole question with the real embedder and model opens no socket beyond loopback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WATCHED = """
import json, sys
seen = []
def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname"):
        seen.append([event, repr(args[1] if event in ("socket.connect", "socket.sendto") else args[0])])
sys.addaudithook(watch)
from gateway.cli import app
app(["import", "examples/helpdesk"], standalone_mode=False)
app(["ask", "I forgot my password", "--json"], standalone_mode=False)
print("SEEN " + json.dumps(seen))
"""


@pytest.mark.weights
def test_import_and_a_whole_answer_connect_to_nothing(tmp_path: Path, embedder_cache: Path) -> None:
    (tmp_path / "embedder").symlink_to(embedder_cache)
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", WATCHED],
        cwd=ROOT,
        env={"CANONGATE_DATA__DIRECTORY": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("SEEN "))
    assert json.loads(line.removeprefix("SEEN ")) == []
    assert '"outcome": "answered"' in done.stdout
    assert not list(tmp_path.rglob("usage_stats.json")), "a guardrails library counted its use"


def test_the_worker_opens_no_socket_of_its_own() -> None:
    for name in ("llama.py", "worker.py", "process.py"):
        source = (ROOT / "models" / name).read_text()
        assert "socket" not in source
        assert "http" not in source
