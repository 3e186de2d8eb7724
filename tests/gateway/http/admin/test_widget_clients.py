"""Widget clients over REST, for administrators."""

from dataclasses import replace

import msgspec
import pytest

from store.people import OPERATOR, Role
from store.repositories.widget_clients import WidgetClients
from store.widgets import WidgetSettings
from tests.administration import AdminWorld, person

pytestmark = pytest.mark.anyio
PATH = "/v1/admin/widget-clients"
SETTINGS = {"title": "HR", "assistant": "helpdesk", "origins": ["https://intranet.example"]}
ADA = person("ada", Role.ADMIN)


async def test_a_client_is_made_shown_changed_rotated_and_turned_off(admin: AdminWorld) -> None:
    async with admin.client(ADA) as client:
        made = await client.post(PATH, json={"id": "hr-portal", "settings": SETTINGS})
        assert made.status_code == 201, made.text
        assert made.headers["etag"] == '"1"'
        assert len(made.json()["secret"]) == 43
        assert made.json()["client"]["settings"]["theme"]["position"] == "end"
        shown = await client.get(f"{PATH}/hr-portal")
        assert shown.json() == made.json()["client"]
        assert (await client.get(PATH)).json() == {"clients": [shown.json()]}
        change = {"title": "People", "max_length": 500, "contact": {"name": "HR"}}
        changed = await client.patch(f"{PATH}/hr-portal", json=change, headers={"if-match": '"1"'})
        assert (changed.status_code, changed.headers["etag"], changed.json()["secret"]) == (200, '"2"', None)
        settings = changed.json()["client"]["settings"]
        assert (settings["title"], settings["max_length"], settings["origins"]) == ("People", 500, SETTINGS["origins"])
        late = await client.patch(f"{PATH}/hr-portal", json={"title": "x"}, headers={"if-match": '"1"'})
        assert late.status_code == 409
        blind = await client.patch(f"{PATH}/hr-portal", json={"title": "x"})
        assert blind.status_code == 428
        rotated = await client.post(f"{PATH}/hr-portal/rotate-secret", json={"overlap_hours": 1})
        assert rotated.json()["secret"] not in (None, made.json()["secret"])
        assert len(rotated.json()["client"]["secrets"]) == 2
        off = await client.post(f"{PATH}/hr-portal/disable")
        assert off.json()["disabled_at"] is not None
        assert (await client.post(f"{PATH}/hr-portal/enable")).json()["disabled_at"] is None
    actions = [one.action for one in admin.audit.entries() if one.target == "widget hr-portal"]
    assert actions == ["widget.created", "widget.changed", "widget.rotated", "widget.disabled", "widget.enabled"]
    told = "".join(str(one.details) for one in admin.audit.entries())
    assert made.json()["secret"] not in told


async def test_the_trail_tells_who_may_ask_and_how_often(admin: AdminWorld) -> None:
    async with admin.client(ADA) as client:
        await client.post(PATH, json={"id": "hr-portal", "settings": SETTINGS})
        change = {"calls_api": True, "rates": {"session": 5, "origin": 900}}
        changed = await client.patch(f"{PATH}/hr-portal", json=change, headers={"if-match": '"1"'})
        assert changed.status_code == 200, changed.text
    (told,) = [one.details for one in admin.audit.entries() if one.action == "widget.changed"]
    differing = {name: (was, told["after"][name]) for name, was in told["before"].items() if told["after"][name] != was}
    assert differing == {"calls_api": (False, True), "rate_session": (20, 5), "rate_origin": (600, 900)}


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("POST", PATH, {"id": "my-portal", "settings": SETTINGS}),
        ("PATCH", f"{PATH}/hr-portal", {"sign_in": "none", "origins": ["https://mine.example"]}),
        ("POST", f"{PATH}/hr-portal/rotate-secret", {"overlap_hours": 1}),
        ("POST", f"{PATH}/hr-portal/disable", {}),
        ("POST", f"{PATH}/hr-portal/enable", {}),
    ],
)
async def test_an_administrator_of_some_areas_keeps_no_site(admin: AdminWorld, method: str, path: str, sent) -> None:
    widgets = admin.administration.widgets
    widgets.create(OPERATOR, "hr-portal", WidgetSettings(**SETTINGS))
    before = widgets.all(OPERATOR)
    async with admin.client(person("ida", Role.ADMIN, areas=("it",))) as client:
        refused = await client.request(method, path, json=sent, headers={"if-match": '"1"'})
        assert (refused.status_code, refused.json()["code"]) == (403, "everywhere_needed")
        assert (await client.get(PATH)).status_code == 200
    assert widgets.all(OPERATOR) == before


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"origins": ["https://intranet.example/"]}, "without a path"),
        ({"origins": ["http://intranet.example"]}, "starts with https"),
        ({"theme": {"accent": "#888888"}}, "Take #000000 on it"),
        ({"assistant": "nowhere"}, "not live"),
        ({"algorithm": "RS256", "keys": {"keys": [{"kty": "RSA", "kid": "k", "n": "AQAB", "e": "AQAB"}]}}, "'k'"),
        ({"texts": {"de": {}}}, "none of its languages"),
        ({"title": "a\x00b"}, "control characters"),
        ({"languages": ["pt-BR", "en-ab-cd"]}, "'en-ab-cd'"),
    ],
)
async def test_what_breaks_a_rule_is_told_with_the_rule(admin: AdminWorld, more, told: str) -> None:
    async with admin.client(ADA) as client:
        reply = await client.post(PATH, json={"id": "hr-portal", "settings": SETTINGS | more})
        assert reply.status_code == 422, reply.text
        assert told in reply.json()["detail"]
        assert (await client.get(PATH)).json() == {"clients": []}


