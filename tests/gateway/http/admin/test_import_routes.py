"""A file that is sent becomes drafts in a change, never anything live; what is live is sent in any format."""

import gzip
import json
import os

import anyio
import pytest

from gateway import import_jobs
from gateway.import_jobs import WAITING
from store.catalog import load_catalog, publish_bundle
from store.errors import StoreUnavailable
from store.formats.bundle import read_bundle
from store.formats.bundle_file import Writing, parse_bundle
from store.import_desk import ImportDesk
from store.people import Actor, Role
from store.repositories.imports import ImportState
from store.review.drafts import EditKind
from tests.administration import AdminWorld, person
from tests.building import POLICY, PROMPTS
from tests.gateway.content_files import write_content

pytestmark = pytest.mark.anyio
EDITOR, OTHER = person("ed", Role.EDITOR), person("ann", Role.EDITOR)
ADMIN, AUDITOR = person("adm", Role.ADMIN), person("au", Role.AUDITOR)
ROWS = [
    {"instruction": "How do I open a door?", "context": "", "response": "Push it.", "category": "a"},
    {"instruction": "How do I open the door?", "context": "", "response": "Push it.", "category": "a"},
    {"instruction": "Where is the key?", "context": "", "response": "On the hook.", "category": "a"},
]
DATA = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS) + b"{\n"
ORDER = {"format": "dolly", "area": "doors", "owner": "Caretaker"}
KEY = {"idempotency-key": "3f2a"}


async def send(admin: AdminWorld, actor: Actor, data=DATA, headers=None, **query):
    async with admin.client(actor) as client:
        return await client.post(
            "/v1/admin/imports",
            params=ORDER | query,
            content=data,
            headers={"content-type": "application/octet-stream"} | (headers or {}),
        )


async def fetch(admin: AdminWorld, actor: Actor, path: str):
    async with admin.client(actor) as client:
        return await client.get(path)


async def run(admin: AdminWorld, actor: Actor = EDITOR, data=DATA, **query) -> dict:
    told = await send(admin, actor, data, **query)
    assert told.status_code == 202, told.text
    assert told.headers["location"] == f"/v1/admin/imports/{told.json()['id']}"
    assert told.json()["state"] == "waiting"
    assert await admin.importing.run_next()
    return (await fetch(admin, actor, told.headers["location"])).json()


def actions(admin: AdminWorld) -> list[str]:
    return [entry.action for entry in admin.audit.entries()]


async def test_a_file_becomes_edits_of_a_change_and_nothing_is_live(admin: AdminWorld) -> None:
    done = await run(admin, data=gzip.compress(DATA))
    assert (done["state"], done["rows"], done["done"], done["problem"]) == ("done", 3, 1.0, "")
    report = done["report"]
    assert (report["made"], report["joined"], report["rejected"]) == (2, 1, 1)
    assert report["problems"][0]["place"] == 4
    edits = admin.drafts.changes[done["change"]]
    assert {kind for kind, _ in edits} == {EditKind.PROMPT}
    assert {name for _, name in edits} == {"doors.how-do-i-open-a-door", "doors.where-is-the-key"}
    assert all(edit.base == "" for edit in edits.values())
    assert load_catalog(admin.database).prompts == {}
    assert actions(admin) == ["import.started", "import.finished"]
    drafts = await fetch(admin, EDITOR, f"/v1/admin/imports/{done['id']}/drafts")
    assert len(parse_bundle(drafts.content, Writing.JSON).prompts) == 2
    assert (await fetch(admin, EDITOR, f"/v1/admin/imports/{done['id']}/rejected")).content == b"{\n"
    assert (await fetch(admin, EDITOR, f"/v1/admin/imports/{done['id']}/questions")).status_code == 404


async def test_a_file_becomes_a_test_set_or_questions(admin: AdminWorld) -> None:
    done = await run(admin, **{"as": "suite", "suite": "strangers"})
    assert list(admin.drafts.changes[done["change"]]) == [(EditKind.SUITE, "strangers")]
    done = await run(admin, **{"as": "questions"})
    assert done["change"] is None
    lines = (await fetch(admin, EDITOR, f"/v1/admin/imports/{done['id']}/questions")).text.splitlines()
    assert [json.loads(line)["message"] for line in lines] == [row["instruction"] for row in ROWS]


async def test_drafts_of_a_file_go_into_one_of_its_own_or_into_the_named_one(admin: AdminWorld) -> None:
    with admin.database.writing() as session:
        unrelated = admin.drafts.open_change(EDITOR, None, purpose="Mine", session=session)
    first = await run(admin, file="doors.jsonl")
    other = await run(admin, file="gates.jsonl")
    assert len({first["change"], other["change"], unrelated}) == 3
    assert admin.drafts.purposes[first["change"]] == "Import of doors.jsonl"
    assert admin.drafts.changes[unrelated] == {}
    named = await run(admin, change=unrelated)
    assert (named["change"], named["order"]["change"], named["problem"]) == (unrelated, unrelated, "")
    assert len(admin.drafts.changes[unrelated]) == 2
    assert all("doors.jsonl" not in str(entry) for entry in admin.audit.entries())


