"""Everything that the admin surface answers to, gathered from its files."""

from litestar.handlers import HTTPRouteHandler

from gateway.http.admin.audit import AUDIT_OPERATIONS, list_audit_entries, verify_audit_trail
from gateway.http.admin.decisions import (
    DECISION_OPERATIONS,
    export_decisions,
    get_decision,
    list_decisions,
    reveal_decision,
)
from gateway.http.admin.purges import PURGE_OPERATIONS, purge_person
from gateway.http.admin.questions import QUESTION_HANDLERS, QUESTION_OPERATIONS
from gateway.http.admin.suggestions import SUGGESTION_HANDLERS, SUGGESTION_OPERATIONS
from gateway.http.admin.whoami import WHOAMI_OPERATIONS, whoami
from gateway.http.described import Described

ADMIN_HANDLERS: tuple[HTTPRouteHandler, ...] = (
    whoami,
    list_audit_entries,
    verify_audit_trail,
    list_decisions,
    export_decisions,
    get_decision,
    reveal_decision,
    purge_person,
    *QUESTION_HANDLERS,
    *SUGGESTION_HANDLERS,
)

ADMIN_OPERATIONS: tuple[Described, ...] = (
    *WHOAMI_OPERATIONS,
    *AUDIT_OPERATIONS,
    *DECISION_OPERATIONS,
    *PURGE_OPERATIONS,
    *QUESTION_OPERATIONS,
    *SUGGESTION_OPERATIONS,
)
