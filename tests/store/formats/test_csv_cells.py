"""CSV goes to spreadsheets without formulas and comes back exactly, whatever is in a cell."""

import csv
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from row_records import read
from store_content import prompt

from store.errors import InvalidContent
from store.formats.csv_cells import CsvRecords, csv_line, neutral, restored
from store.formats.csv_prompts import (
    PROMPT_COLUMNS,
    prompts_csv,
    read_prompts,
    read_sentences,
    sentences_csv,
    with_sentences,
)
from store.formats.csv_rows import COLUMNS
from store.formats.registry import FORMATS
from store.formats.rows import Case, Instruction
from store.formats.sources import BOUNDS
from store.formats.writing import Written, encoded

CELLS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.text("'=+-@\t\r\n\",x", max_size=8)
SLOT = {"type": "enum", "name": "site", "ask": "Where?", "values": [{"value": "=Leeds", "fact": "Open."}]}


def records(data: bytes, size: int = 10):
    return list(CsvRecords([data[start : start + size] for start in range(0, len(data), size)], 100_000))


@given(CELLS)
def test_a_cell_comes_back_and_no_spreadsheet_computes_it(text):
    assert restored(neutral(text)) == text
    assert not neutral(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"))


@pytest.mark.parametrize("text", ["=1+1", "'=1+1", "''@x", "'quoted'", "-5", "it's", "\uff1dHYPERLINK()"])
def test_apostrophes_of_the_text_itself_stay(text):
    assert restored(neutral(text)) == text


def test_what_a_spreadsheet_saved_without_apostrophes_is_read_as_it_is():
    (one,) = records(b'a,b\n"=1","\'x"\n')
    assert one[1] == {"a": "=1", "b": "'x"}


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=2).filter(any), max_size=5), size=st.integers(1, 30))
def test_records_come_back_however_the_bytes_come(rows, size):
    data = csv_line(("left", "right")) + b"".join(map(csv_line, rows))
    assert [list(record.values()) for _, record in records(data, size)] == rows
    plain = list(csv.reader(StringIO(data.decode(), newline="")))[1:]
    assert [[restored(cell) for cell in row] for row in plain] == rows


def test_a_bad_record_is_told_and_the_next_ones_are_read():
    data = b'a,b\n1,2\n3\n"4"5,6\n7,\xff\n"8\n8",9\n1,2,3\n'
    found = records(data)
    assert [record for _, record in found if record] == [{"a": "1", "b": "2"}, {"a": "8\n8", "b": "9"}]
    told = [(one.place, one.problem, one.raw) for one, record in found if not record]
    assert [place for place, _, _ in told] == [3, 4, 5, 8]
    assert told[0][1] == "1 cells under a header of 2"
    assert "not UTF-8" in told[2][1]
    assert b"".join(raw for _, _, raw in told) == b'3\n"4"5,6\n7,\xff\n1,2,3\n'


def test_a_quotation_mark_that_never_ends_takes_what_follows_and_loses_nothing():
    data = b'a,b\n1,"2\n' + b"3,4\n" * 100
    ((one, record),) = records(data)
    assert record is None
    assert one.raw == data[4:]


@pytest.mark.parametrize("size", [10, 99, 1000])
def test_the_rest_of_a_line_that_is_too_long_is_no_record_of_its_own(size):
    line = b'"' + b"x" * 300 + b'tail of it","answer"\n'
    data = b"a,b\n" + line + b"1,2\n"
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    found = list(CsvRecords(chunks, 100))
    assert [record for _, record in found if record] == [{"a": "1", "b": "2"}]
    told = [one for one, record in found if not record]
    assert b"".join(one.raw for one in told) == line
    assert [(one.place, one.is_first) for one in told] == [(2, number == 0) for number in range(len(told))]
    assert [one.is_last for one in told] == [number == len(told) - 1 for number in range(len(told))]
    assert {one.problem for one in told} == {"longer than 100 bytes"}


def test_a_line_that_is_too_long_is_told_once(tmp_path):
    (tmp_path / "rows").write_bytes(b"instruction,response\n" + b"x" * (BOUNDS.row_bytes + 300_000) + b",y\na,b\n")
    rows, tally = read(tmp_path / "rows", "csv")
    assert (len(rows), tally.rejected, len(tally.problems)) == (1, 1, 1)
    (tmp_path / "prompts.csv").write_bytes(csv_line(PROMPT_COLUMNS) + b"x" * (BOUNDS.row_bytes + 300_000))
    with pytest.raises(InvalidContent, match=rf"^line 2: longer than {BOUNDS.row_bytes} bytes\.$"):
        read_prompts(tmp_path / "prompts.csv")


