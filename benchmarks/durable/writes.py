"""The writes that are tried, all steps of a change up to its publish, and how to look for them."""

import datetime as dt
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

import msgspec
from sqlalchemy import text

from store.audit import AuditTrail
from store.catalog import load_catalog
from store.changes.desk import Desk
from store.changes.documents import hash_of, plain_document
from store.changes.evidence import GateResult, GateRuns
from store.changes.publishing import PublishService
from store.changes.repository import Changes
from store.changes.reviewing import ReviewService
from store.changes.service import ChangeService
from store.changes.types import ChangeState, Edit, EditKind
from store.content import Assistant, CanonicalPrompt
from store.database import Database, open_database
from store.errors import NotFound, StoreError
from store.formats.bundle import Bundle
from store.people import Actor, Grant, Role
from store.proof.verification import TrailWalk

KEY = b"d" * 32
PROMPTS = 5
POLICY: dict[str, object] = {
    "input": [{"rail": "length"}],
    "output": [{"rail": "secrets"}],
}
AUTHOR = Actor("user:ada", "Ada", "user:ada", frozenset({Grant(Role.EDITOR)}))
APPROVER = Actor("user:bob", "Bob", "user:bob", frozenset({Grant(Role.APPROVER), Grant(Role.ADMIN)}))
STEPS = {
    ChangeState.DRAFT: 1,
    ChangeState.IN_REVIEW: 2,
    ChangeState.APPROVED: 3,
    ChangeState.LIVE: 4,
    ChangeState.SUPERSEDED: 4,
}
"""How far a change is."""
Acknowledge = Callable[[UUID, int], None]
"""Is told a change and its step as soon as the service has returned."""
_EQUAL = {
    "submitted": "SELECT count(*) FROM changes WHERE state <> 'draft'",
    "approved": "SELECT count(*) FROM changes WHERE state IN ('approved', 'live', 'superseded')",
    "published": "SELECT count(*) FROM changes WHERE state IN ('live', 'superseded')",
}
"""Rows of the audit trail, to the changes of which each tells once."""


def bundle_of(number: int) -> Bundle:
    """Returns a bundle each document of which has the number in it: documents that differ were published half."""
    prompts = tuple(
        msgspec.convert(
            {
                "key": f"it.prompt-{place}",
                "title": f"Number {number}",
                "area": "it",
                "owner": "Desk",
                "language": "en",
                "review_by": "2030-01-01",
                "phrasings": [f"What is number {place}?", f"Tell me number {place} of {number}"],
                "reply": {"mode": "verbatim", "answer": f"{number}"},
            },
            CanonicalPrompt,
        )
        for place in range(PROMPTS)
    )
    assistant = msgspec.convert(
        {
            "name": "desk",
            "title": "Desk",
            "greeting": f"{number}",
            "areas": ["it"],
            "policy": "desk",
            "instructions": "Answer.",
            "languages": ["en"],
            "texts": {"no_match": "no", "clarify": "which", "withheld": "withheld"},
        },
        Assistant,
    )
    refusals = {"en": {"default": f"{number}"}}
    return Bundle(prompts, (assistant,), {"desk": {**POLICY, "name": "desk", "refusals": refusals}})


