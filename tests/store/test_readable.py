"""No document and no name holds characters that no reader sees, whichever way it comes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.catalog import load_catalog, publish_bundle
from store.changes.types import Edit, EditKind
from store.database import Database
from store.errors import InvalidContent
from store.readable import CONTROL, require_readable
from store.repositories.prompts import Prompts
from tests.store.changes.change_world import ADA, ChangeWorld
from tests.store.store_content import AT, bundle, prompt

HIDDEN = ["\x00", "\x07", "\x1b", "\x7f", "\x9b"]


@given(st.text(), st.text(), st.sampled_from(HIDDEN))
def test_wherever_a_hidden_character_is_it_is_found(before: str, after: str, hidden: str) -> None:
    text = before + hidden + after
    for value in (text, [text], {"a": {"b": [{"c": text}]}}, {text: 1}):
        with pytest.raises(InvalidContent, match="control characters") as caught:
            require_readable("prompt it.vpn", value)
        assert not CONTROL.search(str(caught.value)), "the refusal is readable itself"


@given(st.text().filter(lambda text: not CONTROL.search(text)))
def test_whatever_else_there_is_passes(text: str) -> None:
    require_readable("prompt it.vpn", {"a": [text, "tab\tand\r\nline"]})


@pytest.mark.parametrize("hidden", HIDDEN)
def test_changes_refuse_it_in_documents_titles_notes_comments_and_reasons(database: Database, hidden: str) -> None:
    world = ChangeWorld(database)
    world.publish_first()
    made = world.changes.create(ADA, "A change", note="because")
    text = f"a{hidden}b"
    edits = (world.edit(title=text), Edit(EditKind.POLICY, "new", {"name": "new", "refusals": {"en": {text: "x"}}}))
    calls = [lambda edit=edit: world.changes.add_edits(ADA, made.id, [edit], rev=made.rev) for edit in edits]
    calls += [
        lambda: world.changes.create(ADA, text),
        lambda: world.changes.create(ADA, "x", note=text),
        lambda: world.changes.describe(ADA, made.id, rev=made.rev, title=text),
        lambda: world.changes.comment(ADA, made.id, text),
        lambda: world.changes.comment(ADA, made.id, "x", place=text),
        lambda: world.reviews.withdraw(ADA, made.id, text, rev=made.rev),
    ]
    for call in calls:
        with pytest.raises(InvalidContent, match="control characters"):
            call()
    assert world.desk.changes.get(made.id).rev == made.rev


@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_publish_from_files_refuses_it_too(database: Database, hidden: str) -> None:
    with pytest.raises(InvalidContent, match=r"prompt it\.vpn: title: it has control characters"):
        publish_bundle(database, bundle(prompt(title=f"a{hidden}b")), author="tests")
    assert load_catalog(database).revision == 0


def test_a_test_set_may_ask_with_control_characters_and_not_with_nul() -> None:
    require_readable("suite small", {"message": "a\x08b"}, is_test=True)
    with pytest.raises(InvalidContent):
        require_readable("suite small", {"message": "a\x00b"}, is_test=True)


BROKEN = [
    {"title": "VPN\n"},
    {"phrasings": ["How do I?", "And so?\n"]},
    {"owner": "Desk\n"},
    {"slots": [{"type": "enum", "name": "site", "ask": "Where?", "values": [{"value": "Oslo\n", "fact": "North."}]}]},
]
PLACES = ["title", "phrasings[1]", "owner", "slots[0].values[0].value"]


@pytest.mark.parametrize(("changes", "place"), [*zip(BROKEN, PLACES, strict=True)])
def test_one_line_does_not_end_in_a_line_break_in_what_is_new(database: Database, changes: dict, place: str) -> None:
    told = re.escape(f"prompt it.vpn: {place}: it ends in a line break")
    with pytest.raises(InvalidContent, match=told):
        publish_bundle(database, bundle(prompt(**changes)), author="tests")
    world = ChangeWorld(database)
    world.publish_first()
    made = world.changes.create(ADA, "A change")
    with pytest.raises(InvalidContent, match=told):
        world.changes.add_edits(ADA, made.id, [world.edit(**changes)], rev=made.rev)


def test_a_key_that_ends_in_a_line_break_is_refused(database: Database) -> None:
    with pytest.raises(InvalidContent, match="key: it ends in a line break"):
        publish_bundle(database, bundle(prompt("it.vpn\n")), author="tests")


def test_what_is_live_with_one_loads_and_stays_as_it_is(database: Database) -> None:
    """Such lines were taken once; what is stored does not change, and a publish of others need not touch it."""
    old = prompt("it.old", title="Old\n", phrasings=["an old one\n"])
    with database.writing() as session:
        Prompts(database).publish(old, author="x", note="", at=AT, normalize=str.lower, session=session)
    publish_bundle(database, bundle(old, prompt()), author="tests")
    assert load_catalog(database).prompts["it.old"].content == old


def test_texts_of_several_lines_may_end_in_one() -> None:
    require_readable("prompt it.vpn", prompt(reply={"mode": "verbatim", "answer": "Ask the desk.\n"}))
