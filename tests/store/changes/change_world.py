"""The services of changes on a real database, with people to take the steps."""

import datetime as dt
import itertools
from dataclasses import dataclass, field

from store.audit import AuditTrail
from store.catalog import load_catalog, publish_bundle
from store.changes.desk import Desk
from store.changes.documents import hash_of, plain_document
from store.changes.evidence import GateResult, GateRuns
from store.changes.publishing import PublishService
from store.changes.rebasing import RebaseService
from store.changes.reviewing import ReviewService
from store.changes.service import ChangeService
from store.changes.types import Edit, EditKind, Item
from store.database import Database
from store.people import Actor, Grant, Role
from tests.store.store_content import AT, bundle, prompt


def person(name: str, *roles: Role, areas=(), assistants=()) -> Actor:
    grants = frozenset(Grant(role, frozenset(areas)) for role in roles)
    return Actor(f"user:{name}", name.title(), f"user:{name}", grants, frozenset(assistants))


ADA = person("ada", Role.EDITOR)
EDDA = person("edda", Role.EDITOR)
BOB = person("bob", Role.APPROVER)
CORA = person("cora", Role.APPROVER, Role.EDITOR)
ROOT = person("root", Role.ADMIN)
KEY = Actor("key:1", "site", ADA.person, frozenset({Grant(Role.EDITOR), Grant(Role.APPROVER), Grant(Role.ADMIN)}))


@dataclass
class ChangeWorld:
    database: Database
    unservable: list[str] = field(default_factory=list)
    former: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        ticks = itertools.count()
        self.moment = AT
        self.audit = AuditTrail(self.database, b"k" * 32)
        self.desk = Desk(
            self.database,
            self.audit,
            weakens=lambda _, after: after is None or not after.get("input"),
            clock=lambda: self.moment + dt.timedelta(milliseconds=next(ticks)),
        )
        self.runs = GateRuns(self.database)
        self.changes = ChangeService(self.desk)
        self.rebasing = RebaseService(self.desk, self.changes)
        self.reviews = ReviewService(self.desk, self.runs)
        self.publishing = PublishService(
            self.desk,
            self.runs,
            unservable=lambda _live, _ahead: tuple(self.unservable),
            still_holds=lambda one, _: one not in self.former,
        )

    def publish_first(self, *prompts, **parts) -> None:
        publish_bundle(self.database, bundle(*prompts, **parts), author="tests")

    def live(self, item: Item):
        return self.desk.live.documents([item]).get(item)

    def edit(self, key="it.vpn", **changes) -> Edit:
        """An edit of a prompt, drafted from what is live."""
        item = Item(EditKind.PROMPT, key)
        before = self.live(item)
        document = (before or plain_document(prompt(key))) | changes
        return Edit(EditKind.PROMPT, key, document, hash_of(before))

    def drafted(self, actor=ADA, *edits, note="because"):
        made = self.changes.create(actor, "A change", note=note)
        return self.changes.add_edits(actor, made.id, edits or (self.edit(title="New title"),), rev=made.rev)

    def submitted(self, actor=ADA, *edits):
        made = self.drafted(actor, *edits)
        return self.reviews.submit(actor, made.id, rev=made.rev)

    def passed(self, change, *problems):
        """Runs the gate, which finds what it is told to."""
        with self.database.writing() as session:
            run = self.runs.start(change, self.desk.live_revision(session), ADA, at=self.desk.clock(), session=session)
            self.runs.finish(run.id, GateResult(problems=problems), at=self.desk.clock(), session=session)
        return run

    def approved(self, actor=ADA, *edits, by=BOB):
        made = self.submitted(actor, *edits)
        self.passed(made)
        return self.reviews.approve(by, made.id, rev=made.rev)

    def published(self, actor=ADA, *edits, by=BOB):
        made = self.approved(actor, *edits)
        return self.publishing.publish(by, made.id, rev=made.rev)

    def catalog(self):
        return load_catalog(self.database)

    def actions(self):
        return [entry.action for entry in self.audit.entries()]
