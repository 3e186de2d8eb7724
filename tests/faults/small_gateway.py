"""A gateway that can be killed, on a real database, with people who publish, a clock that is set, and faults."""

import datetime as dt
import time
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import msgspec

from gateway.answer_cache import AnswerCache
from gateway.changing.scheduling import Schedule
from gateway.confirming import Confirmation
from gateway.decisions import DecisionLog
from gateway.faults import Faults
from gateway.faulty_parts import FaultyDecisions, FaultyEmbedder, FaultyMatchers, FaultyModel, put_in
from gateway.limit_settings import LimitSettings
from gateway.limits import Deadline, make_admission
from gateway.live import Live
from gateway.pipeline import ChatPipeline
from gateway.probes import content_report, database_report
from gateway.publisher import Publisher
from gateway.readiness import Readiness
from gateway.replica_settings import ReplicaSettings
from gateway.settings import DataSettings, RailSettings, Settings
from gateway.turn import Reply
from models.fakes import FakeEmbedder, FakeModel, prompt_text
from models.upstream.model import UpstreamModel
from rails.definition import NO_SERVICES
from store.audit import AuditTrail
from store.catalog import load_catalog, publish_bundle
from store.changes.desk import Desk
from store.changes.documents import hash_of
from store.changes.evidence import GateResult, GateRuns
from store.changes.publishing import PublishService
from store.changes.rebasing import RebaseService
from store.changes.reviewing import ReviewService
from store.changes.service import ChangeService
from store.changes.taking_back import TakeBackService
from store.changes.types import Change, Edit, EditKind, Item
from store.content import Assistant, CanonicalPrompt
from store.database import Database, open_database
from store.formats.bundle import Bundle
from store.repositories.decision_writer import DecisionWriter
from tests.building import ALARM, ASSISTANT, GROUNDED, POLICY, RESET, NearestMatchers, question
from tests.migrated import migrate_new
from tests.store.changes.change_world import ADA, BOB

UNCONFIRMED_S = 10.0
SUPERSEDED_S = 4.0
START = dt.datetime(2026, 11, 25, 9, 30, tzinfo=dt.UTC)
DEADLINE_S = 1.5
PROMPT = Item(EditKind.PROMPT, "it.reset")


