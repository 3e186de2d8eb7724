"""`canongate fit` on the command line, with what a fit leaves but without fitting in a process of its own."""

import io
import json
import re

import pytest
from rich.console import Console

from gateway.commands import fitting
from gateway.errors import NotServing
from gateway.fitting.corpora import fit_untuned
from gateway.fitting.kept import Fit
from models.fakes import FakeEmbedder
from store.learning.errors import TooLittleToLearn
from store.learning.metrics import Estimate
from store.learning.report import PromptRates
from tests.gateway.command_line import cells


class Made:
    """Stands for `FittedMatchers`: fits here and now."""

    not_kept = ""

    def __init__(self, _settings, embedder, progress):
        self._embedder, self._progress = embedder, progress

    def improve(self, _catalog, _serving):
        return False

    def close(self):
        """Has nothing to end."""

    def fit(self, published):
        fitted, too_little = {}, {}
        for areas, corpus in published.corpora.items():
            try:
                fitted[areas] = fit_untuned(corpus, self._embedder, progress=self._progress)
            except TooLittleToLearn as error:
                too_little[areas] = str(error)
        return Fit("f" * 64, self._embedder, is_tuned=False, note="not asked for", fitted=fitted, too_little=too_little)


@pytest.fixture
def fit(published, monkeypatch):
    monkeypatch.setattr(fitting, "open_embedder", lambda *_: FakeEmbedder())
    monkeypatch.setattr(fitting, "FittedMatchers", Made)
    return lambda *arguments: published("fit", *arguments)


@pytest.fixture
def too_little(fit, monkeypatch):
    def refuse(*_, **__):
        raise TooLittleToLearn("give some prompts two phrasings")

    monkeypatch.setattr(f"{__name__}.fit_untuned", refuse)
    return fit


def test_the_terminal_shows_the_worst_prompts_with_intervals(fit):
    done = fit()
    assert done.status == 0
    assert "questions answered" in done.out
    assert "the worst" in done.out
    row = next(line for line in cells(done.out).splitlines() if line.strip().startswith("it."))
    assert row.count("%-") == 3, "answered, with another and asked back, each with its interval"


def test_the_worst_prompts_are_those_mistaken_for_others_and_then_those_answered_least(fit):
    report = next(iter(json.loads(fit("--json").out)["assistants"].values()))
    shown = [line.split()[0] for line in cells(fit().out).split("the worst")[1].splitlines() if line[1:4] == "it."]
    ranked = sorted(
        (one for one in report["prompts"] if one["sentences"] and one["coverage"]["value"] < 1),
        key=lambda one: (-one["false_match"]["value"], one["coverage"]["value"], one["key"]),
    )
    assert shown == [one["key"] for one in ranked][:8]
    assert shown


def test_the_measured_rate_is_said_beside_the_stated_one_and_what_is_not_proven(fit):
    report = next(iter(json.loads(fit("--json").out)["assistants"].values()))
    rate = report["store"]["false_match"]
    words = cells(fit().out)
    assert f"wrong answers measured {rate['value']:.1%} ({rate['low']:.1%} to {rate['high']:.1%}), stated 1.0%" in words
    assert f"{report['more_phrasings']} more phrasings would prove its rate" in words


def test_json_has_every_prompt_with_its_rates(fit):
    described = json.loads(fit("--json").out)
    (report,) = described["assistants"].values()
    assert {one["key"] for one in report["prompts"]} >= {"it.reset"}
    for one in report["prompts"]:
        for rate in ("coverage", "false_match", "clarify", "abstention"):
            assert set(one[rate]) == {"value", "low", "high"}
    assert (described["no_figures"], described["not_kept"]) == ({}, "")


def test_the_report_is_a_folder_for_each_assistant(fit, tmp_path):
    assert fit("--report", tmp_path / "report").status == 0
    (folder,) = (tmp_path / "report").iterdir()
    assert {path.name for path in folder.iterdir()} == {"report.json", "scores.svg", "coverage.svg"}


def test_a_report_without_figures_says_why_and_leaves_no_older_pictures(too_little, tmp_path):
    (tmp_path / "report" / "helpdesk").mkdir(parents=True)
    (tmp_path / "report" / "helpdesk" / "scores.svg").write_text("of an older report")
    done = too_little("--report", tmp_path / "report")
    assert done.status == 0
    assert "no figures helpdesk: give some prompts two phrasings" in done.out
    (folder,) = (tmp_path / "report").iterdir()
    assert [path.name for path in folder.iterdir()] == ["report.json"]
    assert json.loads((folder / "report.json").read_text()) == {"no_figures": "give some prompts two phrasings"}
    assert json.loads(too_little("--json").out)["no_figures"] == {"helpdesk": "give some prompts two phrasings"}


def test_a_fit_that_is_not_kept_is_told(fit, monkeypatch):
    monkeypatch.setattr(Made, "not_kept", "fits are made again at each start: the folder cannot be written")
    assert "not kept fits are made again" in fit().out
    assert json.loads(fit("--json").out)["not_kept"]


def test_when_tuning_fails_the_report_is_that_of_the_fit_without_it(fit, monkeypatch):
    def fail(*_):
        raise NotServing("matcher_not_fitted", "the matcher could not be fitted: no memory")

    monkeypatch.setattr(Made, "improve", fail)
    done = fit()
    assert done.status == 0
    assert "tuning failed the matcher could not be fitted: no memory. This is the fit without it." in cells(done.out)
    assert "questions answered" in done.out
    described = json.loads(fit("--json").out)
    assert described["not_tuned"] == "the matcher could not be fitted: no memory"
    assert described["assistants"]


def test_keys_of_prompts_are_broken_between_words_at_80_columns():
    keys = ("facilities.meeting-room-equipment", "it.password-reset", "hr.a")
    rate = Estimate(value=0.5, low=0.255, high=1.0)
    worst = [PromptRates(key, 12, rate, rate, rate, rate, 0) for key in keys]
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(fitting._prompts(worst, 40, 80))
    first = [re.split(r" +12 |$", line.strip())[0] for line in console.export_text().splitlines()[2:]]
    assert [piece.strip() for piece in first] == [
        "facilities.meeting-room-",
        "equipment",
        "it.password-reset",
        "hr.a",
    ]
