"""The administrator's guide, walked: each of its steps in a real browser, with a picture where the guide has one.

`python -m docs.screenshots --guide` starts a gateway with an empty store, and has three people do what
`docs/how-to/curate.md` tells: one begins with the example, one writes, one approves. A step that is not there any more
ends the walk, so that the guide cannot tell of it.
"""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docs.example_gateway import READY_S, ROOT, command
from docs.pictures import WAIT_MS, scroll_to, set_up, write_picture

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = ROOT / "docs" / "how-to" / "curate"
WIDTH, HEIGHT = 1180, 820
PROMPT = "it.wifi-guest"
TAKEN = "How do I reset my password?"
"""A phrasing of another prompt."""
ADDED = "Which network is there for customers?"
"""A phrasing that nobody approved yet."""
ASKED = "Is there a network for our customers?"
"""A wording that is no phrasing."""
ANSWER = (
    "Your visitor chooses the network 'Tarnwick Visitors' and enters their own e-mail address and yours. You get a "
    "message and press 'Approve'. The access ends at 20:00 on the same day."
)
VAIN = ("Can I bring my otter to work?", "May I bring a pet otter to the office?", "Who waters the plants?")
JUDGED = (
    ("How do I reset my password?", {"verdict": "up", "reasons": ["clear"]}),
    ("When does the office in Lisbon open?", {"verdict": "down", "reasons": ["incomplete"]}),
    ("guest wifi", {"verdict": "up", "reasons": ["correct"]}),
    ("How do I give a guest Wi-Fi access?", {"verdict": "up", "reasons": ["correct", "clear"]}),
    ("How do I report a phishing mail?", {"verdict": "up", "reasons": ["clear"]}),
)
GATE_S = 900.0


@dataclass(slots=True)
class Person:
    """One person at a browser of their own."""

    page: "Page"
    address: str

    def go(self, path: str) -> None:
        self.page.goto(self.address + path)

    def fill(self, **fields: str) -> None:
        for name, text in fields.items():
            self.page.fill(f"[name={name}]", text)

    def press(self, name: str) -> None:
        """Presses a button of the page's main part, and waits for the page that comes then."""
        with self.page.expect_navigation(timeout=WAIT_MS):
            self.page.locator("main").get_by_role("button", name=name, exact=True).first.click()

    def follow(self, name: str) -> None:
        self.page.locator("main").get_by_role("link", name=name, exact=True).first.click()

    def see(self, *words: str) -> None:
        for one in words:
            self.page.get_by_text(one).locator("visible=true").first.wait_for(timeout=WAIT_MS)

    def until(self, path: str, selector: str, within_s: float = READY_S) -> None:
        """Opens a page until it shows what the gateway makes beside serving."""
        given_up = time.monotonic() + within_s
        while time.monotonic() < given_up:
            self.go(path)
            if self.page.locator(selector).count():
                return
            time.sleep(1)
        raise SystemExit(f"{path} does not show {selector}")

    def picture(self, name: str, at: str = "", *, above: int = 24, is_whole: bool = False) -> None:
        """Writes what the window shows, scrolled to an element, or the whole page."""
        if at:
            scroll_to(self.page, at, above=above)
        if is_whole:
            height = self.page.evaluate("document.documentElement.scrollHeight")
            self.page.set_viewport_size({"width": WIDTH, "height": height})
        write_picture(self.page, FOLDER / f"{name}.webp")
        if is_whole:
            self.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})