@dataclass
class Clock:
    """The time of everything here but of deadlines."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now

    @property
    def date(self) -> dt.datetime:
        return START + dt.timedelta(seconds=self.now - 1000.0)


class Office:
    """Those who change what is published: on a connection of their own, as another process."""

    def __init__(self, url: str, clock: Clock) -> None:
        self.database = open_database(url)
        audit = AuditTrail(self.database, b"k" * 32)
        desk = Desk(self.database, audit, weakens=lambda *_: False, clock=lambda: clock.date)
        self.desk, self._runs = desk, GateRuns(self.database)
        self._changes = ChangeService(desk)
        rebasing = RebaseService(desk, self._changes)
        self._reviews = ReviewService(desk, self._runs)
        self.publishing = PublishService(desk, self._runs, unservable=lambda *_: (), still_holds=lambda *_: True)
        self._back = TakeBackService(desk, rebasing, self._reviews, self.publishing)
        self._clock = clock

    def approved(self, instruction: str) -> Change:
        """Returns a change, approved by a second person, after which the prompt says the instruction."""
        before = self.desk.live.documents([PROMPT])[PROMPT]
        reply = {**before["reply"], "prompt": instruction}
        edit = Edit(EditKind.PROMPT, "it.reset", {**before, "reply": reply}, hash_of(before))
        made = self._changes.create(ADA, "A change", note="because")
        made = self._changes.add_edits(ADA, made.id, (edit,), rev=made.rev)
        made = self._reviews.submit(ADA, made.id, rev=made.rev)
        with self.database.writing() as session:
            live, at = self.desk.live_revision(session), self._clock.date
            run = self._runs.start(made, live, ADA, at=at, session=session)
            self._runs.finish(run.id, GateResult(problems=()), at=at, session=session)
        return self._reviews.approve(BOB, made.id, rev=made.rev)

    def publish(self, instruction: str) -> Change:
        """Makes it live."""
        made = self.approved(instruction)
        return self.publishing.publish(BOB, made.id, rev=made.rev)

    def schedule(self, instruction: str, seconds: float) -> Change:
        """Has it go live after so long."""
        made = self.approved(instruction)
        at = self._clock.date + dt.timedelta(seconds=seconds)
        return self.publishing.schedule(BOB, made.id, at, rev=made.rev)

    def take_back(self, change: Change) -> Change:
        """Puts back what a change replaced."""
        return self._back.take_back(BOB, change.id, rev=self.desk.changes.get(change.id).rev)

    def publish_due(self) -> None:
        """Does what a gateway does each second for changes whose time may have come."""
        anyio.run(Schedule(self.publishing).publish_due)


class Gateway:
    """One life of a process that serves."""

    def __init__(self, settings: Settings, folder: Path, town: "Town") -> None:
        clock, faults = town.clock, town.faults
        self.database: Database = open_database(settings.database_url)
        try:
            put_in(self.database, faults)
            embedder = FaultyEmbedder(FakeEmbedder(), faults)
            index = folder / "index"
            matchers = FaultyMatchers(NearestMatchers(embedder, index), faults, index)
            self.publisher = Publisher(settings, self.database, matchers, NO_SERVICES, faults=faults, clock=clock)
            confirmation = Confirmation(settings.replicas, clock)
            self.live = Live(self.publisher.load(), confirmation)
        except BaseException:
            self.database.close()
            raise
        self.writer = DecisionWriter(self.database)
        self.log = DecisionLog(FaultyDecisions(self.writer, faults), within_s=town.within_s)
        self.pipeline = ChatPipeline(
            live=self.live,
            model=FaultyModel(town.model, faults),
            decisions=self.log,
            admission=make_admission(LimitSettings(), model_places=8, model_waiting=8),
            answers=AnswerCache(entries=100, max_bytes=10**6, clock=clock),
            match_s=settings.limits.match_s,
            output_rails_s=settings.rails.stage_s,
            model_places=8,
            faults=faults,
        )
        self.readiness = Readiness(
            {
                "database": lambda: database_report(self.database),
                "content": lambda: content_report(self.live, self.database, self.publisher),
            }
        )

    def look(self) -> None:
        """Does what a gateway does each second, and at each signal, to serve what is published."""
        while anyio.run(self.publisher._publish, self.live):
            pass

    def ask(self, text: str) -> Reply:
        """Asks as a client does."""
        return anyio.run(self.pipeline.answer, question(text, deadline=Deadline.after(DEADLINE_S)))

    def die(self) -> None:
        """Ends as by a kill: what it holds in memory is lost."""
        self.writer.close()
        self.database.close()


@dataclass
class Town:
    """The office, the gateway and everything that can break."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    faults: Faults = field(default_factory=Faults)
    model: FakeModel | UpstreamModel = field(default_factory=lambda: FakeModel(answer=GROUNDED))
    url: str = ""
    """The database; a SQLite file in the folder when it is empty."""
    way: str = ""
    """How the gateway comes to it, where that is another way."""
    within_s: float = 5.0
    """How long an answer waits for its decision to be kept."""
    rails: RailSettings = field(default_factory=lambda: RailSettings(rail_s=0.4, stage_s=0.8))
    gateway: Gateway | None = None

    def __post_init__(self) -> None:
        self.settings = Settings(
            data=DataSettings(directory=str(self.folder / "data"), database_url=self.way or self.url),
            rails=self.rails,
            limits=LimitSettings(match_s=0.4),
            replicas=ReplicaSettings(unconfirmed_s=UNCONFIRMED_S, superseded_s=SUPERSEDED_S),
        )
        url = self.url or self.settings.database_url
        migrate_new(url)
        self.office = Office(url, self.clock)
        prompts = tuple(msgspec.convert(one, CanonicalPrompt) for one in (RESET, ALARM))
        bundle = Bundle(prompts, (msgspec.convert(ASSISTANT, Assistant),), {"desk": POLICY})
        publish_bundle(self.office.database, bundle, author="tests")
        self.start()

    def start(self) -> None:
        """Starts the gateway anew. Raises what keeps it from starting; none runs then."""
        self.kill()
        self.gateway = Gateway(self.settings, self.folder, self)

    def kill(self) -> None:
        """Ends the gateway as it stands."""
        gone, self.gateway = self.gateway, None
        if gone is not None:
            gone.die()

    def close(self) -> None:
        """Ends everything."""
        self.faults.disarm()
        self.kill()
        self.office.database.close()

    def asked_of_model(self) -> list[str]:
        """Returns what the model got since the last call."""
        texts = [prompt_text(one) for one in self.model.prompts]
        self.model.prompts.clear()
        return texts

    def published(self) -> tuple[int, str]:
        """Returns the revision and the instruction that the database has."""
        catalog = load_catalog(self.office.database)
        return catalog.revision, catalog.prompts["it.reset"].content.reply.prompt  # type: ignore[union-attr]

    def kept(self) -> dict[str, tuple[str, int]]:
        """Returns the outcome and the revision of every decision in the database."""
        with self.office.database.reading() as session:
            rows = session.connection().exec_driver_sql("SELECT id, outcome, store_revision FROM decisions").all()
        return {str(row[0]): (str(row[1]), int(row[2])) for row in rows}

    def settled(self) -> bool:
        """Waits until every decision is in the database; whether that came."""
        until_s = time.monotonic() + 10
        while self.gateway is not None and self.gateway.log.waiting and time.monotonic() < until_s:
            time.sleep(0.02)
        return self.gateway is not None and not self.gateway.log.waiting