async def test_a_change_that_takes_no_drafts_is_told_before_the_file_is_read(admin: AdminWorld) -> None:
    done = await run(admin)
    admin.drafts.submitted.add(done["change"])
    assert (await send(admin, EDITOR, change=done["change"])).status_code == 409
    assert (await send(admin, EDITOR, change="none")).status_code == 404
    assert not await admin.importing.run_next()


async def test_a_draft_replaces_nothing_that_is_live(admin: AdminWorld, tmp_path) -> None:
    bundle = read_bundle(write_content(tmp_path / "content"))
    publish_bundle(admin.database, bundle, author="ada")
    taken = {"instruction": "reset", "response": "Press R."}
    done = await run(admin, data=json.dumps(taken).encode(), area="it")
    ((_, name),) = admin.drafts.changes[done["change"]]
    assert name == "it.reset-2"
    assert "it.reset" in load_catalog(admin.database).prompts


async def test_an_import_is_seen_by_whoever_sent_it_and_by_auditors_and_admins(admin: AdminWorld) -> None:
    done = await run(admin)
    path = f"/v1/admin/imports/{done['id']}"
    for suffix in ("", "/drafts", "/rejected"):
        assert (await fetch(admin, OTHER, path + suffix)).status_code == 404
        assert (await fetch(admin, person("b", Role.ADMIN, assistants=("x",)), path + suffix)).status_code == 404
        for actor in (EDITOR, ADMIN, AUDITOR):
            assert (await fetch(admin, actor, path + suffix)).status_code == 200
    assert (await fetch(admin, EDITOR, "/v1/admin/imports/none")).status_code == 404


@pytest.mark.parametrize(
    ("actor", "status"),
    [
        (person("ed", Role.EDITOR, areas=("hr",)), 403),
        (person("ed", Role.EDITOR, areas=("doors",)), 202),
        (person("vi", Role.VIEWER), 403),
        (person("ap", Role.APPROVER), 403),
    ],
)
async def test_only_editors_of_the_area_import(admin: AdminWorld, actor: Actor, status: int) -> None:
    assert (await send(admin, actor)).status_code == status


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": "odd"},
        {"format": ""},
        {"as": "odd"},
        {"area": "IT"},
        {"owner": ""},
        {"reply": "odd"},
        {"review_by": "soon"},
        {"as": "suite", "suite": "A b"},
        {"as": "suite", "prompt": "A b"},
        {"file": "a\nb"},
        {"file": "x" * 121},
        {"more": "x"},
    ],
)
async def test_an_order_that_makes_no_sense_is_refused(admin: AdminWorld, wrong: dict[str, str]) -> None:
    told = await send(admin, EDITOR, **wrong)
    assert (told.status_code, told.json()["code"]) == (400, "invalid_query")
    assert actions(admin) == []


async def test_a_body_of_another_type_is_refused(admin: AdminWorld) -> None:
    async with admin.client(EDITOR) as client:
        told = await client.post("/v1/admin/imports", params=ORDER, json=ROWS)
    assert told.status_code == 415


@pytest.mark.parametrize("headers", [{}, KEY])
async def test_a_file_that_is_too_large_is_refused_while_it_comes(admin: AdminWorld, headers: dict[str, str]) -> None:
    sent = 0

    async def body():
        nonlocal sent
        for _ in range(100):
            sent += 65536
            yield b"x" * 65536

    told = await send(admin, EDITOR, body(), headers)
    assert (told.status_code, told.json()["code"]) == (413, "request_too_large")
    assert sent <= 1024 * 1024 + 65536
    assert actions(admin) == ["import.started", "import.failed"]
    assert list((admin.importing._folder).glob("*.rows")) == []
    assert not await admin.importing.run_next()


async def test_an_import_that_is_repeated_is_known_by_the_length_of_its_file(admin: AdminWorld) -> None:
    first = await send(admin, EDITOR, DATA, KEY)
    again = await send(admin, EDITOR, DATA, KEY)
    longer = await send(admin, EDITOR, DATA + b"\n", KEY)
    assert (again.status_code, again.json()) == (202, first.json())
    assert (longer.status_code, longer.json()["code"]) == (422, "idempotency_key_reused")
    assert actions(admin) == ["import.started"]


async def test_an_empty_file_is_refused(admin: AdminWorld) -> None:
    told = await send(admin, EDITOR, b"")
    assert told.status_code in (400, 422)


async def test_a_file_that_cannot_be_read_is_told(admin: AdminWorld) -> None:
    done = await run(admin, data=gzip.compress(DATA)[:-10])
    assert (done["state"], done["report"]) == ("failed", None)
    assert "gz file ends" in done["problem"]
    assert actions(admin) == ["import.started", "import.failed"]