def walk(browser: "Browser", address: str, settings: Path) -> list[str]:
    """Does all that the guide tells; gives the names of its pictures."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.webp"):
        old.unlink()
    token = _told(settings, "user", "create", "Ada Lindqvist", "--role", "admin")["token"]
    ada = _person(browser, address, token, "Ada Lindqvist")
    _begin(ada)
    mira = _person(browser, address, _add(ada, "Mira Solberg", "editor", picture="person"), "Mira Solberg")
    bob = _person(browser, address, _add(ada, "Bob Ekwueme", "approver"), "Bob Ekwueme")
    _ask(ada, _told(settings, "key", "create", "intranet", "--assistant", "helpdesk")["key"])
    change = _write(mira)
    _try_it(mira, change)
    _submit(mira, change)
    _decide(bob, change)
    _answer_what_was_asked(mira)
    mira.go("/admin/feedback")
    mira.see("Helpful rates")
    mira.picture("feedback")
    _loosen(mira)
    mira.go(f"/admin/prompts/{PROMPT}/versions?from=1&to=2")
    mira.see("Restore")
    mira.picture("versions")
    _take_back(bob, change)
    ada.go("/admin/audit")
    ada.picture("audit")
    return sorted(str(path.relative_to(ROOT)) for path in FOLDER.glob("*.webp"))


def _told(settings: Path, *words: str) -> dict[str, Any]:
    done = subprocess.run(command(settings, *words, "--json"), cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - our own program
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def _person(browser: "Browser", address: str, token: str, name: str) -> Person:
    viewport = {"width": WIDTH, "height": HEIGHT}
    context = browser.new_context(locale="en-GB", viewport=viewport, reduced_motion="reduce")
    context.set_default_timeout(WAIT_MS)
    set_up(page := context.new_page(), address, token, name)
    return Person(page, address)


def _begin(ada: Person) -> None:
    ada.go("/admin")
    ada.picture("begin")
    ada.press("Begin with the example help desk")
    ada.see("It is published.")
    ada.until("/admin/playground?assistant=helpdesk", "#f-question")
    given_up = time.monotonic() + READY_S
    while not ada.page.request.get(f"{ada.address}/readyz").ok:
        if time.monotonic() > given_up:
            raise SystemExit("the example is not made ready")
        time.sleep(1)


def _add(ada: Person, name: str, role: str, *, picture: str = "") -> str:
    """Adds a person; gives their one-time token."""
    ada.go("/admin/people/new")
    ada.fill(name=name)
    ada.page.check(f"#f-role-{role}")
    if picture:
        ada.picture(picture)
    ada.press("Add a person")
    return ada.page.locator("input.secret").input_value()


def _ask(ada: Person, key: str) -> None:
    """Asks, praises and blames as people do."""
    headers = {"authorization": f"Bearer {key}"}

    def send(path: str, **sent: Any) -> Any:
        told = ada.page.request.post(ada.address + path, data=sent, headers=headers)
        if not told.ok:
            raise SystemExit(f"{path} says {told.status}: {told.text()[:500]}")
        return told.json()

    for question, verdict in JUDGED:
        asked = send("/v1/chat", assistant="helpdesk", message=question)
        send("/v1/feedback", decision=asked["id"], **verdict)
    for question in VAIN * 3:
        send("/v1/chat", assistant="helpdesk", message=question)


def _write(mira: Person) -> str:
    """Edits a prompt, with a collision on the way; gives the id of the change."""
    mira.go(f"/admin/prompts/{PROMPT}")
    mira.picture("prompt", is_whole=True)
    mira.follow("Edit")
    phrasings = mira.page.locator("#f-phrasings")
    kept = phrasings.input_value()
    phrasings.fill(f"{TAKEN}\n{kept}")
    mira.page.locator("#live-checks li", has_text=TAKEN).wait_for(timeout=WAIT_MS)
    mira.picture("collision", "label[for=f-phrasings]")
    phrasings.fill(f"{kept}\n{ADDED}")
    mira.fill(answer=ANSWER)
    mira.press("Save draft")
    mira.see("The draft is saved.")
    change = mira.page.url.partition("change=")[2].partition("&")[0].partition("#")[0]
    mira.go(f"/admin/changes/{change}")
    mira.picture("draft")
    return change


def _try_it(mira: Person, change: str) -> None:
    """Asks the draft beside what is live, and makes a case of a test set of it."""
    mira.go(f"/admin/changes/{change}")
    mira.follow("Open the playground")
    given_up = time.monotonic() + READY_S
    while not mira.page.locator("#differs").count():
        if time.monotonic() > given_up:
            raise SystemExit("the draft is not made ready")
        mira.fill(question=ASKED)
        mira.page.check("[name=compare]")
        mira.press("Ask")
    mira.picture("try", "#differs", above=-27)
    mira.page.locator("a[href*='/helpdesk/case?']").last.click()
    mira.page.wait_for_url("**/case?**")
    mira.fill(id="wifi-customers")
    mira.picture("case")
    mira.press("Draft the case")
    mira.see("The case is drafted.")


def _submit(mira: Person, change: str) -> None:
    mira.go(f"/admin/changes/{change}")
    mira.follow("Submit for review")
    mira.fill(title="The guest network has a new name", note="The network is called Tarnwick Visitors from Monday on.")
    mira.picture("submit")
    mira.press("Submit for review")
    mira.press("Run the gate")
    mira.until(f"/admin/changes/{change}/gate", "main h1 .badge-ok, main h1 .badge-danger", GATE_S)
    if not mira.page.locator("main h1 .badge-ok").count():
        raise SystemExit(f"the gate has not passed: {mira.page.locator('main').inner_text()[:500]}")
    mira.picture("gate")


def _decide(bob: Person, change: str) -> None:
    bob.go("/admin")
    bob.picture("waiting")
    bob.go(f"/admin/changes/{change}")
    bob.see("Request changes")
    passage = bob.page.locator(".diff", has_text="Your visitor chooses").first
    passage.get_by_text("Comment on this").click()
    passage.locator("textarea").fill("The signs in the lobby say the same.")
    bob.picture("review")
    with bob.page.expect_navigation(timeout=WAIT_MS):
        passage.get_by_role("button", name="Comment", exact=True).click()
    bob.see("The signs in the lobby say the same.")
    bob.follow("Approve")
    bob.press("Approve")
    bob.see("Approved. It is not live yet.")
    bob.follow("Publish")
    bob.picture("publish")
    bob.press("Publish")
    bob.see("What is published is live within a moment.")


def _answer_what_was_asked(mira: Person) -> None:
    mira.until("/admin/unmatched", "table.rows")
    mira.picture("unmatched")
    mira.page.locator("table.rows a.row-link").first.click()
    mira.page.wait_for_url("**/clusters/**")
    mira.see("Add as phrasing", "Out of scope", "Snooze", "Discard")
    mira.picture("group")
    mira.press("New prompt")
    mira.fill(title="Animals at work", key="facilities.animals", owner="Facilities")
    mira.page.select_option("#f-area", "facilities")
    mira.fill(answer="Animals stay at home, except for assistance dogs. Tell Facilities before you bring one.")
    mira.picture("new-prompt", is_whole=True)
    mira.press("Draft the prompt")
    mira.see("It is drafted, and not live yet.")
    mira.go("/admin/unmatched/actions")
    mira.see("What was done", "Undo")


def _loosen(mira: Person) -> None:
    mira.go("/admin/rails/helpdesk")
    mira.picture("rails")
    mira.go("/admin/rails/helpdesk/form")
    mira.see("Code", "Only watch")
    mira.page.check("[name='output.repetition.gone']")
    mira.press("Save as a draft")
    mira.see("Less would be stopped than now.")
    mira.picture("loosen")


def _take_back(bob: Person, change: str) -> None:
    bob.go(f"/admin/changes/{change}")
    bob.see("Draft the way back")
    bob.follow("Take it back now")
    bob.picture("take-back")
    bob.press("Take it back now")
    bob.see("Taken back.")
