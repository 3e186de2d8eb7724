"""Forms of a site that embeds the widget: a new one, and one that is changed; nothing that was typed is lost."""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.http.pages.choices import assistants_of
from gateway.http.pages.diff import ShownDifference, document_difference
from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form, Said
from gateway.http.pages.visit import Visit
from gateway.http.pages.widget import ONE, WIDGETS, crumbs, secret_shown
from gateway.http.pages.widget_preview import THEMES, WIDTHS, framing, preview_of
from gateway.widget.forms import (
    CONTACT,
    RATES,
    Problem,
    contrast_of,
    id_problems,
    languages_of,
    new_typed,
    read_settings,
    typed_of,
)
from gateway.widget_texts import widget_texts
from store.errors import Conflict, Refused
from store.plain import to_plain
from store.widgets import LEAST_CONTRAST, Algorithm, SignIn, WidgetClient, WidgetSettings

_Asked = NamedDependency[SkipValidation[Visit]]


@get(f"{WIDGETS}/new", operation_id="new_widget_page")
async def new_widget_page(visit: _Asked) -> Response[str]:
    """Shows a form with what most sites want."""
    return _page(visit, _form_of(new_typed(assistants_of(visit))), None)


@post(f"{WIDGETS}/new", status_code=200, operation_id="create_widget_on_page")
async def create_widget_on_page(visit: _Asked) -> Response[Any]:
    """Adds a site; a secret that it needs is shown this once."""
    form = visit.form
    read = read_settings(_typed(form), assistants_of(visit))
    client_id = form.text("id")
    if problems := (*id_problems(client_id), *read.problems):
        return _page(visit, _marked(visit, form, problems), None)
    try:
        settings = WidgetSettings(**read.given)
        made = await visit.call(visit.administration.widgets.create, visit.actor, client_id, settings)
    except (*REFUSALS, Refused) as error:
        return _page(visit, refused(visit, form, error, at="id" if isinstance(error, Conflict) else ""), None)
    if made.secret is not None:
        return secret_shown(visit, made)
    return visit.go(f"{WIDGETS}/{client_id}", done="widget_added")


@get(f"{ONE}/edit", operation_id="edit_widget_page")
async def edit_widget_page(client_id: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows the form of a site."""
    found = await visit.call(visit.administration.widgets.get, visit.actor, client_id)
    return _page(visit, _form_of({**typed_of(found.settings), "rev": str(found.rev)}), found)


@post(f"{ONE}/edit", status_code=200, operation_id="change_widget_on_page")
async def change_widget_on_page(client_id: FromPath[str], visit: _Asked) -> Response[Any]:
    """Changes a site; when somebody else was quicker, both are shown and nothing is saved."""
    form, widgets = visit.form, visit.administration.widgets
    found = await visit.call(widgets.get, visit.actor, client_id)
    assistants = {*assistants_of(visit), found.settings.assistant}
    read = read_settings(_typed(form), assistants, found.settings)
    if read.problems:
        return _page(visit, _marked(visit, form, read.problems), found)
    try:
        made = await visit.call(widgets.change, visit.actor, client_id, read.given, rev=form.number("rev"))
    except Conflict as error:
        now = await visit.call(widgets.get, visit.actor, client_id)
        wanted = read_settings(_typed(form), assistants, now.settings).given
        typed = msgspec.structs.replace(now.settings, **wanted)
        differences = document_difference({"widget": to_plain(now.settings)}, {"widget": to_plain(typed)})
        form = refused(visit, Form({**form.values, "rev": (str(now.rev),)}), error)
        return _page(visit, form, now, differences=differences)
    except (*REFUSALS, Refused) as error:
        return _page(visit, refused(visit, form, error), found)
    if made.secret is not None:
        return secret_shown(visit, made)
    return visit.go(f"{WIDGETS}/{client_id}", done="widget_changed")


def _page(
    visit: Visit, form: Form, client: WidgetClient | None, *, differences: tuple[ShownDifference, ...] | None = None
) -> Response[str]:
    languages = [one for one in languages_of(form.text("languages")) if one.replace("-", "").isalnum()]
    chosen = form.text("assistant")
    live = assistants_of(visit)
    preview = preview_of(visit, client) if client else None
    return visit.show(
        "widget_form.html",
        status=form.status,
        headers=framing(preview),
        form=form,
        client=client,
        has_moved=differences is not None,
        differences=differences or (),
        assistants=live,
        gone=chosen if client is not None and chosen == client.settings.assistant and chosen not in live else "",
        sign_ins=list(SignIn),
        algorithms=list(Algorithm),
        texts_of=languages,
        words=widget_texts(languages[0] if languages else "en"),
        contact_fields=CONTACT,
        rate_fields=RATES,
        contrast=contrast_of(form.text("accent"), form.text("on_accent")),
        least=LEAST_CONTRAST,
        preview=preview,
        themes=THEMES,
        widths=WIDTHS,
        crumbs=crumbs(visit, client),
    )


def _form_of(typed: dict[str, str]) -> Form:
    return Form({name: (text,) for name, text in typed.items()})


def _typed(form: Form) -> dict[str, str]:
    return {name: values[-1] for name, values in form.values.items()}


def _marked(visit: Visit, form: Form, problems: tuple[Problem, ...]) -> Form:
    for one in problems:
        if one.place not in form.errors:
            form = form.wrong(one.place, Said(visit.texts(f"widget_rule.{one.rule}", **one.values)))
    return form
