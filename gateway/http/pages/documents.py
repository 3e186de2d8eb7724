"""What all pages of documents and changes share: finding the services, reading ids and names of addresses."""

import re
from uuid import UUID

from gateway.changing.services import Changing
from gateway.http.pages.page_table import PAGES
from gateway.http.pages.visit import Crumb, Visit
from store.changes.types import EditKind, Item
from store.errors import NotFound

_KINDS = {"prompts": "prompt", "assistants": "assistant", "policies": "policy", "suites": "suite"}
_FILE = re.compile(rf"\b({'|'.join(_KINDS)})/([a-z0-9_/-]+)\.yaml\b")
PROMPTS = "/admin/prompts"
CHANGES = "/admin/changes"


def changing_of(visit: Visit) -> Changing:
    """Returns the services of changes. Raises `NotServing` where there are none."""
    return visit.administration.changing


def prompt_item(key: str) -> Item:
    """Returns the prompt of an address. Raises `NotFound` for what no database could look up."""
    if not key.isprintable():
        raise NotFound("there is no such prompt")
    return Item(EditKind.PROMPT, key)


def known_id(text: str) -> UUID:
    """Returns the change of an address. Raises `NotFound` for what is no id."""
    try:
        found = UUID(text)
    except ValueError:
        found = None
    if found is None or str(found) != text:
        raise NotFound("there is no such change")
    return found


def change_of(visit: Visit) -> UUID | None:
    """Returns the change that the address or the form names, None when it names none. Raises `NotFound`."""
    text = visit.form.text("change") or visit.request.query_params.get("change", "")
    return known_id(text) if text else None


def prompt_path(key: str, change: UUID | None = None, more: str = "") -> str:
    """Returns the address of a prompt, as it is live or as a change would have it."""
    return f"{PROMPTS}/{key}{more}" + (f"?change={change}" if change else "")


def may_edit(visit: Visit, key: str) -> bool:
    """Whether the person edits prompts of that prompt's area."""
    area = key.partition(".")[0]
    return any(visit.actor.may(role, area) for role in PAGES[f"POST {PROMPTS}/{{prompt_key:str}}/edit"])


def edited_areas(visit: Visit) -> list[str]:
    """Returns the areas that the person's edits are bound to; none for somebody who edits nothing, or everywhere."""
    roles = PAGES[f"POST {PROMPTS}/{{prompt_key:str}}/edit"]
    return sorted({area for grant in visit.actor.grants if grant.role in roles for area in grant.areas})


def change_path(change: UUID, more: str = "") -> str:
    """Returns the address of a change."""
    return f"{CHANGES}/{change}{more}"


def named_as_shown(problems: str) -> str:
    """Returns problems, a line each, with documents named as pages name them and not as the files of a bundle."""
    return _FILE.sub(lambda found: f"{_KINDS[found[1]]} {found[2].replace('/', '.')}", problems)


def prompt_crumbs(visit: Visit, key: str = "", title: str = "", change: UUID | None = None) -> tuple[Crumb, ...]:
    """Returns the pages above a page of a prompt."""
    above = (Crumb(visit.texts("prompts.title"), PROMPTS),)
    return (*above, Crumb(title or key, prompt_path(key, change))) if key else above


def change_crumbs(visit: Visit, change: UUID | None = None, title: str = "") -> tuple[Crumb, ...]:
    """Returns the pages above a page of a change."""
    above = (Crumb(visit.texts("changes.title"), CHANGES),)
    return (*above, Crumb(visit.titled(title), change_path(change))) if change else above
