"""Keeps account of imports, and puts their drafts into a change in the transaction that ends them."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import msgspec
from sqlalchemy.orm import Session

from store.audit import AuditTrail
from store.changes.documents import hash_of
from store.database import Database
from store.errors import Conflict, InvalidContent, NotFound, Refused
from store.formats.bundle import Bundle
from store.people import Actor
from store.plain import to_plain
from store.repositories.imports import Imports, ImportState, StoredImport
from store.review.drafts import Drafts, Edit, EditKind

_TOLD = ("rows", "rejected", "made", "joined", "duplicates")
"""Figures of a report that the audit trail has too."""


class ImportDesk:
    """The imports and their states. All methods block."""

    def __init__(self, database: Database, audit: AuditTrail, drafts: Drafts) -> None:
        self._database = database
        self._audit = audit
        self._drafts = drafts
        self._imports = Imports(database)

    def begin(self, actor: Actor, order: Mapping[str, Any]) -> StoredImport:
        """Stores a new import, whose file is about to come."""
        stored = StoredImport(
            id=str(uuid4()),
            created_at=dt.datetime.now(dt.UTC),
            ended_at=None,
            actor=actor.id,
            person=actor.person,
            state=ImportState.RECEIVING,
            order=order,
            report=None,
            problem="",
            change=None,
        )
        with self._database.writing() as session:
            self._imports.add(stored, session=session)
            # The name of a file is somebody's words, and the trail keeps for ever.
            told = {name: value for name, value in order.items() if name != "file"}
            self._audit.append(actor, "import.started", f"import {stored.id}", told, session=session)
        return stored

    def get(self, import_id: str) -> StoredImport:
        """Returns one import. Raises `NotFound`."""
        return self._imports.get(import_id)

    def open_ones(self) -> tuple[StoredImport, ...]:
        """Returns the imports that have not ended."""
        return self._imports.open_ones()

    def move(self, import_id: str, state: ImportState) -> None:
        """Brings an import on its way."""
        with self._database.writing() as session:
            self._imports.move(import_id, state, session=session)

    def fail(self, actor: Actor, import_id: str, problem: str) -> None:
        """Ends an import that made nothing."""
        with self._database.writing() as session:
            ended = dt.datetime.now(dt.UTC)
            self._imports.move(import_id, ImportState.FAILED, session=session, problem=problem, ended_at=ended)
            self._audit.append(actor, "import.failed", f"import {import_id}", session=session)

    def require_draft(self, actor: Actor, change: str) -> None:
        """Raises `NotFound`, `Conflict` or `Refused` for a change that takes no drafts of the actor."""
        with self._database.writing() as session:
            self._drafts.open_change(actor, change, purpose=purpose_of(None), session=session)

    def finish(
        self,
        actor: Actor,
        import_id: str,
        report: Mapping[str, Any],
        bundle: Bundle,
        *,
        change: str | None = None,
        file: str | None = None,
        is_trial: bool = False,
        replaces: bool = False,
    ) -> None:
        """Ends an import: its drafts are in the change, or the problem says why they are not.

        Without a change they go into one that was made for files of that name. Those of a trial wait for `adopt`.
        Only with `replaces` they may be of what is live.
        """
        try:
            with self._database.writing() as session:
                if not is_trial:
                    change = self._put_into_change(actor, bundle, change, purpose_of(file), session, replaces=replaces)
                self._end(actor, import_id, report, session=session, change=change)
        except (Conflict, InvalidContent, NotFound, Refused) as error:
            problem = f"Nothing was put into a change: {error} The drafts are there to be fetched."
            with self._database.writing() as session:
                self._end(actor, import_id, report, session=session, problem=problem)

    def adopt(
        self,
        actor: Actor,
        import_id: str,
        bundle: Bundle,
        *,
        change: str | None,
        file: str | None,
        replaces: bool = False,
    ) -> str:
        """Puts the drafts of a trial into a change, as `finish` does without one; returns the change.

        Raises `Conflict` when they are in one already, or there is something of their names by now; what `open_change`
        of the drafts raises; `InvalidContent` when there are none.
        """
        with self._database.writing() as session:
            stored = self._imports.held(import_id, session=session)
            if stored.state is not ImportState.DONE or stored.change is not None:
                raise Conflict(
                    "the drafts of this import are in a change already, or not there yet.", rule="drafted_already"
                )
            made = self._put_into_change(actor, bundle, change, purpose_of(file), session, replaces=replaces)
            if made is None:
                raise InvalidContent("there is nothing in this import that could be drafted. Send another file.")
            self._imports.move(import_id, ImportState.DONE, session=session, change=made)
            self._audit.append(actor, "import.drafted", f"import {import_id}", {"change": made}, session=session)
        return made

    def page(self, *, limit: int, person: str | None = None) -> tuple[StoredImport, ...]:
        """Returns the newest imports, of one person or of all."""
        return self._imports.page(limit=limit, person=person)

    def _end(
        self,
        actor: Actor,
        import_id: str,
        report: Mapping[str, Any],
        *,
        session: Session,
        change: str | None = None,
        problem: str = "",
    ) -> None:
        ended = dt.datetime.now(dt.UTC)
        values = {"report": dict(report), "change": change, "problem": problem, "ended_at": ended}
        self._imports.move(import_id, ImportState.DONE, session=session, **values)
        details = {name: report[name] for name in _TOLD} | {"change": change}
        self._audit.append(actor, "import.finished", f"import {import_id}", details, session=session)

    def _put_into_change(
        self, actor: Actor, bundle: Bundle, named: str | None, purpose: str, session: Session, *, replaces: bool
    ) -> str | None:
        edits = [Edit(EditKind.PROMPT, one.key, msgspec.to_builtins(to_plain(one))) for one in bundle.prompts]
        edits += [Edit(EditKind.SUITE, name, document) for name, document in bundle.suites.items()]
        edits = [one for edit in edits if (one := self._over_live(actor, edit, session, replaces=replaces))]
        if not edits:
            return None
        change = self._drafts.open_change(actor, named, purpose=purpose, session=session)
        for edit in edits:
            if self._drafts.in_change(change, edit.kind, edit.name, session=session):
                raise Conflict(f"the change has a {edit.kind.value} of the name {edit.name} already.")
        self._drafts.add_edits(actor, change, edits, session=session)
        return change

    def _over_live(self, actor: Actor, edit: Edit, session: Session, *, replaces: bool) -> Edit | None:
        """Returns the edit over what is live of its name; None where that says the same already."""
        there = self._drafts.live(actor, edit.kind, edit.name, session=session)
        if there is None:
            return edit
        if not replaces:
            raise Conflict(f"there is a {edit.kind.value} of the name {edit.name} by now.")
        return None if hash_of(edit.document) == there.base else replace(edit, base=there.base)


def purpose_of(file: str | None) -> str:
    """Returns what the draft is made for that takes the documents of a file, which is its title too."""
    return f"Import of {file}" if file else "Import of a file without a name"
