"""The steps of a change over REST, from review to people and back."""

from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.components import Components
from gateway.http.admin.change_calls import MOST_BYTES, STEP_ERRORS, WRITE_ERRORS, change_id_of, take_step, told
from gateway.http.admin.change_replies import ChangeReply
from gateway.http.admin.change_requests import ApproveRequest, ReasonRequest, RebaseRequest, ScheduleRequest, resolved
from gateway.http.bodies import convert, read_object
from gateway.http.described import JSON, Described

_ONE = "/v1/admin/changes/{change_id:str}"
_TOLD = "/v1/admin/changes/{change_id}"
_Parts = NamedDependency[SkipValidation[Components]]
_NOT_ALONE = "Nobody who edited the change can do this, and no API key."


def _step(verb: str, operation: str, summary: str, request: Any = None, text: str = "") -> Described:
    return Described(
        f"{_TOLD}/{verb}",
        "post",
        operation,
        summary,
        {JSON: ChangeReply},
        STEP_ERRORS,
        request,
        ("if-match",),
        parameters=("change_id",),
        text=f"If-Match is the change's ETag. {text}".strip(),
    )


CHANGE_STEP_OPERATIONS = (
    _step("submit", "submit_change", "Ask for review", text="422 lists everything that is wrong with the documents."),
    _step(
        "approve",
        "approve_change",
        "Approve exactly this content",
        ApproveRequest,
        f"{_NOT_ALONE} 409 while the gate has not passed for this content over what is live.",
    ),
    _step("request-changes", "request_changes", "Send a change back to its authors", ReasonRequest, "Say why."),
    _step("reject", "reject_change", "End a change of somebody else", ReasonRequest, "Say why."),
    _step("withdraw", "withdraw_change", "End an own change", ReasonRequest, "Its edits stay; editing revives it."),
    _step("publish", "publish_change", "Make an approved change live now", text=_NOT_ALONE),
    _step(
        "emergency-publish",
        "publish_in_emergency",
        "Make a change live without approval and evidence",
        ReasonRequest,
        f"For admins, with a reason, and flagged for good. {_NOT_ALONE}",
    ),
    _step(
        "schedule",
        "schedule_change",
        "Publish an approved change at a time",
        ScheduleRequest,
        f"Everything is checked again then. {_NOT_ALONE}",
    ),
    _step("unschedule", "unschedule_change", "Take the time away from a change"),
    _step(
        "rebase",
        "rebase_change",
        "Bring a change up to what is live",
        RebaseRequest,
        "409 lists, with every text, the documents of which both sides changed the same field, until each is chosen.",
    ),
    Described(
        f"{_TOLD}/revert",
        "post",
        "revert_change",
        "Make a draft that takes a live change back",
        {JSON: ChangeReply},
        WRITE_ERRORS,
        parameters=("change_id",),
        status=201,
        text="The draft goes the same way as every other change.",
    ),
    _step(
        "take-back",
        "take_change_back",
        "Publish what a live change replaced, at once",
        text="For approvers. What was live before needs no second approval; it is a change and a revision of its own. "
        "409 when something of it moved since. Where it stops less than what is live, an admin's role is needed too.",
    ),
)


@post(f"{_ONE}/submit", status_code=200, operation_id="submit_change")
async def submit_change(request: Request[Any, Any, Any], components: _Parts) -> Response[ChangeReply]:
    """Asks for review."""
    return await take_step(
        request, components, lambda changing, actor, one, rev: changing.review.submit(actor, one, rev=rev)
    )


@post(f"{_ONE}/approve", status_code=200, operation_id="approve_change")
async def approve_change(request: Request[Any, Any, Any], components: _Parts) -> Response[ChangeReply]:
    """Approves."""
    asked = convert(await read_object(request), ApproveRequest, code="validation_error")
    return await take_step(
        request,
        components,
        lambda changing, actor, one, rev: changing.review.approve(actor, one, rev=rev, text=asked.comment),
    )


@post(f"{_ONE}/request-changes", status_code=200, operation_id="request_changes")
async def request_changes(request: Request[Any, Any, Any], components: _Parts) -> Response[ChangeReply]:
    """Sends back."""
    reason = await _reason(request)
    return await take_step(
        request,
        components,
        lambda changing, actor, one, rev: changing.review.request_changes(actor, one, reason, rev=rev),
    )


