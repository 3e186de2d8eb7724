"""Every format comes back as it was, field by field, and says the rows of the others as far as it can."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from row_records import RECORDS, fields, ordered, read, said, write

from store.errors import InvalidContent
from store.formats.registry import FORMATS, format_named
from store.formats.row_format import Container
from store.formats.rows import Case, Conversation, Instruction, Preference, Speaker, Turn

ASKED = Instruction(instruction="How do I open a door?", cases=(Case("Push it."),), context="Doors open inwards.")
PAIR = Preference(
    chosen=(Turn(Speaker.PERSON, "Hello?"), Turn(Speaker.ASSISTANT, "Hello.")),
    rejected=(Turn(Speaker.PERSON, "Hello?"), Turn(Speaker.ASSISTANT, "Go away.")),
)


def test_every_json_format_has_records_here():
    assert set(RECORDS) == {name for name, form in FORMATS.items() if form.container is not Container.CSV}


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("container", [Container.LINES, Container.LIST])
def test_a_format_comes_back_field_by_field_in_its_order(name, container, tmp_path):
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(records=st.lists(RECORDS[name], max_size=4), packed=st.booleans())
    def comes_back(records, packed):
        path = write(tmp_path / "rows", records, container=container, packed=packed, indent=2 if packed else None)
        rows, tally = read(path, name)
        assert tally.problems == []
        again, told = said(rows, name)
        assert ordered(again) == ordered(records)
        assert (told.left_out, dict(told.dropped)) == (0, {})

    comes_back()


@settings(max_examples=40, deadline=None)
@given(records=st.lists(RECORDS["dolly"].filter(lambda one: one["context"] is not None), min_size=1, max_size=3))
def test_dolly_says_all_of_its_own_through_alpaca_and_back(tmp_path_factory, records):
    folder = tmp_path_factory.mktemp("through")
    rows, _ = read(write(folder / "dolly", records), "dolly")
    rows, _ = read(write(folder / "alpaca", said(rows, "alpaca")[0]), "alpaca")
    again, _ = said(rows, "dolly")
    for before, after in zip(records, again, strict=True):
        for field in ("instruction", "context", "response"):
            assert after[field] == before[field]


def test_fields_that_another_format_has_no_place_for_are_counted(tmp_path):
    record = {"id": "a", "instruction": "Add", "instances": [{"input": "1 1", "output": "2", "by": "Jo"}], "level": 3}
    rows, _ = read(write(tmp_path / "rows", [record, record]), "self-instruct")
    _, told = said(rows, "dolly")
    assert dict(told.dropped) == {"by": 2, "level": 2}


@pytest.mark.parametrize("name", [name for name in FORMATS if FORMATS[name].container is not Container.CSV])
def test_an_instruction_and_a_pair_are_said_or_the_reason_is_told(name):
    for row in (ASKED, PAIR):
        records, told = said([row], name)
        assert len(records) >= told.rows
        assert told.rows + told.left_out == 1
        text = json.dumps(records)
        if told.rows:
            assert ("Push it." in text) if row is ASKED else ("Hello." in text and "Go away." in text)
        else:
            assert told.reasons[0][1]


def test_several_instances_become_several_records(tmp_path):
    record = {"instruction": "Add", "instances": [{"input": "1 1", "output": "2"}, {"input": "2 2", "output": "4"}]}
    rows, _ = read(write(tmp_path / "rows", [record]), "self-instruct")
    records, _ = said(rows, "alpaca")
    assert [(one["input"], one["output"]) for one in records] == [("1 1", "2"), ("2 2", "4")]


def test_a_preference_becomes_two_ranked_answers_to_one_message():
    (tree,), _ = said([PAIR], "oasst")
    replies = tree["prompt"]["replies"]
    assert [(one["text"], one["rank"]) for one in replies] == [("Hello.", 0), ("Go away.", 1)]
    assert {one["parent_id"] for one in replies} == {tree["prompt"]["message_id"]}
    assert said([PAIR], "oasst") == said([PAIR], "oasst")


def test_messages_one_a_line_grow_into_trees_and_become_lines_again(tmp_path):
    lines = [
        {"message_id": one, "parent_id": parent, "message_tree_id": tree, "text": one, "role": role, "lang": "th"}
        for one, parent, tree, role in (
            ("a", None, "a", "prompter"),
            ("b", "a", "a", "assistant"),
            ("c", "b", "a", "prompter"),
            ("d", "a", "a", "assistant"),
            ("e", None, "e", "prompter"),
            ("f", "lost", "f", "assistant"),
        )
    ]
    rows, tally = read(write(tmp_path / "rows", lines), "oasst-messages")
    assert tally.rows == 6
    assert [row.parents for row in rows if isinstance(row, Conversation)] == [(None, 0, 1, 0), (None,), (None,)]
    assert ordered(said(rows, "oasst-messages")[0]) == ordered(lines)
    trees, _ = said(rows, "oasst")
    assert [one["text"] for one in trees[0]["prompt"]["replies"]] == ["b", "d"]
    again, _ = read(write(tmp_path / "trees", trees), "oasst")
    assert [one["message_id"] for one in said(again, "oasst-messages")[0]] == ["a", "b", "c", "d", "e", "f"]


def test_a_reply_that_stands_before_its_message_is_not_lost(tmp_path):
    lines = [
        {"message_id": one, "parent_id": parent, "message_tree_id": "a", "text": one, "role": "prompter", "lang": "en"}
        for one, parent in (("b", "a"), ("a", None))
    ]
    rows, _ = read(write(tmp_path / "rows", lines), "oasst-messages")
    assert ordered(said(rows, "oasst-messages")[0]) == ordered(lines)
    _, told = said(rows, "oasst")
    assert told.left_out == 1


def test_a_deep_line_of_messages_needs_no_recursion(tmp_path):
    turns = [{"from": "human" if number % 2 == 0 else "gpt", "value": str(number)} for number in range(3000)]
    rows, _ = read(write(tmp_path / "rows", [{"conversations": turns}]), "sharegpt")
    assert len(said(rows, "oasst-messages")[0]) == 3000


@settings(max_examples=30, deadline=None)
@given(record=fields(instruction=st.integers() | st.lists(st.text(max_size=3), max_size=2), response=st.text()))
def test_a_wrong_type_is_told_with_its_field_and_never_with_what_was_sent(tmp_path_factory, record):
    path = write(tmp_path_factory.mktemp("wrong") / "rows", [record])
    rows, tally = read(path, "dolly")
    assert rows == []
    (problem,) = tally.problems
    assert problem.place == 1
    assert problem.reason in ("instruction: a number where text belongs", "instruction: a list where text belongs")


def test_an_unknown_format_lists_those_that_there_are():
    with pytest.raises(InvalidContent, match="dolly, alpaca"):
        format_named("odd")
