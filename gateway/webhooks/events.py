"""What webhooks tell of: ids and states, never the words of a person."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from rails.dialog import DIALOG, HANDS_OVER
from store.audit import AuditEntry
from store.changes.types import ChangeState
from store.review.types import Cluster
from store.types import Decision, Outcome

Told = Mapping[str, str | int | bool | None]


class WebhookEvent(StrEnum):
    """Kinds of events."""

    HANDOFF_REQUESTED = "handoff.requested"
    """Somebody got an approved answer that hands over to a person: of a prompt, or of the policy's dialog."""
    CHANGE_SUBMITTED = "change.submitted"
    CHANGE_APPROVED = "change.approved"
    CHANGE_RETURNED = "change.returned"
    """Sent back to its authors, or rejected: `state` says which."""
    CHANGE_PUBLISHED = "change.published"
    QUESTION_CLUSTER_GREW = "question.cluster_grew"
    """A group of questions without a good answer reached one of the sizes in the settings."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something to tell. Its id stays the same however often it is sent, and by whichever gateway."""

    id: str
    kind: WebhookEvent
    at: dt.datetime
    data: Told
    row: int | None = None
    """Of the audit trail, from which it can be made again; None for what is in memory alone."""

    def body(self) -> bytes:
        """Returns the event as it is sent and signed."""
        told = {"type": self.kind.value, "timestamp": self.at.astimezone(dt.UTC), "data": dict(self.data)}
        return msgspec.json.encode(told)


_OF_CHANGES: Mapping[str, tuple[WebhookEvent, ChangeState]] = {
    "change.submitted": (WebhookEvent.CHANGE_SUBMITTED, ChangeState.IN_REVIEW),
    "change.approved": (WebhookEvent.CHANGE_APPROVED, ChangeState.APPROVED),
    "change.changes_requested": (WebhookEvent.CHANGE_RETURNED, ChangeState.CHANGES_REQUESTED),
    "change.rejected": (WebhookEvent.CHANGE_RETURNED, ChangeState.WITHDRAWN),
    "change.published": (WebhookEvent.CHANGE_PUBLISHED, ChangeState.LIVE),
}
"""Actions of the audit trail to what is told of them."""
OF_THE_TRAIL = frozenset(kind for kind, _ in _OF_CHANGES.values())
"""What is told from the audit trail, and can wait there."""


def event_of_entry(entry: AuditEntry) -> Event | None:
    """Returns what a row of the audit trail tells, None for what no webhook is about."""
    if entry.action not in _OF_CHANGES:
        return None
    kind, state = _OF_CHANGES[entry.action]
    data: dict[str, str | int | bool | None] = {"change": entry.target.removeprefix("change "), "state": state.value}
    for name in ("rev", "revision", "is_emergency"):
        if isinstance(found := entry.details.get(name), int):
            data[name] = found
    return Event(f"msg_{entry.number}_{entry.seal.hex()[:24]}", kind, entry.at, data, entry.number)


def event_of_decision(decision: Decision) -> Event | None:
    """Returns what a decision tells: that somebody was handed over to a person."""
    if decision.outcome is not Outcome.ANSWERED or not (decision.source == "handoff" or _hands_over(decision)):
        return None
    data: Told = {
        "decision": decision.id,
        "assistant": decision.assistant,
        "prompt": decision.prompt_key,
        "prompt_version": decision.prompt_version,
        "conversation": decision.conversation,
    }
    return Event(f"msg_{decision.id}", WebhookEvent.HANDOFF_REQUESTED, decision.at, data)


def _hands_over(decision: Decision) -> bool:
    """Whether the policy's dialog gave a reply that hands over; to a greeting, say, it gives others."""
    if decision.source != "dialog":
        return False
    return any(str(rail["reason"]).endswith(HANDS_OVER) for rail in decision.rails if rail["name"] == DIALOG)


def event_of_cluster(cluster: Cluster, size: int) -> Event:
    """Returns that a cluster reached a size."""
    data: Told = {"cluster": cluster.id, "assistant": cluster.assistant, "messages": cluster.messages, "size": size}
    return Event(f"msg_{cluster.id}_{size}", WebhookEvent.QUESTION_CLUSTER_GREW, cluster.last_seen, data)