@post(f"{_ONE}/reject", status_code=200, operation_id="reject_change")
async def reject_change(request: Request[Any, Any, Any], components: _Parts) -> Response[ChangeReply]:
    """Rejects."""
    reason = await _reason(request)
    return await take_step(
        request, components, lambda changing, actor, one, rev: changing.review.reject(actor, one, reason, rev=rev)
    )


@post(f"{_ONE}/withdraw", status_code=200, operation_id="withdraw_change")
async def withdraw_change(request: Request[Any, Any, Any], components: _Parts) -> Response[ChangeReply]:
    """Withdraws."""
    reason = await _reason(request)
    return await take_step(
        request, components, lambda changing, actor, one, rev: changing.review.withdraw(actor, one, reason, rev=rev)
    )


@post(f"{_ONE}/publish", status_code=200, operation_id="publish_change")
async def publish_change(request: Request[Any, Any, Any], components: _Parts) -> Response[ChangeReply]:
    """Publishes."""
    return await take_step(
        request, components, lambda changing, actor, one, rev: changing.publishing.publish(actor, one, rev=rev)
    )


@post(f"{_ONE}/emergency-publish", status_code=200, operation_id="publish_in_emergency")
async def publish_in_emergency(request: Request[Any, Any, Any], components: _Parts) -> Response[ChangeReply]:
    """Publishes without approval."""
    reason = await _reason(request)
    return await take_step(
        request,
        components,
        lambda changing, actor, one, rev: changing.publishing.publish_in_emergency(actor, one, reason, rev=rev),
    )


@post(f"{_ONE}/schedule", status_code=200, operation_id="schedule_change")
async def schedule_change(request: Request[Any, Any, Any], components: _Parts) -> Response[ChangeReply]:
    """Sets the time."""
    asked = convert(await read_object(request), ScheduleRequest, code="validation_error")
    return await take_step(
        request,
        components,
        lambda changing, actor, one, rev: changing.publishing.schedule(actor, one, asked.publish_at, rev=rev),
    )


@post(f"{_ONE}/unschedule", status_code=200, operation_id="unschedule_change")
async def unschedule_change(request: Request[Any, Any, Any], components: _Parts) -> Response[ChangeReply]:
    """Takes the time away."""
    return await take_step(
        request, components, lambda changing, actor, one, rev: changing.publishing.unschedule(actor, one, rev=rev)
    )


@post(f"{_ONE}/rebase", status_code=200, operation_id="rebase_change", request_max_body_size=MOST_BYTES)
async def rebase_change(request: Request[Any, Any, Any], components: _Parts) -> Response[ChangeReply]:
    """Rebases."""
    chosen = resolved(convert(await read_object(request), RebaseRequest, code="validation_error").resolutions)
    return await take_step(
        request,
        components,
        lambda changing, actor, one, rev: changing.rebase.rebase(actor, one, rev=rev, chosen=chosen),
    )


@post(f"{_ONE}/revert", status_code=201, operation_id="revert_change")
async def revert_change(request: Request[Any, Any, Any], components: _Parts) -> Response[ChangeReply]:
    """Makes the inverse."""
    one = change_id_of(request)
    return await told(request, components, lambda changing, actor: changing.rebase.revert(actor, one), status=201)


@post(f"{_ONE}/take-back", status_code=200, operation_id="take_change_back")
async def take_change_back(request: Request[Any, Any, Any], components: _Parts) -> Response[ChangeReply]:
    """Publishes the inverse."""
    return await take_step(
        request, components, lambda changing, actor, one, rev: changing.taking_back.take_back(actor, one, rev=rev)
    )


CHANGE_STEP_HANDLERS = (
    submit_change,
    approve_change,
    request_changes,
    reject_change,
    withdraw_change,
    publish_change,
    publish_in_emergency,
    schedule_change,
    unschedule_change,
    rebase_change,
    revert_change,
    take_change_back,
)


async def _reason(request: Request[Any, Any, Any]) -> str:
    return convert(await read_object(request), ReasonRequest, code="validation_error").reason
