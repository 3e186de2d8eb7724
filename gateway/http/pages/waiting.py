"""The numbers beside the navigation: counted before a page is made, and told to pages that stay open."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.http.pages.visit import Visit
from store.errors import StoreError

_Asked = NamedDependency[SkipValidation[Visit]]
_READS = frozenset({"GET", "HEAD"})
_NOT_KEPT = {"cache-control": "no-store"}


@get("/admin/waiting", operation_id="waiting_numbers")
async def waiting_numbers(visit: _Asked) -> Response[dict[str, dict[str, str]]]:
    """Tells what waits for the person now, in the words of their pages."""
    told = {name: {"shown": one.shown, "said": one.said} for name, one in visit.badges().items()}
    return Response(told, headers=_NOT_KEPT)


async def count_work(visit: Visit) -> None:
    """Has the numbers ready for whoever opens a page; while the database does not answer, those of before stay."""
    if not visit.is_signed_in or visit.request.scope["method"] not in _READS:
        return
    work = visit.administration.open_work
    if not work.is_fresh(visit.actor):
        try:
            await visit.call(work.of, visit.actor)
        except StoreError:  # the page itself says so
            return
