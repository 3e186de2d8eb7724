"""Pages of assistants: what one is, drafts of it in a change, mistakes at their fields, and two writers."""

import msgspec
import pytest

from store.catalog import load_catalog, publish_bundle
from store.changes.types import EditKind, Item
from store.formats.bundle import Bundle
from store.people import Role
from tests.administration import AdminWorld
from tests.gateway.http.pages.page_content import fill, hidden
from tests.plain_browser import PlainBrowser

pytestmark = pytest.mark.anyio
ASSISTANTS = "/admin/assistants"


def one_of(admin: AdminWorld) -> str:
    return f"{ASSISTANTS}/{min(load_catalog(admin.database).assistants)}"


async def save(browser: PlainBrowser, one: str, **typed: str) -> str:
    """Drafts an assistant; gives the id of the change."""
    await browser.open(f"{one}/edit")
    await browser.send(f"{one}/edit", **typed)
    assert browser.status == 200, browser.text
    return browser.path.partition("change=")[2]


async def test_an_assistant_is_listed_and_shown_with_what_it_keeps(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    vic = await signed_in("vic")
    await vic.open(ASSISTANTS)
    live = load_catalog(admin.database).assistants
    for name, one in live.items():
        assert one.title in vic.text
        await vic.open(f"{ASSISTANTS}/{name}")
        assert vic.status == 200
        for words in (one.title, one.greeting, one.policy, *one.areas, one.texts.no_match, "Words of people"):
            assert words in vic.text
        assert "/edit" not in vic.reply.text


async def test_an_edit_becomes_a_draft_that_changes_nothing_else_and_its_change_leads_to_it(
    admin: AdminWorld, signed_in
) -> None:
    fill(admin)
    one = one_of(admin)
    item = Item(EditKind.ASSISTANT, one.rpartition("/")[2])
    before = admin.changing.contents.get(admin.access.users.named("root").actor, item)
    ada = await signed_in("ada")
    change = await save(ada, one, keeps_text="redacted", retention_days="30")
    assert "The draft" in ada.text or "draft" in ada.text.lower()
    root = admin.access.users.named("root").actor
    drafts = admin.changing.drafts.page(root, limit=2).changes
    assert [str(draft.id) for draft in drafts] == [change]
    drafted = admin.changing.contents.get(root, item, drafts[0].id).document
    assert drafted == {**before.document, "keeps_text": "redacted", "retention_days": 30}
    assert admin.changing.contents.get(root, item).document == before.document
    await ada.open(f"/admin/changes/{change}")
    assert f"{one}?change={change}" in ada.reply.text
    assert "Words of people" in ada.text


async def test_saving_a_form_as_it_is_shown_changes_nothing(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    change = await save(ada, one_of(admin))
    await ada.open(f"/admin/changes/{change}")
    assert "Words of people" not in ada.text
    assert "How sure it must be" not in ada.text


async def test_what_is_wrong_is_told_at_its_field_and_what_was_typed_stays(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada = await signed_in("ada")
    await save(ada, one_of(admin), retention_days="soon", says_no_match="", false_match_rate="7")
    assert ada.path.partition("?")[0].endswith("/edit")
    for name in ("retention_days", "says_no_match", "false_match_rate"):
        assert f'id="e-{name}"' in ada.reply.text, name
    assert 'value="soon"' in ada.reply.text


async def test_of_two_writers_the_second_sees_both_and_loses_nothing(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    admin.user("both", Role.EDITOR)
    one = one_of(admin)
    ada, again = await signed_in("ada"), await signed_in("ada")
    change = await save(ada, one, greeting="Good day.")
    await ada.open(f"{one}/edit?change={change}")
    await again.open(f"{one}/edit?change={change}")
    await ada.send(f"{one}/edit", greeting="Good morning.")
    await again.send(f"{one}/edit", greeting="Good evening.")
    assert again.status == 409
    assert "Good evening." in again.reply.text
    assert "morning" in again.text
    assert hidden(again, f"{one}/edit")["greeting"] == "Good evening."


async def test_a_new_assistant_gets_a_policy_of_its_own_in_the_same_change(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    live = load_catalog(admin.database)
    copied = min(live.policies)
    ada = await signed_in("ada")
    await ada.open(f"{ASSISTANTS}/new")
    typed = {"name": "second", "title": "Second desk", "areas": "it", "policy": copied, "own_policy": "1"}
    said = {"greeting": "Hello.", "instructions": "Be kind.", "says_no_match": "No.", "says_clarify": "Which?"}
    await ada.send(f"{ASSISTANTS}/new", **typed, **said, says_withheld="Approved:")
    assert ada.path.startswith(f"{ASSISTANTS}/second?change="), ada.text
    root = admin.access.users.named("root").actor
    (head,) = admin.changing.drafts.page(root, limit=2).changes
    assert {str(one) for one in head.items} == {"assistant second", "policy second"}
    drafted = admin.changing.contents.get(root, Item(EditKind.POLICY, "second"), head.id).document
    assert drafted == {**live.policies[copied].document, "name": "second"}
    await ada.open(f"{ASSISTANTS}/second")
    assert ada.path.startswith(f"{ASSISTANTS}/second?change=")


async def test_a_new_assistant_needs_a_name_that_nothing_live_has(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    taken = one_of(admin).rpartition("/")[2]
    ada = await signed_in("ada")
    for name in ("", taken, "Not A Name"):
        await ada.open(f"{ASSISTANTS}/new")
        await ada.send(f"{ASSISTANTS}/new", name=name, title="A desk")
        assert ada.status in (409, 422), name
        assert 'value="A desk"' in ada.reply.text


async def test_versions_are_compared_word_by_word_and_an_old_one_is_drafted_again(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    one = one_of(admin)
    name, before = one.rpartition("/")[2], load_catalog(admin.database).assistants
    greeted = msgspec.structs.replace(before[name], greeting="Good day to you.")
    publish_bundle(admin.database, Bundle((), (greeted,), {}), author="tests")
    ada, vic = await signed_in("ada"), await signed_in("vic")
    await vic.open(one)
    assert f"{one}/versions?from=1&amp;to=2" in vic.reply.text
    await vic.open(f"{one}/versions?from=1&to=2")
    assert "From version 1 to version 2" in vic.text
    assert vic.page.count("ins") >= 1
    assert "/restore" not in vic.reply.text
    await ada.open(f"{one}/versions")
    await ada.send(f"{one}/versions/1/restore")
    assert ada.path.startswith(f"{one}?change="), ada.text
    root = admin.access.users.named("root").actor
    (head,) = admin.changing.drafts.page(root, limit=2).changes
    drafted = admin.changing.contents.get(root, Item(EditKind.ASSISTANT, name), head.id).document
    assert drafted["greeting"] == before[name].greeting
    assert load_catalog(admin.database).assistants[name].greeting == "Good day to you."


async def test_removing_says_what_then_has_nobody_to_ask_and_is_a_draft(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    one = one_of(admin)
    name, live = one.rpartition("/")[2], load_catalog(admin.database)
    admin.user("bound", Role.VIEWER, assistants=(name,))
    ada = await signed_in("ada")
    await ada.open(one)
    assert f'href="{one}/remove"' in ada.reply.text
    await ada.open(f"{one}/remove")
    alone = {key for key in live.prompts if key.partition(".")[0] in live.assistants[name].areas}
    assert alone
    for words in ("Prompts that nobody answers with", "People bound to it", live.assistants[name].policy, *alone):
        assert words in ada.text
    await ada.send(f"{one}/remove")
    assert ada.path.startswith("/admin/changes/"), ada.text
    assert "The removal is drafted" in ada.text
    assert name in load_catalog(admin.database).assistants
    (head,) = admin.changing.drafts.page(admin.access.users.named("root").actor, limit=2).changes
    assert [str(item) for item in head.items] == [f"assistant {name}"]


async def test_removing_what_was_written_meanwhile_is_refused(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    one = one_of(admin)
    ada = await signed_in("ada")
    await ada.open(f"{one}/remove")
    before = load_catalog(admin.database).assistants[one.rpartition("/")[2]]
    moved = msgspec.structs.replace(before, greeting="Good day to you.")
    publish_bundle(admin.database, Bundle((), (moved,), {}), author="tests")
    await ada.send(f"{one}/remove")
    assert ada.status == 409
    assert not admin.changing.drafts.page(admin.access.users.named("root").actor, limit=2).changes
