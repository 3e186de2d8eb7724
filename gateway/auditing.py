"""Reads the audit trail for whoever may, and tells whether it is what was written."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gateway.checkpointing import Checkpointing
from store.audit import AuditEntry, AuditFilter, AuditTrail
from store.people import Actor
from store.proof.verification import Verification
from store.sorting import Order


@dataclass(frozen=True, slots=True)
class Told:
    """What verifying found, as far as somebody may know it."""

    found: Verification
    rows: int | None
    """Rows found whole; None for who is bound to some assistants."""
    proved_by: int | None
    """Rows of the largest checkpoint; None for them too, and where there is none."""


@dataclass(frozen=True, slots=True)
class Auditing:
    """The trail as auditors see it. All methods block: use a thread."""

    trail: AuditTrail
    checkpointing: Checkpointing

    def page(
        self, actor: Actor, wanted: AuditFilter, *, limit: int, before: int | None = None
    ) -> tuple[AuditEntry, ...]:
        """Returns rows, newest first. Who belongs to a tenant sees what they did: rows do not say whose they are."""
        within = _within(actor, wanted)
        return self.trail.page(within, limit=limit, before=before) if within else ()

    def sorted_page(self, actor: Actor, wanted: AuditFilter, order: Order, *, limit: int) -> tuple[AuditEntry, ...]:
        """Returns the same rows in an order of `SORTS`."""
        within = _within(actor, wanted)
        return self.trail.sorted_page(within, order, limit=limit) if within else ()

    def entries(self, *, after: int = 0) -> Iterator[AuditEntry]:
        """Gives all rows after that number, oldest first."""
        return self.trail.entries(after=after)

    def verification(self, actor: Actor) -> Told:
        """Verifies the whole trail. Raises `InvalidContent` for a checkpoint that is not ours.

        Who belongs to a tenant is not told how many rows there are: that tells of others.
        """
        found = self.checkpointing.verify()
        is_bound = bool(actor.assistants)
        return Told(found, None if is_bound else found.rows, None if is_bound else found.proved_by)


def _within(actor: Actor, wanted: AuditFilter) -> AuditFilter | None:
    """Returns what of the wanted rows the actor may see; None for none of them."""
    if not actor.assistants:
        return wanted
    if wanted.actor not in (None, actor.id, actor.person):
        return None
    return replace(wanted, actor=wanted.actor or actor.person)
