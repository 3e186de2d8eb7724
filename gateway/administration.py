"""The services of the admin surface, as one value; `bootstrap.py` makes the real ones."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.access.services import Access
from gateway.analysing import Analysing
from gateway.auditing import Auditing
from gateway.beginning import Beginning
from gateway.changing.live_suites import LiveSuites
from gateway.changing.rehearsing import Rehearsing
from gateway.changing.services import Changing
from gateway.decision_archive import DecisionArchive
from gateway.feedback import FeedbackDesk
from gateway.http.admin.guard import Authenticator
from gateway.import_jobs import Importing
from gateway.open_work import OpenWork
from gateway.presence import PresenceDesk
from gateway.reviewing.service import Reviewing
from gateway.suggesting.service import Suggesting
from gateway.widget.clients import WidgetClientService
from store.audit import AuditTrail
from store.database import Database
from store.purging import Purging


@dataclass(frozen=True, slots=True)
class Administration:
    """Everything that admin routes call. A rule lives in one of these and in no handler."""

    database: Database
    audit: AuditTrail
    authenticator: Authenticator
    auditing: Auditing
    archive: DecisionArchive
    purging: Purging
    access: Access
    reviewing: Reviewing
    suggesting: Suggesting
    feedback: FeedbackDesk
    importing: Importing
    changing: Changing
    rehearsing: Rehearsing
    suites: LiveSuites
    presence: PresenceDesk
    analysing: Analysing
    open_work: OpenWork
    widgets: WidgetClientService
    beginning: Beginning
    background: tuple[Callable[[], Awaitable[None]], ...] = ()
    """What runs as long as the gateway serves; one that breaks off is begun again."""
    once: tuple[Callable[[], Awaitable[None]], ...] = ()
    """What one of several gateways on a database does for all."""
