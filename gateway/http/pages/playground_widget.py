"""The playground's very widget: a site whose widget answers whoever sees it, beside the trace of the same question."""

from dataclasses import dataclass

from gateway.http.pages.forms import Form
from gateway.http.pages.visit import Visit
from gateway.http.pages.widget_preview import Preview, preview_of
from store.widgets import WidgetClient

FIELD = "widget"


@dataclass(frozen=True, slots=True)
class ShownWidget:
    """Which sites there are to choose from, and the one that is shown."""

    sites: tuple[WidgetClient, ...]
    site: WidgetClient | None = None
    preview: Preview | None = None


async def widget_shown(visit: Visit, form: Form) -> ShownWidget:
    """Returns the widget that a form wants; none for a site that is not there, or asks another assistant."""
    found = await visit.call(visit.administration.widgets.answering, visit.actor)
    wanted, assistant = form.text(FIELD), form.text("assistant")
    sites = tuple(one for one in found if one.settings.assistant == assistant)
    site = next((one for one in sites if one.id == wanted), None)
    return ShownWidget(sites, site, preview_of(visit, site) if site else None)
