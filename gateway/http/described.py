"""How an operation is described; each surface lists its own, `openapi.py` makes one document of them."""

from dataclasses import dataclass
from typing import Any

JSON = "application/json"
HTML = "text/html"
PLAIN = "text/plain"
PROBLEM = "application/problem+json"
FORM = "application/x-www-form-urlencoded"
TEXT = {"type": "string"}


@dataclass(frozen=True, slots=True)
class DescribedEvent:
    """One kind of event in a stream."""

    name: str
    kind: Any
    """Wire struct of its data; None for what is no JSON."""
    text: str


@dataclass(frozen=True, slots=True)
class Described:
    """One operation, as it is described."""

    path: str
    method: str
    id: str
    summary: str
    replies: dict[str, Any]
    """Media type to wire struct, to several of which one is sent, or to a ready schema."""
    errors: tuple[int, ...] = ()
    request: Any = None
    headers: tuple[str, ...] = ()
    needs_key: bool = True
    is_kept: bool = True
    """False where the handler ignores an Idempotency-Key."""
    text: str = ""
    not_ready: Any = None
    """The body of a 503 that is a state and not an error."""
    parameters: tuple[str, ...] = ()
    status: int = 200
    query: tuple[str, ...] = ()
    """Names of query parameters; all may be left out."""
    events: tuple[DescribedEvent, ...] = ()
    """What comes in a stream, where a reply is one."""
