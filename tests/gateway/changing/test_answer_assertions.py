"""Test sets may say what must hold of an answer's words; the model is asked for those alone."""

import json

import pytest

from gateway.changing import suite_runs
from models.fakes import FakeEmbedder
from store.changes.evidence import RunState
from store.changes.types import EditKind
from store.errors import InvalidContent
from store.formats.answer_checks import Contains, FitsSchema, Matches, Resembles, failure_of
from store.formats.bundle import convert_document
from store.formats.documents import parse_yaml, write_yaml
from store.formats.suite import Suite
from store.plain import to_plain
from tests.building import GROUNDED
from tests.gateway.changing.gate_world import SUITE

EMBED = FakeEmbedder().embed
LINK = {"type": "object", "properties": {"link": {"type": "string", "pattern": "^https://"}}, "required": ["link"]}


def suite(*checks, **fields) -> dict:
    case = {"id": "reset", "kind": "own", "message": "I forgot my password", "expect": "answer", "prompt": "it.reset"}
    return SUITE | {"cases": [case | {"answers": list(checks)} | fields]}


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (Contains(text="15 Minutes"), "It lasts 15 minutes.", "It lasts 20 minutes."),
        (Matches(pattern="[0-9]+ minutes"), "It lasts 15 minutes.", "It lasts."),
        (FitsSchema(schema=LINK), '{"link": "https://a.example"}', '{"link": "http://a.example"}'),
        (FitsSchema(schema=LINK), '{"link": "https://a.example"}', '{"other": 1}'),
        (FitsSchema(schema=LINK), '{"link": "https://a.example"}', "a link"),
        (FitsSchema(schema=LINK), '{"link": "https://a.example"}', "[" * 10_000),
        (Resembles(text="reset your password", at_least=0.8), "reset your password", "the office is closed"),
        (Resembles(text="reset your password", at_least=0.1), "reset your password", " "),
        (Contains(text="x"), "x", "x" * 20_001),
    ],
)
def test_each_check_holds_or_says_what_does_not(check, good, bad):
    assert failure_of(check, good, EMBED) == ""
    told = failure_of(check, bad, EMBED)
    assert told
    assert bad not in told or len(bad) == 1, "an answer is not quoted"


def test_a_pattern_that_would_run_away_elsewhere_ends_at_once():
    assert failure_of(Matches(pattern="(a+)+$"), "a" * 10_000 + "b", EMBED)
    assert failure_of(FitsSchema(schema={"pattern": "(a+)+$"}), json.dumps("a" * 10_000 + "b"), EMBED)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"answers": [{"check": "regex", "pattern": "("}]}, r"cases\[0\]\.answers\[0\].*RE2"),
        ({"answers": [{"check": "regex", "pattern": "(?=x)"}]}, "RE2"),
        ({"answers": [{"check": "json_schema", "schema": {"$ref": "#"}}]}, r"'\$ref' is not checked"),
        ({"answers": [{"check": "json_schema", "schema": {"typ": "object"}}]}, "'typ' is not checked"),
        ({"answers": [{"check": "json_schema", "schema": {"type": "objekt"}}]}, "schema: type"),
        ({"answers": [{"check": "json_schema", "schema": {"items": 3}}]}, "neither an object"),
        ({"answers": [{"check": "json_schema", "schema": {"pattern": "("}}]}, "RE2"),
        ({"answers": [{"check": "similarity", "text": "x", "at_least": 1.5}]}, r"answers\[0\]"),
        ({"answers": [{"check": "similarity", "text": "x"}]}, "at_least"),
        ({"answers": [{"check": "contain", "text": "x"}]}, "contain"),
        ({"answers": [{"check": "contains", "text": "x", "case": True}]}, "case"),
        (
            {"answers": [{"check": "contains", "text": "x"}], "expect": "refuse", "prompt": None},
            "expect must be answer",
        ),
        ({"answers": [{"check": "contains", "text": "x"}] * 21}, r"cases\[0\]\.answers"),
        ({"expect": "blocked", "by": "length"}, "blocked has none"),
        ({"by": "length"}, "`by` names the rail"),
        ({"expect": "no_match"}, "no_match has none"),
    ],
)
def test_what_is_mistaken_is_said_with_its_place(fields, words):
    document = suite(**fields)
    document["cases"] = [{name: value for name, value in one.items() if value is not None} for one in document["cases"]]
    with pytest.raises(InvalidContent, match=words):
        convert_document(document, Suite)


def test_a_schema_with_too_many_parts_is_refused():
    with pytest.raises(InvalidContent, match="more than 500 parts"):
        convert_document(suite({"check": "json_schema", "schema": {"anyOf": [{}] * 500}}), Suite)


def test_a_test_set_with_every_check_is_written_as_it_was_read():
    document = suite(
        {"check": "contains", "text": "minutes"},
        {"check": "regex", "pattern": "[0-9]+"},
        {"check": "json_schema", "schema": LINK},
        {"check": "similarity", "text": "reset it", "at_least": 0.5},
    )
    read = convert_document(document, Suite)
    assert convert_document(parse_yaml(write_yaml(to_plain(read)).encode()), Suite) == read
    assert json.loads(json.dumps(to_plain(read))) == document


@pytest.fixture(autouse=True)
def _without_rests(monkeypatch):
    monkeypatch.setattr(suite_runs, "_REST", 0.0)


def tried(gating, *checks):
    return gating.tried(gating.edit_of(EditKind.SUITE, "small", suite(*checks)))


def test_the_model_is_asked_for_the_words_before_and_after(gating):
    assert tried(gating, {"check": "contains", "text": "15 minutes"}).state is RunState.PASSED
    assert len(gating.model.prompts) == 2
    run = tried(gating, {"check": "contains", "text": "20 minutes"})
    assert run.state is RunState.FAILED
    (problem,) = run.result.problems
    assert "the answer does not contain '20 minutes'" in problem
    assert GROUNDED not in problem


def test_a_model_that_does_not_answer_is_no_pass(gating):
    gating.model.is_unavailable = True
    run = tried(gating, {"check": "contains", "text": "15 minutes"})
    assert run.state is RunState.FAILED
    assert "the language model did not answer" in run.result.problems[0]
