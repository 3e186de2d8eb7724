"""A bundle as one file says what its folder says, exactly; every mistake is told at once."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_content import assistant, bundle, prompt

from store.errors import InvalidContent
from store.formats.bundle import read_bundle, write_bundle
from store.formats.bundle_file import Writing, bundle_text, parse_bundle, read_bundle_file
from store.formats.difference import differences

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=60).filter(
    lambda text: "{" not in text and "}" not in text
)
LINES = TEXTS.filter(lambda text: not set("\r\n") & set(text))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(lines=st.lists(LINES, min_size=1, max_size=3), answer=TEXTS, policy=st.dictionaries(TEXTS, PLAIN, max_size=3))
@pytest.mark.parametrize("writing", Writing)
def test_a_file_comes_back_exactly(writing, lines, answer, policy):
    policy.pop("name", None)
    whole = bundle(
        prompt("it.a", phrasings=lines, reply={"mode": "verbatim", "answer": answer}),
        prompt("it.b", title=lines[0]),
        policies={"plain": policy},
        suites={"desk": {"name": "desk", "cases": [{"id": "a", "message": answer}]}},
    )
    text = bundle_text(whole, writing)
    again = parse_bundle(text.encode(), writing)
    assert again == whole
    assert bundle_text(again, writing) == text


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_a_file_and_a_folder_say_the_same(suffix, tmp_path):
    whole = bundle(prompt("it.a"), prompt("it.b"))
    write_bundle(whole, tmp_path / "folder")
    path = tmp_path / f"bundle.{suffix}"
    path.write_text(bundle_text(read_bundle(tmp_path / "folder"), Writing(suffix)))
    assert read_bundle_file(path) == whole


def test_every_mistake_is_a_line():
    document = json.loads(bundle_text(bundle(prompt("it.a")), Writing.JSON))
    document["prompts"] += [{"key": "it.b"}, document["prompts"][0], 5]
    document["policies"]["Odd"] = {}
    with pytest.raises(InvalidContent) as caught:
        parse_bundle(json.dumps(document).encode(), Writing.JSON)
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["policies.Odd", "prompts", "prompts[1]", "prompts[3]"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{}", "must say `format"),
        ("[]", "one mapping"),
        ('{"format": "canongate-bundle", "version": 2}', "version: 1"),
        ('{"format": "canongate-bundle", "version": 1, "prompts": {}}', "prompts: it must be a list"),
        ('{"format": "canongate-bundle", "version": 1, "people": []}', "people: there is no such part"),
        ('{"format": "canongate-bundle", "version": 1, "version": 1}', "twice"),
        ('{"format": ' + "[" * 50 + "]" * 50 + "}", "nested deeper"),
    ],
)
@pytest.mark.parametrize("writing", Writing)
def test_a_file_that_is_no_bundle_is_refused(writing, text, problem):
    with pytest.raises(InvalidContent, match=problem):
        parse_bundle(text.encode(), writing)


def test_a_difference_is_readable():
    before = bundle(prompt("it.a"), prompt("it.b"))
    after = bundle(prompt("it.a", title="Other"), prompt("it.c"), assistants=(assistant(),))
    found = {one.path: one.lines for one in differences(before, after)}
    assert set(found) == {"prompts/it/a.yaml", "prompts/it/b.yaml", "prompts/it/c.yaml"}
    assert found["prompts/it/a.yaml"][:2] == ("--- live/prompts/it/a.yaml", "+++ new/prompts/it/a.yaml")
    assert {"-title: About it.a", "+title: Other"} <= set(found["prompts/it/a.yaml"])
    assert found["prompts/it/b.yaml"][1] == "+++ /dev/null"
    assert found["prompts/it/c.yaml"][0] == "--- /dev/null"
