"""Puts the review queue and the suggestions together, for the composition root and for tests."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.live import Live
from gateway.reviewing.placing import QuestionPlacing
from gateway.reviewing.prospects import Prospecting
from gateway.reviewing.recorder import QuestionRecorder
from gateway.reviewing.redaction import redact
from gateway.reviewing.service import Reviewing
from gateway.reviewing.shortening import shortening
from gateway.settings import ReviewSettings
from gateway.suggesting.search import Search
from gateway.suggesting.service import Suggesting
from models.ports import Embedder, LanguageModel
from store.audit import AuditTrail
from store.database import Database
from store.review.acting import Acting
from store.review.clusters import Clusters
from store.review.drafts import Drafts
from store.review.intake import Intake
from store.review.proposals import Proposals
from store.review.reading import Reading
from store.review.types import Bounds


@dataclass(frozen=True, slots=True)
class Review:
    """The queue, what fills it, and what works on it beside serving."""

    recorder: QuestionRecorder
    """The pipeline's listener; feedback is told to it too."""
    reviewing: Reviewing
    suggesting: Suggesting
    placing: QuestionPlacing

    @property
    def background(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """What runs as long as the gateway does."""
        return (self.recorder.follow,)

    @property
    def once(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """What one of several gateways does for all."""
        return (self.placing.follow, self.suggesting.follow)


def make_review(  # noqa: PLR0917 - each is another part of the gateway
    settings: ReviewSettings,
    database: Database,
    audit: AuditTrail,
    live: Live,
    embedder: Embedder,
    model: LanguageModel,
    drafts: Drafts,
    keeps: Callable[[str], bool],
) -> Review:
    """Makes all parts. `keeps` says of an assistant whether its questions may be kept, redacted."""
    bounds = Bounds(new_per_day=settings.new_per_day, questions=settings.questions, days=settings.days)
    intake = Intake(database, bounds)
    clusters = Clusters(database, shortening(embedder), embedder.fingerprint)
    acting = Acting(database, audit, drafts)
    return Review(
        recorder=QuestionRecorder(intake, redact, lambda assistant: settings.keep and keeps(assistant)),
        reviewing=Reviewing(Reading(database), acting, intake, clusters, Prospecting(live)),
        suggesting=Suggesting(live, Proposals(database, audit, drafts), Search(model)),
        placing=QuestionPlacing(clusters, intake),
    )
