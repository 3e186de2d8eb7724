"""Feedback from whoever asked: a verdict on one decision of the same key."""

import datetime as dt
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from msgspec import Meta

from gateway.components import Components
from gateway.errors import NotServing
from gateway.feedback import GivenFeedback
from gateway.http.access import principal_of
from gateway.http.bodies import convert, read_object
from gateway.http.problems import rate_headers
from store.content import KeepsText
from store.feedback import BETTER_CHARS, COMMENT_CHARS, Feedback, FeedbackReason, Verdict

DecisionId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]


class FeedbackRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is thought of an answer. Sent again, it takes the place of what was said before."""

    decision: DecisionId
    """The `id` of the answer."""
    verdict: Verdict
    reasons: Annotated[tuple[FeedbackReason, ...], Meta(max_length=10)] = ()
    comment: Annotated[str, Meta(max_length=COMMENT_CHARS)] = ""
    """Kept as the assistant keeps words: not at all, redacted, or in full."""
    better: Annotated[str, Meta(max_length=BETTER_CHARS)] = ""
    """The answer as it should have been; kept likewise."""


class FeedbackReply(msgspec.Struct, frozen=True):
    """What is stored now."""

    decision: str
    verdict: Verdict
    reasons: tuple[FeedbackReason, ...]
    given_at: dt.datetime
    changed_at: dt.datetime
    kept: KeepsText
    """How the texts are kept; `off` when nothing of them is."""


@post("/v1/feedback", status_code=200, operation_id="give_feedback")
async def give_feedback(
    request: Request[Any, Any, Any], components: NamedDependency[SkipValidation[Components]]
) -> Response[FeedbackReply]:
    """Stores feedback on a decision of the same key."""
    if components.administration is None:
        raise NotServing("store_unavailable", "This gateway has no database for feedback.")
    told = convert(await read_object(request), FeedbackRequest, code="validation_error")
    given = GivenFeedback(
        decision=told.decision,
        verdict=told.verdict,
        reasons=told.reasons,
        comment=told.comment,
        better=told.better,
    )
    principal = principal_of(request)
    rate = await components.admission.charge_rate(principal)
    reply = feedback_reply(await components.administration.feedback.give(principal, given))
    return Response(reply, media_type="application/json", headers=rate_headers(rate))


def feedback_reply(stored: Feedback) -> FeedbackReply:
    """Returns feedback as it is told."""
    return FeedbackReply(
        decision=stored.decision,
        verdict=stored.verdict,
        reasons=stored.reasons,
        given_at=stored.given_at,
        changed_at=stored.changed_at,
        kept=stored.texts.kept if stored.texts else KeepsText.OFF,
    )
