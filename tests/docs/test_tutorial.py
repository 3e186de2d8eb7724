"""The tutorial, done by its own words: its commands in order, with the real model, and its page in a real browser."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.demo_process import ROOT, Demo
from tests.gateway.command_line import environment
from tests.gateway.guides.code_blocks import Block, blocks_of
from tests.real_browser import start

pytestmark = pytest.mark.weights
BLOCKS = [block for block in blocks_of("first-widget", ROOT / "docs" / "tutorial") if block.language == "bash"]
QUESTION = "Is there free Wi-Fi for visitors?"


class Reader:
    """Somebody who does what the tutorial says, in a folder of their own, on ports that are free."""

    def __init__(self, demo: Demo, folder: Path, site: int) -> None:
        self.demo = demo
        self.folder = folder
        self.site = site
        with demo.client() as client:
            demo.until_ready(client)
            self.gateway = str(client.base_url).rstrip("/")

    def do(self, block: Block) -> str:
        """Runs a block as it stands, but for the addresses and the place of the data folder; gives what it prints."""
        changed = {
            "http://127.0.0.1:8080": self.gateway,
            "http://127.0.0.1:8000": f"http://127.0.0.1:{self.site}",
            "var/first-key": str(self.demo.data / "first-key"),
            ".venv/bin/canongate": f"{sys.executable} -m gateway.cli",
        }
        code = block.code
        for told, real in changed.items():
            code = code.replace(told, real)
        done = subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-s"],
            input=code,
            env=environment(self.demo.data, PYTHONPATH=str(ROOT)),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{block.id}: {done.stderr}\n{done.stdout}"
        return done.stdout


@pytest.fixture
def site(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "my-site").mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "my-site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture
def reader(
    tmp_path: Path, site: int, embedder_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reader]:
    data = tmp_path_factory.mktemp("tutorial")
    (data / "embedder").symlink_to(embedder_cache)
    demo = Demo(data, "--intranet-port", "0")
    try:
        yield Reader(demo, tmp_path, site)
    finally:
        demo.end()


def test_a_reader_gets_from_nothing_to_a_widget_with_an_answer_of_their_own(reader: Reader) -> None:
    asked, unknown, traced, created, written, changed = [reader.do(block) for block in BLOCKS]
    assert json.loads(asked)["prompt"]["id"] == "it.wifi-guest"
    assert json.loads(unknown)["outcome"] == "no_match"
    assert "it.wifi-guest" in traced
    assert "my-site" in created
    assert written == ""
    assert "it.wifi-guest" in changed
    assert "Tarnwick Visitors" in json.loads(reader.do(BLOCKS[0]))["text"]
    assert "Tarnwick Visitors" in ask_in_the_page(reader)


def ask_in_the_page(reader: Reader) -> str:
    """Opens the page that was written, asks in its widget, and gives what is said there."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - heavy, and only where there is a browser

    with sync_playwright() as playwright:
        page = start(playwright).new_page()
        page.goto(f"http://127.0.0.1:{reader.site}")
        page.get_by_role("button").first.click()
        box = page.get_by_role("textbox")
        box.fill(QUESTION)
        box.press("Enter")
        page.get_by_text("Tarnwick Visitors").wait_for(timeout=60_000)
        return page.get_by_role("log").inner_text()
