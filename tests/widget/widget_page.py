"""A page with the widget in a real Chromium, and what it complains of."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.real_browser import violations_of
from tests.widget.host_page import HostPage
from tests.widget.stand_in import StandIn

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

_LISTEN = """
addEventListener("securitypolicyviolation", one => console.error(`CSP ${one.violatedDirective} ${one.blockedURI}`));
window.told = [];
for (const name of ["ready", "open", "close", "message", "feedback", "error", "reset"]) {
  addEventListener(`canongate:${name}`, one => window.told.push([name, one.detail]));
}
"""
# The clock of a test moves timers and leaves these limits alone.
_LIMITS = """AbortSignal.timeout = limit => {
  const made = new AbortController();
  setTimeout(() => made.abort(new DOMException("too long", "TimeoutError")), limit);
  return made.signal;
}"""
_WATCH_REGIONS = """element => {
  window.spoken = [];
  const watch = new MutationObserver(all => {
    for (const one of all) if (one.target.textContent) window.spoken.push(one.target.textContent);
  });
  for (const one of element.shadowRoot.querySelectorAll(".sr [role]")) watch.observe(one, {childList: true});
}"""


@dataclass(slots=True)
class WidgetPage:
    """One page; `expected` are the complaints that the test is about."""

    page: "Page"
    host: HostPage
    gateway: StandIn
    address: str
    complaints: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, context: "BrowserContext", host: HostPage, gateway: StandIn, address: str) -> "WidgetPage":
        """Opens an empty page."""
        made = cls(context.new_page(), host, gateway, address)
        made.page.add_init_script(_LISTEN)
        made.page.on("console", lambda one: made.complaints.append(one.text) if one.type == "error" else None)
        made.page.on("pageerror", lambda one: made.complaints.append(str(one)))
        made.page.on("request", lambda one: made._note(one.method, one.url))
        return made

    def _note(self, method: str, url: str) -> None:
        self.requests.append(f"{method} {url}")
        if not url.startswith((self.address, self.host.server)):
            self.complaints.append(f"asked for {url}")

    @property
    def unexpected(self) -> list[str]:
        """What nobody counted on."""
        return [one for one in self.complaints if not any(re.search(known, one) for known in self.expected)]

    def visit(self, more: str = "", *others: str) -> "WidgetPage":
        """Goes to a page with one widget, or several, and waits until it is ready."""
        self.host.embed(more, *others)
        self.page.goto(self.address)
        self.page.locator("canongate-chat .root").first.wait_for(state="attached")
        return self

    def opened(self, more: str = "") -> "WidgetPage":
        """Visits, and opens the panel as a person does."""
        self.visit(more)
        self.launcher.click()
        return self

    def hold_time(self) -> None:
        """Takes the time of the pages to come into the test's hands, with the limits of what they ask for."""
        self.page.clock.install()
        self.page.add_init_script(_LIMITS)

    def ask(self, words: str) -> None:
        """Types a question and sends it."""
        self.input.fill(words)
        self.input.press("Enter")

    @property
    def element(self) -> "Locator":
        """The first widget."""
        return self.page.locator("canongate-chat").first

    @property
    def launcher(self) -> "Locator":
        """Its button."""
        return self.element.locator(".launcher")

    @property
    def input(self) -> "Locator":
        """Where a question is typed."""
        return self.element.locator(".composer textarea")

    @property
    def log(self) -> "Locator":
        """What was said."""
        return self.element.get_by_role("log")

    @property
    def last(self) -> "Locator":
        """The last turn."""
        return self.log.locator(".turn").last

    @property
    def status(self) -> "Locator":
        """How the last turn is doing."""
        return self.last.locator(".status")

    def button(self, name: str) -> "Locator":
        """A button by its name."""
        return self.element.get_by_role("button", name=name, exact=True)

    @property
    def focused(self) -> str:
        """The name of what has the focus inside the widget, empty when nothing has."""
        script = """element => { const at = element.shadowRoot.activeElement;
            return at ? at.getAttribute("aria-label") || at.textContent : "" }"""
        return str(self.element.evaluate(script))

    def told(self, name: str) -> list[Any]:
        """Gives the details of the element's events of a name."""
        return [detail for one, detail in self.page.evaluate("window.told") if one == name]

    def listen(self) -> None:
        """Keeps from now on what the live regions say."""
        self.element.evaluate(_WATCH_REGIONS)

    @property
    def spoken(self) -> list[str]:
        """What the live regions said, in order."""
        return list(self.page.evaluate("window.spoken"))

    def violations(self, source: str) -> list[str]:
        """Gives what axe finds."""
        return violations_of(self.page, source)
