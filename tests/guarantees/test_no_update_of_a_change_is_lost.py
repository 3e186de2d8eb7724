"""Fifty people edit at once: every write that was acknowledged is there, or was replaced by one who had read it."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from store.changes.contents import ContentService
from store.changes.types import Edit, EditKind, Item
from store.database import Database, open_database
from store.errors import Conflict, NotFound, StoreUnavailable
from store.people import Actor, Role
from tests.migrated import migrate_new
from tests.store.changes.change_world import ChangeWorld, person

PEOPLE = tuple(person(f"editor{number}", Role.EDITOR) for number in range(50))
NAMES = ("it.one", "it.two", "it.three")
WORDS = st.text("abcdef ", min_size=1, max_size=8)
WHO = st.integers(0, len(PEOPLE) - 1)


@dataclass
class Kept:
    """What a change should have."""

    rev: int
    texts: dict[str, str] = field(default_factory=dict)
    title: str = "Shared"


class Editors(RuleBasedStateMachine):
    """Each remembers the state that they read last, however old, and writes over it."""

    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        url = f"sqlite:///{self.folder.name}/changes.db"
        migrate_new(url)
        self.database = open_database(url)
        self.world = ChangeWorld(self.database)
        self.contents = ContentService(self.world.desk, self.world.changes)
        made = self.world.changes.create(PEOPLE[0], "Shared")
        self.change = made.id
        self.kept = Kept(made.rev)
        self.read_revs = dict.fromkeys(range(len(PEOPLE)), made.rev)
        self.read_texts: dict[tuple[int, str], str] = {}

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            self.folder.cleanup()

    @rule(who=WHO)
    def look(self, who: int) -> None:
        seen = self.world.changes.get(PEOPLE[who], self.change).change
        self.read_revs[who] = seen.rev
        for edit in seen.edits:
            self.read_texts[who, edit.name] = self.contents.get(PEOPLE[who], edit.item, self.change).digest

    @rule(who=WHO, name=st.sampled_from(NAMES), text=WORDS)
    def put(self, who: int, name: str, text: str) -> None:
        edit = Edit(EditKind.PROMPT, name, {"key": name, "title": text})
        is_current = self.read_revs[who] == self.kept.rev
        try:
            told = self.world.changes.add_edit(PEOPLE[who], self.change, edit, rev=self.read_revs[who])
        except Conflict as error:
            assert not is_current
            (item,) = error.found["items"]
            assert item["draft"]["title"] == text, "what was to be written is not lost"
            stored = self.kept.texts.get(name)
            assert (item["stored"] or {}).get("title") == stored
        else:
            assert is_current, "it was written over a state that its writer had not seen"
            self.kept.texts[name] = text
            self.kept.rev = self.read_revs[who] = told.rev

    @rule(who=WHO, name=st.sampled_from(NAMES), text=WORDS)
    def put_one_document(self, who: int, name: str, text: str) -> None:
        item, read = Item(EditKind.PROMPT, name), self.read_texts.get((who, name))
        document = {"key": name, "title": text}
        try:
            if read is None:
                told = self.contents.create(PEOPLE[who], EditKind.PROMPT, document, change_id=self.change)
                assert name not in self.kept.texts
            else:
                now = self._digest(name)
                told = self.contents.replace(PEOPLE[who], item, document, read=read, change_id=self.change)
                assert read == now, "it was written over a text that its writer had not seen"
        except Conflict as error:
            (told_item,) = error.found["items"]
            assert (told_item["draft"]["title"], told_item["stored"]["title"]) == (text, self.kept.texts[name])
            assert read != self._digest(name)
        except NotFound:
            assert name not in self.kept.texts
        else:
            self.kept.texts[name] = text
            self.kept.rev = told.rev
            self.read_texts[who, name] = self._digest(name)

    @rule(who=WHO, name=st.sampled_from(NAMES))
    def take_out(self, who: int, name: str) -> None:
        is_current = self.read_revs[who] == self.kept.rev
        item = Item(EditKind.PROMPT, name)
        try:
            told = self.world.changes.remove_edit(PEOPLE[who], self.change, item, rev=self.read_revs[who])
        except Conflict:
            assert not is_current
        except NotFound:
            assert is_current
            assert name not in self.kept.texts
        else:
            assert is_current
            del self.kept.texts[name]
            self.kept.rev = self.read_revs[who] = told.rev

    @rule(who=WHO, title=WORDS.filter(str.strip))
    def name(self, who: int, title: str) -> None:
        is_current = self.read_revs[who] == self.kept.rev
        try:
            told = self.world.changes.describe(PEOPLE[who], self.change, rev=self.read_revs[who], title=title)
        except Conflict:
            assert not is_current
        else:
            assert is_current
            self.kept.title = title.strip()
            self.kept.rev = self.read_revs[who] = told.rev

    @invariant()
    def everything_acknowledged_is_there(self) -> None:
        if not hasattr(self, "kept"):
            return
        seen = self.world.desk.changes.get(self.change)
        assert {edit.name: edit.document["title"] for edit in seen.edits} == self.kept.texts
        assert (seen.rev, seen.title) == (self.kept.rev, self.kept.title)

    def _digest(self, name: str) -> str | None:
        found = self.world.desk.changes.get(self.change).edit_of(Item(EditKind.PROMPT, name))
        return None if found is None else self.contents.get(PEOPLE[0], found.item, self.change).digest


Editors.TestCase.settings = settings(
    max_examples=15, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestFiftyEditors = Editors.TestCase


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'changes.db'}"
    migrate_new(url)
    opened = open_database(url)
    yield opened
    opened.close()


def test_fifty_threads_add_to_one_text_and_every_word_is_in_it(database: Database) -> None:
    world = ChangeWorld(database)
    contents = ContentService(world.desk, world.changes)
    made = world.changes.add_edit(
        PEOPLE[0], None, Edit(EditKind.PROMPT, "it.one", {"key": "it.one", "phrasings": []}), title="Shared"
    )
    begin = threading.Barrier(len(PEOPLE), timeout=60)

    def write(who: int) -> list[str]:
        begin.wait()
        choice = random.Random(who)  # noqa: S311 -- which of two ways a writer takes
        return [
            said
            for said in (f"{who} says {number}" for number in range(2))
            if (_by_rev if choice.random() < 0.5 else _by_hash)(world, contents, PEOPLE[who], made.id, said)
        ]

    with ThreadPoolExecutor(len(PEOPLE)) as threads:
        said = [word for words in threads.map(write, range(len(PEOPLE))) for word in words]
    seen = world.desk.changes.get(made.id)
    assert sorted(seen.edits[0].document["phrasings"]) == sorted(said)
    assert len(said) == 2 * len(PEOPLE)
    assert seen.rev == made.rev + len(said)
    assert seen.authors == {one.person for one in PEOPLE}


def _by_rev(world: ChangeWorld, _: ContentService, actor: Actor, change: UUID, said: str) -> bool:
    while True:
        try:
            seen = world.changes.get(actor, change).change
            document = dict(seen.edits[0].document)
            document["phrasings"] = [*document["phrasings"], said]
            world.changes.add_edit(actor, change, Edit(EditKind.PROMPT, "it.one", document), rev=seen.rev)
        except (Conflict, StoreUnavailable):
            continue
        return True


def _by_hash(_: ChangeWorld, contents: ContentService, actor: Actor, change: UUID, said: str) -> bool:
    item = Item(EditKind.PROMPT, "it.one")
    while True:
        try:
            seen = contents.get(actor, item, change)
            document = dict(seen.document)
            document["phrasings"] = [*document["phrasings"], said]
            contents.replace(actor, item, document, read=seen.digest, change_id=change)
        except (Conflict, StoreUnavailable):
            continue
        return True
