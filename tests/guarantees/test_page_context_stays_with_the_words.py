"""What a page says of itself is kept where an assistant's words are, and reaches nothing that decides or answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import anyio
import msgspec
import pytest

from gateway.decisions import DecisionLog, Said
from store.content import KeepsText
from store.database import open_database
from store.people import Role
from store.repositories.decision_writer import DecisionWriter
from store.repositories.decisions import Decisions
from store.types import Decision, Recorded
from tests.administration import PRIVACY, AdminWorld, person
from tests.gateway.recorded import decision
from tests.migrated import migrate_new
from tests.widget_world import GENERATED, ask, make_site
from tests.world import catalog

pytestmark = pytest.mark.anyio
PAGE = {"path": "/leave/walrus", "mail": "jo.miller@post.example"}
AS_JSON = '{"path":"/leave/walrus","mail":"jo.miller@post.example"}'
AUDITOR, VIEWER = person("audrey", Role.AUDITOR), person("vic", Role.VIEWER)


@dataclass
class Rows:
    """A decision store that keeps what it is given."""

    rows: list[Recorded] = field(default_factory=list)

    def add_all(self, rows: Sequence[Recorded]) -> None:
        self.rows.extend(rows)

    def last_of_conversation(self, conversation: str, principal: str) -> Decision | None:
        return None


@pytest.fixture
def database(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'admin.db'}"
    migrate_new(url)
    database = open_database(url)
    yield database
    database.close()


@pytest.fixture
def admin(world, database, tmp_path: Path) -> AdminWorld:
    return AdminWorld(world, database, tmp_path)


@pytest.mark.parametrize(("keeps", "kept"), [(KeepsText.FULL, [AS_JSON, ""]), (KeepsText.OFF, [None, None])])
async def test_neither_matching_nor_the_model_sees_it(make_world, database, tmp_path: Path, keeps, kept) -> None:
    content = catalog(("helpdesk",))
    talking = {name: msgspec.structs.replace(one, keeps_text=keeps) for name, one in content.assistants.items()}
    rows = Rows()
    world = make_world(content=replace(content, assistants=MappingProxyType(talking)), decisions=rows)
    site = make_site(AdminWorld(world, database, tmp_path))
    async with site.browser() as page:
        await site.visit(page)
        told = [(await ask(page, GENERATED, context=context)).json() for context in (PAGE, None)]
    assert told[0]["text"] == told[1]["text"]
    assert [row.words.context if row.words else None for row in rows.rows] == kept
    one, other = (row.decision for row in rows.rows)
    assert (one.prompt_key, one.score, one.margin, one.rails[0]["name"]) == (
        *(other.prompt_key, other.score, other.margin, other.rails[0]["name"]),
    )
    assert "walrus" not in repr(world.model.prompts)
    assert "walrus" not in repr([one, other])
    assert len(world.model.prompts) == 2, "the model was asked, without and with it"


@pytest.mark.parametrize(
    ("keeps", "shown", "revealed"),
    [
        (KeepsText.OFF, None, None),
        (KeepsText.REDACTED, '{"path":"/leave/walrus","mail":"[email]"}', '{"path":"/leave/walrus","mail":"[email]"}'),
        (KeepsText.FULL, None, AS_JSON),
    ],
)
async def test_it_is_shown_as_the_words_are_and_goes_with_them(admin: AdminWorld, keeps, shown, revealed):
    database = admin.database
    writer = DecisionWriter(database)
    made = decision(1, assistant="helpdesk")
    await DecisionLog(writer, PRIVACY).record(made, Said("When is it open?", "At nine.", keeps, "jo", AS_JSON))
    await anyio.to_thread.run_sync(writer.close)
    async with admin.client(VIEWER) as reader:
        told = (await reader.get("/v1/admin/decisions/id-1")).json()["words"]
    async with admin.client(AUDITOR) as auditor:
        exported = (await auditor.get("/v1/admin/decisions/export")).text
        full = (await auditor.post("/v1/admin/decisions/id-1/reveal", json={"reason": "quality"})).json()["words"]
    assert (told and told["context"]) == shown
    assert (full and full["context"]) == revealed
    assert ("walrus" in exported) is (shown is not None)
    admin.purging.purge(person("root"), "jo")
    assert Decisions(database).words("id-1") is None
