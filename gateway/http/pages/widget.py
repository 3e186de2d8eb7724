"""Sites that embed the widget: who they are, how the widget looks there, what goes into them, their secrets."""

import datetime as dt
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.errors import InvalidRequest
from gateway.http.pages.choices import assistants_of
from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form
from gateway.http.pages.visit import ROWS, Crumb, Visit
from gateway.http.pages.widget_preview import THEMES, WIDTHS, framing, gateway_of, preview_of
from gateway.http.static import FILES
from gateway.http.widget.embed import SCRIPT
from gateway.widget.clients import HEARD, NewSecret
from gateway.widget.forms import contrast_of
from gateway.widget.release import signing_example, snippets_of
from store.errors import Refused
from store.widgets import LEAST_CONTRAST, SignIn, WidgetClient

_Asked = NamedDependency[SkipValidation[Visit]]
WIDGETS = "/admin/widget"
ONE = WIDGETS + "/{client_id:str}"
OVERLAPS = (0, 1, 24, 168, 720)
"""Hours to choose from; 0 ends the old secret at once."""
_BEGUN = Form({"overlap": ("168",)})


@get(WIDGETS, operation_id="widgets_page")
async def widgets_page(visit: _Asked) -> Response[str]:
    """Lists sites, by id."""
    query = visit.request.query_params
    wanted, after = query.get("site", "").strip(), query.get("after", "")
    found = await visit.call(visit.administration.widgets.all, visit.actor)
    sites = [one for one in found if wanted.casefold() in _searched(one)]
    ids = [one.id for one in sites]
    start = ids.index(after) + 1 if after in ids else 0
    shown = sites[start : start + ROWS]
    return visit.show(
        "widgets.html",
        sites=shown,
        has_any=bool(found),
        wanted=wanted,
        further=shown[-1].id if len(sites) > start + ROWS else None,
        is_first=not start,
    )


@get(ONE, operation_id="widget_client_page")
async def widget_client_page(client_id: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows a site: its widget, what goes into its pages, and whether it was heard of."""
    return await _client(visit, client_id, _BEGUN)


@post(f"{ONE}/rotate", status_code=200, operation_id="rotate_widget_on_page")
async def rotate_widget_on_page(client_id: FromPath[str], visit: _Asked) -> Response[str]:
    """Makes the secret that follows, which is shown this once."""
    form = visit.form
    hours = form.number("overlap")
    if hours not in OVERLAPS:
        raise InvalidRequest("invalid_form", "The form is malformed.")
    rotate = visit.administration.widgets.rotate
    try:
        made = await visit.call(rotate, visit.actor, client_id, overlap=dt.timedelta(hours=hours))
    except (*REFUSALS, Refused) as error:
        return await _client(visit, client_id, refused(visit, form, error))
    return secret_shown(visit, made, ends=hours)


@post(f"{ONE}/disable", status_code=200, operation_id="disable_widget_on_page")
async def disable_widget_on_page(client_id: FromPath[str], visit: _Asked) -> Response[Any]:
    """Serves a site no more, until it is turned on again."""
    await visit.call(visit.administration.widgets.disable, visit.actor, client_id)
    return visit.go(f"{WIDGETS}/{client_id}", done="widget_disabled")


@post(f"{ONE}/enable", status_code=200, operation_id="enable_widget_on_page")
async def enable_widget_on_page(client_id: FromPath[str], visit: _Asked) -> Response[Any]:
    """Serves a site again."""
    await visit.call(visit.administration.widgets.enable, visit.actor, client_id)
    return visit.go(f"{WIDGETS}/{client_id}", done="widget_enabled")


def secret_shown(visit: Visit, made: NewSecret, *, ends: int | None = None) -> Response[str]:
    """Shows a new secret, this once; `ends` are the hours for which the one before goes on."""
    return visit.show(
        "widget_secret.html",
        status=201,
        client=made.client,
        secret=made.secret,
        ends=ends,
        signing=signing_example(made.client.id),
        crumbs=crumbs(visit),
    )


def crumbs(visit: Visit, client: WidgetClient | None = None) -> tuple[Crumb, ...]:
    """Returns the pages above one of a site's."""
    above = (Crumb(visit.texts("widget.title"), WIDGETS),)
    return above if client is None else (*above, Crumb(client.settings.title, f"{WIDGETS}/{client.id}"))


async def _client(visit: Visit, client_id: str, form: Form) -> Response[str]:
    widgets = visit.administration.widgets
    found = await visit.call(widgets.get, visit.actor, client_id)
    theme, script, preview = found.settings.theme, FILES.get(SCRIPT), preview_of(visit, found)
    return visit.show(
        "widget.html",
        status=form.status,
        headers=framing(preview),
        client=found,
        form=form,
        is_live=found.settings.assistant in assistants_of(visit),
        secrets=[one for one in found.secrets if one.is_active(visit.now)],
        may_rotate=widgets.may_rotate(found),
        signs=found.settings.sign_in is not SignIn.NONE,
        signing=signing_example(found.id),
        contrast=contrast_of(theme.accent, theme.on_accent),
        least=LEAST_CONTRAST,
        preview=preview,
        themes=THEMES,
        widths=WIDTHS,
        snippets=snippets_of(found, gateway_of(visit), script.content if script else None),
        heard=await visit.call(widgets.heard, visit.actor, client_id),
        heard_minutes=int(HEARD.total_seconds() // 60),
        overlaps=OVERLAPS,
        crumbs=crumbs(visit),
    )


def _searched(client: WidgetClient) -> str:
    return "\n".join((client.id, client.settings.title, client.settings.assistant, *client.settings.origins)).casefold()
