"""People: who may sign in, with which roles; made, changed, kept out and let in again."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, SkipValidation

from gateway.http.pages.choices import choices_of, typed
from gateway.http.pages.failing import REFUSALS, refused
from gateway.http.pages.forms import Form, Said
from gateway.http.pages.sorting import sorting_of
from gateway.http.pages.visit import ROWS, Crumb, Visit
from store.accounts import User
from store.errors import Conflict
from store.people import Grant, Role
from store.repositories.users import SORTS

_Asked = NamedDependency[SkipValidation[Visit]]
_PEOPLE = "/admin/people"
_ONE = _PEOPLE + "/{user_id:str}"


@get(_PEOPLE, operation_id="people_page")
async def people_page(visit: _Asked) -> Response[str]:
    """Lists people, in the order in which they were made."""
    search, sorting = typed(visit, "search"), sorting_of(visit, SORTS, "made")
    page = visit.access.users.sorted_page
    found = await visit.call(page, visit.actor, sorting.order, limit=ROWS + 1, text=search)
    people, further = sorting.cut(found, lambda one: one.id)
    return visit.show("people.html", people=people, search_for=search, sorting=sorting, further=further)


@get(f"{_PEOPLE}/new", operation_id="new_person_page")
async def new_person_page(visit: _Asked) -> Response[str]:
    """Shows an empty form."""
    return _new(visit, Form())


@post(f"{_PEOPLE}/new", status_code=200, operation_id="create_person")
async def create_person(visit: _Asked) -> Response[str]:
    """Makes somebody; the token with which they set a password is shown this once."""
    form = _checked(visit)
    if form.errors:
        return _new(visit, form)
    try:
        made = await visit.call(
            visit.access.users.create,
            visit.actor,
            form.text("name"),
            mail=form.text("mail") or None,
            grants=grants_of(form),
            assistants=form.many("assistants"),
        )
    except REFUSALS as error:
        return _new(visit, refused(visit, form, error, at="name"))
    return visit.show("invited.html", status=201, made=made, is_new=True, crumbs=_crumbs(visit))


@get(_ONE, operation_id="person_page")
async def person_page(user_id: FromPath[str], visit: _Asked) -> Response[str]:
    """Shows one person."""
    return await _person(visit, await visit.call(visit.access.users.get, visit.actor, user_id), None)


@post(f"{_ONE}/grants", status_code=200, operation_id="change_grants")
async def change_grants(user_id: FromPath[str], visit: _Asked) -> Response[Any]:
    """Replaces roles and assistants."""
    form = _checked(visit)
    if form.errors:
        return await _person(visit, await visit.call(visit.access.users.get, visit.actor, user_id), form)
    try:
        await visit.call(
            visit.access.users.give,
            visit.actor,
            user_id,
            grants=grants_of(form),
            assistants=form.many("assistants"),
            rev=form.number("rev"),
        )
    except REFUSALS as error:
        found = await visit.call(visit.access.users.get, visit.actor, user_id)
        form = refused(visit, form, error)
        has_moved = isinstance(error, Conflict) and found.rev != visit.form.number("rev")
        return await _person(visit, found, form, has_moved=has_moved)
    return visit.go(f"{_PEOPLE}/{user_id}", done="grants_changed")


@post(f"{_ONE}/disable", status_code=200, operation_id="disable_person")
async def disable_person(user_id: FromPath[str], visit: _Asked) -> Response[Any]:
    """Keeps somebody out, at once."""
    return await _switch(visit, visit.access.users.disable, user_id, "person_disabled")


@post(f"{_ONE}/enable", status_code=200, operation_id="enable_person")
async def enable_person(user_id: FromPath[str], visit: _Asked) -> Response[Any]:
    """Lets somebody in again."""
    return await _switch(visit, visit.access.users.enable, user_id, "person_enabled")


@post(f"{_ONE}/reset-password", status_code=200, operation_id="reset_persons_password")
async def reset_persons_password(user_id: FromPath[str], visit: _Asked) -> Response[Any]:
    """Takes the password away; the token for a new one is shown this once."""
    try:
        made = await visit.call(visit.access.users.reset_password, visit.actor, user_id)
    except REFUSALS as error:
        return await _refused(visit, user_id, error)
    return visit.show("invited.html", made=made, is_new=False, crumbs=_crumbs(visit, made.user))


@post(f"{_ONE}/reset-totp", status_code=200, operation_id="reset_persons_totp")
async def reset_persons_totp(user_id: FromPath[str], visit: _Asked) -> Response[Any]:
    """Takes the authenticator away."""
    try:
        await visit.call(visit.access.users.reset_totp, visit.actor, user_id)
    except REFUSALS as error:
        return await _refused(visit, user_id, error)
    return visit.go(f"{_PEOPLE}/{user_id}", done="totp_reset")


@post(f"{_ONE}/sessions/end", status_code=200, operation_id="end_persons_sessions")
async def end_persons_sessions(user_id: FromPath[str], visit: _Asked) -> Response[Any]:
    """Signs somebody out everywhere."""
    try:
        await visit.call(visit.access.users.end_sessions, visit.actor, user_id)
    except REFUSALS as error:
        return await _refused(visit, user_id, error)
    return visit.go(f"{_PEOPLE}/{user_id}", done="sessions_ended")


def grants_of(form: Form) -> tuple[Grant, ...]:
    """Returns the roles that are ticked, each everywhere or in the areas that are ticked below it."""
    ticked = frozenset(form.many("role"))
    return tuple(Grant(role, _areas(form, role)) for role in Role if role.value in ticked)


def _areas(form: Form, role: Role) -> frozenset[str]:
    is_everywhere = form.text(f"where_{role.value}") != "some"
    return frozenset() if is_everywhere else frozenset(form.many(f"areas_{role.value}"))


def _checked(visit: Visit) -> Form:
    """Returns the form; with an error where no role is ticked, or a role for no area at all.

    No area ticked would mean everywhere, which nobody means who chose to say where.
    """
    form = visit.form
    ticked = form.many("role")
    if not ticked:
        form = form.wrong("grants", Said(visit.texts("people.role_needed")))
    for role in ticked:
        if form.text(f"where_{role}") == "some" and not form.many(f"areas_{role}"):
            form = form.wrong(f"areas_{role}", Said(visit.texts("people.areas_needed")))
    return form


async def _switch(visit: Visit, service: Any, user_id: str, done: str) -> Response[Any]:
    try:
        await visit.call(service, visit.actor, user_id, rev=visit.form.number("rev"))
    except REFUSALS as error:
        return await _refused(visit, user_id, error)
    return visit.go(f"{_PEOPLE}/{user_id}", done=done)


async def _refused(visit: Visit, user_id: str, error: Exception) -> Response[str]:
    found = await visit.call(visit.access.users.get, visit.actor, user_id)
    return await _person(visit, found, refused(visit, _as_is(found), error))


async def _person(visit: Visit, user: User, form: Form | None, *, has_moved: bool = False) -> Response[str]:
    form = form or _as_is(user)
    return visit.show(
        "person.html",
        status=form.status,
        user=user,
        form=form,
        has_moved=has_moved,
        is_self=user.actor.person == visit.actor.person,
        roles=list(Role),
        areas=_known_areas(visit, form),
        sessions=await visit.call(visit.access.users.sessions, visit.actor, user.id),
        assistants=_assistants(visit, user.assistants),
        crumbs=_crumbs(visit),
    )


def _new(visit: Visit, form: Form) -> Response[str]:
    return visit.show(
        "new_person.html",
        status=form.status,
        form=form,
        roles=list(Role),
        areas=_known_areas(visit, form),
        assistants=_assistants(visit),
        crumbs=_crumbs(visit),
    )


def _as_is(user: User) -> Form:
    """Returns the form as it stands for a person."""
    values: dict[str, tuple[str, ...]] = {"assistants": tuple(user.assistants)}
    values["role"] = tuple({grant.role.value for grant in user.grants})
    for role in Role:
        of_role = [grant.areas for grant in user.grants if grant.role is role]
        areas = frozenset[str]() if frozenset() in of_role else frozenset[str]().union(*of_role)
        values[f"areas_{role.value}"] = tuple(sorted(areas))
        values[f"where_{role.value}"] = ("some" if areas else "all",)
    return Form(values)


def _known_areas(visit: Visit, form: Form) -> list[str]:
    """Returns the areas of what is live, and those that the form has already."""
    given = {area for role in Role for area in form.many(f"areas_{role.value}")}
    return sorted({*choices_of(visit).areas, *given})


def _assistants(visit: Visit, more: frozenset[str] = frozenset()) -> list[str]:
    """Returns the assistants that the actor may bind somebody to, and those that somebody is bound to already."""
    live = visit.components.live.current.catalog.assistants if visit.components else {}
    return sorted({name for name in live if visit.actor.may_see(name)} | more)


def _crumbs(visit: Visit, user: User | None = None) -> tuple[Crumb, ...]:
    above = (Crumb(visit.texts("people.title"), _PEOPLE),)
    return (*above, Crumb(user.name, f"{_PEOPLE}/{user.id}")) if user else above
