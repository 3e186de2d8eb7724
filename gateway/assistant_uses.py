"""What an assistant is named by, so that whoever removes it knows what then has nobody to ask."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.access.keys import is_live
from gateway.administration import Administration
from store.catalog import Catalog, load_catalog
from store.content import Assistant
from store.people import Actor

_PEOPLE = 1000
"""Accounts that are looked through."""


@dataclass(frozen=True, slots=True)
class Uses:
    """What is live or in use and would miss the assistant."""

    prompts: tuple[str, ...]
    """Keys of live prompts that no other assistant may answer with."""
    suites: tuple[str, ...]
    """Live test sets that ask it."""
    policy: str
    """Its policy, where no other assistant has it; else empty."""
    keys: int
    """Live API keys that are for it by name."""
    widgets: tuple[str, ...]
    """Sites that embed it."""
    people: int
    """Accounts that are bound to it."""

    @property
    def is_nothing(self) -> bool:
        """Whether nothing would miss it."""
        return not (self.prompts or self.suites or self.policy or self.keys or self.widgets or self.people)


def uses_of(administration: Administration, actor: Actor, name: str) -> Uses:
    """Returns what names an assistant, as far as the actor may know of it. Blocks."""
    access, catalog = administration.access, load_catalog(administration.database)
    own = catalog.assistants.get(name)
    others = {key: one for key, one in catalog.assistants.items() if key != name}
    asked = {name} if others else {name, None}  # a test set that names nobody asks the only one
    now = access.now()
    keys = [one for one in access.keys.all(actor) if name in one.assistants and is_live(one, now)]
    widgets = [one.id for one in administration.widgets.all(actor) if one.settings.assistant == name]
    people = access.users.page(actor, limit=_PEOPLE)
    return Uses(
        prompts=_alone(catalog, own, others) if own else (),
        suites=tuple(sorted(key for key, one in catalog.suites.items() if one.get("assistant") in asked)),
        policy=own.policy if own and all(one.policy != own.policy for one in others.values()) else "",
        keys=len(keys),
        widgets=tuple(sorted(widgets)),
        people=sum(name in one.assistants and one.disabled_at is None for one in people),
    )


def _alone(catalog: Catalog, own: Assistant, others: Mapping[str, Assistant]) -> tuple[str, ...]:
    shared = {area for one in others.values() for area in one.areas}
    areas = set(own.areas) - shared
    return tuple(sorted(key for key, one in catalog.prompts.items() if one.content.area in areas))
