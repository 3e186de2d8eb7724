"""Makes the services of changes, with the real gate behind them, and what asks drafts."""

from gateway.changing.evidence import Proving, Trials
from gateway.changing.gate import ChangeGate
from gateway.changing.judgements import still_holds_of, unservable_of, weakens
from gateway.changing.rehearsing import Rehearsing, TriedCandidates
from gateway.changing.servable import Servable
from gateway.changing.services import Changing, changing_of
from gateway.limits import Admission
from gateway.live import Live
from gateway.settings import Settings
from models.ports import Embedder, LanguageModel
from rails.definition import RailServices
from rails.sandbox import SANDBOX
from store.audit import AuditTrail
from store.changes.desk import Desk
from store.changes.evidence import GateRuns
from store.database import Database
from store.repositories.users import Users


def make_changing(
    settings: Settings,
    database: Database,
    audit: AuditTrail,
    *,
    live: Live,
    trials: Trials,
    services: RailServices,
    embedder: Embedder,
    model: LanguageModel,
) -> Changing:
    """Returns the services. Their gate has a thread from its first run on: close it at the end."""

    def gate_of(desk: Desk, runs: GateRuns) -> ChangeGate:
        servable = Servable(settings, services, embedder, SANDBOX)
        return ChangeGate(desk, runs, Proving(servable, trials, model, embedder), live)

    return changing_of(
        database,
        audit,
        weakens=weakens,
        unservable=unservable_of(settings, services, embedder),
        still_holds=still_holds_of(Users(database)),
        gate_of=gate_of,
    )


def make_rehearsing(
    settings: Settings,
    database: Database,
    changing: Changing,
    *,
    live: Live,
    trials: Trials,
    services: RailServices,
    embedder: Embedder,
    model: LanguageModel,
    admission: Admission,
) -> Rehearsing:
    """Returns what asks drafts. It has a thread from the first one on: close it at the end."""
    candidates = TriedCandidates(Servable(settings, services, embedder, SANDBOX), trials)
    return Rehearsing(database, changing.views, candidates, live, model, admission=admission, settings=settings)
