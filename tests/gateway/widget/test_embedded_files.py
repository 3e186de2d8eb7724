"""The widget's files: for pages of any origin, and never another under an address that does not change."""

import pytest

from gateway.http import static
from gateway.http.static import StaticFile
from gateway.widget.release import VERSION
from tests.widget_world import Site

pytestmark = pytest.mark.anyio


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(static.FILES, "widget.js", StaticFile.of(b"export {};", ".js"))
    monkeypatch.setitem(static.FILES, "loader.js", StaticFile.of(b"void 0;", ".js"))


@pytest.mark.usefixtures("built")
async def test_files_are_served_to_any_page_and_kept_as_long_as_their_address_says(site: Site) -> None:
    async with site.browser("https://anywhere.example") as page:
        pinned = await page.get(f"/embed/{VERSION}/widget.js")
        channel = await page.get("/embed/v1/widget.js")
        loader = await page.get("/embed/v1/loader.js")
    assert (pinned.content, channel.content, loader.content) == (b"export {};", b"export {};", b"void 0;")
    assert "immutable" in pinned.headers["cache-control"]
    assert channel.headers["cache-control"] == loader.headers["cache-control"] == "public, max-age=300"
    for told in (pinned, channel, loader):
        assert told.headers["access-control-allow-origin"] == "*"
        assert told.headers["cross-origin-resource-policy"] == "cross-origin"
        assert told.headers["content-type"].startswith("text/javascript")
        assert told.headers["x-content-type-options"] == "nosniff"


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("path", [f"/embed/{VERSION}/widget.js", "/embed/v1/widget.js", "/embed/v1/loader.js"])
async def test_a_file_is_asked_about_without_its_content(site: Site, path: str) -> None:
    async with site.browser() as page:
        told, asked = await page.get(path), await page.head(path)
    assert (asked.status_code, asked.content) == (200, b"")
    differing = {"x-request-id", "traceparent"}
    assert {name: text for name, text in asked.headers.items() if name not in differing} == {
        name: text for name, text in told.headers.items() if name not in differing
    }


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    "path", ["/embed/0.9.0/widget.js", "/embed/v1/page.js", "/embed/v2/loader.js", f"/embed/{VERSION}/loader.js"]
)
async def test_no_other_address_has_a_file(site: Site, path: str) -> None:
    async with site.browser() as page:
        told = await page.get(path)
    assert told.status_code == 404
    assert VERSION in told.json()["detail"]


async def test_where_the_widget_was_not_built_it_is_said(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("widget.js", "loader.js"):
        monkeypatch.delitem(static.FILES, name, raising=False)
    async with site.browser() as page:
        told = await page.get(f"/embed/{VERSION}/widget.js")
    assert told.status_code == 404
    assert "make setup" in told.json()["detail"]
