"""Every page in Arabic: whatever is left in English is a name, or somebody's own words."""

import re
from html.parser import HTMLParser

import pytest

from gateway.http.pages.page_table import OPEN_PAGES
from store.catalog import publish_bundle
from store.formats.bundle import Bundle
from store.people import Role
from tests.administration import AdminWorld
from tests.gateway.http.pages.test_page_links import pages
from tests.plain_browser import VOID
from tests.samples import registry
from tests.samples.registry import MINE
from tests.store.store_content import assistant, prompt
from tests.world import POLICY

pytestmark = pytest.mark.anyio
registry.load_samples()
MORE = (
    *(f"/admin/rails/helpdesk{view}" for view in ("", "/form", "/code")),
    "/admin/playground?question=How+do+I+reset+my+password%3F",
    *(f"/admin/changes?tab={tab}" for tab in ("waiting", "mine", "all")),
    "/admin/nothing/here",
)
APART = {"bdi", "code", "kbd", "pre", "q", "textarea", "script", "style", "svg", "title"}
"""Elements for names and for what somebody wrote; the title of a page is its heading once more."""
ISOLATED = re.compile("\u2068[^\u2068\u2069]*\u2069")
"""A name, a number or a quotation inside a sentence."""
ENGLISH = re.compile(r"[A-Za-z][A-Za-z'-]*(?:[ ,]+[A-Za-z][A-Za-z'-]*)+")
"""Two words at least."""
WRITTEN = {"About helpdesk", "A page", "A change"}
"""By the people of the samples."""
NAMES = {"Ctrl K", "Ctrl Enter", "Ctrl S", "en ar", "it hr"}


class Words(HTMLParser):
    """The text of a page that is the page's own, and what it says of itself in attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        for name in ("aria-label", "title", "placeholder", "data-label"):
            self.found.append(values.get(name) or "")
        if tag not in VOID:
            is_apart = tag in APART or values.get("dir") == "auto" or (bool(self._open) and self._open[-1][1])
            self._open.append((tag, is_apart))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not self._open or not self._open[-1][1]:
            self.found.append(data)


def english_of(html: str) -> list[str]:
    """Gives the runs of English words on a page that are no names."""
    found = []
    for text in Words(html).found:
        left = " ".join(ISOLATED.sub(" ", text).split())
        for known in sorted(NAMES | WRITTEN, key=len, reverse=True):
            left = left.replace(known, " ")
        found += ENGLISH.findall(left)
    return found


@pytest.mark.parametrize("has_things", [False, True], ids=["nothing there", "something there"])
async def test_no_page_shows_english_to_people_who_read_arabic(
    admin: AdminWorld,
    signed_in,
    has_things: bool,  # noqa: FBT001 -- a case
) -> None:
    admin.user("ada", *Role)
    paths = pages(admin, has_things=has_things)
    if has_things:
        desk = assistant("helpdesk", areas=(MINE,), policy="helpdesk")
        made = Bundle((prompt(f"{MINE}.vpn"),), (desk,), {"helpdesk": POLICY})
        publish_bundle(admin.database, made, author="operator", note="first")
        paths += MORE
    browser = await signed_in("ada", language="ar")
    left: dict[str, list[str]] = {}
    for path in [*(one.split()[1] for one in sorted(OPEN_PAGES) if one.startswith("GET ")), *paths]:
        await browser.open(path)
        if "text/html" in browser.reply.headers["content-type"] and (found := english_of(browser.reply.text)):
            left[path] = found
    assert not left, "\n".join(f"{path}: {found}" for path, found in left.items())
