"""The widget on the real surface, from a page of another origin: sessions, questions and a reload."""

import pytest
from playwright.sync_api import expect

from tests.gateway.widget.conftest import admin
from tests.real_browser import served
from tests.widget.host_page import HostPage
from tests.widget.widget_page import WidgetPage
from tests.widget_world import APPROVED, GENERATED, VERBATIM, make_site

pytestmark = pytest.mark.browser
__all__ = ["admin"]


@pytest.fixture
def signed_in(context, admin, gateway):
    host = HostPage()
    with served(host) as address, served(admin.app) as server:
        host.server = server
        made = WidgetPage.of(context, host, gateway, address)
        site = make_site(admin, origins=[address], sign_in="required")

        def visit(more: str = "") -> WidgetPage:
            made.visit(more)
            made.page.evaluate("token => { document.querySelector('canongate-chat').token = token; }", site.token())
            made.launcher.click()
            return made

        yield visit
        context.close()
    assert not made.unexpected


def test_an_employee_asks_reloads_and_begins_anew(signed_in) -> None:
    widget = signed_in()
    widget.ask(VERBATIM)
    expect(widget.last.locator(".words")).to_contain_text(APPROVED)
    expect(widget.last.locator(".source")).to_contain_text("Based on:")
    widget.ask(GENERATED)
    expect(widget.log.locator(".tools")).to_have_count(2)
    widget = signed_in()
    expect(widget.log.locator(".turn")).to_have_count(2)
    expect(widget.log.locator(".words").first).to_contain_text(APPROVED)
    widget.button("New conversation").click()
    expect(widget.log.locator(".turn")).to_have_count(0)


def test_it_speaks_german_where_the_client_does(signed_in) -> None:
    widget = signed_in('lang="de"')
    expect(widget.launcher).to_be_visible()
    widget.ask(VERBATIM)
    expect(widget.last.locator(".words")).to_contain_text(APPROVED)
