"""Imports and exports over REST: a file in, whose drafts go into a change; what is live out, in any format."""

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import File, Stream

from gateway.components import Components
from gateway.errors import InvalidRequest
from gateway.exporting import export_content
from gateway.http.admin.guard import actor_of
from gateway.http.admin.queries import Query, administration_of
from gateway.http.described import JSON, TEXT, Described
from gateway.http.downloads import download
from gateway.http.ids import plain_id
from gateway.import_jobs import ImportJob
from gateway.importing import ImportOrder, Makes
from store.catalog import load_catalog
from store.errors import InvalidContent
from store.formats.drafting import DraftSettings, Replying
from store.repositories.imports import ImportState

OCTETS = "application/octet-stream"
_THREADS = CapacityLimiter(4)
_REVIEW_DAYS = 365
_QUERY = ("format", "as", "area", "owner", "language", "reply", "review_by", "prompt", "suite", "change", "file")
_FILE_ERRORS = (401, 403, 404, 500, 503)


class ImportReply(msgspec.Struct, frozen=True):
    """An import. `report` is there when it is done; its drafts are in `change`, or to be fetched."""

    id: str
    state: ImportState
    created_at: dt.datetime
    ended_at: dt.datetime | None
    actor: str
    order: dict[str, Any]
    rows: int
    """Read so far."""
    done: float
    """Share of the file, 0 to 1."""
    change: str | None
    problem: str
    report: dict[str, Any] | None


IMPORT_OPERATIONS = (
    Described(
        "/v1/admin/imports",
        "post",
        "start_import",
        "Import a file of rows as drafts",
        {JSON: ImportReply},
        (400, 401, 403, 404, 409, 413, 415, 422, 500, 503),
        {OCTETS: {"type": "string", "format": "binary"}},
        query=_QUERY,
        status=202,
        text="The body is the file, gz or not. `format` is needed; `as` is prompts (then area and owner are needed), "
        "whole (csv-prompts, bundle-json or bundle-yaml, whose prompts are drafted in place of live ones), suite, "
        "questions or nothing. Location tells where its progress is. Nothing of it is ever live at once. The drafts go "
        "into `change`, or without it into your newest draft that was made for a file of the name `file`, or a new "
        "one; `change` of the import says which.",
    ),
    Described(
        "/v1/admin/imports/{import_id}",
        "get",
        "get_import",
        "Tell how far an import is, and what became of it",
        {JSON: ImportReply},
        _FILE_ERRORS,
        parameters=("import_id",),
    ),
    *(
        Described(
            f"/v1/admin/imports/{{import_id}}/{kind}",
            "get",
            f"get_import_{kind}",
            summary,
            {OCTETS: TEXT},
            _FILE_ERRORS,
            parameters=("import_id",),
        )
        for kind, summary in (
            ("drafts", "Fetch the drafts of an import as a bundle (JSON)"),
            ("questions", "Fetch the questions of an import (JSON lines)"),
            ("rejected", "Fetch the rows that were not taken, as they came"),
        )
    ),
    Described(
        "/v1/admin/exports/{format_name}",
        "get",
        "export_content",
        "Export what is live, in any format",
        {OCTETS: TEXT},
        _FILE_ERRORS,
        parameters=("format_name",),
    ),
)


