"""Every route, for every role, key and tenant, does what the tables say and nothing else.

Routes come from the application itself: one that a table does not name fails here, and needs no line in this file.
"""

from collections.abc import Iterator

import httpx
import pytest

from gateway.http.access import PUBLIC_ROUTES, ROUTE_SCOPES
from gateway.http.admin.guard import PREFIX
from gateway.http.admin.route_table import OPEN_ROUTES, PERSONAL_ROUTES, ROUTES
from gateway.limit_settings import LimitSettings
from rails.engine import RailsPolicy
from store.database import open_database
from store.people import OPERATOR, Actor, Grant, Role
from store.types import KeyScope
from tests.administration import AdminWorld
from tests.migrated import migrate_new
from tests.samples import registry
from tests.samples.registry import BODIES, MINE, NOT_THERE, PERSONAL, SAMPLES, THEIRS, filled, parameters
from tests.world import World

pytestmark = pytest.mark.anyio
registry.load_samples()
READS = ("GET", "HEAD")
KEY_ROLES = {KeyScope.READ: Role.VIEWER, KeyScope.EDIT: Role.EDITOR}
"""Written out once more: who lets keys do more has to say so here as well."""
TURNED_AWAY = (401, 403)
LOOKS_FIRST_AT_BODIES = (400, 412, 415, 422, 428)


@pytest.fixture(scope="module")
def admin(policy: RailsPolicy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdminWorld]:
    folder = tmp_path_factory.mktemp("access")
    url = f"sqlite:///{folder / 'admin.db'}"
    migrate_new(url)
    database = open_database(url)
    yield AdminWorld(World(policy, limits=LimitSettings(requests_per_minute=10**9)), database, folder)
    database.close()


def operations(admin: AdminWorld) -> Iterator[tuple[str, str]]:
    """Gives method and path template of every operation of the admin surface."""
    for route in admin.app.routes:
        if route.path.startswith(PREFIX):
            yield from ((method, route.path) for method in sorted(route.methods) if method != "OPTIONS")


def named(method: str, template: str) -> str:
    return f"{'GET' if method == 'HEAD' else method} {template}"


def words(reply: httpx.Response, ids: dict[str, str]) -> str:
    """Gives a reply's body without what differs between any two, and with other ids."""
    text = reply.text.replace(reply.headers["x-request-id"], "")
    for one, other in ids.items():
        text = text.replace(one, other)
    return text


async def ask(admin: AdminWorld, method: str, path: str, credential: dict[str, str], sent=None) -> httpx.Response:
    headers = {**credential, "if-match": '"1"', "content-type": "application/json"}
    content = None if method in READS else httpx.Request("POST", "http://x", json=sent or {}).content
    async with admin.browser() as client:
        return await client.request(method, path, headers=headers, content=content)


def as_person(admin: AdminWorld, user) -> dict[str, str]:
    """Gives a new session each time: some operations end it."""
    made = admin.session(user)
    return {"cookie": f"__Host-canongate={made.token}", "x-canongate-csrf": made.signed_in.csrf}


def as_key(admin: AdminWorld, owner: Actor, *scopes: KeyScope) -> dict[str, str]:
    return {"authorization": f"Bearer {admin.key(*scopes, owner=owner.person.partition(':')[2])}"}


async def test_the_tables_name_every_operation_and_no_other(admin: AdminWorld) -> None:
    assert {named(*one) for one in operations(admin)} == ROUTES.keys() | OPEN_ROUTES
    assert not ROUTES.keys() & OPEN_ROUTES


async def test_nobody_gets_in_but_where_a_credential_is_made(admin: AdminWorld) -> None:
    for method, template in operations(admin):
        told = await ask(admin, method, filled(template), {})
        if named(method, template) in OPEN_ROUTES:
            assert told.status_code not in TURNED_AWAY, (method, template)
        else:
            assert told.status_code == 401, (method, template)


async def test_somebody_disabled_gets_in_nowhere_also_with_a_session_that_was_left(admin: AdminWorld) -> None:
    admin.user("still there", Role.ADMIN)
    user = admin.user("disabled", *Role)
    key = as_key(admin, user.actor, *KeyScope)
    disabled = admin.access.users.disable(OPERATOR, user.id, rev=user.rev)
    for method, template in operations(admin):
        if named(method, template) not in OPEN_ROUTES:
            for credential in (as_person(admin, disabled), key):
                told = await ask(admin, method, filled(template), credential)
                assert told.status_code == 401, (method, template)


@pytest.mark.parametrize("role", [None, *Role], ids=str)
async def test_a_role_opens_what_the_table_says_and_nothing_else(admin: AdminWorld, role: Role | None) -> None:
    user = admin.user(f"of the role {role}", *([role] if role else []))
    for method, template in operations(admin):
        name = named(method, template)
        told = await ask(admin, method, filled(template), as_person(admin, user))
        if name in OPEN_ROUTES or role in ROUTES[name]:
            assert told.status_code not in TURNED_AWAY, (role, name, told.text)
        else:
            assert (told.status_code, told.json()["code"]) == (403, "insufficient_role"), (role, name)
        assert told.status_code < 500 or told.status_code == 503, (role, name, told.text)


