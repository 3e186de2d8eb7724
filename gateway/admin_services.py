"""Makes the services of the admin surface from their parts; `bootstrap.py` says when."""

from functools import partial

from gateway.access.passwords import Passwords
from gateway.access.sealing import Seals
from gateway.access.services import Access, access_of
from gateway.administration import Administration
from gateway.analysing import Analysing
from gateway.auditing import Auditing
from gateway.beginning import Beginning, example_folder
from gateway.changing.live_suites import LiveSuites
from gateway.changing.rehearsing import Rehearsing
from gateway.changing.scheduling import Schedule
from gateway.changing.services import Changing
from gateway.checkpointing import Checkpointing
from gateway.credentials import KeyRing, load_pepper, load_secret
from gateway.decision_archive import DecisionArchive
from gateway.feedback import FeedbackDesk
from gateway.http.admin.key_authenticator import KeyAuthenticator
from gateway.http.admin.session_authenticator import CredentialAuthenticator, SessionAuthenticator
from gateway.http.client_address import count_unknown
from gateway.http.cookies import Cookies
from gateway.import_jobs import Importing
from gateway.key_files import ACCESS_KEY, AUDIT_KEY, CHECKPOINT_KEY, PEPPER
from gateway.limits import Admission
from gateway.live import Live
from gateway.open_work import OpenWork
from gateway.presence import PresenceDesk
from gateway.privacy import Privacy
from gateway.proxies import TrustedProxies
from gateway.reviewing.making import Review
from gateway.settings import Settings
from gateway.widget.clients import WidgetClientService
from gateway.widget.purging import VisitPurger
from gateway.widget.services import Widget, widget_of
from rails.definition import RailServices
from rails.redaction import redact
from store.audit import AuditTrail
from store.content import KeepsText
from store.database import Database
from store.import_desk import ImportDesk
from store.proof.checkpoints import CheckpointFile
from store.proof.signing import Signer
from store.purging import DecisionPurger, FeedbackPurger, Purging
from store.repositories.decisions import Decisions
from store.repositories.feedback import FeedbackStore
from store.repositories.keys import Keys
from store.repositories.presences import Presences
from store.repositories.users import Users
from store.repositories.widget_sessions import WidgetSessions
from store.repositories.widget_turns import WidgetTurns
from store.review.purging import QuestionPurger


def administration_of(
    database: Database,
    keys: KeyRing,
    privacy: Privacy,
    auditing: Auditing,
    review: Review,
    *,
    admission: Admission,
    changing: Changing,
    rehearsing: Rehearsing,
    suites: LiveSuites,
    live: Live,
    widget: Widget,
    services: RailServices,
    settings: Settings,
) -> Administration:
    """Makes the services of the admin surface."""
    importing = Importing(
        database,
        ImportDesk(database, auditing.trail, changing.queue),
        settings.data_directory / "imports",
        most_bytes=settings.limits.import_mib * 1024 * 1024,
    )
    archive = DecisionArchive(database, auditing.trail)
    access = access_from(settings, database, auditing.trail, keys)
    by_key = KeyAuthenticator(keys, Users(database).get, partial(count_unknown, admission, access.proxies))
    sessions = SessionAuthenticator(access.keeper, access.profiles, Cookies(is_plain=access.has_plain_cookies))
    feedback = FeedbackDesk(database, auditing.trail, privacy, lambda name: kept_of(live, name), review.recorder)
    return Administration(
        database=database,
        audit=auditing.trail,
        authenticator=CredentialAuthenticator(sessions, by_key),
        auditing=auditing,
        archive=archive,
        purging=purging_of(database, auditing.trail, privacy),
        reviewing=review.reviewing,
        suggesting=review.suggesting,
        access=access,
        feedback=feedback,
        importing=importing,
        changing=changing,
        rehearsing=rehearsing,
        suites=suites,
        presence=PresenceDesk(Presences(database), changing.contents, access.users, now=access.now),
        analysing=Analysing(database, live),
        open_work=OpenWork(changing, review.reviewing, feedback, now=access.now),
        widgets=WidgetClientService(
            database,
            auditing.trail,
            seals_of(settings),
            live=lambda: live.current.catalog.assistants,
            changed=widget.book.forget,
        ),
        beginning=Beginning(database, auditing.trail, services, example=example_folder()),
        background=(
            auditing.checkpointing.follow,
            access.keys.note_uses,
            access.repeats.forget,
            importing.follow,
            changing.gate.follow,
        ),
        once=(archive.follow, Schedule(changing.publishing).follow),
    )


def access_from(settings: Settings, database: Database, audit: AuditTrail, keys: KeyRing) -> Access:
    """Makes the services behind sign-in, people and keys, with their key, which is made at the first call."""
    return access_of(
        database,
        audit,
        keys,
        access_key=load_secret(settings.data_directory / ACCESS_KEY),
        pepper=load_pepper(settings.data_directory / PEPPER),
        settings=settings.access,
        oidc=settings.oidc,
        passwords=Passwords(),
        proxies=TrustedProxies(settings.server.trusted_proxies),
    )


def seals_of(settings: Settings) -> Seals:
    """Makes what seals what must be read again, with the key that is made at the first call."""
    return Seals(load_secret(settings.data_directory / ACCESS_KEY))


def widget_from(settings: Settings, database: Database, privacy: Privacy) -> Widget:
    """Makes the widget's services."""
    return widget_of(
        database,
        seals_of(settings),
        privacy.pseudonym,
        own_origins=frozenset(settings.server.origins),
        proxies=TrustedProxies(settings.server.trusted_proxies),
    )


def key_ring_of(settings: Settings, keys: Keys) -> KeyRing:
    """Makes what knows API keys, with the rates of the settings."""
    return KeyRing(
        keys,
        load_pepper(settings.data_directory / PEPPER),
        requests_per_minute=settings.limits.requests_per_minute,
        rate_classes=settings.limits.rate_classes,
    )


def keeps_words(live: Live, name: str) -> bool:
    """Whether an assistant keeps what people say: its questions are then kept for review, redacted."""
    return kept_of(live, name) is not KeepsText.OFF


def kept_of(live: Live, name: str) -> KeepsText:
    """Returns what an assistant keeps of words; one that is not live keeps none."""
    assistant = live.current.catalog.assistants.get(name)
    return KeepsText.OFF if assistant is None else assistant.keeps_text


def privacy_of(settings: Settings) -> Privacy:
    """Makes what decides how a person is known, with the rails' masks."""
    return Privacy(load_pepper(settings.data_directory / PEPPER), redact)


def purging_of(database: Database, trail: AuditTrail, privacy: Privacy) -> Purging:
    """Makes the purge over every part that keeps something of people; a new part is named here."""
    return Purging(
        database,
        trail,
        privacy.pseudonym,
        (
            FeedbackPurger(FeedbackStore(database)),
            QuestionPurger(database),
            VisitPurger(WidgetSessions(database), WidgetTurns(database)),
            DecisionPurger(Decisions(database)),
        ),
    )


def auditing_of(settings: Settings, database: Database) -> Auditing:
    """Makes the audit trail, with its keys, which are made at the first call."""
    key = load_secret(settings.data_directory / AUDIT_KEY)
    signer = Signer(load_secret(settings.data_directory / CHECKPOINT_KEY))
    checkpointing = Checkpointing(database, key, signer, CheckpointFile(settings.checkpoint_file))
    return Auditing(AuditTrail(database, key), checkpointing)
