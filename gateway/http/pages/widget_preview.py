"""The very widget inside a page, in a frame of the gateway's own page for it, or why it is not shown there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from gateway.http.page import asked_origin
from gateway.http.pages.visit import FRAMING, Visit
from gateway.http.static import FILES
from gateway.http.widget.embed import CHAT_PAGE, SCRIPT
from store.widgets import WidgetClient

THEMES: Final = ("auto", "light", "dark")
WIDTHS: Final = ("wide", "phone")


@dataclass(frozen=True, slots=True)
class Preview:
    """A frame, or why there is none."""

    hindrance: str
    """Which text `widget.preview_<hindrance>` says why; empty where the widget is shown."""
    address: str
    """What the frame shows."""
    origin: str
    """Where people reach the gateway; empty where nobody said."""
    language: str
    theme: str
    width: str


def preview_of(visit: Visit, client: WidgetClient) -> Preview:
    """Returns the preview of a client, as the page's address wants it."""
    query, languages = visit.request.query_params, client.settings.languages
    language = query.get("shown", "")
    language = language if language in languages else languages[0]
    theme, width = _one_of(THEMES, query.get("look", "")), _one_of(WIDTHS, query.get("width", ""))
    asked = {"client": client.id, "lang": language} | ({"theme": theme} if theme != THEMES[0] else {})
    address = f"{CHAT_PAGE}?{urlencode(asked)}"
    return Preview(_hindrance(visit, client), address, own_origin(visit), language, theme, width)


def framing(preview: Preview | None) -> Mapping[str, str]:
    """Returns the headers of a page that shows the preview: where there is no frame, none is let in."""
    return FRAMING if preview is not None and not preview.hindrance else {}


def gateway_of(visit: Visit) -> str:
    """Returns the origin that install snippets name: the one of the settings, else that of the request."""
    return own_origin(visit) or asked_origin(visit.request)


def own_origin(visit: Visit) -> str:
    """Returns the gateway's own origin by the settings, empty where they name none."""
    settings = visit.components.settings if visit.components else None
    return next(iter(settings.server.origins), "") if settings else ""


def _hindrance(visit: Visit, client: WidgetClient) -> str:
    widget = visit.components.widget if visit.components else None
    if not client.is_active:
        return "off"
    if SCRIPT not in FILES:
        return "not_built"
    if widget is None or not widget.own_origins:
        return "nowhere"
    return "" if asked_origin(visit.request) in widget.own_origins else "elsewhere"


def _one_of(known: tuple[str, ...], wanted: str) -> str:
    return wanted if wanted in known else known[0]
