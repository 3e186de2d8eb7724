"""Publishing changes: the one way of an edit to people, at once or at a time, each as one new revision."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from store.catalog import Catalog, load_catalog, publish_onto
from store.changes.desk import WITHOUT_APPROVAL, Desk, Opened
from store.changes.documents import bundle_of, removed_by
from store.changes.evidence import GateRuns
from store.changes.rules import Action, refusal_when_due, require
from store.changes.telling import for_every_reader
from store.changes.types import Change, ChangeState, EventKind, Item
from store.errors import Conflict, InvalidContent, StoreError, StoreUnavailable
from store.people import SYSTEM, Actor
from store.publish_plan import PublishReport
from store.repositories.revisions import Published

Unservable = Callable[[Catalog, Catalog], tuple[str, ...]]
"""What keeps a gateway from serving the second catalog in place of the first, in words; empty when nothing does."""
StillHolds = Callable[[str, Opened], bool]
"""Whether a person still has the approver's role wherever the change reaches."""


_LATEST = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)
"""Later ones may lead out of the calendar in another zone."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How a change goes live."""

    action: Action
    actor: Actor
    reason: str = ""
    is_due: bool = False

    @property
    def is_emergency(self) -> bool:
        return self.action is Action.EMERGENCY

    @property
    def is_unapproved(self) -> bool:
        """Whether neither approval nor evidence is asked for: what could not be served is found out all the same."""
        return self.action in (Action.EMERGENCY, Action.TAKE_BACK)


