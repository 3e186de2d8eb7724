"""Who asked, in words: API keys, sites with the widget and people, by the ids that decisions have of them."""

from collections.abc import Iterable

from gateway.http.pages.visit import Visit
from store.folding import folded
from store.repositories.decision_filters import Askers

_USER, _WIDGET = "user:", "widget:"


async def client_names(visit: Visit, principals: Iterable[str]) -> dict[str, str]:
    """Returns the names of those who asked, as far as the reader may know of them."""
    told = set(principals)
    users = {one.removeprefix(_USER) for one in told if one.startswith(_USER)}
    found = await visit.call(visit.access.users.names, visit.actor, users) if users else {}
    names = {f"{_USER}{one}": name for one, name in found.items()}
    if any(one.startswith(_WIDGET) for one in told):
        sites = {one.id: one.settings.title for one in await visit.call(visit.administration.widgets.all, visit.actor)}
        of_sites = {one: one.split(":")[1] for one in told if one.startswith(_WIDGET)}
        names |= {one: sites[site] for one, site in of_sites.items() if site in sites}
    keys = {one for one in told if one.isalnum()}
    return names | (await visit.call(visit.access.keys.names, visit.actor, keys) if keys else {})


async def askers_named(visit: Visit, text: str) -> Askers:
    """Returns whom somebody means by a part of a name, in any case, or by the whole id."""
    part = folded(text)
    keys = await visit.call(visit.access.keys.all, visit.actor)
    sites = await visit.call(visit.administration.widgets.all, visit.actor)
    ids = {one.id for one in keys if part in folded(f"{one.client}\n{one.name}")} | {text}
    named = [one.id for one in sites if part in folded(f"{one.id}\n{one.settings.title}")]
    return Askers(frozenset(ids), tuple(f"{_WIDGET}{one}:" for one in named))
