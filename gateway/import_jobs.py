"""Imports over REST: a file is received within bounds, read in the background, and its drafts go into a change."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from anyio import CancelScope, CapacityLimiter, to_thread

from gateway.errors import GatewayError, InvalidRequest, NotAllowed
from gateway.exporting import within
from gateway.importing import Imported, ImportOrder, Makes, import_rows
from store.catalog import load_catalog
from store.database import Database
from store.errors import Conflict, NotFound, StoreError, StoreUnavailable
from store.formats.bundle import Bundle
from store.formats.bundle_file import Writing, bundle_text, parse_bundle
from store.formats.reading import Rejects
from store.formats.strict_json import encode
from store.import_desk import ImportDesk
from store.people import SYSTEM, Actor, Role
from store.plain import to_plain
from store.repositories.imports import ImportState, StoredImport

MOST_DRAFTS = 1000
"""Prompts of one import: a person has to look at each."""
WAITING = 20
"""Imports that may wait for their turn."""
KEPT_S = 30 * 86400.0
"""Drafts and rejected rows that were not fetched."""
TIDIED_EVERY_S = 3600.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import is that runs."""

    rows: int = 0
    bytes_done: int = 0
    bytes_all: int = 0


@dataclass(frozen=True, slots=True)
class ImportJob:
    """An import as its page tells it."""

    stored: StoredImport
    progress: ImportProgress


@dataclass(frozen=True, slots=True)
class Prospect:
    """A document that an import would draft."""

    name: str
    title: str
    before: Mapping[str, Any] | None
    """As it is live; None for a new one."""
    after: Mapping[str, Any]


