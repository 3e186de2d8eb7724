"""The audit trail: who did what, whether the rows are what was written, and the rows as a file."""

from collections.abc import AsyncIterator
from functools import partial

import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.response import Stream

from gateway.http.pages.audit_words import lines_of, names_of, person_of, target_of
from gateway.http.pages.choices import typed
from gateway.http.pages.sorting import sorting_of
from gateway.http.pages.times import day_of
from gateway.http.pages.visit import ROWS, Crumb, Visit
from store.audit import SORTS, AuditEntry, AuditFilter
from store.errors import InvalidContent

_Asked = NamedDependency[SkipValidation[Visit]]
_AUDIT = "/admin/audit"
_ONE_AT_A_TIME = CapacityLimiter(1)
"""A verification reads the whole trail."""
_BATCH = 200
FILTERS = ("actor", "action", "target", "since", "until")
KINDS = (
    "user.",
    "session.",
    "key.",
    "decision.",
    "decisions.",
    "content.",
    "change.",
    "gate.",
    "import.",
    "feedback.",
    "question_action.",
    "suggestion.",
    "suggestion_job.",
    "person.",
    "widget.",
    "backup.",
)
"""What actions begin with, to choose from."""


@get(_AUDIT, operation_id="audit_page")
async def audit_page(visit: _Asked) -> Response[str]:
    """Lists rows, newest first."""
    filters, sorting = {name: typed(visit, name) for name in FILTERS}, sorting_of(visit, SORTS, "-number")
    auditing, wanted = visit.administration.auditing, await _wanted(visit)
    found = await visit.call(auditing.sorted_page, visit.actor, wanted, sorting.order, limit=ROWS + 1)
    entries, further = sorting.cut(found, lambda one: str(one.number))
    names = await names_of(visit, entries)
    return visit.show(
        "audit.html",
        entries=entries,
        names=names,
        kinds=KINDS,
        filters=filters,
        is_filtered=any(filters.values()),
        sorting=sorting,
        further=further,
        details=partial(lines_of, visit.texts, names),
        target=partial(target_of, visit.texts, names),
    )


@get(f"{_AUDIT}/check", operation_id="audit_check_page")
async def audit_check_page(visit: _Asked) -> Response[str]:
    """Verifies the whole trail and tells what was found."""
    auditing = visit.administration.auditing
    crumbs = (Crumb(visit.texts("audit.title"), _AUDIT),)
    try:
        told = await to_thread.run_sync(auditing.verification, visit.actor, limiter=_ONE_AT_A_TIME)
    except InvalidContent:
        return visit.show("audit_check.html", told=None, crumbs=crumbs)
    key = str(auditing.checkpointing.verifier)
    return visit.show("audit_check.html", told=told, root=told.found.root.hex(), key=key, crumbs=crumbs)


@get(f"{_AUDIT}/export", operation_id="export_audit")
async def export_audit(visit: _Asked) -> Stream:
    """Streams the rows that are wanted as JSON lines, newest first."""
    wanted = await _wanted(visit)
    first = await _rows(visit, wanted, None)  # fails before the status is sent
    headers = {"content-disposition": 'attachment; filename="canongate-audit.jsonl"'}
    return Stream(_lines(visit, wanted, first), media_type="application/jsonl", headers=headers)


async def _lines(visit: Visit, wanted: AuditFilter, rows: tuple[AuditEntry, ...]) -> AsyncIterator[bytes]:
    while rows:
        yield b"".join(msgspec.json.encode(_told(one)) + b"\n" for one in rows)
        rows = await _rows(visit, wanted, rows[-1].number)


async def _rows(visit: Visit, wanted: AuditFilter, before: int | None) -> tuple[AuditEntry, ...]:
    page = partial(visit.administration.auditing.page, visit.actor, wanted, limit=_BATCH, before=before)
    return await visit.call(page)


def _told(entry: AuditEntry) -> dict[str, object]:
    names = ("number", "at", "actor", "person", "action", "target", "details")
    return {**{name: getattr(entry, name) for name in names}, "seal": entry.seal.hex()}


async def _wanted(visit: Visit) -> AuditFilter:
    actor = typed(visit, "actor")
    return AuditFilter(
        actor=await person_of(visit, actor) if actor else None,
        action=typed(visit, "action") or None,
        target=typed(visit, "target") or None,
        since=day_of(visit, "since"),
        until=day_of(visit, "until", at_end=True),
    )