async def test_a_language_that_was_taken_once_keeps_no_other_change_away(admin: AdminWorld) -> None:
    made = {**SETTINGS, "languages": ["ca-valencia", "en"]}
    async with admin.client(ADA) as client:
        assert (await client.post(PATH, json={"id": "hr-portal", "settings": made})).status_code == 201
    clients = WidgetClients(admin.database)
    with admin.database.writing() as transaction:
        before = clients.get("hr-portal", transaction)
        older = msgspec.structs.replace(before.settings, languages=("en-ab-cd",))
        clients.change(replace(before, settings=older), session=transaction)
    async with admin.client(ADA) as client:
        kept = await client.patch(f"{PATH}/hr-portal", json={"title": "Renamed"}, headers={"if-match": '"2"'})
    assert kept.status_code == 200, kept.text


async def test_a_change_that_breaks_a_rule_changes_nothing(admin: AdminWorld) -> None:
    async with admin.client(ADA) as client:
        await client.post(PATH, json={"id": "hr-portal", "settings": SETTINGS})
        for change in (
            {"origins": ["https://a.example"] * 2},
            {"languages": ["de"], "texts": {"en": {}}},
            {"keys": None},
        ):
            reply = await client.patch(f"{PATH}/hr-portal", json=change, headers={"if-match": '"1"'})
            assert reply.status_code == (422 if change != {"keys": None} else 200), reply.text
        assert admin.administration.widgets.get(OPERATOR, "hr-portal").rev == 2


async def test_an_id_is_plain(admin: AdminWorld) -> None:
    async with admin.client(ADA) as client:
        for wrong in ("HR", "hr portal", "-hr", "", "x" * 41, "hr\u0000"):
            reply = await client.post(PATH, json={"id": wrong, "settings": SETTINGS})
            assert reply.status_code == 422, wrong


async def test_a_taken_id_is_a_conflict_and_a_client_keeps_its_secret_to_itself(admin: AdminWorld) -> None:
    async with admin.client(ADA) as client:
        made = await client.post(PATH, json={"id": "hr-portal", "settings": SETTINGS})
        again = await client.post(PATH, json={"id": "hr-portal", "settings": SETTINGS})
    assert again.status_code == 409
    assert made.json()["secret"].encode() not in admin.dump()


async def test_an_administrator_of_a_tenant_makes_none_for_another(admin: AdminWorld) -> None:
    async with admin.client(person("eve", Role.ADMIN, assistants=("shop",))) as client:
        reply = await client.post(PATH, json={"id": "hr-portal", "settings": SETTINGS})
        assert reply.status_code == 422
        own = await client.post(PATH, json={"id": "shop", "settings": SETTINGS | {"assistant": "shop"}})
        assert own.status_code == 201
        moved = await client.patch(f"{PATH}/shop", json={"assistant": "helpdesk"}, headers={"if-match": '"1"'})
        assert moved.status_code == 422
