"""Prompts over REST: what is live, what was, and drafts of what shall be."""

from gateway.http.admin.content_described import content_operations
from gateway.http.admin.content_routes import ContentKind, content_handlers
from store.changes.types import EditKind

_PROMPTS = ContentKind(EditKind.PROMPT, "prompts", "prompt", "prompt_key", ("area", "assistant"))
PROMPT_HANDLERS = content_handlers(_PROMPTS)
PROMPT_OPERATIONS = content_operations(_PROMPTS)
