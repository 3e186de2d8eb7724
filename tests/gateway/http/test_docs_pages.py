"""The pages for integrators: open to anybody, without scripts of others, and readable in a real browser."""

import os
import re
from collections.abc import Iterator

import pytest

from gateway.guides import ORDER
from gateway.http import docs, static
from gateway.http.static import FILES
from tests.real_browser import CHROMIUM, Watched, axe_source, served, start

needs_browser = pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here; run `make browser`")


def require_reference() -> None:
    """Whoever could fetch Swagger UI must have: only others skip."""
    if "swagger-ui-bundle.js" not in FILES:
        words = "Swagger UI is not here. Run `make setup`."
        (pytest.fail if os.geteuid() == 0 else pytest.skip)(words)


@pytest.mark.anyio
async def test_the_pages_are_open_and_hold_no_inline_script_or_style(world):
    async with world.client() as client:
        for path in ("/docs", *(f"/docs/guides/{name}" for name in ORDER)):
            reply = await client.get(path)
            assert reply.status_code == 200
            assert reply.headers["content-type"].startswith("text/html")
            policy = reply.headers["content-security-policy"]
            assert "unsafe" not in policy
            assert "default-src 'none'" in policy
            assert ("script-src" in policy) == (path == "/docs" and "swagger-ui-bundle.js" in FILES)
            assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", reply.text)
            assert not re.findall(r'<[^>]* src="(?!/static/)|<link[^>]* href="(?!/static/)', reply.text)


@pytest.mark.anyio
async def test_a_guide_that_is_not_there_is_told_so(world):
    async with world.client() as client:
        for name in ("nothing", "..%2f..%2fREADME", "quick-start.md"):
            reply = await client.get(f"/docs/guides/{name}")
            assert reply.status_code == 404
        assert (await client.get("/docs/guides/nothing")).json()[
            "detail"
        ] == "There is no such guide. /docs lists them."


@pytest.mark.anyio
@pytest.mark.parametrize("missing", ["swagger-ui-bundle.js", "swagger-ui.css", "reference.js"])
async def test_without_npm_the_page_says_what_to_do(world, monkeypatch, missing):
    there = {name: file for name, file in FILES.items() if name != missing}
    monkeypatch.setattr(static, "FILES", there)
    async with world.client() as client:
        reply = await client.get("/docs")
    assert "make setup" in reply.text
    assert "<script" not in reply.text
    assert "/docs/guides/quick-start" in reply.text
    assert reply.headers["content-security-policy"] == docs._POLICY


@pytest.fixture(params=["light", "dark"])
def watched(request, world) -> Iterator[Watched]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - heavy, and only where there is a browser

    require_reference()
    with served(world.app) as address, sync_playwright() as playwright:
        browser = start(playwright)
        context = browser.new_context(
            locale="en-GB", reduced_motion="reduce", color_scheme=request.param, viewport={"width": 320, "height": 720}
        )
        found = Watched.of(context, address)
        yield found
        browser.close()
    assert not found.complaints


@needs_browser
@pytest.mark.browser
def test_guides_fit_a_narrow_screen_and_axe_finds_nothing(watched):
    for name in ORDER:
        watched.page.goto(f"{watched.address}/docs/guides/{name}")
        assert not watched.overflows, name
        assert watched.violations(axe_source()) == [], name


@needs_browser
@pytest.mark.browser
def test_the_reference_loads_from_here_alone_and_tries_an_operation_out(watched, world):
    page = watched.page
    page.set_viewport_size({"width": 1200, "height": 900})
    page.goto(f"{watched.address}/docs")
    page.locator(".opblock-tag").first.wait_for()
    assert page.locator("#reference .errors-wrapper").count() == 0
    page.get_by_role("button", name="Authorize").first.click()
    page.locator("#reference input[type=text], #reference input[aria-label='auth-bearer-value']").first.fill(
        world.key()
    )
    page.locator(".auth-btn-wrapper .authorize").first.click()
    page.locator(".btn-done").first.click()
    page.locator("#operations-tag-Questions").click()
    page.locator("#operations-Questions-list_models").get_by_role("button").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table .response-col_status", has_text="200").wait_for()
    assert '"helpdesk"' in page.locator(".live-responses-table").inner_text()
    page.set_viewport_size({"width": 320, "height": 720})
    assert not watched.overflows
