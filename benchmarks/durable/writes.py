"""The write that is tried, an approval and a publish with audit rows in one transaction, and how to look for it."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from sqlalchemy.orm import Session

from store.audit import AuditTrail
from store.catalog import load_catalog, publish_bundle
from store.content import Assistant, CanonicalPrompt
from store.database import Database, open_database
from store.errors import StoreError
from store.formats.bundle import Bundle
from store.people import SYSTEM
from store.proof.verification import TrailWalk
from store.publish_plan import PublishReport

KEY = b"d" * 32
PROMPTS = 5
POLICY: dict[str, object] = {
    "input": [{"rail": "length"}],
    "output": [{"rail": "secrets"}],
}
_ROWS = 2
"""Audit rows of one write."""


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


def write(database: Database, number: int) -> None:
    """Makes write `number`, which becomes revision `number`: whoever has a change service puts it here."""
    trail = AuditTrail(database, KEY)

    def joined(session: Session, report: PublishReport) -> None:
        target = f"change {number}"
        trail.append(SYSTEM, "change.approved", target, {"number": number}, session=session)
        trail.append(SYSTEM, "change.published", target, {"revision": report.revision}, session=session)

    publish_bundle(database, bundle_of(number), author="writer", joined=joined)


def keep_writing(url: str, first: int, acknowledge: Callable[[int], None]) -> None:
    """Writes until the process dies, or the database."""
    database = open_database(url)
    number = first
    while True:
        try:
            write(database, number)
        except StoreError as error:
            print(f"writer ends at {number}: {type(error).__name__}", file=sys.stderr)
            return
        acknowledge(number)
        number += 1


@dataclass
class Found:
    """What is wrong in a database, counted over all looks at it."""

    lost: int = 0
    """Acknowledged writes that are not there."""
    half: int = 0
    """States of which only a part was published."""
    breaks: int = 0
    """Faults of the audit trail, and rows of writes that are not there or the other way round."""


class Inspector:
    """Looks at a database after each crash; what was looked at before is not read again."""

    def __init__(self) -> None:
        self.found = Found()
        self._walk = TrailWalk(KEY)

    def look(self, url: str, acknowledged: int) -> int:
        """Returns the number of the last write that is there, and counts what is wrong."""
        database = open_database(url)
        try:
            catalog = load_catalog(database)
            number = catalog.revision
            self.found.lost += max(0, acknowledged - number)
            said = {prompt.content.reply.answer for prompt in catalog.prompts.values()}
            said |= {assistant.greeting for assistant in catalog.assistants.values()}
            said |= {policy.document["refusals"]["en"]["default"] for policy in catalog.policies.values()}
            self.found.half += number > 0 and said != {f"{number}"}
            if self._walk.advance(database) is not None or self._walk.size != _ROWS * number:
                self.found.breaks += 1
            return number
        finally:
            database.close()


def forked_writer(url: str, first: int) -> tuple[int, int]:
    """Starts a process that writes; returns its id and the end of the pipe that it acknowledges on."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            keep_writing(url, first, lambda number: _acknowledge(writing, number))
        finally:
            os._exit(0)
    os.close(writing)
    return child, reading


def acknowledged_by(reading: int, before: int) -> int:
    """Reads what is left in the pipe of a writer that ended, and returns the last number it acknowledged."""
    with os.fdopen(reading, "rb") as pipe:
        whole = pipe.read().split(b"\n")[:-1]
    return max([before, *map(int, whole)])


def _acknowledge(writing: int, number: int) -> None:
    os.write(writing, f"{number}\n".encode())
