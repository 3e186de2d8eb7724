"""Where a call of the widget comes from, and the headers that let that one page read the reply."""

from dataclasses import dataclass

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Scope

from gateway.widget.book import Page

PREFIX = "/widget/"
_CALLER = "widget_caller"
_READER = "widget_reader"
_BUSY = frozenset({429, 503})
_EXPOSED = "retry-after, x-request-id"


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a call comes from."""

    origin: str
    page: Page
    """The clients, as they were when it was let in."""
    network: str
    is_own: bool
    """Whether it comes from a page of the gateway's own."""


def is_widget_path(path: str) -> bool:
    """Whether a path belongs to the widget's surface."""
    return path.startswith(PREFIX)


def note_caller(scope: Scope, caller: Caller) -> None:
    """Remembers where a call comes from."""
    scope["state"][_CALLER] = caller


def sent_origin(scope: Scope) -> str | None:
    """Returns the origin that a request names, if it names one."""
    sent = [value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"]
    return sent[0] if len(sent) == 1 else None


def note_reader(scope: Scope, page: Page) -> None:
    """Remembers who may read a refusal that comes before it is known who calls."""
    origin = sent_origin(scope)
    if origin in page.origins:
        scope["state"][_READER] = origin


def caller_of(scope: Scope) -> Caller:
    """Returns where a call comes from, as the guard found out."""
    caller = scope["state"].get(_CALLER)
    if not isinstance(caller, Caller):
        raise TypeError("a route without the widget's guard asked for its caller. This is a bug.")
    return caller


def add_origin(headers: MutableScopeHeaders, scope: Scope, status: int) -> None:
    """Lets the one page read a reply that it asked for, and no cache give it to another."""
    if not is_widget_path(scope["path"]):
        return
    headers["vary"] = "origin"
    caller = scope["state"].get(_CALLER)
    reader = scope["state"].get(_READER) if status in _BUSY else None
    if isinstance(caller, Caller) and not caller.is_own:
        reader = caller.origin
    if isinstance(reader, str):
        for name, value in readable_by(reader).items():
            headers[name] = value


def readable_by(origin: str) -> dict[str, str]:
    """Returns the headers by which a browser lets pages of that origin read a reply."""
    return {"access-control-allow-origin": origin, "access-control-expose-headers": _EXPOSED}