async def test_too_many_imports_do_not_wait(admin: AdminWorld) -> None:
    for _ in range(WAITING):
        assert (await send(admin, EDITOR)).status_code == 202
    assert (await send(admin, EDITOR)).status_code == 409


async def test_what_a_stop_interrupted_is_told_at_the_next_start(admin: AdminWorld) -> None:
    told = (await send(admin, EDITOR)).json()
    admin.importing._waiting.clear()
    with anyio.move_on_after(0.5):
        await admin.importing.follow()
    again = (await fetch(admin, EDITOR, f"/v1/admin/imports/{told['id']}")).json()
    assert again["state"] == ImportState.FAILED
    assert "send the file again" in again["problem"]


async def test_what_a_lost_database_interrupted_is_told_once_it_is_back(admin: AdminWorld, monkeypatch) -> None:
    def away(*_, **__):
        raise StoreUnavailable("the database is locked")

    told = (await send(admin, EDITOR)).json()
    with monkeypatch.context() as outage:
        for step in ("finish", "fail"):
            outage.setattr(ImportDesk, step, away)
        with pytest.raises(StoreUnavailable):
            await admin.importing.run_next()
    with anyio.move_on_after(0.5):
        await admin.importing.follow()
    again = (await fetch(admin, EDITOR, f"/v1/admin/imports/{told['id']}")).json()
    assert again["state"] == ImportState.FAILED
    assert not list(admin.importing._folder.glob("*.rows"))


async def test_files_that_nobody_fetched_go_while_the_gateway_runs(admin: AdminWorld, monkeypatch) -> None:
    monkeypatch.setattr(import_jobs, "TIDIED_EVERY_S", 0.1)
    folder, done = admin.importing._folder, None
    async with anyio.create_task_group() as group:
        group.start_soon(admin.importing.follow)
        path = (await send(admin, EDITOR)).headers["location"]
        with anyio.fail_after(60):
            while done != ImportState.DONE:
                await anyio.sleep(0.05)
                done = (await fetch(admin, EDITOR, path)).json()["state"]
            for file in folder.glob("*"):
                os.utime(file, (0, 0))
            while list(folder.glob("*")):  # noqa: ASYNC110 - it happens in a thread
                await anyio.sleep(0.05)
        group.cancel_scope.cancel()


async def test_where_nothing_can_be_drafted_the_drafts_are_there_to_be_fetched(admin: AdminWorld) -> None:
    first = await run(admin)
    again = await run(admin)
    assert (again["state"], again["change"]) == ("done", None)
    assert "name doors" in again["problem"]
    assert (await fetch(admin, EDITOR, f"/v1/admin/imports/{again['id']}/drafts")).status_code == 200
    assert first["change"] in admin.drafts.changes


async def test_what_is_live_is_exported_within_the_tenant(admin: AdminWorld, tmp_path) -> None:
    bundle = read_bundle(write_content(tmp_path / "content", policy=POLICY))
    publish_bundle(admin.database, bundle, author="ada")
    viewer = person("vi", Role.VIEWER)
    for name in ("dolly", "alpaca", "csv", "csv-prompts", "csv-sentences", "bundle-json", "oasst", "self-instruct"):
        told = await fetch(admin, viewer, f"/v1/admin/exports/{name}")
        assert told.status_code == 200
        assert PROMPTS[0]["phrasings"][0] in told.text
        assert told.headers["content-disposition"].startswith('attachment; filename="canongate-')
        none = await fetch(admin, person("b", Role.VIEWER, assistants=("elsewhere",)), f"/v1/admin/exports/{name}")
        assert none.status_code == 200
        assert PROMPTS[0]["phrasings"][0] not in none.text
    assert parse_bundle((await fetch(admin, viewer, "/v1/admin/exports/bundle-json")).content, Writing.JSON) == bundle
    assert (await fetch(admin, viewer, "/v1/admin/exports/odd")).status_code == 404


async def test_whole_prompts_are_read_as_an_export_wrote_them(admin: AdminWorld, tmp_path) -> None:
    publish_bundle(admin.database, read_bundle(write_content(tmp_path / "content")), author="ada")
    live = load_catalog(admin.database).prompts
    rows = (await fetch(admin, ADMIN, "/v1/admin/exports/csv-prompts")).content
    order = {"as": "whole", "format": "csv-prompts"}
    title = next(iter(live.values())).content.title.encode()
    done = await run(admin, data=rows.replace(title, b"Another title"), **order)
    assert done["state"] == "done", done["problem"]
    assert (done["report"]["made"], done["report"]["makes"]) == (len(live), "whole")
    told = await send(admin, EDITOR, rows, **{"as": "whole", "format": "dolly"})
    assert (told.status_code, "csv-prompts" in told.text) == (400, True)
