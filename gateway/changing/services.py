"""The services of changes, as one value, and how they are made."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.changing.ports import Gate
from rails.errors import PolicyInvalid
from rails.policy import load_policy
from store.audit import AuditTrail
from store.changes.contents import ContentService
from store.changes.desk import Clock, Desk
from store.changes.evidence import GateRuns
from store.changes.finding import ChangeFinder
from store.changes.live import Weakens
from store.changes.published import Publications
from store.changes.publishing import PublishService, StillHolds, Unservable
from store.changes.queue_drafts import ChangeDrafts
from store.changes.rebasing import RebaseService
from store.changes.reviewing import ReviewService
from store.changes.service import ChangeService
from store.changes.suite_results import SuiteResults
from store.changes.taking_back import TakeBackService
from store.changes.viewing import ChangeViews
from store.database import Database

GateMaker = Callable[[Desk, GateRuns], Gate]
"""Makes what tries changes from what it reads and writes."""


@dataclass(frozen=True, slots=True)
class Changing:
    """Everything about changes that somebody may ask for or do. All methods but those of `gate` block: use a thread."""

    drafts: ChangeService
    finder: ChangeFinder
    contents: ContentService
    """Documents one at a time: reading them, and edits that go into somebody's open change."""
    views: ChangeViews
    review: ReviewService
    rebase: RebaseService
    publishing: PublishService
    taking_back: TakeBackService
    publications: Publications
    runs: GateRuns
    gate: Gate
    results: SuiteResults
    queue: ChangeDrafts
    """What the review queue, suggestions and imports draft with."""


def changing_of(
    database: Database,
    audit: AuditTrail,
    *,
    weakens: Weakens,
    unservable: Unservable,
    still_holds: StillHolds,
    gate_of: GateMaker,
    clock: Clock = lambda: dt.datetime.now(dt.UTC),
) -> Changing:
    """Makes the services of changes."""
    desk = Desk(database, audit, weakens=weakens, clock=clock)
    runs, drafts = GateRuns(database), ChangeService(desk)
    review, rebase = ReviewService(desk, runs), RebaseService(desk, drafts)
    publishing = PublishService(desk, runs, unservable=unservable, still_holds=still_holds)
    return Changing(
        drafts=drafts,
        finder=ChangeFinder(desk),
        contents=ContentService(desk, drafts),
        views=ChangeViews(desk, runs, policy_problem),
        review=review,
        rebase=rebase,
        publishing=publishing,
        taking_back=TakeBackService(desk, rebase, review, publishing),
        publications=Publications(desk),
        runs=runs,
        gate=gate_of(desk, runs),
        results=SuiteResults(desk, runs),
        queue=ChangeDrafts(desk, drafts),
    )


def policy_problem(document: Mapping[str, Any]) -> str:
    """Returns what keeps a policy from being used, with its place, empty when nothing does."""
    try:
        load_policy(document)
    except PolicyInvalid as error:
        return str(error)
    return ""
