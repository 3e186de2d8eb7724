"""The first publish over REST: open to an administrator of an empty store, and to nobody afterwards."""

import json

import pytest

from store.catalog import live_revision, load_catalog
from store.formats.bundle import Bundle
from store.formats.bundle_file import Writing, bundle_text
from store.people import Role
from tests.administration import AdminWorld, person
from tests.store.store_content import assistant, prompt
from tests.world import POLICY

pytestmark = pytest.mark.anyio
ADDRESS = "/v1/admin/beginning"
OWN = Bundle((prompt("it.vpn"),), (assistant("desk", areas=("it",), policy="helpdesk"),), {"helpdesk": POLICY})
SENT = json.loads(bundle_text(OWN, Writing.JSON))


async def test_an_administrator_publishes_a_bundle_and_then_it_is_closed(admin: AdminWorld) -> None:
    async with admin.client(person("ada", Role.ADMIN)) as client:
        assert (await client.get(ADDRESS)).json() == {"is_open": True, "has_example": True}
        told = await client.post(ADDRESS, json={"bundle": SENT})
        assert (told.status_code, told.json()) == (201, {"revision": 1, "documents": 3})
        assert (await client.get(ADDRESS)).json()["is_open"] is False
        again = await client.post(ADDRESS, json={"example": True})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert set(load_catalog(admin.database).prompts) == {"it.vpn"}


@pytest.mark.parametrize("sent", [{}, {"example": True, "bundle": {}}, {"example": False}, {"bundle": {"x": 1}}])
async def test_what_is_not_one_of_the_two_publishes_nothing(admin: AdminWorld, sent: dict[str, object]) -> None:
    async with admin.client(person("ada", Role.ADMIN)) as client:
        assert (await client.post(ADDRESS, json=sent)).status_code == 422
    assert live_revision(admin.database) == 0


async def test_no_other_role_and_no_administrator_of_some_assistants_begins(admin: AdminWorld) -> None:
    others = (person("eve", *(set(Role) - {Role.ADMIN})), person("abe", Role.ADMIN, assistants=("desk",)))
    for actor in others:
        async with admin.client(actor) as client:
            told = await client.post(ADDRESS, json={"example": True})
        assert (told.status_code, told.json()["code"]) == (403, "insufficient_role")
    assert live_revision(admin.database) == 0
