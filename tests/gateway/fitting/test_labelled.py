"""Labelled rows: what is odd is said, what is wrong is an error that names its line."""

import gzip
import json

import pytest

from gateway.errors import InvalidRequest
from gateway.fitting.labelled import Kind, LabelledText, read_labelled

STORE = [{"text": "reset my password", "intent": "reset"}, {"text": "opening hours", "intent": "hours"}]


@pytest.fixture
def read(tmp_path):
    def write(name, rows):
        path = tmp_path / name
        path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), "utf-8")
        return path

    return lambda queries, store=STORE: read_labelled(write("store.jsonl", store), write("queries.jsonl", queries))


def query(text="hello", intent="reset", **more):
    return {"text": text, "intent": intent, **more}


def test_kinds_are_read_in_their_published_spelling(read):
    rows = [query(kind="in"), query(intent="oos", kind="id-oos"), query(intent="oos", kind="ood-oos")]
    rows += [query(intent="oos", kind="oos"), query(), query(intent="oos")]
    kinds = [one.kind for one in read(rows).queries]
    assert kinds == [Kind.IN_SCOPE, Kind.NEAR_MISS, Kind.STRANGER, Kind.STRANGER, Kind.IN_SCOPE, Kind.STRANGER]


def test_gzip_a_byte_order_mark_and_empty_lines_are_read(tmp_path):
    store, queries = tmp_path / "store.jsonl.gz", tmp_path / "queries.jsonl"
    store.write_bytes(gzip.compress(("\ufeff" + "\n\n".join(map(json.dumps, STORE))).encode()))
    queries.write_text(json.dumps(query()) + "\r\n\n", "utf-8")
    labelled = read_labelled(store, queries)
    assert (len(labelled.store), len(labelled.queries), labelled.notes) == (2, 1, ())


def test_a_separator_that_only_looks_like_a_line_end_stays_in_its_row(read):
    text = "first\u2028second"
    row = json.dumps({"text": text, "intent": "reset"}, ensure_ascii=False)
    assert read([row]).queries[0].text == text


def test_a_sentence_that_stands_twice_counts_once_and_is_mentioned(read):
    labelled = read([query()], [*STORE, STORE[0], {"text": "opening hours", "intent": "reset"}])
    assert labelled.store.count(LabelledText("reset my password", "reset")) == 1
    assert "1 sentences stand twice" in labelled.notes[0]
    assert "1 sentences stand under several intents" in labelled.notes[1]


def test_an_intent_that_the_store_lacks_has_no_right_prompt(read):
    labelled = read([query(intent="holiday", kind="in"), query(intent="holiday")])
    assert [one.kind for one in labelled.queries] == [Kind.NEAR_MISS, Kind.STRANGER]
    assert "holiday" in labelled.notes[0]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("{", "not JSON"),
        ("[]", "a row is an object"),
        ({"intent": "reset"}, "text must be"),
        ({"text": "  ", "intent": "reset"}, "text must be"),
        ({"text": "a", "intent": 3}, "intent must be"),
        ({"text": "half \ud83d", "intent": "reset"}, "text has half a surrogate pair"),
        ({"text": "a", "intent": "\ud83d"}, "intent has half a surrogate pair"),
        ({"text": "a", "intent": "reset", "kind": 3}, "kind must be"),
        ({"text": "a", "intent": "reset", "kind": "maybe"}, "none of in, id-oos"),
        ({"text": "a", "intent": "reset", "kind": "oos"}, "its intent 'reset' is in the store"),
    ],
)
def test_a_bad_row_is_named_with_file_and_line(read, row, words):
    with pytest.raises(InvalidRequest, match=r"queries\.jsonl, line 3: ") as caught:
        read([query(), "", row])
    assert words in caught.value.message


def test_an_empty_file_is_an_error(read):
    with pytest.raises(InvalidRequest, match=r"queries\.jsonl: there is no row"):
        read([""])


def test_a_store_with_rows_out_of_scope_is_an_error(read):
    with pytest.raises(InvalidRequest, match="out of scope has no prompt"):
        read([query()], [*STORE, query(intent="oos")])


@pytest.mark.parametrize("data", [b"\x1f\x8b broken", b"\xff\xfe\x00", b"\x1f\x8b"])
def test_a_file_that_cannot_be_decoded_is_an_error(tmp_path, data):
    path = tmp_path / "store.jsonl.gz"
    path.write_bytes(data)
    with pytest.raises(InvalidRequest, match="cannot be read"):
        read_labelled(path, path)


def test_half_a_character_in_the_store_is_named_before_anything_is_fitted(read):
    with pytest.raises(InvalidRequest, match=r"store\.jsonl, line 3: text has half a surrogate pair"):
        read([query()], [*STORE, {"text": "\udc00 opening", "intent": "hours"}])
