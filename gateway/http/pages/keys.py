"""API clients: their keys, made and shown once, replaced with both alive for a while, ended."""

import datetime as dt
from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.access.keys import KeyWish, is_live
from gateway.credentials import NewKey
from gateway.errors import InvalidRequest
from gateway.http.page import asked_origin, origin_of
from gateway.http.pages.choices import typed
from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form, Said
from gateway.http.pages.sorting import sorting_of
from gateway.http.pages.visit import ROWS, Crumb, Visit
from store.repositories.keys import SORTS
from store.types import ApiKey, KeyScope

_Asked = NamedDependency[SkipValidation[Visit]]
_KEYS = "/admin/keys"
_ONE = _KEYS + "/{key_id:str}"
LIFETIMES = (30, 90, 180, 365, 0)
"""Days to choose from; 0 is without an end."""
OVERLAPS = (0, 1, 24, 168, 720)
"""Hours to choose from; 0 ends the old key at once."""
_LONGEST_DAYS = 3650


@get(_KEYS, operation_id="keys_page")
async def keys_page(visit: _Asked) -> Response[str]:
    """Lists keys, newest first."""
    client, is_all = typed(visit, "client"), typed(visit, "ended") == "1"
    sorting, page = sorting_of(visit, SORTS, "-made"), partial(visit.access.keys.page, visit.actor)
    found = await visit.call(page, sorting.order, limit=ROWS + 1, text=client, has_ended=is_all)
    keys, further = sorting.cut(found, lambda one: one.key.id)
    return visit.show(
        "keys.html",
        keys=keys,
        has_any=bool(keys) or bool(await visit.call(page, sorting.first, limit=1, has_ended=True)),
        names=await _names(visit, [one.key for one in keys]),
        is_live=is_live,
        is_due=partial(_is_due, visit),
        client=client,
        is_all=is_all,
        sorting=sorting,
        further=further,
    )


@get(f"{_KEYS}/new", operation_id="new_key_page")
async def new_key_page(visit: _Asked) -> Response[str]:
    """Shows an empty form."""
    return _new(visit, Form({"scopes": (KeyScope.CHAT.value,), "days": ("90",)}))


@post(f"{_KEYS}/new", status_code=200, operation_id="create_key_on_page")
async def create_key_on_page(visit: _Asked) -> Response[str]:
    """Makes a key, which is shown this once."""
    form = visit.form
    scopes = [one for one in KeyScope if one.value in form.many("scopes")]
    days = _days(form)
    if days is None:
        return _new(visit, form.wrong("days", Said(visit.texts("keys.days_wrong"))))
    wish = KeyWish(
        name=form.text("name"),
        client=form.text("client"),
        scopes=tuple(scopes),
        assistants=form.many("assistants"),
        lifetime=dt.timedelta(days=days) if days else None,
    )
    try:
        made = await visit.call(visit.access.keys.create, visit.actor, wish)
    except REFUSALS as error:
        return _new(visit, refused(visit, form, error, at="name"))
    return _shown(visit, made)


@get(_ONE, operation_id="key_page")
async def key_page(key_id: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows one key."""
    return await _key(visit, key_id, Form({"overlap": ("168",)}))


@post(f"{_ONE}/rotate", status_code=200, operation_id="rotate_key_on_page")
async def rotate_key_on_page(key_id: FromPath[str], visit: _Asked) -> Response[str]:
    """Makes the key that follows, which is shown this once."""
    form = visit.form
    hours = form.number("overlap")
    if hours not in OVERLAPS:
        raise InvalidRequest("invalid_form", "The form is malformed.")
    try:
        made = await visit.call(visit.access.keys.rotate, visit.actor, key_id, overlap=dt.timedelta(hours=hours))
    except REFUSALS as error:
        return await _key(visit, key_id, refused(visit, form, error))
    return _shown(visit, made, ends=hours)


@post(f"{_ONE}/revoke", status_code=200, operation_id="revoke_key_on_page")
async def revoke_key_on_page(key_id: FromPath[str], visit: _Asked) -> Response[Any]:
    """Ends a key, once its name was typed."""
    form = visit.form
    found = await visit.call(visit.access.keys.get, visit.actor, key_id)
    if form.text("confirm") != found.name:
        form = form.wrong("confirm", Said(visit.texts("keys.name_differs")))
        return await _key(visit, key_id, Form({**form.values, "overlap": ("168",)}, form.errors, form.status))
    await visit.call(visit.access.keys.revoke, visit.actor, key_id)
    return visit.go(f"{_KEYS}/{key_id}", done="key_revoked")


async def _key(visit: Visit, key_id: str, form: Form) -> Response[str]:
    found = await visit.call(visit.access.keys.get, visit.actor, key_id)
    return visit.show(
        "key.html",
        status=form.status,
        key=found,
        form=form,
        names=await _names(visit, [found]),
        is_live=is_live(found, visit.now),
        is_due=_is_due(visit, found),
        overlaps=OVERLAPS,
        crumbs=_crumbs(visit),
    )


def _new(visit: Visit, form: Form) -> Response[str]:
    live = visit.components.live.current.catalog.assistants if visit.components else {}
    return visit.show(
        "new_key.html",
        status=form.status,
        form=form,
        scopes=list(KeyScope),
        lifetimes=LIFETIMES,
        assistants=sorted(name for name in live if visit.actor.may_see(name)),
        crumbs=_crumbs(visit),
    )


def _shown(visit: Visit, made: NewKey, *, ends: int | None = None) -> Response[str]:
    request, components = visit.request, visit.components
    origin = origin_of(request, components.settings.server) if components else asked_origin(request)
    return visit.show("new_token.html", status=201, made=made, ends=ends, origin=origin, crumbs=_crumbs(visit))


def _is_due(visit: Visit, key: ApiKey) -> bool:
    """Whether a live key should be replaced by now, as the setting has it."""
    days = visit.components.settings.access.rotate_keys_days if visit.components else 0
    return days > 0 and is_live(key, visit.now) and visit.now - key.created_at >= dt.timedelta(days=days)


def _days(form: Form) -> int | None:
    text = form.text("days", "0")
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(_LONGEST_DAYS))
    return int(text) if is_number and int(text) <= _LONGEST_DAYS else None


async def _names(visit: Visit, keys: list[ApiKey]) -> dict[str, str]:
    owners = {one.owner for one in keys if one.owner}
    return dict(await visit.call(visit.access.users.names, visit.actor, owners)) if owners else {}


def _crumbs(visit: Visit) -> tuple[Crumb, ...]:
    return (Crumb(visit.texts("keys.title"), _KEYS),)
