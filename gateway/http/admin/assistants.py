"""Assistants over REST: what is live, what was, and drafts of what shall be."""

from gateway.http.admin.content_described import content_operations
from gateway.http.admin.content_routes import ContentKind, content_handlers
from store.changes.types import EditKind

_ASSISTANTS = ContentKind(EditKind.ASSISTANT, "assistants", "assistant", "assistant_name", ())
ASSISTANT_HANDLERS = content_handlers(_ASSISTANTS)
ASSISTANT_OPERATIONS = content_operations(_ASSISTANTS)
