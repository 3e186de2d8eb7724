"""Whatever is in a file of rows: good rows are read, bad ones told with place and reason, none lost, memory bounded."""

import gzip
import json
import os
import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from row_records import read, write

from store.errors import InvalidContent
from store.formats.duplicates import Duplicates
from store.formats.reading import Rejects, RowReader
from store.formats.records import cut
from store.formats.registry import FORMATS
from store.formats.sources import Bounds

GOOD = {"instruction": "Open", "context": "", "response": "Push.", "category": "doors"}
LINE = json.dumps(GOOD).encode()
BAD_LINES = {
    b"{": "not JSON",
    b"nothing": "not JSON",
    b"[1]": "the row: a list where an object belongs",
    b'"text"': "the row: text where an object belongs",
    b'{"instruction": "\xff", "response": ""}': "not UTF-8 at byte 18",
    b'{"instruction": "\\ud800", "response": ""}': "half of a surrogate pair",
    b'{"instruction": "a\x00b", "response": ""}': "not JSON",
    b'{"instruction": "a", "response": "b", "n": NaN}': "NaN",
    b'{"instruction": "a", "response": "b", "n": 1e999}': "too large",
    b'{"instruction": "a", "response": "b", "n": ' + b"9" * 10_000 + b"}": "too long",
    b'{"instruction": "a", "instruction": "b", "response": ""}': "twice",
    b'{"instruction": "a", "response": "b", "n": ' + b"[" * 500 + b"]" * 500 + b"}": "nested deeper than 100",
    b"[" * 100_000: "nested deeper than 100",
    b'{"a":' * 100_000: "nested deeper than 100",
    b'{"instruction": "a"}': "response: it is missing",
    b'{"instruction": null, "response": "b"}': "instruction: null",
    b'{"instruction": "a", "response": 5}': "response: a number where text belongs",
    b'{"instruction": "a", "response": true}': "response: a truth value where text belongs",
}


@pytest.mark.parametrize("bad", BAD_LINES, ids=range(len(BAD_LINES)))
def test_a_bad_line_is_told_and_the_lines_around_it_are_read(bad, tmp_path):
    path = tmp_path / "rows"
    path.write_bytes(LINE + b"\n\n" + bad + b"\n" + LINE)
    rejects = Rejects(tmp_path / "bad")
    rows, tally = read(path, "dolly", rejects=rejects)
    rejects.close()
    assert len(rows) == 2
    (problem,) = tally.problems
    assert problem.place == 3
    assert BAD_LINES[bad] in problem.reason
    assert (tmp_path / "bad").read_bytes() == bad + b"\n"
    (reason,) = (tmp_path / "bad.reasons").read_text().splitlines()
    assert json.loads(reason) == {"place": 3, "reason": problem.reason}


def test_a_list_goes_on_after_a_bad_member(tmp_path):
    path = tmp_path / "rows"
    path.write_bytes(b'[\n{"a": 1],\n' + LINE + b',\n,\n{"instruction": 1},' + LINE + b"]")
    rows, tally = read(path, "alpaca")
    assert rows == []
    rows, tally = read(path, "dolly")
    assert len(rows) == 2
    assert [one.place for one in tally.problems] == [1, 3, 4]


@pytest.mark.parametrize(
    ("text", "count", "reasons"),
    [
        (b"", 0, []),
        (b" \n\n", 0, []),
        (b"[]", 0, []),
        (b"[ ]\n", 0, []),
        (b"[" + LINE + b",]", 1, ["nothing between two commas"]),
        (b"[" + LINE, 0, ["the list has no end"]),
        (b"[" + LINE + b",", 1, ["the list has no end"]),
        (b"[" + LINE + b"] and more", 1, ["text after the end of the list"]),
        (b"[" + LINE + b"]]", 1, ["text after the end of the list"]),
    ],
)
def test_a_damaged_list_gives_what_is_whole_and_tells_the_rest(text, count, reasons, tmp_path):
    (tmp_path / "rows").write_bytes(text)
    rows, tally = read(tmp_path / "rows", "dolly")
    assert len(rows) == count
    assert [one.reason for one in tally.problems] == reasons


TEXTS = st.lists(
    st.dictionaries(st.text(max_size=3), st.text('a"\\[]{},\n', max_size=12) | st.lists(st.integers(), max_size=2)),
    max_size=6,
)


@settings(max_examples=200, deadline=None)
@given(values=TEXTS, size=st.integers(1, 9), as_list=st.booleans())
def test_rows_are_cut_in_the_same_places_however_the_bytes_come(values, size, as_list):
    data = json.dumps(values).encode() if as_list else b"".join(json.dumps(one).encode() + b"\n" for one in values)
    if not as_list and not values:
        return
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    found = list(cut(pieces, 10_000))
    assert [json.loads(one.raw) for one in found] == values
    assert not any(one.problem for one in found)


@settings(max_examples=200, deadline=None)
@given(
    before=st.integers(0, 2),
    long=st.text('a"\\[]{},\n', min_size=40, max_size=300),
    size=st.integers(1, 50),
    as_list=st.booleans(),
)
def test_a_row_that_is_too_long_comes_in_pieces_of_which_none_is_lost(before, long, size, as_list):
    values = [{"a": 1}] * before + [{"b": long}] + [{"c": 2}]
    data = json.dumps(values).encode() if as_list else b"".join(json.dumps(one).encode() + b"\n" for one in values)
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    found = list(cut(pieces, 40))
    long_ones = [one for one in found if one.problem]
    assert json.loads(b"".join(one.raw for one in long_ones)) == {"b": long}
    assert {one.place for one in long_ones} == {before + 1}
    assert [one.is_first for one in long_ones].count(True) == 1
    assert [json.loads(one.raw) for one in found if not one.problem] == [{"a": 1}] * before + [{"c": 2}]


