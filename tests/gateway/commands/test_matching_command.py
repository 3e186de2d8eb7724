"""`canongate eval match` on the command line, with a fake embedder and rows that it invents."""

import json

import pytest

from gateway.commands import matching
from gateway.fitting.corpora import FittedStore
from models.fakes import FakeEmbedder
from store.learning.errors import TooLittleToLearn
from store.learning.fit import Fitted, HeldOutKind
from store.scoring import NearestScorer
from tests.gateway.command_line import is_one_line_of_ours
from tests.store.learning.held_out_rows import NONE, held_out

STORE = [("how do I reset my password", "reset"), ("when is the office open", "hours")]
QUERIES = [
    {"text": "how do I reset my password please", "intent": "reset", "kind": "in"},
    {"text": "sing a song about whales", "intent": "oos", "kind": "ood-oos"},
]


@pytest.fixture
def files(tmp_path):
    store, queries = tmp_path / "store.jsonl", tmp_path / "queries.jsonl"
    store.write_text("\n".join(json.dumps({"text": text, "intent": intent}) for text, intent in STORE), "utf-8")
    queries.write_text("\n".join(map(json.dumps, QUERIES)), "utf-8")
    return ("--store", store, "--queries", queries, "--languages", "any")


@pytest.fixture
def match(run, monkeypatch):
    rows = [(HeldOutKind.IN_SCOPE, label, [(label, 0.95, 0.9, 0)]) for label in (0, 1)] * 10
    rows += [(HeldOutKind.STRANGER, NONE, [(0, 0.3, 0.3, 0)])] * 10
    asked = []

    def fit(corpus, source, *, tune, tuned, threads, progress):
        asked.append((corpus, source, tune, tuned, threads))
        if len(corpus.texts) < 2:
            raise TooLittleToLearn("give some prompts two phrasings")
        progress("tuning [the embedder]", 1, 2)
        fitted = Fitted(model=None, held_out=held_out(rows), seconds=1.0)
        return FittedStore(FakeEmbedder(), fitted, is_tuned=tune, note="" if tune else "not asked for", seconds=1.5)

    monkeypatch.setattr(matching, "fit_corpus", fit)
    monkeypatch.setattr(matching, "load_source", lambda *_: FakeEmbedder())
    monkeypatch.setattr(matching, "LearnedScorer", lambda _model: NearestScorer())
    run.asked = asked
    return lambda *arguments: run("eval", "match", *arguments)


def test_json_has_the_published_figures_and_nothing_else_on_standard_output(match, files):
    done = match(*files, "--json")
    assert done.status == 0
    figures = json.loads(done.out)
    assert set(figures["coverage_at_false_match"]) == {"0.01", "0.02", "0.05"}
    assert set(figures["coverage_at_false_match_with_clarify"]) == {"0.01", "0.02", "0.05"}
    assert figures["accuracy"] == 1.0
    assert figures["auroc"] == 1.0
    assert figures["fit_seconds"] == 1.5
    assert figures["p95_ms"] >= figures["p50_ms"] > 0
    own = figures["at_own_limits"]["0.01"]
    assert set(own["in_scope"]) >= {"right", "wrong", "clarify", "refused"}
    assert own["near_miss"] is None


def test_the_table_is_for_people(match, files):
    done = match(*files, "--no-tune")
    assert done.status == 0
    assert "not tuned: not asked for" in done.out
    assert "limits for 0.01" in done.out
    assert "in_scope" in done.out


def test_only_the_store_is_fitted_on(match, files, run):
    match(*files)
    ((corpus, _, tune, _, _),) = run.asked
    assert (corpus.texts, tune) == ((STORE[1][0], STORE[0][0]), True)


def test_an_untuned_export_is_kept_and_a_tuned_one_is_not(match, files, run):
    match(*files)
    ((_, source, _, tuned, _),) = run.asked
    assert source.exports == run.data / "embedder"
    for place in (tuned.folder, tuned.exports):
        assert run.data not in place.parents
        assert not place.parent.exists()


def test_the_report_and_its_pictures_are_written(match, files, tmp_path):
    folder = tmp_path / "deep" / "report"
    assert match(*files, "--report", folder).status == 0
    assert json.loads((folder / "report.json").read_text())["stated_rate"] == 0.01
    assert (folder / "scores.svg").read_text().startswith("<svg")
    assert (folder / "coverage.svg").read_text().startswith("<svg")


def test_a_report_that_cannot_be_written_is_one_line_before_anything_is_fitted(match, files, run, tmp_path):
    (tmp_path / "taken").write_text("a file")
    done = match(*files, "--report", tmp_path / "taken" / "report")
    assert is_one_line_of_ours(done)
    assert "--report: cannot make" in done.err
    assert run.asked == []


def test_a_bad_row_is_one_line_with_its_place(match, files):
    files[3].write_text('{"text": "a", "intent": "reset"}\n{"text": 3}', "utf-8")
    done = match(*files)
    assert is_one_line_of_ours(done)
    assert "queries.jsonl, line 2: text must be" in done.err


@pytest.mark.parametrize("rate", ["0", "0.3", "much"])
def test_a_rate_that_is_no_tolerable_share_is_a_usage_error(match, files, rate):
    assert match(*files, "--rate", rate).status == 2


def test_odd_rows_are_noted_on_standard_error(match, files):
    files[3].write_text(json.dumps({"text": "days off", "intent": "holiday", "kind": "in"}), "utf-8")
    done = match(*files, "--json")
    assert "holiday" in done.err
    assert json.loads(done.out)["queries"]["near_miss"] == 1


def test_where_nobody_watches_each_phase_is_one_line(match, files):
    assert match(*files, "--json").err.splitlines() == ["tuning [the embedder]", "asking"]


def test_threads_are_those_of_the_settings(match, files, run, monkeypatch):
    monkeypatch.setenv("CANONGATE_MATCHING__THREADS", "3")
    match(*files)
    assert run.asked[0][4] == 3


def test_a_sentence_too_long_for_the_embedder_is_one_line_with_its_place(match, files, run):
    rows = [*STORE, ("reset " * 300, "reset")]
    files[1].write_text("\n\n".join(json.dumps({"text": text, "intent": intent}) for text, intent in rows), "utf-8")
    done = match(*files)
    assert done.status == 1
    assert "store.jsonl, line 5: text has" in done.err
    assert run.asked == [], "nothing was fitted in vain"


def test_without_a_query_in_scope_coverage_cannot_be_told(match, files):
    files[3].write_text(json.dumps(QUERIES[1]), "utf-8")
    figures = json.loads(match(*files, "--json").out)
    assert figures["coverage_at_false_match"] == {"0.01": None, "0.02": None, "0.05": None}
    assert set(figures["coverage_at_false_match_with_clarify"].values()) == {None}
    assert figures["at_own_limits"]["0.01"]["coverage"] is None
    assert any(line.startswith("Coverage: no query is in scope") for line in figures["unknown"])
    shown = match(*files).out
    assert "cannot be told" in shown
    assert "no query is in scope" in shown


def test_a_store_that_is_too_small_says_so_in_the_report_as_well(match, files, tmp_path):
    files[1].write_text(json.dumps({"text": "opening hours", "intent": "hours"}), "utf-8")
    done = match(*files, "--report", tmp_path / "report")
    assert done.status == 1
    assert "give some prompts two phrasings" in done.err
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["report.json"]
    assert "two phrasings" in (tmp_path / "report" / "report.json").read_text()


def test_help_shows_an_example(match):
    done = match("--help")
    assert done.status == 0
    assert "canongate eval match --store" in done.out
