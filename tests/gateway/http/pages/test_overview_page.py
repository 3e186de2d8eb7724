"""The overview: what needs somebody, by what they may do about it."""

from uuid import UUID

import pytest

from store.catalog import live_revision, load_catalog
from store.changes.evidence import GateResult, SuiteEvidence
from store.formats.bundle import Bundle
from store.formats.bundle_file import Writing, bundle_text
from store.people import Role
from tests.administration import AdminWorld, person
from tests.gateway.http.pages.page_content import draft, fill, publish, reviewed, step
from tests.store.store_content import assistant, prompt
from tests.world import POLICY

pytestmark = pytest.mark.anyio


async def test_what_waits_is_told_to_whoever_can_do_something_about_it(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada, bob, vic = await signed_in("ada"), await signed_in("bob"), await signed_in("vic")
    await ada.open("/admin")
    assert "Nothing waits for you." in ada.text
    change = await draft(ada, title="Better words")
    await reviewed(ada, change)
    await bob.open("/admin")
    assert "To approve" in bob.text
    assert change in bob.reply.text
    for browser in (ada, vic):
        await browser.open("/admin")
        assert change not in browser.reply.text
    assert "Needs you" not in vic.text
    await step(bob, change, "request_changes", reason="Name the team.")
    await ada.open("/admin")
    assert "Sent back to you" in ada.text
    assert change in ada.reply.text


async def test_prompts_whose_review_is_due_are_told_to_editors(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    publish(admin, review_by="2026-01-31", title="Old words")
    ada, bob = await signed_in("ada"), await signed_in("bob")
    await ada.open("/admin")
    assert "Old words" in ada.text
    assert "31 Jan 2026" in ada.text
    await bob.open("/admin")
    assert "Old words" not in bob.text


async def test_an_approved_change_waits_to_be_published(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    admin.user("nora", Role.APPROVER)
    ada, bob = await signed_in("ada"), await signed_in("bob")
    change = await draft(ada, title="Better words")
    await reviewed(ada, change)
    await step(bob, change, "approve")
    nora = await signed_in("nora")
    await nora.open("/admin")
    assert "To publish" in nora.text
    assert change in nora.reply.text


async def test_an_administrator_of_an_empty_store_begins_with_the_example_and_only_once(
    admin: AdminWorld, signed_in
) -> None:
    admin.user("root", Role.ADMIN)
    admin.user("ada", Role.EDITOR)
    root, ada = await signed_in("root"), await signed_in("ada")
    await ada.open("/admin")
    assert "Nothing is published yet" not in ada.text
    await root.open("/admin")
    assert "Begin with the example help desk" in root.text
    again = await signed_in("root")
    await again.open("/admin")
    await root.send("/admin/begin")
    assert "It is published." in root.text
    assert "Begin with the example help desk" not in root.text
    assert live_revision(admin.database) == 1
    await again.send("/admin/begin")
    assert again.status == 409
    assert "Something is published already." in again.text or "no longer possible" in again.text
    assert live_revision(admin.database) == 1


async def test_a_bundle_of_ones_own_is_taken_as_a_file_or_refused_with_what_is_wrong(
    admin: AdminWorld, signed_in
) -> None:
    admin.user("root", Role.ADMIN)
    root = await signed_in("root")
    await root.open("/admin")
    csrf = dict(root.page.form("/admin/begin/bundle")["fields"])["csrf"]
    own = Bundle((prompt("it.vpn"),), (assistant("desk", areas=("it",), policy="helpdesk"),), {"helpdesk": POLICY})

    async def sent(**files: tuple[str, bytes]) -> tuple[int, str]:
        headers = {"sec-fetch-site": "same-origin"}
        told = await root.client.post(
            "/admin/begin/bundle", data={"csrf": csrf}, files=files or {"x": ("", b"")}, headers=headers
        )
        return told.status_code, told.text

    status, text = await sent(file=("own.yaml", b"format: canongate-bundle\nversion: 1\n"))
    assert status == 422
    assert "It has no assistants and no policies and no prompts" in text
    assert live_revision(admin.database) == 0
    status, _ = await sent(file=("own.yaml", bundle_text(own, Writing.YAML).encode()))
    assert status == 303
    assert set(load_catalog(admin.database).assistants) == {"desk"}


async def test_what_a_test_set_comes_to_is_told_in_numbers_with_the_run_that_found_it(
    admin: AdminWorld, signed_in
) -> None:
    fill(admin)
    ada = await signed_in("ada")
    path = await draft(ada, title="Better words")
    drafts, runs = admin.changing.drafts, admin.changing.runs
    change = drafts.get(admin.access.users.named("ada").actor, UUID(path.rpartition("/")[2])).change
    found = SuiteEvidence(name="desk", assistant="helpdesk", cases=463, right=463, right_before=381)
    with admin.database.writing() as session:
        run = runs.start(change, live_revision(admin.database), person("ada"), at=admin.clock.at, session=session)
        runs.finish(run.id, GateResult(problems=(), suites=(found,)), at=admin.clock.at, session=session)
    await ada.open("/admin")
    told = "82 of 463 questions come out otherwise than the test set expects, for people who ask today."
    assert told in ada.text
    assert f'<a href="{path}/gate">The run</a>' in ada.reply.text
    assert "fails" not in ada.text
