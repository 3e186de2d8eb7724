"""System: every part as it is, without a secret or a path, and what is live as a file."""

import pytest

from gateway.inventory import take_inventory
from gateway.readiness import PartReport, PartState
from store.errors import StoreUnavailable
from store.import_desk import ImportDesk
from store.people import OPERATOR, Role
from tests.administration import AdminWorld
from tests.gateway.http.pages.page_content import draft, fill, run_gate

pytestmark = pytest.mark.anyio


async def test_every_part_is_told_and_nothing_that_is_secret(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.AUDITOR)
    admin.world.parts["model"] = PartReport(PartState.DEGRADED, "the worker is starting")
    browser = await signed_in("ada")
    await browser.open("/admin/system")
    assert browser.status == 200
    for words in ("Answers are limited.", "the worker is starting", "Revision", "Packages and their licences"):
        assert words in browser.text
    assert "None was made yet." in browser.text
    settings = admin.components.settings
    assert settings.database_url not in browser.reply.text
    assert str(settings.data_directory) not in browser.reply.text
    with admin.database.writing() as session:
        admin.audit.append(OPERATOR, "backup.made", "backup x", {"has_secrets": True}, session=session)
    admin.world.parts["store"] = PartReport(PartState.NOT_READY, "locked")
    await browser.open("/admin/system")
    assert "Has secrets" in browser.text
    assert "No question is answered at the moment." in browser.text


async def test_a_part_that_cannot_be_read_is_told_by_itself(admin: AdminWorld, signed_in, monkeypatch) -> None:
    def away(*_args, **_more):
        raise StoreUnavailable("the database at /secret/path is locked")

    admin.user("ada", Role.ADMIN)
    browser = await signed_in("ada")
    monkeypatch.setattr(type(admin.administration.auditing), "page", away)
    await browser.open("/admin/system")
    assert browser.status == 200
    assert "This cannot be read at the moment." in browser.text
    assert "/secret" not in browser.reply.text


async def test_what_is_live_is_taken_along(admin: AdminWorld, signed_in) -> None:
    admin.user("ada", Role.ADMIN)
    admin.user("bo", Role.EDITOR)
    browser = await signed_in("ada")
    headers = {"sec-fetch-site": "same-origin"}
    reply = await browser.client.get("/admin/system/export?format=bundle-json", headers=headers)
    assert reply.status_code == 200
    assert reply.headers["content-disposition"].startswith("attachment")
    assert (await browser.client.get("/admin/system/export?format=exe", headers=headers)).status_code == 400
    other = await signed_in("bo")
    assert (await other.client.get("/admin/system/export?format=bundle-json", headers=headers)).status_code == 403


def test_every_package_says_its_version_and_most_their_licence(admin: AdminWorld) -> None:
    packages = take_inventory(admin.components.settings, admin.world.live).packages
    assert {"litestar", "sqlalchemy"} <= {one.name.lower() for one in packages}
    assert all(one.version for one in packages)
    assert sum(bool(one.licence) for one in packages) > len(packages) / 2


async def test_what_runs_and_what_came_of_it_is_told(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    admin.user("au", Role.AUDITOR)
    ada, auditor = await signed_in("ada"), await signed_in("au")
    await auditor.open("/admin/system")
    assert "Nothing runs, and nothing ran yet." in auditor.text
    await run_gate(ada, await draft(ada, title="Better words"))
    desk = ImportDesk(admin.database, admin.audit, admin.drafts)
    begun = desk.begin(admin.access.users.named("ada").actor, {"format": "csv", "file": "ours.csv"})
    await auditor.open("/admin/system")
    assert f"/admin/prompts/imports/{begun.id}" in auditor.reply.text
    assert "ours.csv" in auditor.text
    assert "Gate● Done" in auditor.text.replace("Gate ●", "Gate●")
    assert "Numbers of a vector" in auditor.text
    desk.fail(admin.access.users.named("ada").actor, begun.id, "the header lacks a column")
    await auditor.open("/admin/system")
    assert "the header lacks a column" in auditor.text
