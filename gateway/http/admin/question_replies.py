"""What is told about the questions of the review queue, and how it is made of what the services return."""

import datetime as dt

import msgspec

from gateway.reviewing.prospects import Prospects
from gateway.reviewing.service import ClusterDetail, QueueFigures
from store.review.actions import (
    Done,
)
from store.review.collisions import Addition
from store.review.reading import Page
from store.review.types import Cluster, StoredQuestion


class QuestionReply(msgspec.Struct, frozen=True):
    """A message without a good answer, redacted."""

    id: str
    assistant: str
    text: str
    state: str
    snoozed_until: dt.datetime | None
    action: str | None
    count: int
    reasons: dict[str, int]
    first_seen: dt.datetime
    last_seen: dt.datetime
    last_decision: str
    gate: str | None
    score: float | None
    prompt: str | None
    cluster: str | None
    rev: int


class QuestionsReply(msgspec.Struct, frozen=True):
    """A page of questions."""

    items: tuple[QuestionReply, ...]
    next: str | None


class QuestionClusterReply(msgspec.Struct, frozen=True):
    """Questions that mean about the same; counts are over those in the wanted state."""

    id: str
    assistant: str
    label: str
    size: int
    messages: int
    first_seen: dt.datetime
    last_seen: dt.datetime
    trend: tuple[int, ...]
    """Messages of each of the last 14 days, the oldest first."""
    rev: int


class QuestionClustersReply(msgspec.Struct, frozen=True):
    """A page of clusters."""

    items: tuple[QuestionClusterReply, ...]
    next: str | None


class QuestionClusterDetailReply(msgspec.Struct, frozen=True):
    """A cluster with its questions, the most frequent first, at most 500."""

    cluster: QuestionClusterReply
    questions: tuple[QuestionReply, ...]


class RivalReply(msgspec.Struct, frozen=True):
    """A phrasing of another prompt that would be nearer to the question than to the rest of its own."""

    prompt: str
    phrasing: str
    similarity: float


class AdditionReply(msgspec.Struct, frozen=True):
    """What adding the question to the prompt would do."""

    same_as: str | None
    is_counterexample: bool
    difference: str | None
    rivals: tuple[RivalReply, ...]
    rival_count: int
    reaches: int


class ProspectReply(msgspec.Struct, frozen=True):
    """A prompt that the question may belong to."""

    prompt: str
    title: str
    score: float
    phrasing: str
    similarity: float
    counter_similarity: float | None
    added: AdditionReply


class ProspectsReply(msgspec.Struct, frozen=True):
    """What the live matcher makes of a question now, and which check decided."""

    outcome: str
    gate: str
    difference: str | None
    answer_from: float | None
    candidates: tuple[ProspectReply, ...]


class QuestionActionReply(msgspec.Struct, frozen=True):
    """An action as it stands."""

    id: str
    at: dt.datetime
    actor: str
    kind: str
    targets: tuple[str, ...]
    change: str | None
    edit: str | None
    added: tuple[str, ...]
    undone_at: dt.datetime | None
    edit_stays_in: str | None


class QuestionActionsReply(msgspec.Struct, frozen=True):
    """A page of actions."""

    items: tuple[QuestionActionReply, ...]
    next: str | None


class QueueFiguresReply(msgspec.Struct, frozen=True):
    """What came of the messages of the last 30 days, and how many questions have no cluster yet."""

    new: int
    again: int
    over_bound: int
    unreadable: int
    lost: int
    unplaced: int


def question_reply(question: StoredQuestion) -> QuestionReply:
    """Returns a question as it is told."""
    return QuestionReply(
        id=question.id,
        assistant=question.assistant,
        text=question.text,
        state=question.state.value,
        snoozed_until=question.snoozed_until,
        action=question.action,
        count=question.count,
        reasons=dict(question.reasons),
        first_seen=question.first_seen,
        last_seen=question.last_seen,
        last_decision=question.last_decision,
        gate=question.gate,
        score=question.score,
        prompt=question.prompt_key,
        cluster=question.cluster,
        rev=question.rev,
    )


def questions_reply(page: Page[StoredQuestion]) -> QuestionsReply:
    """Returns a page of questions as it is told."""
    return QuestionsReply(tuple(map(question_reply, page.items)), page.next)


def cluster_reply(cluster: Cluster) -> QuestionClusterReply:
    """Returns a cluster as it is told."""
    return msgspec.convert(cluster, QuestionClusterReply, from_attributes=True)


def clusters_reply(page: Page[Cluster]) -> QuestionClustersReply:
    """Returns a page of clusters as it is told."""
    return QuestionClustersReply(tuple(map(cluster_reply, page.items)), page.next)


def detail_reply(detail: ClusterDetail) -> QuestionClusterDetailReply:
    """Returns a cluster with its questions as it is told."""
    return QuestionClusterDetailReply(cluster_reply(detail.cluster), tuple(map(question_reply, detail.questions)))


def prospects_reply(prospects: Prospects) -> ProspectsReply:
    """Returns what the matcher says as it is told."""
    candidates = tuple(
        ProspectReply(
            one.key, one.title, one.score, one.phrasing, one.similarity, one.counter_similarity, _added(one.added)
        )
        for one in prospects.candidates
    )
    return ProspectsReply(prospects.outcome, prospects.gate, prospects.difference, prospects.answer_from, candidates)


def done_reply(done: Done) -> QuestionActionReply:
    """Returns an action as it is told."""
    return QuestionActionReply(
        id=done.id,
        at=done.at,
        actor=done.actor,
        kind=done.kind,
        targets=done.questions,
        change=done.change,
        edit=done.edit,
        added=done.added,
        undone_at=done.undone_at,
        edit_stays_in=done.edit_stays_in,
    )


def actions_reply(page: Page[Done]) -> QuestionActionsReply:
    """Returns a page of actions as it is told."""
    return QuestionActionsReply(tuple(map(done_reply, page.items)), page.next)


def figures_reply(figures: QueueFigures) -> QueueFiguresReply:
    """Returns the queue's figures as they are told."""
    return QueueFiguresReply(**figures.tallies, unplaced=figures.unplaced)


def _added(added: Addition) -> AdditionReply:
    return AdditionReply(
        same_as=added.same_as,
        is_counterexample=added.is_counterexample,
        difference=added.difference,
        rivals=tuple(RivalReply(one.key, one.phrasing, one.similarity) for one in added.rivals),
        rival_count=added.rival_count,
        reaches=added.reaches,
    )
