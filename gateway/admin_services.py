"""Makes the services of the admin surface from their parts; `bootstrap.py` says when."""

from gateway.administration import Administration
from gateway.auditing import Auditing
from gateway.checkpointing import Checkpointing
from gateway.credentials import KeyRing, load_pepper, load_secret
from gateway.decision_archive import DecisionArchive
from gateway.http.admin.key_authenticator import KeyAuthenticator
from gateway.live import Live
from gateway.privacy import Privacy
from gateway.reviewing.making import Review
from gateway.settings import Settings
from rails.redaction import redact
from store.audit import AuditTrail
from store.content import KeepsText
from store.database import Database
from store.proof.checkpoints import CheckpointFile
from store.proof.signing import Signer
from store.purging import DecisionPurger, Purging
from store.repositories.decisions import Decisions


def administration_of(
    database: Database, keys: KeyRing, privacy: Privacy, auditing: Auditing, review: Review
) -> Administration:
    """Makes the services of the admin surface."""
    archive = DecisionArchive(database, auditing.trail)
    return Administration(
        database=database,
        audit=auditing.trail,
        authenticator=KeyAuthenticator(keys),
        auditing=auditing,
        archive=archive,
        purging=purging_of(database, auditing.trail, privacy),
        reviewing=review.reviewing,
        suggesting=review.suggesting,
        background=(auditing.checkpointing.follow, archive.follow),
    )


def keeps_words(live: Live, name: str) -> bool:
    """Whether an assistant keeps what people say: its questions are then kept for review, redacted."""
    assistant = live.current.catalog.assistants.get(name)
    return assistant is not None and assistant.keeps_text is not KeepsText.OFF


def privacy_of(settings: Settings) -> Privacy:
    """Makes what decides how a person is known, with the rails' masks."""
    return Privacy(load_pepper(settings.data_directory / "pepper"), redact)


def purging_of(database: Database, trail: AuditTrail, privacy: Privacy) -> Purging:
    """Makes the purge over every part that keeps something of people; a new part is named here."""
    return Purging(database, trail, privacy.pseudonym, (DecisionPurger(Decisions(database)),))


def auditing_of(settings: Settings, database: Database) -> Auditing:
    """Makes the audit trail, with its keys, which are made at the first call."""
    key = load_secret(settings.data_directory / "audit-key")
    signer = Signer(load_secret(settings.data_directory / "checkpoint-key"))
    checkpointing = Checkpointing(database, key, signer, CheckpointFile(settings.checkpoint_file))
    return Auditing(AuditTrail(database, key), checkpointing)
