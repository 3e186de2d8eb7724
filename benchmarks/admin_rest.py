"""Measures the admin surface over real HTTP: create, read, update and list, on a SQLite file with many prompts.

The server is uvicorn in a process of its own, with a real key, real services and every write synced to the disk; what
answers chats is faked. Times are those of one client that keeps its connection.
"""

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from rails.engine import compile_policy
from rails.policy import load_policy
from store.catalog import publish_bundle
from store.content import CanonicalPrompt
from store.database import migrate, open_database
from store.formats.bundle import Bundle
from store.people import Role
from store.types import KeyScope
from tests.administration import AdminWorld
from tests.store.store_content import assistant, prompt
from tests.world import POLICY, World

_WAIT_S = 120.0


def main() -> None:
    """Prints medians and 95th percentiles; exit status 1 when a median is over the bound."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python -m benchmarks.admin_rest --prompts 1000 --calls 200 --json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--prompts", type=int, default=1000, help="live prompts, of 20 phrasings each")
    parser.add_argument("--calls", type=int, default=200, help="of each operation")
    parser.add_argument("--bound-ms", type=float, default=10.0, help="what each median may take")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve is not None:
        _serve(chosen.serve, chosen.port, chosen.prompts)
        return
    figures = measure(chosen.prompts, chosen.calls)
    if chosen.json:
        print(json.dumps({"prompts": chosen.prompts, "calls": chosen.calls, "ms": figures}, indent=2))
    else:
        for name, found in figures.items():
            print(f"{name:<32} p50 {found['p50']:7.2f} ms   p95 {found['p95']:7.2f} ms")
    sys.exit(any(found["p50"] > chosen.bound_ms for found in figures.values()))


def measure(prompts: int, calls: int) -> dict[str, dict[str, float]]:
    """Returns p50 and p95 of each operation in milliseconds."""
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder), prompts) as client:
        took: dict[str, list[float]] = {}
        for number in range(-5, calls):  # the first ones warm up
            for name, spent_ms in _round(client, number, prompts):
                if number >= 0:
                    took.setdefault(name, []).append(spent_ms)
    return {
        name: {
            "p50": round(statistics.median(values), 2),
            "p95": round(statistics.quantiles(values, n=20)[-1], 2),
        }
        for name, values in took.items()
    }


def _round(client: httpx.Client, number: int, prompts: int) -> Iterator[tuple[str, float]]:
    """Takes one change through the operations, each timed."""

    def timed(method: str, path: str, sent: Any = None, tag: str | None = None) -> httpx.Response:
        nonlocal spent_ms
        started = time.perf_counter()
        told = client.request(method, f"/v1/admin{path}", json=sent, headers={"if-match": tag} if tag else {})
        spent_ms = (time.perf_counter() - started) * 1000
        if told.status_code not in (200, 201):
            raise SystemExit(f"{method} {path}: {told.status_code} {told.text}")
        return told

    spent_ms = 0.0
    key = f"it.p{number % prompts:05}"
    made = timed("POST", "/changes", {"title": f"Change {number}", "note": "why"})
    yield "create change", spent_ms
    change = made.json()["change"]["id"]
    live = timed("GET", f"/prompts/{key}")
    yield "read prompt", spent_ms
    document = live.json()["document"]
    new = document | {"key": f"it.new{number + 5}"}
    timed("POST", f"/prompts?change={change}", {"document": new})
    yield "create prompt", spent_ms
    sent = {"document": document | {"title": f"Title {number}"}}
    timed("PUT", f"/prompts/{key}?change={change}", sent, live.headers["etag"])
    yield "update prompt", spent_ms
    seen = timed("GET", f"/changes/{change}")
    yield "read change", spent_ms
    timed("PATCH", f"/changes/{change}", {"note": "because"}, seen.headers["etag"])
    yield "update change", spent_ms
    timed("GET", f"/prompts?limit=50&after={key}" if number % 2 else "/prompts?limit=50")
    yield "list prompts", spent_ms
    timed("GET", f"/prompts?search=phrase {number % prompts} 7")
    yield "search prompts", spent_ms
    timed("GET", "/changes?limit=50&state=draft")
    yield "list changes", spent_ms


@contextmanager
def _server(folder: Path, prompts: int) -> Iterator[httpx.Client]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.admin_rest", "--serve", str(folder), "--port", str(port)]
    process = subprocess.Popen(  # noqa: S603 - our own program
        [*command, "--prompts", str(prompts)], stdout=subprocess.PIPE, text=True
    )
    try:
        token = _token(process)
        headers: Mapping[str, str] = {"authorization": f"Bearer {token}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:
            _wait(client)
            yield client
    finally:
        process.terminate()
        process.wait(30)


def _token(process: "subprocess.Popen[str]") -> str:
    line = process.stdout.readline() if process.stdout else ""
    if not line.startswith("cg_"):
        raise SystemExit("the server did not start; see above")
    return line.strip()


def _wait(client: httpx.Client) -> None:
    until = time.monotonic() + _WAIT_S
    while time.monotonic() < until:
        try:
            client.get("/livez")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server does not answer")


def _serve(folder: Path, port: int, prompts: int) -> None:
    url = f"sqlite:///{folder / 'admin.db'}"
    migrate(url)
    database = open_database(url)
    content = Bundle(
        tuple(_prompt(number) for number in range(prompts)),
        (assistant(),),
        {"plain": {"name": "plain", "input": []}},
    )
    publish_bundle(database, content, author="benchmark")
    world = AdminWorld(World(compile_policy(load_policy(POLICY), 5)), database, folder)
    owner = world.user("owner", Role.EDITOR)
    print(world.key(KeyScope.READ, KeyScope.EDIT, owner=owner.id), flush=True)
    config = uvicorn.Config(world.app, host="127.0.0.1", port=port, log_config=None, access_log=False)
    uvicorn.Server(config).run()
    database.close()


def _prompt(number: int) -> CanonicalPrompt:
    phrasings = [f"How do I get phrase {number} {variant}?" for variant in range(20)]
    return prompt(f"it.p{number:05}", title=f"Title of {number}", phrasings=phrasings)


if __name__ == "__main__":
    main()
