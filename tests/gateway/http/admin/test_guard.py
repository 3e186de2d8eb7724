"""The admin surface lets in whom its table names, and nobody else."""

from pathlib import Path

import pytest

from gateway.http.admin import guard
from gateway.http.admin.operations import ADMIN_HANDLERS, ADMIN_OPERATIONS
from gateway.http.admin.route_table import OPEN_ROUTES, ROUTES
from gateway.limit_settings import LimitSettings
from store.people import Role
from tests.administration import AdminWorld, person

pytestmark = pytest.mark.anyio
WHOAMI = "/v1/admin/whoami"


async def test_somebody_signed_in_is_told_who_they_are(admin: AdminWorld) -> None:
    async with admin.client(person("ada", Role.APPROVER, areas=("it", "hr"))) as client:
        told = await client.get("/v1/admin/whoami")
    assert told.status_code == 200
    assert told.json()["grants"] == [{"role": "approver", "areas": ["hr", "it"]}]


async def test_nobody_gets_in_without_a_credential(admin: AdminWorld) -> None:
    async with admin.client() as client:
        told = await client.get("/v1/admin/whoami")
    assert told.status_code == 401
    assert told.headers["content-type"] == "application/problem+json"
    assert told.json()["code"] == "invalid_api_key"


async def test_keys_that_are_looked_up_count_by_their_address(make_world, admin: AdminWorld, tmp_path: Path) -> None:
    world = make_world(limits=LimitSettings(address_requests_per_minute=1))
    admin = AdminWorld(world, admin.database, tmp_path)
    admin.user("ada", Role.VIEWER)
    wrong = {"authorization": f"Bearer cg_aaaaaaaa_{'b' * 43}"}
    async with admin.browser() as client, admin.browser(address="198.51.100.1") as other:
        first, second = [await client.get(WHOAMI, headers=wrong) for _ in range(2)]
        elsewhere = await other.get(WHOAMI, headers=wrong)
        await admin.sign_in(client, "ada")
        signed_in = await client.get(WHOAMI)
    assert [one.status_code for one in (first, second, elsewhere, signed_in)] == [401, 429, 401, 200]
    assert (second.json()["code"], int(second.headers["retry-after"]) > 0) == ("rate_limit_exceeded", True)


async def test_somebody_without_any_role_is_refused(admin: AdminWorld) -> None:
    async with admin.client(person("bob")) as client:
        told = await client.get("/v1/admin/whoami")
    assert told.status_code == 403
    assert told.json()["code"] == "insufficient_role"


def test_a_route_that_the_table_does_not_name_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "ROUTES", {})
    with pytest.raises(TypeError, match="whoami"):
        guard.require_table(ADMIN_HANDLERS)


def test_every_operation_is_described() -> None:
    assert {f"{one.method.upper()} {one.path}" for one in ADMIN_OPERATIONS} == {
        name.replace(":str", "").replace(":int", "") for name in ROUTES.keys() | OPEN_ROUTES
    }