class Writer:
    """Takes changes from draft to live as two people would."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._desk = Desk(
            database, AuditTrail(database, KEY), weakens=lambda *_: False, clock=lambda: dt.datetime.now(dt.UTC)
        )
        self._runs = GateRuns(database)
        self._drafts = ChangeService(self._desk)
        self._reviews = ReviewService(self._desk, self._runs)
        self._publishing = PublishService(self._desk, self._runs, unservable=lambda *_: (), still_holds=lambda *_: True)

    def write(self, number: int, acknowledge: Acknowledge = lambda *_: None) -> None:
        """Makes write `number`, whose publish becomes revision `number`. Raises `StoreError`."""
        empty = self._drafts.create(AUTHOR, f"write {number}", note="because")
        acknowledge(empty.id, 1)
        made = self._drafts.add_edits(AUTHOR, empty.id, self._edits(number), rev=empty.rev)
        submitted = self._reviews.submit(AUTHOR, made.id, rev=made.rev)
        acknowledge(made.id, 2)
        with self._database.writing() as session:
            at, revision = self._desk.clock(), self._desk.live_revision(session)
            run = self._runs.start(submitted, revision, AUTHOR, at=at, session=session)
            self._runs.finish(run.id, GateResult(problems=()), at=at, session=session)
        approved = self._reviews.approve(APPROVER, made.id, rev=submitted.rev)
        acknowledge(made.id, 3)
        self._publishing.publish(APPROVER, made.id, rev=approved.rev)
        acknowledge(made.id, 4)

    def _edits(self, number: int) -> list[Edit]:
        bundle = bundle_of(number)
        wanted = [
            *((EditKind.PROMPT, one.key, plain_document(one)) for one in bundle.prompts),
            *((EditKind.ASSISTANT, one.name, plain_document(one)) for one in bundle.assistants),
            *((EditKind.POLICY, name, dict(document)) for name, document in bundle.policies.items()),
        ]
        edits = [Edit(kind, name, document) for kind, name, document in wanted]
        live = self._desk.live.documents([one.item for one in edits])
        return [Edit(one.kind, one.name, one.document, hash_of(live.get(one.item))) for one in edits]


def keep_writing(url: str, first: int, acknowledge: Acknowledge) -> None:
    """Writes until the process dies, or the database."""
    writer, number = Writer(open_database(url)), first
    while True:
        try:
            writer.write(number, acknowledge)
        except StoreError as error:
            print(f"writer ends at {number}: {type(error).__name__}", file=sys.stderr)
            return
        number += 1


@dataclass
class Found:
    """What is wrong in a database, counted over all looks at it."""

    lost: int = 0
    """Changes that are not as far as was acknowledged."""
    half: int = 0
    """States of which only a part was published."""
    breaks: int = 0
    """Faults of the audit trail, and steps that it does not tell of or the other way round."""
    ahead: int = 0
    """Changes that are further than was acknowledged, as a kill may leave them and a failed statement may not."""


class Inspector:
    """Looks at a database after each crash; what was looked at before is not read again."""

    def __init__(self) -> None:
        self.found = Found()
        self._walk = TrailWalk(KEY)

    def look(self, url: str, acknowledged: Mapping[UUID, int]) -> int:
        """Returns the number of the last publish that is there, and counts what is wrong."""
        database = open_database(url)
        try:
            for change, step in acknowledged.items():
                self._look_at(database, change, step)
            catalog = load_catalog(database)
            number = catalog.revision
            said = {prompt.content.reply.answer for prompt in catalog.prompts.values()}
            said |= {assistant.greeting for assistant in catalog.assistants.values()}
            said |= {policy.document["refusals"]["en"]["default"] for policy in catalog.policies.values()}
            self.found.half += number > 0 and said != {f"{number}"}
            fault = self._walk.advance(database)
            if fault is not None or not _tells_all(database, number):
                self.found.breaks += 1
            return number
        finally:
            database.close()

    def _look_at(self, database: Database, change: UUID, step: int) -> None:
        try:
            is_at = STEPS[Changes(database).get(change).state]
        except NotFound:
            is_at = 0
        self.found.lost += is_at < step
        self.found.ahead += is_at > step


def _tells_all(database: Database, revision: int) -> bool:
    """Whether trail, changes and revision tell of the same steps."""
    told = text("SELECT count(*) FROM audit WHERE action = :action")
    with database.reading() as session:
        pairs = {
            verb: (session.scalar(told, {"action": f"change.{verb}"}), session.scalar(text(query)))
            for verb, query in _EQUAL.items()
        }
    return all(one == other for one, other in pairs.values()) and pairs["published"][1] == revision


def forked_writer(url: str, first: int) -> tuple[int, int]:
    """Starts a process that writes; returns its id and the end of the pipe that it acknowledges on."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            keep_writing(url, first, lambda change, step: _acknowledge(writing, change, step))
        finally:
            os._exit(0)
    os.close(writing)
    return child, reading


def acknowledged_by(reading: int) -> dict[UUID, int]:
    """Reads what is left in the pipe of a writer that ended, and returns how far it acknowledged each change."""
    with os.fdopen(reading, "rb") as pipe:
        whole = pipe.read().split(b"\n")[:-1]
    steps = (line.decode().split() for line in whole)
    return {UUID(change): int(step) for change, step in steps}


def _acknowledge(writing: int, change: UUID, step: int) -> None:
    os.write(writing, f"{change} {step}\n".encode())
