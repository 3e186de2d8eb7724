"""A prompt with values in its blanks, as the model would get it and as people would read it."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.errors import NotServing
from gateway.http.pages.documents import PROMPTS, change_of, changing_of, prompt_crumbs, prompt_item
from gateway.http.pages.forms import Form, Said
from gateway.http.pages.visit import Visit
from gateway.prompt_preview import Previews

_Asked = NamedDependency[SkipValidation[Visit]]
_PREVIEW = PROMPTS + "/{prompt_key:str}/preview"
_PREFIX = "value_"
_REFUSED = 422


@get(_PREVIEW, operation_id="preview_prompt_page")
async def preview_prompt_page(prompt_key: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows the blanks to be filled; a prompt without any is shown at once."""
    return await _preview(visit, prompt_key, is_sent=False)


@post(_PREVIEW, status_code=200, operation_id="preview_prompt_on_page")
async def preview_prompt_on_page(prompt_key: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows the prompt with the values that were typed."""
    return await _preview(visit, prompt_key, is_sent=True)


async def _preview(visit: Visit, key: str, *, is_sent: bool) -> Response[str]:
    if visit.components is None:
        raise NotServing("store_unavailable", "The admin surface has no database.")
    change, form = change_of(visit), visit.form
    found = await visit.call(changing_of(visit).contents.get, visit.actor, prompt_item(key), change)
    given = {name.removeprefix(_PREFIX): form.text(name) for name in form.values if name.startswith(_PREFIX)}
    previews = Previews(visit.components.live)
    filled = await visit.call(previews.of, visit.actor, found.document, given, today=visit.now.date())
    if filled is not None and is_sent:
        form = _marked(visit, form, filled.refused, "prompts.value_refused")
        form = _marked(visit, form, filled.missing, "prompts.value_missing")
    return visit.show(
        "prompt_preview.html",
        status=form.status,
        form=form,
        item=found.item,
        title=found.document.get("title") or key,
        change=found.change,
        filled=filled,
        crumbs=prompt_crumbs(visit, key, str(found.document.get("title", "")), found.change),
    )


def _marked(visit: Visit, form: Form, names: frozenset[str], text: str) -> Form:
    for name in sorted(names):
        form = form.wrong(_PREFIX + name, Said(visit.texts(text)), status=_REFUSED)
    return form
