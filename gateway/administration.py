"""The services of the admin surface, as one value; `bootstrap.py` makes the real ones."""

from dataclasses import dataclass

from gateway.http.admin.guard import Authenticator
from gateway.reviewing.service import Reviewing
from gateway.suggesting.service import Suggesting
from store.audit import AuditTrail
from store.database import Database


@dataclass(frozen=True, slots=True)
class Administration:
    """Everything that admin routes call. A rule lives in one of these and in no handler."""

    database: Database
    audit: AuditTrail
    authenticator: Authenticator
    reviewing: Reviewing
    suggesting: Suggesting
