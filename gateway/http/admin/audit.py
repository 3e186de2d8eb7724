"""The audit trail over REST: rows for auditors, and whether all of them are what was written."""

import datetime as dt
from typing import Any, Literal

import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.components import Components
from gateway.http.admin.guard import actor_of
from gateway.http.admin.queries import Query, administration_of
from gateway.http.described import JSON, Described
from store.audit import AuditEntry, AuditFilter

_THREADS = CapacityLimiter(4)
_ONE_AT_A_TIME = CapacityLimiter(1)
"""A verification reads the whole trail."""
_FILTERS = ("actor", "action", "target", "since", "until")


class AuditEntryReply(msgspec.Struct, frozen=True):
    """One row of the trail."""

    number: int
    at: dt.datetime
    actor: str
    person: str
    action: str
    target: str
    details: dict[str, Any]
    seal: str
    """Hexadecimal."""


class AuditPageReply(msgspec.Struct, frozen=True):
    """Rows, newest first. `next` is what to send as `after` for older ones; null at the end."""

    entries: tuple[AuditEntryReply, ...]
    next: str | None


class AuditFaultReply(msgspec.Struct, frozen=True):
    """The first place where the trail is not what was written; the row is among `row` to `until`."""

    kind: Literal["edited", "missing", "reordered", "added", "truncated", "re-chained"]
    row: int
    until: int


class AuditVerificationReply(msgspec.Struct, frozen=True):
    """What a look at the whole trail found."""

    is_whole: bool
    rows: int | None
    """Rows that were found whole, from the first one on; null, as `proved_by`, for who is bound to some assistants."""
    fault: AuditFaultReply | None
    root: str
    """Merkle tree hash (RFC 6962) of those rows, hexadecimal."""
    proved_by: int | None
    """Rows of the largest checkpoint; null when there is none, and rows missing at the end then cannot be seen."""
    key: str
    """The public key of the checkpoints, as in the signed note format."""


AUDIT_OPERATIONS = (
    Described(
        "/v1/admin/audit",
        "get",
        "list_audit_entries",
        "List rows of the audit trail, newest first",
        {JSON: AuditPageReply},
        (400, 401, 403, 500, 503),
        query=(*_FILTERS, "after", "limit"),
        text="`action` may end in a dot: `change.` is every action on changes. Times are ISO 8601 with a zone.",
    ),
    Described(
        "/v1/admin/audit/verification",
        "get",
        "verify_audit_trail",
        "Verify the whole audit trail and compare it with its checkpoints",
        {JSON: AuditVerificationReply},
        (401, 403, 422, 500, 503),
    ),
)


@get("/v1/admin/audit", operation_id="list_audit_entries")
async def list_audit_entries(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> AuditPageReply:
    """Returns rows, newest first."""
    query = Query(request, (*_FILTERS, "after", "limit"))
    wanted = AuditFilter(
        actor=query.text("actor"),
        action=query.text("action"),
        target=query.text("target"),
        since=query.moment("since"),
        until=query.moment("until"),
    )
    limit, before = query.limit(), query.number("after")
    auditing = administration_of(components).auditing
    actor = actor_of(request)
    found = await to_thread.run_sync(
        lambda: auditing.page(actor, wanted, limit=limit + 1, before=before), limiter=_THREADS
    )
    rows = found[:limit]
    return AuditPageReply(
        entries=tuple(map(audit_entry_reply, rows)), next=str(rows[-1].number) if len(found) > limit else None
    )


@get("/v1/admin/audit/verification", operation_id="verify_audit_trail")
async def verify_audit_trail(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> AuditVerificationReply:
    """Returns whether the trail is whole, and where it is not."""
    auditing = administration_of(components).auditing
    told = await to_thread.run_sync(auditing.verification, actor_of(request), limiter=_ONE_AT_A_TIME)
    found = told.found
    return AuditVerificationReply(
        is_whole=found.fault is None,
        rows=told.rows,
        fault=AuditFaultReply(found.fault.kind.value, found.fault.row, found.fault.until) if found.fault else None,
        root=found.root.hex(),
        proved_by=told.proved_by,
        key=str(auditing.checkpointing.verifier),
    )


def audit_entry_reply(entry: AuditEntry) -> AuditEntryReply:
    """Returns a row as it is told."""
    return AuditEntryReply(
        number=entry.number,
        at=entry.at,
        actor=entry.actor,
        person=entry.person,
        action=entry.action,
        target=entry.target,
        details=dict(entry.details),
        seal=entry.seal.hex(),
    )
