"""The page on what answers to whom leaves out no route that the application has."""

import re
from pathlib import Path

from litestar.handlers import HTTPRouteHandler

from gateway.app import HANDLERS

PAGE = Path(__file__).parents[2] / "docs" / "exposure.md"


def test_the_page_of_exposure_names_every_route() -> None:
    told = set(re.findall(r"`([A-Z]+ /[^`]*)`", PAGE.read_text()))
    routes = {
        f"{method} {re.sub(r':[a-z]+}', '}', path)}"
        for handler in HANDLERS
        if isinstance(handler, HTTPRouteHandler)
        for path in handler.paths
        for method in handler.http_methods
        if method != "OPTIONS"
    }
    assert len(routes) > 150
    assert sorted(routes - told) == []
    assert sorted(told - routes) == []
