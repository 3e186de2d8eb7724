"""A review queue for the tests: noted messages, one editor, and a prompt that is live."""

import datetime as dt
from dataclasses import replace

from store_content import AT, embed, prompt

from store.audit import AuditTrail
from store.database import Database
from store.people import Actor, Grant, Role
from store.plain import canonical_hash, to_plain
from store.review.acting import Acting
from store.review.clusters import Clusters
from store.review.drafts import Edit, EditKind
from store.review.grouping import Nearness
from store.review.intake import Intake
from store.review.reading import Reading
from store.review.types import Bounds, Noted, Reason, StoredQuestion, Target, Wanted
from tests.drafts import KeptDrafts

NOW = AT + dt.timedelta(hours=1)
BOUNDS = Bounds(new_per_day=100, questions=1000, days=30)
ALL = Wanted(state=None)
VPN = prompt("it.vpn", phrasings=["How do I connect to the VPN?"])
LIVE = {(EditKind.PROMPT, "it.vpn"): Edit(EditKind.PROMPT, "it.vpn", to_plain(VPN), canonical_hash(VPN))}


def editor(name: str = "ada", *assistants: str) -> Actor:
    return Actor(f"user:{name}", name, f"user:{name}", frozenset({Grant(Role.EDITOR)}), frozenset(assistants))


def noted(decision: str, text: str | None, **changes: object) -> Noted:
    base = Noted(decision=decision, at=AT, assistant="desk", reason=Reason.NO_MATCH, text=text, gate="below_limit")
    return replace(base, **changes)


class Queue:
    """The parts of a queue on one database."""

    def __init__(self, database: Database, bounds: Bounds = BOUNDS) -> None:
        self.database = database
        self.audit = AuditTrail(database, b"k" * 32)
        self.drafts = KeptDrafts(LIVE)
        self.intake = Intake(database, bounds)
        self.reading = Reading(database)
        self.acting = Acting(database, self.audit, self.drafts)
        self.clusters = Clusters(database, embed, "words", Nearness(join=0.6, merge=0.8))

    def take(self, *texts: str, assistant: str = "desk") -> None:
        self.intake.take([noted(f"{assistant}-{text}", text, assistant=assistant) for text in texts])

    def all(self, actor: Actor | None = None, wanted: Wanted = ALL, now: dt.datetime = NOW) -> list[StoredQuestion]:
        found, after = [], None
        while True:
            page = self.reading.questions(actor or editor(), wanted, now=now, after=after, limit=2)
            found += page.items
            after = page.next
            if after is None:
                return found

    def target(self, text: str) -> Target:
        (found,) = [one for one in self.all() if one.text == text]
        return Target(found.id, found.rev)

    def document(self, change: str, name: str = "it.vpn", kind: EditKind = EditKind.PROMPT) -> dict | None:
        edit = self.drafts.changes[change].get((kind, name))
        return edit.document if edit else None