@pytest.mark.parametrize("scopes", [*[(one,) for one in KeyScope], tuple(KeyScope)], ids=str)
async def test_a_key_opens_what_its_scopes_say_whatever_its_owner_is(
    admin: AdminWorld, scopes: tuple[KeyScope, ...]
) -> None:
    owner = admin.user(f"owner of {len(scopes)} {scopes[0].name}", *Role)
    credential = as_key(admin, owner.actor, *scopes)
    roles = {KEY_ROLES[scope] for scope in scopes if scope in KEY_ROLES}
    for method, template in operations(admin):
        name = named(method, template)
        told = await ask(admin, method, filled(template), credential)
        is_open = name in OPEN_ROUTES or (roles & ROUTES[name] and name not in PERSONAL_ROUTES)
        if is_open:
            assert told.status_code not in TURNED_AWAY, (scopes, name, told.text)
        else:
            assert (told.status_code, told.json()["code"]) == (403, "insufficient_role"), (scopes, name)


async def test_a_write_by_cookie_without_the_sessions_token_does_nothing_anywhere(admin: AdminWorld) -> None:
    user, other = admin.user("without a token", *Role), admin.user("with another token", Role.ADMIN)
    for method, template in operations(admin):
        if method in READS or named(method, template) in OPEN_ROUTES:
            continue
        credential = as_person(admin, user)
        others = admin.session(other).signed_in.csrf
        for csrf in ({}, {"x-canongate-csrf": others}):
            told = await ask(admin, method, filled(template), {"cookie": credential["cookie"], **csrf})
            assert (told.status_code, told.json()["code"]) == (403, "wrong_csrf"), (method, template)


async def test_another_tenants_things_are_not_there_and_in_no_reply(admin: AdminWorld) -> None:
    theirs = {parameter: make(admin, THEIRS) for parameter, make in SAMPLES.items()}
    mine = {parameter: make(admin, MINE) for parameter, make in SAMPLES.items()}
    user = admin.user("of my tenant", *Role, assistants=(MINE,))
    shown = ""
    for method, template in operations(admin):
        name = named(method, template)
        if name in OPEN_ROUTES:
            continue
        sent = BODIES.get(name)
        told = await ask(admin, method, filled(template, theirs), as_person(admin, user), sent)
        shown += told.text if method == "GET" else ""
        asked_for = {theirs[one]: NOT_THERE for one in parameters(template) if one in SAMPLES}
        assert not [one for one in theirs.values() if one in told.text and one not in asked_for], (name, told.text)
        if asked_for:
            absent = await ask(admin, method, filled(template), as_person(admin, user), sent)
            assert told.status_code == absent.status_code, name
            assert words(told, asked_for) == words(absent, {}), name
            is_early = sent is None and method not in READS and told.status_code in LOOKS_FIRST_AT_BODIES
            assert told.status_code == 404 or is_early, (name, told.status_code, told.text)
    for parameter in (
        *("user_id", "key_id", "decision_id", "change_id", "prompt_key", "assistant_name", "policy_name", "suite_name"),
        *("question", "cluster", "action", "suggestion", "feedback_of"),
    ):
        assert mine[parameter] in shown, "what would show other tenants' things shows one's own"


async def test_a_tenant_reaches_its_own_things(admin: AdminWorld) -> None:
    mine = {parameter: make(admin, MINE) for parameter, make in SAMPLES.items() if parameter not in PERSONAL}
    user = admin.user("also of my tenant", *Role, assistants=(MINE,))
    for method, template in operations(admin):
        if method == "GET" and parameters(template) and set(parameters(template)) <= mine.keys():
            told = await ask(admin, method, filled(template, mine), as_person(admin, user))
            assert told.status_code == 200, (template, told.text)


@pytest.mark.parametrize("scope", list(KeyScope), ids=str)
async def test_a_key_asks_what_its_scope_says_and_a_session_is_no_key(admin: AdminWorld, scope: KeyScope) -> None:
    token = admin.world.key(scope)
    person = as_person(admin, admin.user(f"no key {scope.name}", *Role))
    for route in admin.app.routes:
        if route.path.startswith((PREFIX, "/admin", "/widget/")) or route.path in PUBLIC_ROUTES:
            continue
        for method in sorted(route.methods - {"OPTIONS"}):
            assert (await ask(admin, method, filled(route.path), person)).status_code == 401
            told = await ask(admin, method, filled(route.path), {"authorization": f"Bearer {token}"})
            is_open = ROUTE_SCOPES.get(route.path, KeyScope.CHAT) is scope
            assert (told.status_code in TURNED_AWAY) is not is_open, (scope, method, route.path)


async def test_grants_with_areas_open_a_route_and_the_service_looks_at_the_area(admin: AdminWorld) -> None:
    user = admin.user("of an area", Role.ADMIN, areas=("it",))
    assert user.grants == {Grant(Role.ADMIN, frozenset({"it"}))}
    told = await ask(
        admin, "POST", "/v1/admin/users", as_person(admin, user), {"name": "x", "grants": [{"role": "viewer"}]}
    )
    assert told.status_code == 422
