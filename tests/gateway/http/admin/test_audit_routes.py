"""Auditors read the trail and verify it; others do not."""

import sqlite3

import pytest

from store.people import Role
from tests.administration import AdminWorld, person

pytestmark = pytest.mark.anyio
AUDITOR = person("ada", Role.AUDITOR)


def add(admin: AdminWorld, count: int, actor=AUDITOR) -> None:
    for number in range(count):
        with admin.database.writing() as session:
            admin.audit.append(actor, "key.made", f"key {number}", {"number": number}, session=session)


@pytest.mark.parametrize("path", ["/v1/admin/audit", "/v1/admin/audit/verification"])
async def test_only_auditors_and_admins_see_the_trail(admin: AdminWorld, path: str) -> None:
    async with admin.client() as client:
        assert (await client.get(path)).status_code == 401
    for role in Role:
        async with admin.client(person("bob", role)) as client:
            wanted = 200 if role in (Role.AUDITOR, Role.ADMIN) else 403
            assert (await client.get(path)).status_code == wanted


async def test_pages_follow_one_another_newest_first(admin: AdminWorld) -> None:
    add(admin, 5)
    seen, after = [], ""
    async with admin.client(AUDITOR) as client:
        while True:
            page = (await client.get("/v1/admin/audit", params={"limit": 2, "after": after})).json()
            seen += [entry["number"] for entry in page["entries"]]
            if page["next"] is None:
                break
            after = page["next"]
    assert seen == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "after=-1",
        "since=yesterday",
        "since=2026-01-01T00:00:00",
        "other=1",
        "limit=1&limit=2",
        "actor=%00",
        "action=" + "x" * 201,
    ],
)
async def test_a_query_that_makes_no_sense_is_told_with_its_name(admin: AdminWorld, query: str) -> None:
    async with admin.client(AUDITOR) as client:
        told = await client.get(f"/v1/admin/audit?{query}")
    assert (told.status_code, told.json()["code"]) == (400, "invalid_query")


async def test_an_auditor_of_a_tenant_sees_what_it_did_itself(admin: AdminWorld) -> None:
    bound = person("eve", Role.AUDITOR, assistants=("helpdesk",))
    add(admin, 2)
    add(admin, 1, bound)
    async with admin.client(bound) as client:
        entries = (await client.get("/v1/admin/audit")).json()["entries"]
        others = (await client.get("/v1/admin/audit", params={"actor": AUDITOR.id})).json()["entries"]
    assert ([entry["number"] for entry in entries], others) == ([3], [])


async def test_a_verification_tells_the_first_row_that_is_wrong(admin: AdminWorld) -> None:
    add(admin, 3)
    admin.administration.auditing.checkpointing.write()
    async with admin.client(AUDITOR) as client:
        told = (await client.get("/v1/admin/audit/verification")).json()
        assert (told["is_whole"], told["rows"], told["proved_by"]) == (True, 3, 3)
        with sqlite3.connect(str(admin.database.path)) as raw:
            raw.execute("DROP TRIGGER audit_no_delete")
            raw.execute("DELETE FROM audit WHERE number = 3")
        raw.close()
        told = (await client.get("/v1/admin/audit/verification")).json()
    assert (told["is_whole"], told["fault"]) == (False, {"kind": "truncated", "row": 3, "until": 3})
