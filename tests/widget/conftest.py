"""The widget on a foreign page, with a gateway that does what a test says."""

import os
from collections.abc import Iterator

import pytest

from tests.real_browser import CHROMIUM, served, start
from tests.widget.host_page import HostPage
from tests.widget.stand_in import DIST, StandIn
from tests.widget.widget_page import WidgetPage


@pytest.fixture
def gateway() -> StandIn:
    return StandIn()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - heavy, and only where there is a browser

    if not CHROMIUM.exists():
        pytest.skip("no Chromium here; run `make browser`")
    if not (DIST / "widget.js").exists():
        words = "the widget was not built. Run `make setup`."
        (pytest.fail if os.geteuid() == 0 else pytest.skip)(words)
    with sync_playwright() as playwright:
        started = start(playwright)
        yield started
        started.close()


@pytest.fixture
def options() -> dict[str, object]:
    """How the browser is set; tests of one look take their own."""
    return {"locale": "en-GB", "reduced_motion": "reduce", "viewport": {"width": 1000, "height": 800}}


@pytest.fixture
def context(browser, options):
    made = browser.new_context(**options)
    yield made
    made.close()


@pytest.fixture
def widget(context, gateway: StandIn) -> Iterator[WidgetPage]:
    host = HostPage()
    with served(gateway) as server, served(host) as address:
        host.server = server
        made = WidgetPage.of(context, host, gateway, address)
        yield made
        gateway.is_closing = True
        context.close()
    assert not made.unexpected
