"""The overview: what needs somebody, by what they may do about it."""

import pytest

from store.people import Role
from tests.administration import AdminWorld
from tests.gateway.http.pages.page_content import draft, fill, publish, reviewed, step

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
