"""Policies over REST: what is live, what was, and drafts of what shall be."""

from gateway.http.admin.content_described import content_operations
from gateway.http.admin.content_routes import ContentKind, content_handlers
from store.changes.types import EditKind

_POLICIES = ContentKind(EditKind.POLICY, "policies", "policy", "policy_name", ("assistant",))
POLICY_HANDLERS = content_handlers(_POLICIES)
POLICY_OPERATIONS = content_operations(_POLICIES)