@pytest.mark.parametrize("as_list", [False, True])
def test_a_row_of_many_megabytes_takes_memory_for_a_few(as_list, tmp_path):
    path = tmp_path / "rows"
    with path.open("wb") as file:
        file.write(b"[" if as_list else b"")
        file.write(b'{"instruction": "')
        for _ in range(60):
            file.write(b"\\u0041" * 170_000)
        file.write(b'", "response": "b"}' + (b"," if as_list else b"\n") + LINE + (b"]" if as_list else b""))
    bounds = Bounds(row_bytes=1024 * 1024)
    rejects = Rejects(tmp_path / "bad")
    reader = RowReader(path, FORMATS["dolly"], bounds=bounds, rejects=rejects)
    tracemalloc.start()
    count = sum(1 for _ in reader)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    rejects.close()
    assert (count, reader.tally.rejected) == (1, 1)
    assert reader.tally.problems[0].reason == "longer than 1048576 bytes"
    assert (tmp_path / "bad").stat().st_size == 60 * 170_000 * 6 + 36 + 1
    assert peak < 12 * 1024 * 1024


def test_a_byte_order_mark_is_told_and_is_not_part_of_the_first_row(tmp_path):
    (tmp_path / "rows").write_bytes(b"\xef\xbb\xbf" + LINE)
    rows, tally = read(tmp_path / "rows", "dolly")
    assert len(rows) == 1
    assert "byte order mark" in tally.notes[0]


def test_another_encoding_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "rows").write_bytes(LINE.decode().encode("utf-16"))
    with pytest.raises(InvalidContent, match="Save it as UTF-8"):
        read(tmp_path / "rows", "dolly")


def test_repeated_rows_are_told_and_kept(tmp_path):
    rows, tally = read(write(tmp_path / "rows", [GOOD, GOOD | {"response": "Pull."}, GOOD]), "dolly")
    assert len(rows) == 3
    assert (tally.duplicates, tally.repeated) == (1, [3])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.binary(max_size=2), max_size=400))
def test_a_row_is_a_duplicate_exactly_when_it_was_there_before(rows):
    duplicates, seen = Duplicates(), set()
    for row in rows:
        assert duplicates.has(row) == (row in seen)
        seen.add(row)


def test_duplicates_are_found_among_more_rows_than_the_first_table_has_room_for():
    duplicates = Duplicates()
    assert not any(duplicates.has(str(number).encode()) for number in range(20_000))
    assert all(duplicates.has(str(number).encode()) for number in range(20_000))
    assert not duplicates.is_full


def test_gz_is_read_in_several_parts_and_with_padding(tmp_path):
    (tmp_path / "rows").write_bytes(gzip.compress(LINE + b"\n") + gzip.compress(LINE) + b"\x00" * 100)
    assert len(read(tmp_path / "rows", "dolly")[0]) == 2


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[:-20], "in the middle"),
        (lambda data: data[:40] + bytes(20) + data[60:], "damaged"),
        (lambda data: data + b"garbage", "damaged"),
    ],
)
def test_a_damaged_gz_file_is_refused(damage, reason, tmp_path):
    noise = [GOOD | {"response": os.urandom(40).hex()} for _ in range(50)]
    data = gzip.compress(b"".join(json.dumps(one).encode() + b"\n" for one in noise))
    (tmp_path / "rows").write_bytes(damage(data))
    with pytest.raises(InvalidContent, match=reason):
        read(tmp_path / "rows", "dolly")


def test_a_gz_file_that_unpacks_without_end_is_refused_after_some_megabytes(tmp_path):
    packer = zlib.compressobj(9, wbits=31)
    with (tmp_path / "rows").open("wb") as file:
        for _ in range(100):
            file.write(packer.compress(bytes(1024 * 1024)))
        file.write(packer.flush())
    with pytest.raises(InvalidContent, match="200 times its size"):
        read(tmp_path / "rows", "dolly")


def test_more_bytes_than_promised_are_refused(tmp_path):
    path = write(tmp_path / "rows", [GOOD] * 100)
    with pytest.raises(InvalidContent, match="more than 1000 bytes"):
        read(path, "dolly", bounds=Bounds(bytes=1000))


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "missing", "."):
        with pytest.raises(InvalidContent):
            read(tmp_path / name, "dolly")


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300) | st.text('[]{}",:\\ntrue1eE.-', max_size=200).map(str.encode))
def test_no_bytes_break_a_reader(tmp_path_factory, name, data):
    path = tmp_path_factory.mktemp("noise") / "rows"
    path.write_bytes(data)
    try:
        rows, tally = read(path, name)
    except InvalidContent:
        return
    assert len(rows) <= tally.rows
    assert all(one.reason for one in tally.problems)


def test_progress_is_told_in_bytes_of_the_file(tmp_path):
    told = []
    path = write(tmp_path / "rows", [GOOD] * 2500)
    read(path, "dolly", progress=lambda *now: told.append(now))
    assert [rows for rows, _, _ in told] == [1000, 2000, 2500]
    assert told[-1][1:] == (path.stat().st_size,) * 2
