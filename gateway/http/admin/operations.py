"""Everything that the admin surface answers to, gathered from its files."""

from litestar.handlers import HTTPRouteHandler

from gateway.http.admin.audit import AUDIT_OPERATIONS, list_audit_entries, verify_audit_trail
from gateway.http.admin.whoami import WHOAMI_OPERATIONS, whoami
from gateway.http.described import Described

ADMIN_HANDLERS: tuple[HTTPRouteHandler, ...] = (whoami, list_audit_entries, verify_audit_trail)

ADMIN_OPERATIONS: tuple[Described, ...] = (*WHOAMI_OPERATIONS, *AUDIT_OPERATIONS)
