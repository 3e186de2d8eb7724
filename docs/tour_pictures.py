"""The ways to show a page, and the pictures of the README's tour."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from docs.example_gateway import READY_S, ROOT
from docs.pictures import WAIT_MS, scroll_to, write_picture

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page


@dataclass(frozen=True, slots=True)
class Look:
    """One way to show a page."""

    name: str
    width: int = 1280
    theme: str = "light"
    locale: str = "en-GB"


@dataclass(frozen=True, slots=True)
class TourPicture:
    """One picture of the tour: the upper part of a page, as a browser's window shows it."""

    name: str
    page: str
    """Template of the page's address, as `_pages` finds it."""
    look: Look
    below: str = ""
    """What the window is scrolled to."""


LOOKS = (Look("light"), Look("dark", theme="dark"), Look("phone", width=390), Look("arabic", locale="ar-EG"))

LIGHT, DARK, PHONE, ARABIC = LOOKS
TOUR = (
    TourPicture("edit", "/admin/prompts/{prompt_key:str}/edit", LIGHT),
    TourPicture("change", "/admin/changes/{change_id:str}", LIGHT),
    TourPicture("playground", "/admin/playground", DARK, below="#differs"),
    TourPicture("rails", "/admin/rails/{policy_name:str}", LIGHT),
    TourPicture("unmatched", "/admin/unmatched/clusters/{cluster:str}", LIGHT),
    TourPicture("analytics", "/admin/analytics", DARK),
    TourPicture("prompts", "/admin/prompts", ARABIC),
)
TOUR_HEIGHT = 820
"""All of the navigation is to be seen."""


def _compare(page: "Page") -> None:
    """Asks the draft beside what is live, until the draft is made ready."""
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        page.select_option("#f-change", index=1)
        page.fill("[name=question]", "guest wifi")
        page.check("[name=compare]")
        with page.expect_navigation(timeout=60_000):
            page.click("#ask-form button[type=submit]")
        if page.locator("#differs").count():
            return
    raise SystemExit("the draft is not made ready")


def tour(browser: "Browser", signed_in: "BrowserContext", pages: dict[str, str]) -> Iterator[str]:
    """Writes the pictures of the tour."""
    folder = ROOT / "docs" / "tour"
    folder.mkdir(exist_ok=True)
    for one in TOUR:
        look, state = one.look, signed_in.storage_state()
        viewport = {"width": look.width, "height": TOUR_HEIGHT}
        context = browser.new_context(
            locale=look.locale, color_scheme=look.theme, viewport=viewport, storage_state=state, reduced_motion="reduce"
        )
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        page.goto(pages[one.page])
        if one.page == "/admin/playground":
            _compare(page)
        if one.below:
            scroll_to(page, one.below)
        path = folder / f"{one.name}.png"
        write_picture(page, path)
        yield str(path.relative_to(ROOT))
        context.close()
