"""Where pages lead: every link answers at the listener that serves the page, whether anything is there or not."""

import pytest

from gateway.app import create_app
from gateway.http.listeners import Listener
from gateway.http.pages.page_table import NOT_SHOWN, PAGES
from store.people import Role
from tests.administration import AdminWorld
from tests.plain_browser import PlainBrowser
from tests.samples import registry
from tests.samples.registry import MINE, SAMPLES, filled, parameters

pytestmark = pytest.mark.anyio
registry.load_samples()
ADMIN_ALONE = frozenset({Listener.ADMIN})
ONLY_OF_TESTS = ("/admin/assistants/helpdesk", "/admin/requests/of-")
"""Begin links to what the fakes serve and show, and their database does not have."""


def pages(admin: AdminWorld, *, has_things: bool) -> list[str]:
    """Gives the addresses of the pages, of things that are there or only of those that are about none."""
    names = sorted(one for one in PAGES if one.startswith("GET ") and one not in NOT_SHOWN)
    wanted = {parameter for name in names for parameter in parameters(name)} if has_things else set()
    made = {one: SAMPLES[one](admin, MINE) for one in sorted(wanted & SAMPLES.keys())}
    return [filled(name.split()[1], {"step": "submit", **made}) for name in names if has_things or "{" not in name]


async def dead_links(browser: PlainBrowser, paths: list[str]) -> list[str]:
    """Gives the links of the pages that nothing answers, and where they are."""
    found, seen = [], set()
    for path in paths:
        await browser.open(path)
        links = {values["href"].partition("#")[0] for tag, values in browser.page.tags if tag == "a" and values["href"]}
        for link in sorted(links - seen - {""}):
            seen.add(link)
            if link.startswith(ONLY_OF_TESTS):
                continue
            told = await browser.client.get(link, headers={"sec-fetch-site": "same-origin"})
            if told.status_code >= 400:
                found.append(f"{path}: {link} answers {told.status_code}")
    assert len(seen) > 20
    return found


@pytest.mark.parametrize("has_things", [False, True], ids=["nothing there", "something there"])
async def test_every_link_answers_where_people_administer_alone(
    admin: AdminWorld,
    signed_in,
    has_things: bool,  # noqa: FBT001 -- a case
) -> None:
    admin.app = create_app(admin.components, listeners=ADMIN_ALONE)
    admin.user("ada", *Role)
    browser = await signed_in("ada")
    assert not await dead_links(browser, pages(admin, has_things=has_things))
