"""Test sets over REST: what is live, what was, and drafts of what shall be."""

from gateway.http.admin.content_described import content_operations
from gateway.http.admin.content_routes import ContentKind, content_handlers
from store.changes.types import EditKind

_SUITES = ContentKind(EditKind.SUITE, "suites", "suite", "suite_name", ("assistant",))
SUITE_HANDLERS = content_handlers(_SUITES)
SUITE_OPERATIONS = content_operations(_SUITES)
