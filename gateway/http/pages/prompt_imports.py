"""Imports: a file is sent and read, what would come of it is shown, and its drafts go into a change when asked."""

import datetime as dt
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation
from litestar.response import File, Stream

from gateway.errors import InvalidRequest
from gateway.http.downloads import download
from gateway.http.ids import plain_id
from gateway.http.pages.choices import choices_of
from gateway.http.pages.diff import document_difference
from gateway.http.pages.documents import PROMPTS, change_of, changing_of, prompt_crumbs
from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form, Said
from gateway.http.pages.reasons import reason_of
from gateway.http.pages.uploads import MOST_BYTES, upload_of
from gateway.http.pages.visit import Crumb, Visit
from gateway.import_jobs import MOST_DRAFTS, ImportJob
from gateway.importing import WHOLE_FORMATS, ImportOrder, Makes
from store.changes.held import DRAFTS
from store.errors import InvalidContent, Refused
from store.formats.csv_rows import sample
from store.formats.drafting import DraftSettings, Replying
from store.formats.registry import FORMATS
from store.repositories.imports import OPEN_STATES

_Asked = NamedDependency[SkipValidation[Visit]]
IMPORT = f"{PROMPTS}/import"
_ONE = PROMPTS + "/imports/{import_id:str}"
MAKES = (Makes.PROMPTS, Makes.WHOLE, Makes.SUITE)
"""What a page makes of a file; REST makes more."""
REPLYING = tuple(Replying)
_REVIEW_DAYS = 365
_RECENT, _SHOWN_DRAFTS, _SHOWN_PROBLEMS, _MY_CHANGES = 10, 25, 100, 50


@get(IMPORT, operation_id="import_prompts_page")
async def import_prompts_page(visit: _Asked) -> Response[str]:
    """Shows an empty form, and what was sent before."""
    day = (visit.now + dt.timedelta(days=_REVIEW_DAYS)).date().isoformat()
    first = {
        "makes": "prompts",
        "format": "csv",
        "whole": WHOLE_FORMATS[0],
        "owner": visit.actor.name,
        "language": "en",
        "review_by": day,
    }
    return await _asked(visit, Form({name: (value,) for name, value in first.items()}))


@post(IMPORT, status_code=200, operation_id="import_prompts_on_page", request_max_body_size=MOST_BYTES)
async def import_prompts_on_page(visit: _Asked) -> Response[Any]:
    """Takes a file; nothing of it is in a change before somebody says so."""
    form, upload = visit.form, upload_of(visit.request)
    if upload is None:
        return await _asked(visit, form.wrong("file", Said(visit.texts("imports.file_needed"))))
    try:
        order = _order(form, upload.name)
        job = await visit.administration.importing.take(visit.actor, order, upload.pieces())
    except (*REFUSALS, Refused) as error:
        at = "suite" if form.text("makes") == Makes.SUITE else ""
        return await _asked(visit, refused(visit, form, error, at=at))
    finally:
        await upload.file.close()
    return visit.go(_path(job))


@get(f"{IMPORT}/export", operation_id="export_sample_rows")
async def export_sample_rows() -> Stream:
    """Sends a small file that can be imported as it is."""
    headers = {"content-disposition": 'attachment; filename="canongate-sample.csv"', "content-language": "en"}
    return await download(iter(sample()), media_type="text/csv", headers=headers)