class PublishService:
    """Makes changes live, all of a change in one transaction with its state and its audit row, or nothing."""

    def __init__(self, desk: Desk, runs: GateRuns, *, unservable: Unservable, still_holds: StillHolds) -> None:
        self._desk = desk
        self._runs = runs
        self._unservable = unservable
        self._still_holds = still_holds

    def publish(self, actor: Actor, change_id: UUID, *, rev: int) -> Change:
        """Makes an approved change live now.

        Raises `Conflict` when it is not what was approved, the evidence is missing or old, or what is live has moved;
        `Refused`, `NotFound`.
        """
        return self._publish(_Way(Action.PUBLISH, actor), self._desk.open(actor, change_id), rev)

    def publish_in_emergency(self, actor: Actor, change_id: UUID, reason: str, *, rev: int) -> Change:
        """Makes somebody else's change live without approval and evidence: an admin alone, flagged for good.

        Raises `InvalidContent` for what could not be served, `Conflict` when what is live has moved, `Refused`.
        """
        return self._publish(_Way(Action.EMERGENCY, actor, reason), self._desk.open(actor, change_id), rev)

    def publish_inverse(self, actor: Actor, opened: Opened, *, rev: int) -> Change:
        """Makes live what takes another change back, as it was made at `rev`; the caller judged whether that may be.

        Raises `InvalidContent` for what could not be served, `Conflict` when somebody wrote it since, or what is live
        has moved.
        """
        return self._publish(_Way(Action.TAKE_BACK, actor), opened, rev)

    def schedule(self, actor: Actor, change_id: UUID, at: dt.datetime, *, rev: int) -> Change:
        """Has an approved change published at a time; everything is checked again then. Raises as `publish` does."""
        desk = self._desk
        if at.tzinfo is None or at <= desk.clock() or at > _LATEST:
            raise InvalidContent("publish_at: a time to come, with its zone, such as 2027-01-31T08:00:00Z.")
        with desk.database.writing() as session:
            seen, state = desk.judge(Action.SCHEDULE, actor, change_id, rev, session)
            if not seen.change.is_approved:
                raise Conflict("the change is not what was approved. Have it approved again.", rule="approve_again")
            desk.require_unmoved(seen.change, session)
            values = {"state": state, "publish_at": at, "scheduled_by": actor.person, "schedule_problem": ""}
            details = {"publish_at": at.astimezone(dt.UTC).isoformat()}
            desk.write(actor, seen.change, EventKind.SCHEDULED, values, session, details=details)
            return desk.changes.get(change_id, session)

    def unschedule(self, actor: Actor, change_id: UUID, *, rev: int) -> Change:
        """Takes the time away; the change stays approved. Raises `Conflict`, `Refused`, `NotFound`."""
        desk = self._desk
        with desk.database.writing() as session:
            seen, state = desk.judge(Action.UNSCHEDULE, actor, change_id, rev, session)
            if seen.change.publish_at is None:
                raise Conflict("the change has no time to go live at.")
            values = {"state": state, "publish_at": None, "scheduled_by": None, "schedule_problem": ""}
            desk.write(actor, seen.change, EventKind.UNSCHEDULED, values, session)
            return desk.changes.get(change_id, session)

    def due(self) -> tuple[Change, ...]:
        """Returns the changes whose time has come, the earliest first."""
        return tuple(self._desk.changes.get(one) for one in self._desk.changes.due(self._desk.clock()))

    def publish_due(self, change: Change) -> Change:
        """Publishes a change whose time has come, as it was when it was found to be due.

        One that may not go live any more loses its time and says why; it stays approved. Raises `Conflict` when
        another process was faster, or somebody wrote it meanwhile: nothing is to be done then; `StoreUnavailable` when
        the database does not answer: it keeps its time.
        """
        desk = self._desk
        opened = desk.open(SYSTEM, change.id)
        if opened.change.rev != change.rev:
            raise Conflict("somebody wrote this change meanwhile.", rule="change_moved")
        try:
            return self._publish(_Way(Action.PUBLISH, SYSTEM, is_due=True), opened, change.rev)
        except StoreUnavailable:
            raise
        except StoreError as error:
            if desk.changes.get(change.id).rev != change.rev:
                raise Conflict("another process published this change, or somebody wrote it meanwhile.") from error
            told = for_every_reader(change, error) if isinstance(error, InvalidContent) else error
            return self.give_up(change, str(told))

    def give_up(self, change: Change, problem: str) -> Change:
        """Takes the time of a due change away and tells why; it stays approved. Raises `Conflict`."""
        desk = self._desk
        with desk.database.writing() as session:
            values = {"publish_at": None, "scheduled_by": None, "schedule_problem": problem}
            desk.write(SYSTEM, change, EventKind.SCHEDULE_FAILED, values, session, text=problem)
            return desk.changes.get(change.id, session)

    def _publish(self, way: _Way, opened: Opened, rev: int) -> Change:
        try:
            return self._make_live(way, opened, rev)
        except InvalidContent as error:
            raise self._desk.telling.refusal(way.actor, opened.change, error, opened.ground) from error

    def _make_live(self, way: _Way, opened: Opened, rev: int) -> Change:
        desk, change = self._desk, opened.change
        self._require(way, opened)
        if change.rev != rev:
            raise Conflict(
                f"somebody wrote this change meanwhile: it is at {change.rev}, and {rev} was read.",
                found={"rev": change.rev, "state": change.state.value},
            )
        live = load_catalog(desk.database)
        desk.require_unmoved(change)
        if not way.is_unapproved:
            self._runs.require_passed(change, live.revision)
        bundle, removed = bundle_of(change.edits), removed_by(change.edits)
        if way.is_unapproved and (problems := self._unservable(live, live.after(bundle, removed=removed))):
            raise InvalidContent("\n".join(problems))
        said = Published(
            author=", ".join(sorted(change.authors)),
            note=change.title,
            change=change.id,
            is_emergency=way.is_emergency,
        )

        after: list[Change] = []

        def join(session: Session, report: PublishReport) -> None:
            self._go_live(way, change, report, session)
            after.append(desk.changes.get(change.id, session))

        publish_onto(desk.database, live, bundle, said, removed=removed, joined=join)
        return after[0]  # read before the commit: nothing may fail after it

    def _require(self, way: _Way, opened: Opened) -> None:
        change = opened.change
        if way.action is Action.TAKE_BACK:
            return  # judged by the change that it takes back
        if not way.is_due:
            require(way.action, way.actor, change, opened.touched, reason=way.reason)
        elif refusal := refusal_when_due(change):
            raise refusal
        elif not all(self._still_holds(one or "", opened) for one in (change.approved_by, change.scheduled_by)):
            raise Conflict("whoever approved it, or set its time, is no longer an approver there.")
        if not way.is_emergency and not change.is_approved:
            raise Conflict("the change is not what was approved. Have it approved again.", rule="approve_again")

    def _go_live(self, way: _Way, change: Change, report: PublishReport, session: Session) -> None:
        """Writes what belongs to the publish in its transaction, which a refusal here undoes."""
        desk = self._desk
        if not report.has_changes:
            raise Conflict("everything in this change is live already. Withdraw it.", rule="live_already")
        values = {
            "state": ChangeState.LIVE,
            "published_at": desk.clock(),
            "published_by": change.scheduled_by if way.is_due else way.actor.person,
            "published_revision": report.revision,
            "is_emergency": way.is_emergency,
            "schedule_problem": "",
        }
        if way.is_unapproved:
            values |= WITHOUT_APPROVAL
        details = {
            "revision": report.revision,
            "authors": sorted(change.authors),
            "approved_by": None if way.is_unapproved else change.approved_by,
            "scheduled_by": change.scheduled_by if way.is_due else None,
            "is_emergency": way.is_emergency,
            **({"reverts": str(change.reverts)} if change.reverts else {}),
            **({"reason": way.reason.strip()} if way.reason else {}),
        }
        desk.write(way.actor, change, EventKind.PUBLISHED, values, session, text=way.reason, details=details)
        if not way.is_unapproved:
            self._runs.require_passed(change, report.revision - 1, session)
        # The documents themselves, once more: neither the approval nor this publish is of any other content.
        if desk.changes.content_hash(change.id, session) != change.content_hash:
            raise Conflict("the change's documents are not those that its hash was made of. Restore a backup.")
        self._supersede(change, report.revision, session)

    def _supersede(self, change: Change, revision: int, session: Session) -> None:
        """Marks the live changes of which nothing is live any more, now that this one is."""
        desk = self._desk
        older = {
            one: items for one, (at, items) in desk.changes.live_with(change.items, session).items() if at < revision
        }
        others = {item for items in older.values() for item in items}
        newest = dict.fromkeys(others, 0) | self._newest(others, session)
        for one, items in older.items():
            old = desk.changes.get(one, session)
            if all(newest[item] > (old.published_revision or 0) for item in items):
                details = {"by": str(change.id), "revision": revision}
                desk.write(
                    SYSTEM, old, EventKind.SUPERSEDED, {"state": ChangeState.SUPERSEDED}, session, details=details
                )

    def _newest(self, items: set[Item], session: Session) -> dict[Item, int]:
        """Returns the revision of the newest live change of each item."""
        newest: dict[Item, int] = {}
        for revision, touched in self._desk.changes.live_with(items, session).values():
            for item in touched & items:
                newest[item] = max(newest.get(item, 0), revision)
        return newest
