"""What waits for review, was proposed, was said of answers or imported, of a tenant."""

import datetime as dt
from itertools import count

from store.feedback import Feedback, Verdict
from store.import_desk import ImportDesk
from store.people import Role
from store.repositories.feedback import FeedbackStore
from store.review.acting import Acting
from store.review.actions import Discard
from store.review.clusters import Clusters
from store.review.intake import Intake
from store.review.proposals import Proposals
from store.review.reading import Reading
from store.review.suggested import Found, JobState, ProposalKind
from store.review.types import Bounds, Noted, Reason, StoredQuestion, Target, Wanted
from tests.administration import AdminWorld, person
from tests.samples.decisions import decision
from tests.samples.registry import MINE, body, sample
from tests.store.store_content import embed

_NUMBERS = count(1)
_ROOM = Bounds(new_per_day=10_000, questions=10_000, days=30)
_SOMEBODY = person("somebody", *Role)


def _question(admin: AdminWorld, assistant: str) -> StoredQuestion:
    now = dt.datetime.now(dt.UTC)
    text = f"{assistant} asks about subject{next(_NUMBERS)}"
    Intake(admin.database, _ROOM).take(
        [Noted(decision=f"of-{text}", at=now, assistant=assistant, reason=Reason.NO_MATCH, text=text, gate="below")]
    )
    Clusters(admin.database, embed, "words").place_some(now)
    page = Reading(admin.database).questions(_SOMEBODY, Wanted(state=None, text=text), now=now)
    return page.items[0]


def question(admin: AdminWorld, assistant: str) -> str:
    return _question(admin, assistant).id


def cluster(admin: AdminWorld, assistant: str) -> str:
    found = _question(admin, assistant).cluster
    assert found is not None
    return found


def action(admin: AdminWorld, assistant: str) -> str:
    made = _question(admin, assistant)
    acting = Acting(admin.database, admin.audit, admin.drafts)
    return acting.act(_SOMEBODY, Discard(), [Target(made.id, made.rev)], now=dt.datetime.now(dt.UTC)).id


def _job(admin: AdminWorld, assistant: str) -> tuple[Proposals, str]:
    proposals, now = Proposals(admin.database, admin.audit, admin.drafts), dt.datetime.now(dt.UTC)
    key = "it.password-reset" if assistant == MINE else f"{assistant}.secret"
    job = proposals.begin(_SOMEBODY, key, now=now).id
    claimed = proposals.claim(now=now)
    assert claimed is not None
    assert claimed.id == job
    text = f"{assistant} sentence {next(_NUMBERS)}"
    proposals.finish(job, JobState.DONE, [Found(ProposalKind.PHRASING, text)], now=now)
    return proposals, key


def job(admin: AdminWorld, assistant: str) -> str:
    proposals, key = _job(admin, assistant)
    return proposals.proposals({key}, state=None, kind=None).items[0].job


def suggestion(admin: AdminWorld, assistant: str) -> str:
    proposals, key = _job(admin, assistant)
    return proposals.proposals({key}, state=None, kind=None).items[0].id


def feedback(admin: AdminWorld, assistant: str) -> str:
    """Feedback has no address of its own: it is known by its decision, in lists."""
    of, at = decision(admin, assistant), dt.datetime.now(dt.UTC)
    given = Feedback(
        decision=of,
        given_at=at,
        changed_at=at,
        principal="caller",
        assistant=assistant,
        prompt_key=f"{assistant}.asked",
        prompt_version=1,
        verdict=Verdict.DOWN,
    )
    with admin.database.writing() as session:
        FeedbackStore(admin.database).put(given, session=session)
    return of


def import_(admin: AdminWorld, assistant: str) -> str:
    editor = person(f"{assistant}-importer", Role.EDITOR, assistants=(assistant,))
    return ImportDesk(admin.database, admin.audit, admin.drafts).begin(editor, {"format": "dolly"}).id


sample("question", question)
sample("cluster", cluster)
sample("action", action)
sample("job", job)
sample("suggestion", suggestion)
sample("feedback_of", feedback)
sample("import_id", import_)
body("POST /v1/admin/question-actions/{action:str}/undo", {})