def test_a_header_with_a_name_twice_is_refused(tmp_path):
    (tmp_path / "rows").write_bytes(b"instruction,instruction\na,b\n")
    with pytest.raises(InvalidContent, match="twice"):
        read(tmp_path / "rows", "csv")


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(st.tuples(CELLS, CELLS), max_size=4), more=CELLS)
def test_instructions_come_back_with_columns_of_their_own(tmp_path_factory, texts, more):
    path = tmp_path_factory.mktemp("csv") / "rows"
    header = ("reviewer", "instruction", "response")
    data = csv_line(header) + b"".join(csv_line((more or "x", *pair)) for pair in texts)
    path.write_bytes(data)
    rows, tally = read(path, "csv")
    assert tally.problems == []
    assert b"".join(encoded(FORMATS["csv"], rows, Written())) == (data if texts else b"")


def test_instructions_of_our_own_have_all_columns(tmp_path):
    row = Instruction(instruction="=1", cases=(Case("+2", "-3"),), context="@4", id="a", title="b", category="c")
    told = Written()
    data = b"".join(encoded(FORMATS["csv"], [row], told))
    assert data.splitlines()[0] == ",".join(f'"{name}"' for name in COLUMNS).encode()
    (tmp_path / "rows").write_bytes(data)
    assert b"".join(encoded(FORMATS["csv"], read(tmp_path / "rows", "csv")[0], told)) == data


def test_prompts_come_back_whole(tmp_path):
    prompts = (
        prompt("it.a", phrasings=["-how", "'=what"], counterexamples=["+x"], audience="staff"),
        prompt("it.b", slots=[SLOT], follows=["it.a"], follow_ups=["and {site}?"]),
        prompt("it.c", reply={"mode": "verbatim", "answer": "=HYPERLINK()\n\tindented"}),
        prompt("it.d", phrasings=[f"{number} {'long ' * 30}end" for number in range(1000)]),
    )
    (tmp_path / "prompts.csv").write_bytes(b"".join(prompts_csv(prompts)))
    assert read_prompts(tmp_path / "prompts.csv") == prompts


def test_a_line_that_ends_in_a_break_comes_back_without_it(tmp_path):
    """Such lines were taken once; a break within a cell is the end of a sentence."""
    old = prompt("it.a", title="Old\n", phrasings=["How do I?\n", "And so?"], counterexamples=["not this\n"])
    (tmp_path / "prompts.csv").write_bytes(b"".join(prompts_csv([old])))
    clean = prompt("it.a", title="Old", phrasings=["How do I?", "And so?"], counterexamples=["not this"])
    assert read_prompts(tmp_path / "prompts.csv") == (clean,)


def test_two_rows_of_one_key_are_refused_with_their_lines(tmp_path):
    rows = list(prompts_csv([prompt("it.a"), prompt("it.b"), prompt("it.a", title="Another")]))
    (tmp_path / "prompts.csv").write_bytes(b"".join(rows))
    with pytest.raises(InvalidContent, match=r"^line 4: it\.a is in line 2 already\. Keep one of them\.$"):
        read_prompts(tmp_path / "prompts.csv")


def test_sentences_come_back_and_prompts_gain_new_ones(tmp_path):
    before = prompt("it.a", counterexamples=["=not this"])
    data = b"".join(sentences_csv([before])) + csv_line(("it.a", "phrasing", "@new")) * 2
    (tmp_path / "sentences.csv").write_bytes(data)
    (after,) = with_sentences([before], read_sentences(tmp_path / "sentences.csv"))
    assert after.phrasings == (*before.phrasings, "@new")
    assert after.counterexamples == before.counterexamples
    assert with_sentences([after], read_sentences(tmp_path / "sentences.csv")) == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("key,kind,text\nit.a,odd,x\n", "line 2: kind"),
        ("key,text\nit.a,x\n", "header lacks or adds kind"),
        ("key,kind,text\nit.a,phrasing\n", "line 2: 2 cells"),
    ],
)
def test_every_mistake_of_a_sentence_file_is_told(text, problem, tmp_path):
    (tmp_path / "sentences.csv").write_text(text)
    with pytest.raises(InvalidContent, match=problem):
        read_sentences(tmp_path / "sentences.csv")


def test_a_sentence_of_an_unknown_prompt_is_refused(tmp_path):
    (tmp_path / "sentences.csv").write_text("key,kind,text\nit.z,phrasing,x\n")
    with pytest.raises(InvalidContent, match="no such prompt"):
        with_sentences([prompt("it.a")], read_sentences(tmp_path / "sentences.csv"))