@post("/v1/admin/imports", status_code=202, operation_id="start_import", request_max_body_size=None)
async def start_import(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> Response[ImportReply]:
    """Receives a file; what becomes of it is told at the address in Location."""
    order = _order(Query(request, _QUERY))
    importing, actor = administration_of(components).importing, actor_of(request)
    job = await importing.take(actor, order, request.stream())
    location = f"/v1/admin/imports/{job.stored.id}"
    return Response(_reply(job), status_code=202, media_type=JSON, headers={"location": location})


@get("/v1/admin/imports/{import_id:str}", operation_id="get_import")
async def get_import(
    import_id: FromPath[str], request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> ImportReply:
    """Returns an import."""
    importing, actor = administration_of(components).importing, actor_of(request)
    return _reply(await to_thread.run_sync(importing.get, actor, plain_id(import_id), limiter=_THREADS))


@get("/v1/admin/imports/{import_id:str}/drafts", operation_id="get_import_drafts")
async def get_import_drafts(
    import_id: FromPath[str], request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> File:
    """Returns the drafts."""
    return _file(await _found(request, components, import_id, "drafts"), "drafts.json")


@get("/v1/admin/imports/{import_id:str}/questions", operation_id="get_import_questions")
async def get_import_questions(
    import_id: FromPath[str], request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> File:
    """Returns the questions."""
    return _file(await _found(request, components, import_id, "questions"), "questions.jsonl")


@get("/v1/admin/imports/{import_id:str}/rejected", operation_id="get_import_rejected")
async def get_import_rejected(
    import_id: FromPath[str], request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> File:
    """Returns the rows that were not taken."""
    return _file(await _found(request, components, import_id, "rejected"), "rejected")


@get("/v1/admin/exports/{format_name:str}", operation_id="export_content")
async def export_live_content(
    format_name: FromPath[str], request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> Stream:
    """Streams what is live."""
    actor, database = actor_of(request), administration_of(components).database
    made = await to_thread.run_sync(
        lambda: export_content(load_catalog(database), format_name, actor), limiter=_THREADS
    )
    headers = {"content-disposition": f'attachment; filename="{made.name}"', "cache-control": "no-store"}
    return await download(made.pieces, media_type=OCTETS, headers=headers)


async def _found(request: Request[Any, Any, Any], components: Components, import_id: str, kind: str) -> Path:
    importing, actor = administration_of(components).importing, actor_of(request)
    return await to_thread.run_sync(importing.file, actor, plain_id(import_id), kind, limiter=_THREADS)


def _file(path: Path, name: str) -> File:
    return File(path, filename=name, media_type=OCTETS, headers={"cache-control": "no-store"})


def _order(query: Query) -> ImportOrder:
    makes = query.text("as") or Makes.PROMPTS.value
    replying = query.text("reply") or Replying.VERBATIM.value
    for name, value, known in (("as", makes, Makes), ("reply", replying, Replying)):
        if value not in list(known):
            raise InvalidRequest("invalid_query", f"`{name}` takes {', '.join(known)}.", param=name)
    try:
        drafts = None
        if makes == Makes.PROMPTS:
            drafts = DraftSettings(
                area=query.text("area") or "",
                owner=query.text("owner") or "",
                review_by=_day(query.text("review_by")),
                language=query.text("language") or "en",
                replying=Replying(replying),
            )
        return ImportOrder(
            format=query.text("format") or "",
            makes=Makes(makes),
            drafts=drafts,
            suite=query.text("suite") or "imported",
            prompt=query.text("prompt"),
            change=query.text("change"),
            file=query.text("file"),
        )
    except InvalidContent as error:
        raise InvalidRequest("invalid_query", str(error)) from error


def _day(text: str | None) -> dt.date:
    if text is None:
        return dt.datetime.now(dt.UTC).date() + dt.timedelta(_REVIEW_DAYS)
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise InvalidRequest(
            "invalid_query", "`review_by` takes a day, such as 2027-06-30.", param="review_by"
        ) from error


def _reply(job: ImportJob) -> ImportReply:
    stored, progress = job.stored, job.progress
    is_over = stored.state is ImportState.DONE
    share = 1.0 if is_over else progress.bytes_done / progress.bytes_all if progress.bytes_all else 0.0
    return ImportReply(
        id=stored.id,
        state=stored.state,
        created_at=stored.created_at,
        ended_at=stored.ended_at,
        actor=stored.actor,
        order=dict(stored.order),
        rows=int(stored.report["rows"]) if stored.report else progress.rows,
        done=share,
        change=stored.change,
        problem=stored.problem,
        report=dict(stored.report) if stored.report else None,
    )


IMPORT_HANDLERS = (
    start_import,
    get_import,
    get_import_drafts,
    get_import_questions,
    get_import_rejected,
    export_live_content,
)
