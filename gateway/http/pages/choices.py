"""Query parameters that take one of a closed set, or any assistant that the person may see."""

from enum import StrEnum
from typing import TypeVar
from urllib.parse import quote, urlencode

from gateway.changing.prompt_lists import PromptChoices
from gateway.errors import InvalidRequest
from gateway.http.pages.documents import changing_of
from gateway.http.pages.visit import Visit
from store.changes.lists import Wanted
from store.changes.types import EditKind
from store.content import KeepsText
from store.formats.suite import Expectation
from store.types import Outcome

_LONGEST = 200
_MOST_SUITES = 3
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


def silent_of(visit: Visit) -> list[str]:
    """Returns the live assistants whose questions are not kept for review, because nothing is kept of words."""
    if visit.components is None:
        return []
    live, is_kept = visit.components.live.current.catalog.assistants, visit.components.settings.review.keep
    return [one for one in assistants_of(visit) if not is_kept or live[one].keeps_text is KeepsText.OFF]


def titles_of(visit: Visit) -> dict[str, str]:
    """Returns the titles of the live prompts by their keys."""
    live = visit.components.live.current.catalog.prompts if visit.components else {}
    return {key: one.content.title for key, one in live.items()}


def choices_of(visit: Visit) -> PromptChoices:
    """Returns what lists of prompts can be narrowed to by the person."""
    if visit.components is None:
        return PromptChoices((), (), (), ())
    return PromptChoices.of(visit.actor, visit.components.live.current.catalog)


EXPECTED = {
    Outcome.NO_MATCH: Expectation.NO_MATCH,
    Outcome.CLARIFY: Expectation.CLARIFY,
    Outcome.BLOCKED_INPUT: Expectation.BLOCKED,
    Outcome.BLOCKED_OUTPUT: Expectation.BLOCKED,
}
"""What a test set says of a question that came out like this; every other one is answered."""


async def suites_of(visit: Visit, assistant: str) -> tuple[str, ...]:
    """Returns the names of live test sets that ask an assistant, for somebody who may add to them."""
    if not visit.may("/admin/suites/{suite_name:str}/case"):
        return ()
    page, wanted = changing_of(visit).contents.page, Wanted(assistant=assistant)
    heads = await visit.call(page, visit.actor, EditKind.SUITE, wanted, limit=_MOST_SUITES, after=None)
    return tuple(one.name for one in heads)


def case_path(suite: str, message: str, expect: Expectation, prompt: str | None) -> str:
    """Returns the address of the form of a new case that is filled in already."""
    filled = {"message": message[:_LONGEST], "expect": expect.value, "prompt": prompt or ""}
    return f"/admin/suites/{quote(suite)}/case?{urlencode(filled)}"
