"""Query parameters that take one of a closed set, or any assistant that the person may see."""

from enum import StrEnum
from typing import TypeVar

from gateway.errors import InvalidRequest
from gateway.http.pages.visit import Visit

_LONGEST = 200
_Choice = TypeVar("_Choice", bound=StrEnum)


def chosen(visit: Visit, name: str, kind: type[_Choice]) -> _Choice | None:
    """Returns the value of a query parameter, None where it is not there or empty. Raises `InvalidRequest`."""
    text = visit.request.query_params.get(name, "").strip()
    if not text:
        return None
    try:
        return kind(text)
    except ValueError as error:
        raise InvalidRequest("invalid_query", f"`{name}` takes {', '.join(kind)}.", param=name) from error


def typed(visit: Visit, name: str) -> str:
    """Returns a query parameter as text, cut to what a phrasing may have; without what no database takes."""
    return visit.request.query_params.get(name, "").replace("\x00", "").strip()[:_LONGEST]


def assistants_of(visit: Visit) -> list[str]:
    """Returns the live assistants that the person may see, by name."""
    live = visit.components.live.current.catalog.assistants if visit.components else {}
    return sorted(name for name in live if visit.actor.may_see(name))


def titles_of(visit: Visit) -> dict[str, str]:
    """Returns the titles of the live prompts by their keys."""
    live = visit.components.live.current.catalog.prompts if visit.components else {}
    return {key: one.content.title for key, one in live.items()}


def areas_of(visit: Visit) -> list[str]:
    """Returns the areas of the live assistants that the person may see, by name."""
    live = visit.components.live.current.catalog.assistants if visit.components else {}
    return sorted({area for name, one in live.items() if visit.actor.may_see(name) for area in one.areas})