class Importing:
    """Takes files and reads them one after the other. Drafts are never live: they go into a change, or stay a file."""

    def __init__(self, database: Database, desk: ImportDesk, folder: Path, *, most_bytes: int) -> None:
        self._database = database
        self._desk = desk
        self._folder = folder
        self._most_bytes = most_bytes
        self._progress: dict[str, ImportProgress] = {}
        self._waiting: list[tuple[str, Actor, ImportOrder]] = []
        """The first is the one that runs."""
        self._receiving: set[str] = set()
        self._threads = CapacityLimiter(4)
        self._one = CapacityLimiter(1)

    async def take(self, actor: Actor, order: ImportOrder, body: AsyncIterator[bytes]) -> ImportJob:
        """Receives a file and puts it into the queue.

        Raises `NotAllowed` without the role in the area, `InvalidRequest` for too large a file, `Conflict` when too
        many wait, and what `require_draft` of the desk raises for the change that the order names.
        """
        _require_area(actor, order)
        if len(self._waiting) + len(self._receiving) >= WAITING:
            raise Conflict("too many imports wait for their turn. Send it again when some are done.")
        import_id = await to_thread.run_sync(self._begin, actor, order, limiter=self._threads)
        self._receiving.add(import_id)
        try:
            await self._receive(import_id, body)
            await to_thread.run_sync(self._desk.move, import_id, ImportState.WAITING, limiter=self._threads)
            self._waiting.append((import_id, actor, order))
        except BaseException:
            with CancelScope(shield=True):
                fail = partial(self._fail, actor, import_id, "the file did not arrive whole")
                await to_thread.run_sync(fail, limiter=self._threads)
            raise
        finally:
            self._receiving.discard(import_id)
        return await to_thread.run_sync(self.get, actor, import_id, limiter=self._threads)

    def get(self, actor: Actor, import_id: str) -> ImportJob:
        """Returns an import of the actor's own, or any to auditors and admins of no tenant. Raises `NotFound`."""
        stored = self._desk.get(import_id)
        if stored.person != actor.person and not _sees_all(actor):
            raise NotFound("there is no such import")
        return self._job(stored)

    def mine(self, actor: Actor, *, limit: int) -> tuple[ImportJob, ...]:
        """Returns the newest imports of the actor's own."""
        return tuple(map(self._job, self._desk.page(limit=limit, person=actor.person)))

    def all(self, actor: Actor, *, limit: int) -> tuple[ImportJob, ...]:
        """Returns the newest imports of everybody, to those who see all; to others, their own."""
        return tuple(map(self._job, self._desk.page(limit=limit, person=None if _sees_all(actor) else actor.person)))

    def adopt(self, actor: Actor, import_id: str, *, change: str | None) -> str:
        """Puts the drafts of a trial of the actor's own into a change, and returns its id.

        Raises `NotFound`, and what `ImportDesk.adopt` does.
        """
        stored = self.get(actor, import_id).stored
        if stored.person != actor.person:
            raise NotFound("there is no such import")
        name = stored.order.get("file")
        return self._desk.adopt(
            actor,
            import_id,
            self.drafts(actor, import_id),
            change=change,
            file=str(name) if name else None,
            replaces=stored.order.get("makes") == Makes.WHOLE,
        )

    def outlook(self, actor: Actor, import_id: str) -> tuple[Prospect, ...]:
        """Returns what an import would add and alter of what the actor may see, by name. Raises `NotFound`."""
        bundle, live = self.drafts(actor, import_id), within(load_catalog(self._database), actor).to_bundle()
        before: dict[str, Mapping[str, Any]] = {one.key: to_plain(one) for one in live.prompts}
        found = [Prospect(one.key, one.title, before.get(one.key), to_plain(one)) for one in bundle.prompts]
        found += [Prospect(name, str(one.get("title", name)), None, one) for name, one in bundle.suites.items()]
        return tuple(one for one in found if one.before != one.after)

    def drafts(self, actor: Actor, import_id: str) -> Bundle:
        """Returns the drafts of an import, none where it made none. Raises `NotFound` for no such import."""
        try:
            data = self.file(actor, import_id, "drafts").read_bytes()
        except NotFound:
            self.get(actor, import_id)
            return Bundle()
        return parse_bundle(data, Writing.JSON)

    def file(self, actor: Actor, import_id: str, kind: str) -> Path:
        """Returns where the drafts, the questions or the rejected rows of an import lie. Raises `NotFound`."""
        path = self._path(self.get(actor, import_id).stored.id, kind)
        if not path.is_file():
            raise NotFound("the import has no such file")
        return path

    async def follow(self) -> None:
        """Reads what was received, for ever, and tidies up at first and then every hour."""
        due_s = 0.0
        while True:
            if time.monotonic() >= due_s:
                await to_thread.run_sync(self._tidy_up, limiter=self._one)
                due_s = time.monotonic() + TIDIED_EVERY_S
            if not await self.run_next():
                await asyncio.sleep(0.2)

    async def run_next(self) -> bool:
        """Reads the next file, and says whether there was one."""
        if not self._waiting:
            return False
        import_id, actor, order = self._waiting[0]
        try:
            await to_thread.run_sync(partial(self._run, import_id, actor, order), limiter=self._one)
        finally:
            self._waiting.pop(0)
            self._progress.pop(import_id, None)
        return True

    def _job(self, stored: StoredImport) -> ImportJob:
        return ImportJob(stored, self._progress.get(stored.id, ImportProgress()))

    def _path(self, import_id: str, kind: str) -> Path:
        return self._folder / f"{import_id}.{kind}"

    def _begin(self, actor: Actor, order: ImportOrder) -> str:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"the folder of imports cannot be made: {error.strerror}") from error
        if order.change is not None:
            self._desk.require_draft(actor, order.change)
        area = order.drafts.area if order.drafts else None
        told: dict[str, Any] = {"format": order.format, "makes": order.makes.value, "area": area}
        told |= {"change": order.change, "file": order.file, **({"is_trial": True} if order.is_trial else {})}
        return self._desk.begin(actor, told).id

    async def _receive(self, import_id: str, body: AsyncIterator[bytes]) -> None:
        path, size = self._path(import_id, "rows"), 0
        try:
            with path.open("xb") as file:
                path.chmod(0o600)
                async for piece in body:
                    size += len(piece)
                    if size > self._most_bytes:
                        raise InvalidRequest(
                            "request_too_large", f"An import takes at most {self._most_bytes} bytes. Split the file."
                        )
                    await to_thread.run_sync(file.write, piece, limiter=self._threads)
        except OSError as error:
            raise StoreUnavailable(f"the file cannot be kept: {error.strerror}") from error
        if size == 0:
            raise InvalidRequest("validation_error", "The body is empty. Send the file as the body.")

    def _run(self, import_id: str, actor: Actor, order: ImportOrder) -> None:
        self._desk.move(import_id, ImportState.RUNNING)
        try:
            made = self._read(import_id, order)
            report = msgspec.to_builtins(made.report)
            self._desk.finish(
                actor,
                import_id,
                report,
                made.bundle,
                change=order.change,
                file=order.file,
                is_trial=order.is_trial,
                replaces=order.makes is Makes.WHOLE,
            )
        except (StoreError, GatewayError) as error:
            self._fail(actor, import_id, str(error))
        except Exception:
            _LOG.exception("import_failed")
            self._fail(actor, import_id, "the import failed; tell the operator its id")
            raise
        else:
            self._path(import_id, "rows").unlink(missing_ok=True)

    def _read(self, import_id: str, order: ImportOrder) -> Imported:
        def progress(rows: int, done: int, size: int) -> None:
            self._progress[import_id] = ImportProgress(rows, done, size)

        rejects = Rejects(self._path(import_id, "rejected"))
        asked = self._path(import_id, "questions")
        try:
            with asked.open("wb") as file:

                def ask(question: str, language: str) -> None:
                    file.write(encode({"message": question, "language": language}) + b"\n")

                made = import_rows(
                    self._path(import_id, "rows"), self._fresh(order), ask=ask, rejects=rejects, progress=progress
                )
        except OSError as error:
            raise StoreUnavailable(f"the drafts cannot be written: {error.strerror}") from error
        finally:
            rejects.close()
        if order.makes is not Makes.QUESTIONS:
            asked.unlink(missing_ok=True)
        if made.bundle != Bundle():
            self._path(import_id, "drafts").write_text(bundle_text(made.bundle, Writing.JSON), encoding="utf-8")
        return made

    def _fresh(self, order: ImportOrder) -> ImportOrder:
        """Returns the order with the keys that are live now: a draft replaces none of them."""
        if order.drafts is None:
            return order
        taken = frozenset(load_catalog(self._database).prompts)
        return replace(order, drafts=replace(order.drafts, most=MOST_DRAFTS, taken=taken))

    def _fail(self, actor: Actor, import_id: str, problem: str) -> None:
        self._desk.fail(actor, import_id, problem)
        self._path(import_id, "rows").unlink(missing_ok=True)

    def _tidy_up(self) -> None:
        """Tells what a stop or a lost database interrupted, and removes files that nobody fetched for a month."""
        begun = {one.id for one in self._desk.open_ones() if self._path(one.id, "rows").exists()}
        here = {*self._receiving, *(one for one, _, _ in self._waiting)}  # in the order in which imports move on
        for import_id in begun - here:
            self._fail(SYSTEM, import_id, "the gateway was stopped in the middle; send the file again")
        for path in self._folder.glob("*") if self._folder.is_dir() else ():
            if path.stem not in here and path.stat().st_mtime < time.time() - KEPT_S:
                path.unlink(missing_ok=True)


def _sees_all(actor: Actor) -> bool:
    return not actor.assistants and (actor.may(Role.AUDITOR) or actor.may(Role.ADMIN))


def _require_area(actor: Actor, order: ImportOrder) -> None:
    area = order.drafts.area if order.drafts else None
    if not (actor.may(Role.EDITOR, area) or actor.may(Role.ADMIN)):
        raise NotAllowed("insufficient_role", "Your roles do not allow drafts in this area.")
