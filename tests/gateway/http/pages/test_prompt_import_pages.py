"""Imports by upload: read and shown first, drafted when asked, and nobody fills the disk who may not import."""

import pytest

from gateway.http.pages import uploads
from store.catalog import load_catalog
from store.changes.types import OPEN_STATES
from store.formats.bundle import Bundle
from store.formats.bundle_file import Writing, bundle_text
from store.formats.csv_rows import sample
from store.people import Role
from tests.administration import AdminWorld
from tests.gateway.http.pages.page_content import fill, live, publish
from tests.plain_browser import PlainBrowser
from tests.store.store_content import prompt

pytestmark = pytest.mark.anyio
IMPORT = "/admin/prompts/import"
CSV = b"".join(sample())


@pytest.fixture(autouse=True)
def admin(make_admin) -> AdminWorld:
    made: AdminWorld = make_admin(keeps_changes=True)
    fill(made)
    return made


async def send(
    admin: AdminWorld, browser: PlainBrowser, data: bytes = CSV, name: str = "ours.csv", **typed: str
) -> str:
    """Sends a file and has it read; gives the address of the import."""
    await browser.open(IMPORT)
    await browser.upload(IMPORT, (name, data), **{"area": "it", "owner": "Service Desk"} | typed)
    assert browser.path.startswith("/admin/prompts/imports/"), browser.text
    assert await admin.importing.run_next()
    await browser.open(browser.path)
    return browser.path


async def test_a_file_is_shown_before_any_of_it_is_in_a_change(admin: AdminWorld, signed_in) -> None:
    browser = await signed_in("ada")
    path = await send(admin, browser, CSV + b'"","","no question",""\n')
    assert "ours.csv" in browser.text
    assert "VPN from home" in browser.text
    assert "it.vpn-from-home" in browser.text
    assert "Rows that were refused" in browser.text
    assert "Made2" in browser.text
    assert admin.changing.drafts.page(admin.access.users.named("ada").actor, states=OPEN_STATES).changes == ()
    await browser.send(path)
    assert browser.path.startswith("/admin/changes/")
    assert "The drafts are in this change." in browser.text
    assert "Import of ours.csv" in browser.text
    assert not [key for key in load_catalog(admin.database).prompts if "badge" in key]
    await browser.open(path)
    assert "The drafts are in a change." in browser.text
    assert not [one for one in browser.page.forms if one["action"] == path]


async def test_how_many_rows_were_read_is_shown_and_not_said_each_time(signed_in) -> None:
    browser = await signed_in("ada")
    await browser.open(IMPORT)
    await browser.upload(IMPORT, ("ours.csv", CSV), area="it", owner="Service Desk")
    assert "Rows so far: 0" in browser.text
    assert '<p role="status" class="live-said" data-said></p>' in browser.reply.text


async def test_refused_rows_are_told_with_their_lines_and_given_back_as_they_came(admin: AdminWorld, signed_in) -> None:
    browser = await signed_in("ada")
    wrong = b'"A title","","An answer","en"\n'
    path = await send(admin, browser, CSV + wrong)
    cells = [values for tag, values in browser.page.tags if tag == "td" and values.get("class") == "reason"]
    assert cells == [{"class": "reason"}]
    assert "the question is empty" in browser.text
    arabic = await signed_in("ada", language="ar")
    await arabic.open(path)
    assert "السؤال فارغ" in arabic.text
    assert "LineWhat is wrong 5" in browser.text
    reply = await browser.client.get(f"{path}/export", headers={"sec-fetch-site": "same-origin"})
    assert reply.content.splitlines()[1] == wrong.strip()
    assert reply.headers["content-disposition"].startswith("attachment")


async def test_drafts_go_into_the_change_that_is_chosen_and_only_once(admin: AdminWorld, signed_in) -> None:
    browser = await signed_in("ada")
    mine = admin.changing.drafts.create(admin.access.users.named("ada").actor, "Spring cleaning")
    path = await send(admin, browser)
    await browser.send(path, change=str(mine.id))
    assert browser.path == f"/admin/changes/{mine.id}"
    token = dict(browser.page.form("/admin/sign-out")["fields"])["csrf"]
    await browser.post(path, [("csrf", token)])
    assert browser.status == 409
    assert "in a change already" in browser.text


