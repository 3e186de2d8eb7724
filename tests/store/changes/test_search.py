"""A search finds a part of key, title or sentence in any case, in every script, on both databases."""

import unicodedata

import pytest
import sqlalchemy
from hypothesis import given
from hypothesis import strategies as st

from store.changes.lists import ContentLists, Wanted
from store.changes.types import EditKind
from store.database import Database, migrate, migrate_down, open_database
from store.folding import folded
from tests.migrated import migrate_new
from tests.store.changes.change_world import ADA, ChangeWorld
from tests.store.store_content import prompt

CASE = {"id": "a", "kind": "honest", "message": "x", "expect": "refuse"}
TEXTS = {
    "it.greek": "Πού είναι ο ΔΡΌΜΟΣ προς την έξοδο",  # noqa: RUF001 -- Greek is the point
    "it.russian": "Как сменить ПАРОЛЬ",
    "it.german": "Wo ist die Straße",
    "it.accent": unicodedata.normalize("NFD", "Où est l'École"),
    "it.marks": "100% of a_b!",
    "it.turkish": "İSTANBUL ofisi",
}


def found(database: Database, text: str, kind: EditKind = EditKind.PROMPT) -> list[str]:
    world = ChangeWorld(database)
    with database.reading() as session:
        heads = ContentLists(database).page(
            ADA, kind, Wanted(search=text), world.desk.live.ground(session), limit=50, after=None, session=session
        )
    return [head.name for head in heads]


@pytest.fixture
def searched(database: Database) -> Database:
    texts = [prompt(key, phrasings=[text]) for key, text in TEXTS.items()]
    ChangeWorld(database).publish_first(prompt("it.title", title="Пропуск В Здание"), *texts)  # noqa: RUF001 -- Cyrillic is the point
    return database


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("δρόμος", ["it.greek"]),
        ("ΈΞΟΔΟ", ["it.greek"]),
        ("пароль", ["it.russian"]),
        ("КАК СМЕНИТЬ", ["it.russian"]),  # noqa: RUF001 -- as above
        ("пропуск в", ["it.title"]),
        ("STRASSE", ["it.german"]),
        ("école", ["it.accent"]),
        ("ÉCOLE", ["it.accent"]),
        ("İstanbul", ["it.turkish"]),
        ("0% OF A_B!", ["it.marks"]),
        ("a%b", []),
        ("aXb", []),
        ("IT.GERMAN", ["it.german"]),
    ],
)
def test_a_part_in_any_case_is_found(searched: Database, text: str, keys: list[str]) -> None:
    assert found(searched, text) == keys


def test_titles_of_other_documents_are_found_in_any_case_too(database: Database) -> None:
    world = ChangeWorld(database)
    suite = {"name": "small", "title": "Проверка", "cases": [CASE]}
    world.publish_first(suites={"small": suite})
    assert found(database, "ПРОВЕРКА", EditKind.SUITE) == ["small"]


@given(st.text(max_size=40))
def test_folding_leaves_nothing_to_fold(text: str) -> None:
    once = folded(text)
    assert folded(once) == once
    assert folded(unicodedata.normalize("NFD", text)) == once


def test_what_was_there_before_is_found_after_the_migration(url: str) -> None:
    migrate_new(url)
    database = open_database(url)
    ChangeWorld(database).publish_first(*(prompt(key, phrasings=[text]) for key, text in TEXTS.items()))
    database.close()
    migrate_down(url, "0010")
    migrate(url)
    database = open_database(url)
    assert found(database, "δρόμος") == ["it.greek"]
    with pytest.raises(sqlalchemy.exc.DBAPIError) as stopped, database._engine.begin() as raw:
        raw.execute(sqlalchemy.text("UPDATE phrasings SET folded = ''"))
    assert "never change" in str(stopped.value)
    database.close()
