"""Who else has a draft open: noted when its page is opened, and again as long as the page says so."""

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.errors import InvalidRequest
from gateway.http.pages.documents import change_of
from gateway.http.pages.visit import Visit
from store.changes.types import EditKind, Item
from store.errors import NotFound

_Asked = NamedDependency[SkipValidation[Visit]]
_EDITED = {one.value: one for one in (EditKind.PROMPT, EditKind.ASSISTANT, EditKind.POLICY)}


@post("/admin/here", status_code=200, operation_id="say_here_on_page")
async def say_here_on_page(visit: _Asked) -> Response[str]:
    """Says that a draft is still open, and who else has it open."""
    form = visit.form
    kind, name = _EDITED.get(form.text("kind")), form.text("name")
    if kind is None:
        raise InvalidRequest("invalid_form", "The form is malformed.")
    if not name.isprintable():
        raise NotFound("there is no such draft")
    item, change = Item(kind, name), change_of(visit)
    others = await visit.call(visit.administration.presence.meet, visit.actor, item, change, is_beat=True)
    return visit.show("here.html", item=item, others=others, shown_change=change)


async def others_at(visit: Visit, item: Item) -> tuple[str, ...]:
    """Notes somebody who has opened a draft to edit it, and returns the names of the others there."""
    return await visit.call(visit.administration.presence.meet, visit.actor, item, change_of(visit))
