"""A real Chromium on a served gateway: what it complains of, and what axe finds on a page."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
import uvicorn

from gateway.http.static import FILES
from tests.administration import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Playwright

SHELL = Path("/usr/bin/chromium-headless-shell")
CHROMIUM = SHELL if SHELL.exists() else Path("/usr/bin/chromium")
"""Debian's Chromium. Without the windows that nobody sees, the same engine takes half of the processor's time."""
AXE = Path(__file__).parent / "axe" / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_TELL_CSP = """addEventListener("securitypolicyviolation",
    one => console.error(`CSP ${one.violatedDirective} ${one.blockedURI}`))"""
_RUN_AXE = """async ([tags, isOnlyColours]) => {
    const colours = axe.getRules(tags).filter(one => one.tags.includes("cat.color")).map(one => one.ruleId)
    const runOnly = isOnlyColours ? {type: "rule", values: colours} : tags
    return (await axe.run({runOnly, resultTypes: ["violations"]})).violations.flatMap(one => one.nodes.map(
        node => `${one.id} ${node.target.join(' ')} ${node.html.slice(0, 160)} ${node.failureSummary}`
    ))
}"""


def axe_source() -> str:
    """Gives the text of axe. Whoever could install it must have: only others skip."""
    if AXE.exists():
        return AXE.read_text()
    words = "axe is not here. Run `make browser`."
    return pytest.fail(words) if os.geteuid() == 0 else pytest.skip(words)


def violations_of(page: "Page", source: str, *, is_only_colours: bool = False) -> list[str]:
    """Gives what axe finds on a page as it is shown, by all its rules or by those that look at colours."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(source)
    return [" ".join(one.split()) for one in page.evaluate(_RUN_AXE, [list(TAGS), is_only_colours])]


@contextmanager
def served(app: Any, *, lifespan: Literal["on", "off"] = "off", port: int = 0) -> Iterator[str]:
    """Serves an application on a thread, with what it runs beside serving or without; gives its address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan=lifespan))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def free_port() -> int:
    """Gives a port that nobody listens on at the moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass(slots=True)
class Watched:
    """A page whose complaints are kept: errors of the console, reports of the policy, requests to anybody else."""

    page: "Page"
    address: str
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, context: "BrowserContext", address: str) -> "Watched":
        """Opens a page."""
        context.add_init_script(_TELL_CSP)
        made = cls(context.new_page(), address)
        made.page.on("console", lambda one: made.complaints.append(one.text) if one.type == "error" else None)
        made.page.on("pageerror", lambda one: made.complaints.append(str(one)))
        made.page.on("request", lambda one: made._note(one.url))
        return made

    def _note(self, url: str) -> None:
        if not url.startswith((self.address, "data:")):
            self.complaints.append(f"asked for {url}")

    def sign_in(self, name: str) -> None:
        """Signs in with the password of all."""
        self.page.goto(f"{self.address}/admin/sign-in")
        self.page.fill("#f-name", name)
        self.page.fill("#f-password", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(f"{self.address}/admin")

    def violations(self, source: str, *, is_only_colours: bool = False) -> list[str]:
        """Gives what axe finds on the page as it is shown."""
        return violations_of(self.page, source, is_only_colours=is_only_colours)

    @property
    def overflows(self) -> bool:
        """Whether the page scrolls sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def require_bundle() -> None:
    """Whoever could build the scripts must have: only others skip."""
    if "page.js" not in FILES:
        words = "the scripts were not built. Run `make setup`."
        (pytest.fail if os.geteuid() == 0 else pytest.skip)(words)


@contextmanager
def watching(app: Any, *, locale: str = "en-GB") -> Iterator[Watched]:
    """Serves an application, and gives a page of it on which ada signed in; in the end nothing may have complained."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - heavy, and only where there is a browser

    require_bundle()
    with served(app) as address, sync_playwright() as playwright:
        browser = start(playwright)
        found = Watched.of(browser.new_context(locale=locale, reduced_motion="reduce"), address)
        found.sign_in("ada")
        yield found
        browser.close()
    assert not found.complaints


def start(playwright: "Playwright") -> Any:
    """Starts the browser that Debian has."""
    return playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
