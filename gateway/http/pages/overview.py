"""The first page: what is still to be done, how the gateway is, and what became of the questions of a week."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.analysing import Period
from gateway.beginning import Beginning
from gateway.changing.attention import Attention, Needed
from gateway.errors import NotServing
from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form, Said
from gateway.http.pages.uploads import MOST_BYTES, upload_of
from gateway.http.pages.visit import Visit
from gateway.readiness import ReadinessReport
from store.accounts import User
from store.catalog import live_revision
from store.errors import Refused, StoreError
from store.formats.bundle_file import Writing
from store.people import Role
from store.review.types import LISTED_FROM, Cluster, Wanted
from store.types import Outcome

BEGIN: Final = "/admin/begin"
_GROUPS = 5
_PEOPLE_LOOKED_AT = 500
_Asked = NamedDependency[SkipValidation[Visit]]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do at first; texts are `overview.step_<name>`."""

    name: str
    is_done: bool
    path: str
    """Where it is done; empty where the person may not, or it is not done on a page."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of the questions of a week."""

    total: int
    counts: dict[Outcome, int]

    @property
    def blocked(self) -> int:
        """Questions and answers that a check stopped."""
        return self.counts[Outcome.BLOCKED_INPUT] + self.counts[Outcome.BLOCKED_OUTPUT]

    def share(self, number: int) -> float:
        """Returns the number as a share of all."""
        return number / self.total if self.total else 0.0


@get("/admin", operation_id="overview_page")
async def overview_page(visit: _Asked) -> Response[str]:
    """Shows the state of everything; a part that cannot be read is told by itself."""
    return await _overview(visit, Form())


@post(BEGIN, status_code=200, operation_id="begin_with_example_on_page")
async def begin_with_example_on_page(visit: _Asked) -> Response[Any]:
    """Publishes the example into an empty store."""
    try:
        await visit.call(visit.administration.beginning.with_example, visit.actor)
    except (*REFUSALS, Refused) as error:
        return await _overview(visit, refused(visit, visit.form, error))
    return visit.go("/admin", done="begun")


@post(f"{BEGIN}/bundle", status_code=200, operation_id="begin_with_bundle_on_page", request_max_body_size=MOST_BYTES)
async def begin_with_bundle_on_page(visit: _Asked) -> Response[Any]:
    """Publishes a bundle that is sent as one file into an empty store."""
    form, upload = visit.form, upload_of(visit.request)
    if upload is None:
        return await _overview(visit, form.wrong("file", Said(visit.texts("overview.bundle_needed"))))
    writing = Writing.JSON if upload.name.lower().endswith(".json") else Writing.YAML
    try:
        data = b"".join([piece async for piece in upload.pieces()])
        await visit.call(visit.administration.beginning.with_bundle, visit.actor, data, writing)
    except (*REFUSALS, Refused) as error:
        return await _overview(visit, refused(visit, form, error, at="file"))
    finally:
        await upload.file.close()
    return visit.go("/admin", done="begun")


async def _overview(visit: Visit, form: Form) -> Response[str]:
    figures = await _figures(visit)
    steps = await _steps(visit, has_questions=bool(figures and figures.total))
    return visit.show(
        "overview.html",
        status=form.status,
        form=form,
        beginning=await _beginning(visit),
        coming=await _coming(visit),
        steps=steps,
        figures=figures,
        report=await _report(visit),
        needed=await _needed(visit),
        unmatched=await _unmatched(visit),
    )


async def _beginning(visit: Visit) -> Beginning | None:
    """Returns what an administrator may begin with; None once anything was published."""
    if not visit.may(BEGIN):
        return None
    found = visit.administration.beginning
    try:
        return found if await visit.call(found.is_open_to, visit.actor) else None
    except StoreError:
        return None


async def _coming(visit: Visit) -> int | None:
    """Returns the first revision while it is published and does not serve yet."""
    if visit.components is None or visit.components.live.current.catalog.revision:
        return None
    try:
        return await visit.call(live_revision, visit.administration.database) or None
    except StoreError:
        return None


async def _needed(visit: Visit) -> Needed | None:
    """Returns what waits for the person; None where they have no part in it, or it cannot be read."""
    try:
        return await visit.call(Attention(visit.administration.changing).of, visit.actor, visit.now)
    except StoreError:
        return None


async def _unmatched(visit: Visit) -> Sequence[Cluster]:
    """Returns the groups of questions without a good answer that most messages had."""
    clusters = visit.administration.reviewing.clusters
    try:
        page = await visit.call(clusters, visit.actor, Wanted(), least=LISTED_FROM, after=None, limit=_GROUPS)
    except StoreError:
        return ()
    return page.items


async def _figures(visit: Visit) -> Figures | None:
    try:
        report = await visit.call(visit.administration.analysing.report, visit.actor, Period.WEEK)
    except StoreError:
        return None
    counts = report.whole.outcomes
    return Figures(report.whole.total, {outcome: counts[outcome] for outcome in Outcome})


async def _report(visit: Visit) -> ReadinessReport | None:
    if visit.components is None:
        raise NotServing("store_unavailable", "The admin surface has no database.")
    return await visit.call(visit.components.readiness.report)


async def _steps(visit: Visit, *, has_questions: bool) -> tuple[Step, ...] | None:
    """Returns the list for administrators, and nothing once all of it is done."""
    if visit.components is None or not visit.may("/admin/people/new"):
        return None
    actor, access = visit.actor, visit.access
    try:
        people = await visit.call(access.users.page, actor, limit=_PEOPLE_LOOKED_AT)
        keys = await visit.call(access.keys.all, actor)
    except StoreError:
        return None
    has_own_key = any(key.owner is not None for key in keys)
    steps = (
        Step("content", bool(visit.components.live.current.catalog.prompts), ""),
        Step("authenticator", visit.signed_in.user.has_totp, "/admin/profile/authenticator"),
        Step("people", _has_pair(people), "/admin/people/new"),
        Step("key", has_own_key, "/admin/keys/new" if visit.may("/admin/keys/new") else ""),
        Step("question", has_questions, "/admin/playground"),
    )
    return None if all(one.is_done for one in steps) else steps


def _has_pair(people: Sequence[User]) -> bool:
    """Whether there is somebody who drafts, and somebody else who approves."""
    able = [one for one in people if one.disabled_at is None]
    editors = {one.id for one in able if one.actor.may(Role.EDITOR)}
    approvers = {one.id for one in able if one.actor.may(Role.APPROVER)}
    return any(editor != approver for editor in editors for approver in approvers)