async def test_a_test_set_is_drafted_too(admin: AdminWorld, signed_in) -> None:
    browser = await signed_in("ada")
    path = await send(admin, browser, makes="suite", suite="strangers")
    assert "strangers" in browser.text
    await browser.send(path)
    assert "strangers" in browser.text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"area": "IT"}, "Area"),
        ({"owner": ""}, "Owner"),
        ({"review_by": "soon"}, "Day"),
        ({"makes": "suite", "suite": "No!"}, "test set's name"),
    ],
)
async def test_what_is_wrong_is_told_at_its_field_and_nothing_that_was_typed_is_lost(
    admin: AdminWorld, signed_in, typed: dict[str, str], said: str
) -> None:
    browser = await signed_in("ada")
    await browser.open(IMPORT)
    await browser.upload(IMPORT, ("a.csv", CSV), **{"area": "it", "owner": "Someone", "language": "de"} | typed)
    assert browser.status == 422
    fields = {"area": "Area", "review_by": "Review by", "language": "Language", "owner": "Owner", "suite": "Test set"}
    name = next(name for name in typed if name in fields)
    assert f"{fields[name]}: " in browser.text, "the summary names the field"
    kept = dict(browser.page.form(IMPORT)["fields"])
    assert kept["language"] == "de"
    assert all(kept[name] == value for name, value in typed.items() if name != "makes")
    assert "a.csv" not in browser.text
    assert not list((admin.folder / "imports").glob("*")) or said


async def test_without_a_file_the_form_says_so(signed_in) -> None:
    browser = await signed_in("ada")
    await browser.open(IMPORT)
    await browser.upload(IMPORT, None, area="it")
    assert (browser.status, "File: Choose a file." in browser.text) == (422, True)
    assert any(values.get("href") == "#f-file" for tag, values in browser.page.tags if tag == "a")
    fields = browser.page.form(IMPORT)["fields"]
    await browser.post(IMPORT, [one for one in fields if one[0] != "file"])
    assert (browser.status, "Choose a file." in browser.text) == (422, True)


async def test_a_file_that_cannot_be_read_is_told_with_what_to_do(admin: AdminWorld, signed_in) -> None:
    browser = await signed_in("ada")
    await send(admin, browser, b'"title","question"\n"a","b"\n')
    assert "Nothing of the file could be drafted." in browser.text or "The file could not be read." in browser.text


async def test_the_sample_can_be_imported_as_it_is(admin: AdminWorld, signed_in) -> None:
    browser = await signed_in("ada")
    reply = await browser.client.get(f"{IMPORT}/export", headers={"sec-fetch-site": "same-origin"})
    assert reply.headers["content-type"].startswith("text/csv")
    await send(admin, browser, reply.content)
    assert "Rows that were refused0" in browser.text


async def test_a_form_with_a_file_needs_the_sessions_token_and_its_own_site(admin: AdminWorld, signed_in) -> None:
    browser = await signed_in("ada")
    await browser.open(IMPORT)
    fields = {"makes": "prompts", "format": "csv", "area": "it", "owner": "x", "language": "en"}
    files = {"file": ("a.csv", CSV)}
    client = browser.client
    told = await client.post(IMPORT, data=fields, files=files, headers={"sec-fetch-site": "same-origin"})
    assert told.status_code == 403
    csrf = dict(browser.page.form(IMPORT)["fields"])["csrf"]
    told = await client.post(
        IMPORT, data=fields | {"csrf": csrf}, files=files, headers={"sec-fetch-site": "cross-site"}
    )
    assert told.status_code == 403
    same = {"sec-fetch-site": "same-origin"}
    told = await client.post("/admin/prompts/new", data={"csrf": csrf}, files=files, headers=same)
    assert told.status_code == 403
    assert admin.count("imports") == 0


async def test_nobody_fills_the_disk_whom_the_page_is_not_for(admin: AdminWorld, signed_in, monkeypatch) -> None:
    async def read(_request):
        raise AssertionError("the body was read")

    monkeypatch.setattr("gateway.http.pages.guard.read_upload", read)
    files = {"file": ("a.csv", CSV)}
    same = {"sec-fetch-site": "same-origin"}
    viewer = await signed_in("vic")
    assert (await viewer.client.post(IMPORT, data={"csrf": "x"}, files=files, headers=same)).status_code == 403
    async with admin.browser() as nobody:
        assert (await nobody.post(IMPORT, data={"csrf": "x"}, files=files, headers=same)).status_code == 303


