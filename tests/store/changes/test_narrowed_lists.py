"""Lists of live prompts, narrowed by language, day of review and name, each with how many phrasings it has."""

import datetime as dt

import pytest

from store.changes.contents import ContentService
from store.changes.lists import Wanted
from store.changes.types import EditKind
from tests.store.changes.change_world import ADA, ChangeWorld
from tests.store.store_content import prompt


@pytest.fixture
def contents(world: ChangeWorld) -> ContentService:
    world.publish_first(
        prompt(),
        prompt(
            "it.old",
            owner="Somebody",
            review_by="2026-01-31",
            phrasings=("one", "two", "three"),
            counterexamples=("four",),
        ),
        prompt("it.french", language="fr", phrasings=("une question", "deux questions")),
    )
    return ContentService(world.desk, world.changes)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Wanted(), ["it.french", "it.old", "it.vpn"]),
        (Wanted(language="fr"), ["it.french"]),
        (Wanted(language="de"), []),
        (Wanted(review_before=dt.date(2026, 1, 31)), []),
        (Wanted(review_before=dt.date(2026, 2, 1)), ["it.old"]),
        (Wanted(names=frozenset({"it.vpn", "it.gone"})), ["it.vpn"]),
        (Wanted(names=frozenset()), []),
        (Wanted(but=frozenset({"it.vpn", "it.gone"})), ["it.french", "it.old"]),
        (Wanted(owner="Somebody"), ["it.old"]),
        (Wanted(owner="some"), []),
        (Wanted(search="question", language="fr", names=frozenset({"it.french"})), ["it.french"]),
    ],
)
def test_a_list_has_what_is_wanted_and_nothing_else(contents: ContentService, wanted: Wanted, names: list[str]) -> None:
    found = contents.page(ADA, EditKind.PROMPT, wanted, limit=10, after=None)
    assert [one.name for one in found] == names


def test_phrasings_are_counted_and_no_other_sentences(contents: ContentService) -> None:
    found = contents.page(ADA, EditKind.PROMPT, Wanted(), limit=10, after=None)
    assert {one.name: one.phrasings for one in found} == {"it.french": 2, "it.old": 3, "it.vpn": 1}


def test_more_names_than_a_statement_takes_parameters_are_no_trouble(contents: ContentService) -> None:
    many = frozenset(f"it.p{number}" for number in range(70_000))
    without = contents.page(ADA, EditKind.PROMPT, Wanted(but=many | {"it.vpn"}), limit=10, after=None)
    assert [one.name for one in without] == ["it.french", "it.old"]
    among = contents.page(ADA, EditKind.PROMPT, Wanted(names=many | {"it.vpn"}), limit=10, after=None)
    assert [one.name for one in among] == ["it.vpn"]
