"""Where a call of the widget comes from, and the headers that let that one page read the reply."""

from dataclasses import dataclass

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Scope

from gateway.widget.book import Page

PREFIX = "/widget/"
_CALLER = "widget_caller"
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


def caller_of(scope: Scope) -> Caller:
    """Returns where a call comes from, as the guard found out."""
    caller = scope["state"].get(_CALLER)
    if not isinstance(caller, Caller):
        raise TypeError("a route without the widget's guard asked for its caller. This is a bug.")
    return caller


def add_origin(headers: MutableScopeHeaders, scope: Scope) -> None:
    """Lets the one page read a reply that it asked for, and no cache give it to another."""
    if not is_widget_path(scope["path"]):
        return
    headers["vary"] = "origin"
    caller = scope["state"].get(_CALLER)
    if isinstance(caller, Caller) and not caller.is_own:
        headers["access-control-allow-origin"] = caller.origin
        headers["access-control-expose-headers"] = _EXPOSED