async def test_a_form_that_is_too_large_or_damaged_is_refused(signed_in) -> None:
    browser = await signed_in("ada")
    head = {"content-type": f"{uploads.MULTIPART}; boundary=x", "sec-fetch-site": "same-origin"}
    for body in (
        b"",
        b"--x",
        b"nothing of the kind",
        b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n\xff',
    ):
        told = await browser.client.post(IMPORT, content=body, headers=head)
        assert told.status_code in (400, 403, 415), (body, told.text)
    large = head | {"content-length": str(uploads.MOST_BYTES + 1)}
    told = await browser.client.post(IMPORT, content=b"", headers=large)
    assert told.status_code == 413
    told = await browser.client.post(IMPORT, content=b"--y--", headers=head | {"content-type": uploads.MULTIPART})
    assert told.status_code == 400


async def test_an_import_is_its_senders_and_of_those_who_see_all(admin: AdminWorld, signed_in) -> None:
    path = await send(admin, await signed_in("ada"))
    other = await signed_in("edda")
    await other.open(path)
    assert other.status == 404
    root = await signed_in("root")
    await root.open(path)
    assert root.status == 200
    assert "Only whoever sent the file" in root.text
    assert not [one for one in root.page.forms if one["action"] == path]


async def test_the_name_of_a_file_is_plain_text(admin: AdminWorld, signed_in) -> None:
    browser = await signed_in("ada")
    await send(admin, browser, name="C:\\work\\<b>ours.csv")
    assert "<b>ours.csv" in browser.text
    assert "work\\" not in browser.text


async def test_an_editor_of_another_area_imports_nothing(admin: AdminWorld, signed_in) -> None:
    admin.user("hugo", Role.EDITOR, areas=("hr",))
    browser = await signed_in("hugo")
    await browser.open(IMPORT)
    await browser.upload(IMPORT, ("a.csv", CSV), area="it", owner="x")
    assert browser.status == 403
    assert admin.count("imports") == 0


async def test_a_list_that_was_taken_along_and_edited_comes_back_as_a_difference(admin: AdminWorld, signed_in) -> None:
    browser = await signed_in("ada")
    for name in ("csv-prompts", "bundle-json", "bundle-yaml"):
        reply = await browser.client.get(
            f"/admin/prompts/export?format={name}", headers={"sec-fetch-site": "same-origin"}
        )
        await send(admin, browser, reply.content, makes="whole", whole=name)
        assert "could be drafted" in browser.text, name
        title = live(admin).title.encode()
        path = await send(admin, browser, reply.content.replace(title, b"Another title"), makes="whole", whole=name)
        assert "Another title" in browser.text
        assert "Changed" in browser.text
        await browser.send(path)
        assert browser.path.startswith("/admin/changes/"), browser.text
        held = admin.changing.drafts.page(admin.access.users.named("ada").actor, states=OPEN_STATES).changes[0]
        assert [one.name for one in held.items] == ["it.vpn"]
        await browser.open(f"{browser.path}/steps/withdraw")
        await browser.send(f"/admin/changes/{held.id}/steps/withdraw")
    assert live(admin).title.encode() == title


async def test_a_damaged_list_is_told_line_by_line_and_nothing_of_it_is_drafted(admin: AdminWorld, signed_in) -> None:
    browser = await signed_in("ada")
    reply = await browser.client.get(
        "/admin/prompts/export?format=csv-prompts", headers={"sec-fetch-site": "same-origin"}
    )
    await send(
        admin, browser, reply.content + reply.content.splitlines()[1].replace(b"en", b"english") + b"\n", makes="whole"
    )
    assert "The file could not be read." in browser.text
    assert "line " in browser.text


async def test_a_prompt_of_another_tenant_is_shown_as_a_new_one(admin: AdminWorld, signed_in) -> None:
    publish(admin, "hr.leave", reply={"mode": "verbatim", "answer": "Ask for velvet."})
    admin.user("hugo", Role.EDITOR, assistants=("desk",))
    browser, root = await signed_in("hugo"), await signed_in("root")
    guessed, same = prompt("hr.leave", title="A guess"), live(admin, "hr.leave")
    for theirs, is_told in ((guessed, False), (same, True)):
        data = bundle_text(Bundle(prompts=(theirs,)), Writing.JSON).encode()
        path = await send(admin, browser, data, makes="whole", whole="bundle-json")
        assert f"{theirs.title} hr.leave" in browser.text
        assert ("velvet" in browser.text) == is_told, "it says what the file says"
        if theirs is guessed:
            await root.open(path)
            assert "velvet" in root.text, "whoever sees all is told what would be altered"
