"""The first page: what is still to be done, how the gateway is, and what became of the questions of a week."""

from collections.abc import Sequence
from dataclasses import dataclass

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.analysing import Period
from gateway.changing.attention import Attention, Needed
from gateway.errors import NotServing
from gateway.http.pages.unmatched import LEAST
from gateway.http.pages.visit import Visit
from gateway.readiness import ReadinessReport
from store.errors import StoreError
from store.review.types import Cluster, Wanted
from store.types import Outcome

_GROUPS = 5
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
    figures = await _figures(visit)
    steps = await _steps(visit, has_questions=bool(figures and figures.total))
    report = await _report(visit)
    needed, unmatched = await _needed(visit), await _unmatched(visit)
    return visit.show("overview.html", steps=steps, figures=figures, report=report, needed=needed, unmatched=unmatched)


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
        page = await visit.call(clusters, visit.actor, Wanted(), least=LEAST, after=None, limit=_GROUPS)
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
    if visit.components is None or not visit.may("/admin/keys/new"):
        return None
    actor, access = visit.actor, visit.access
    try:
        people = await visit.call(access.users.page, actor, limit=2)
        keys = await visit.call(access.keys.all, actor)
    except StoreError:
        return None
    has_own_key = any(key.owner is not None for key in keys)
    steps = (
        Step("content", bool(visit.components.live.current.catalog.prompts), "/admin/prompts/import"),
        Step("authenticator", visit.signed_in.user.has_totp, "/admin/profile/authenticator"),
        Step("people", len(people) > 1, "/admin/people/new"),
        Step("key", has_own_key, "/admin/keys/new"),
        Step("question", has_questions, "/admin/playground"),
    )
    return None if all(one.is_done for one in steps) else steps
