"""System: how every part is and what it is made of, what runs, the last backups, and what is live as a file."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.response import Stream

from gateway.components import Components
from gateway.errors import InvalidRequest, NotServing
from gateway.exporting import EXPORTS, export_content
from gateway.http.downloads import download
from gateway.http.pages.choices import typed
from gateway.http.pages.visit import Visit
from gateway.inventory import Inventory, take_inventory
from gateway.jobs import Job, Jobs
from store.audit import AuditEntry, AuditFilter
from store.catalog import load_catalog
from store.errors import StoreError

_Asked = NamedDependency[SkipValidation[Visit]]
_SYSTEM = "/admin/system"
_BACKUPS, _JOBS = 5, 8


@get(_SYSTEM, operation_id="system_page")
async def system_page(visit: _Asked) -> Response[str]:
    """Shows the state of everything; a part that cannot be read is told by itself."""
    components = _components(visit)
    report = await visit.call(components.readiness.report)
    return visit.show(
        "system.html",
        report=report,
        inventory=await _inventory(visit, components),
        backups=await _backups(visit),
        jobs=await _jobs(visit, components),
        matching=components.publisher.matching if components.publisher else "",
        exports=[str(one) for one in EXPORTS],
    )


@get(f"{_SYSTEM}/export", operation_id="export_content_page")
async def export_content_page(visit: _Asked) -> Stream:
    """Streams what is live, as far as the person may see it."""
    name, database = typed(visit, "format"), visit.administration.database
    if name not in EXPORTS:
        raise InvalidRequest("invalid_query", f"`format` takes {', '.join(EXPORTS)}.", param="format")
    made = await visit.call(lambda: export_content(load_catalog(database), name, visit.actor))
    headers = {"content-disposition": f'attachment; filename="{made.name}"'}
    return await download(made.pieces, media_type="application/octet-stream", headers=headers)


async def _inventory(visit: Visit, components: Components) -> Inventory | None:
    try:
        return await visit.call(take_inventory, components.settings, components.live)
    except StoreError:
        return None


async def _jobs(visit: Visit, components: Components) -> tuple[Job, ...] | None:
    jobs = Jobs(visit.administration, components.publisher, components.live.current.catalog.revision)
    try:
        return await visit.call(jobs.newest, visit.actor, limit=_JOBS)
    except StoreError:
        return None


async def _backups(visit: Visit) -> tuple[AuditEntry, ...] | None:
    auditing = visit.administration.auditing
    try:
        wanted = AuditFilter(action="backup.made")
        return await visit.call(auditing.page, visit.actor, wanted, limit=_BACKUPS, before=None)
    except StoreError:
        return None


def _components(visit: Visit) -> Components:
    if visit.components is None:
        raise NotServing("store_unavailable", "The admin surface has no database.")
    return visit.components