@get(_ONE, operation_id="import_page")
async def import_page(import_id: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows how far an import is; once it is done, which rows were refused and what its drafts would change."""
    return await _shown(visit, import_id, Form())


@post(_ONE, status_code=200, operation_id="draft_import_on_page")
async def draft_import_on_page(import_id: FromPath[str], visit: _Asked) -> Response[Any]:
    """Puts the drafts into the change that was chosen, or into one for files of that name."""
    form, change = visit.form, change_of(visit)
    named = None if change is None else str(change)
    try:
        made = await visit.call(visit.administration.importing.adopt, visit.actor, plain_id(import_id), change=named)
    except (*REFUSALS, Refused) as error:
        return await _shown(visit, import_id, refused(visit, form, error))
    return visit.go(f"/admin/changes/{made}", done="import_drafted")


@get(f"{_ONE}/export", operation_id="export_refused_rows")
async def export_refused_rows(import_id: FromPath[str], visit: _Asked) -> File:
    """Sends the rows that were refused as they came, to be mended and sent again."""
    importing = visit.administration.importing
    path = await visit.call(importing.file, visit.actor, plain_id(import_id), "rejected")
    form = FORMATS.get(str((await visit.call(importing.get, visit.actor, import_id)).stored.order["format"]))
    name = f"refused.{form.extension if form else 'txt'}"
    headers = {"cache-control": "no-store"}
    return File(path, filename=name, media_type="application/octet-stream", headers=headers)


def _order(form: Form, file: str) -> ImportOrder:
    """Returns what is asked for. Raises `InvalidContent`, `InvalidRequest`."""
    makes, reply = form.text("makes"), form.text("reply") or Replying.VERBATIM
    if makes not in MAKES or reply not in REPLYING:
        raise InvalidRequest("invalid_form", "The form is malformed.")
    if makes == Makes.WHOLE:
        return ImportOrder(format=form.text("whole"), makes=Makes.WHOLE, file=file, is_trial=True)
    if makes == Makes.SUITE:
        return ImportOrder(
            format=form.text("format"),
            makes=Makes.SUITE,
            suite=form.text("suite"),
            prompt=form.text("prompt") or None,
            file=file,
            is_trial=True,
        )
    drafts = DraftSettings(
        area=form.text("area"),
        owner=form.text("owner"),
        review_by=_day(form),
        language=form.text("language"),
        replying=Replying(reply),
    )
    return ImportOrder(format=form.text("format"), makes=Makes.PROMPTS, drafts=drafts, file=file, is_trial=True)


def _day(form: Form) -> dt.date:
    try:
        return dt.date.fromisoformat(form.text("review_by"))
    except ValueError as error:
        raise InvalidContent("review_by: it takes a day, such as 2027-06-30.") from error


async def _asked(visit: Visit, form: Form) -> Response[str]:
    return visit.show(
        "import_prompts.html",
        status=form.status,
        form=form,
        formats=FORMATS.values(),
        wholes=WHOLE_FORMATS,
        makes=MAKES,
        replying=REPLYING,
        areas=choices_of(visit).areas,
        most=MOST_BYTES // (1024 * 1024),
        most_drafts=MOST_DRAFTS,
        jobs=await visit.call(visit.administration.importing.mine, visit.actor, limit=_RECENT),
        crumbs=prompt_crumbs(visit),
    )


async def _shown(visit: Visit, import_id: str, form: Form) -> Response[str]:
    importing, changing, actor = visit.administration.importing, changing_of(visit), visit.actor
    job = await visit.call(importing.get, actor, plain_id(import_id))
    drafts = await visit.call(importing.outlook, actor, job.stored.id)
    report = job.stored.report or {}
    mine = await visit.call(changing.drafts.page, actor, limit=_MY_CHANGES, states=DRAFTS, author=actor.person)
    return visit.show(
        "import.html",
        status=form.status,
        form=form,
        job=job,
        is_going=job.stored.state in OPEN_STATES,
        is_own=job.stored.person == actor.person,
        report=report,
        problems=[
            (one["place"], reason_of(visit.texts, one["reason"]))
            for one in list(report.get("problems", ()))[:_SHOWN_PROBLEMS]
        ],
        drafts=[(one, document_difference(one.before, one.after)) for one in drafts[:_SHOWN_DRAFTS]],
        count=len(drafts),
        changes=mine.changes,
        crumbs=(*prompt_crumbs(visit), Crumb(visit.texts("imports.title"), IMPORT)),
    )


def _path(job: ImportJob) -> str:
    return f"{PROMPTS}/imports/{job.stored.id}"
