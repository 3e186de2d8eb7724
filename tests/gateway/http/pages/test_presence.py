"""Who else has a draft open is told to those who may see it, for as long as a page says that it is open."""

import pytest

from gateway.presence import BEAT, OPENED
from store.catalog import publish_bundle
from store.formats.bundle import Bundle
from store.people import Role
from tests.administration import AdminWorld
from tests.gateway.http.pages.page_content import PROMPT, draft, fill
from tests.store.store_content import assistant, prompt

pytestmark = pytest.mark.anyio
TOO = "is editing this too."


async def test_two_who_have_the_same_draft_open_are_told_of_each_other(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada, edda = await signed_in("ada"), await signed_in("edda")
    await ada.open(f"{PROMPT}/edit")
    assert TOO not in ada.text
    await edda.open(f"{PROMPT}/edit")
    assert "ada is editing this too." in edda.text
    await ada.open(f"{PROMPT}/edit")
    assert "edda is editing this too." in ada.text


async def test_another_draft_of_the_same_prompt_is_another_place(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada, edda = await signed_in("ada"), await signed_in("edda")
    change = (await draft(ada, title="Mine")).rpartition("/")[2]
    admin.clock.pass_by(seconds=OPENED.total_seconds())
    ada, edda = await signed_in("ada"), await signed_in("edda")
    await ada.open(f"{PROMPT}/edit?change={change}")
    await edda.open(f"{PROMPT}/edit")
    assert TOO not in edda.text
    await edda.open(f"{PROMPT}/edit?change={change}")
    assert "ada is editing this too." in edda.text


async def test_whoever_says_nothing_more_is_gone_after_a_while(admin: AdminWorld, signed_in) -> None:
    fill(admin)
    ada, edda = await signed_in("ada"), await signed_in("edda")
    await ada.open(f"{PROMPT}/edit")
    csrf = ada.page.form(f"{PROMPT}/edit")["fields"][0]
    beat = [csrf, ("kind", "prompt"), ("name", "it.vpn"), ("change", "")]
    await ada.post("/admin/here", beat)
    assert (ada.status, TOO in ada.text) == (200, False)
    admin.clock.pass_by(seconds=BEAT.total_seconds() - 1)
    await edda.open(f"{PROMPT}/edit")
    assert "ada is editing this too." in edda.text
    await ada.post("/admin/here", beat)
    assert "edda is editing this too." in ada.text
    admin.clock.pass_by(seconds=BEAT.total_seconds())
    await edda.open(f"{PROMPT}/edit")
    assert TOO not in edda.text


async def test_nobody_learns_who_is_at_a_draft_that_they_may_not_see_and_is_not_seen_there(
    admin: AdminWorld, signed_in
) -> None:
    fill(admin)
    shop = assistant("shop", areas=("shop",))
    publish_bundle(admin.database, Bundle((prompt("shop.returns"),), (shop,)), author="operator", note="second")
    admin.user("sam", Role.EDITOR, assistants=("shop",))
    ada, sam = await signed_in("ada"), await signed_in("sam")
    await sam.open("/admin/prompts/shop.returns/edit")
    csrf = sam.page.form("/admin/prompts/shop.returns/edit")["fields"][0]
    await ada.open(f"{PROMPT}/edit")
    await sam.post("/admin/here", [csrf, ("kind", "prompt"), ("name", "it.vpn"), ("change", "")])
    assert (sam.status, "ada" in sam.text) == (404, False)
    await ada.open(f"{PROMPT}/edit")
    assert TOO not in ada.text
    await ada.open("/admin/prompts/shop.returns/edit")
    assert "sam is editing this too." in ada.text
    await sam.open("/admin/prompts/shop.returns/edit")
    assert "ada" not in sam.text, "people of no tenant are not told to those of one"


@pytest.mark.parametrize(("kind", "status"), [("suite", 400), ("", 400), ("policy", 404)])
async def test_a_place_that_is_none_is_refused(admin: AdminWorld, signed_in, kind: str, status: int) -> None:
    fill(admin)
    ada = await signed_in("ada")
    await ada.open(f"{PROMPT}/edit")
    csrf = ada.page.form(f"{PROMPT}/edit")["fields"][0]
    await ada.post("/admin/here", [csrf, ("kind", kind), ("name", "none\x07" if kind == "policy" else "it.vpn")])
    assert ada.status == status
    assert admin.count("presences") == 1
