"""A folder of fits that cannot be written: what is fitted serves all the same, and the operator is told."""

import logging
from pathlib import Path

import pytest

from gateway.errors import NotServing
from gateway.fitting import matchers
from gateway.fitting.corpora import EmbedderSource
from gateway.fitting.matchers import FitSettings, FittedMatchers
from models.fakes import FakeEmbedder
from store.matches import Match
from tests.building import PROMPTS
from tests.gateway.fitting.test_fit_process import catalog, run_instead

WITH_A_FAKE_EMBEDDER = """
from gateway.fitting import corpora, process
from models.fakes import FakeEmbedder
corpora.load_embedder = lambda *_, **__: FakeEmbedder()
process.main()
"""


@pytest.fixture
def making(monkeypatch, tmp_path):
    run_instead(monkeypatch, WITH_A_FAKE_EMBEDDER)
    (tmp_path / "taken").write_text("a file, where a folder should be")
    settings = FitSettings(
        EmbedderSource(tmp_path, "0" * 64, tmp_path),
        tmp_path / "taken" / "fits",
        tmp_path / "index",
        tmp_path / "fitting.log",
        is_tuned=False,
        threads=1,
    )
    made = FittedMatchers(settings, FakeEmbedder(), lambda *_: None)
    yield made
    made.close()


def test_the_fit_serves_from_a_spare_folder_and_log_and_readiness_say_so(making, caplog):
    with caplog.at_level(logging.WARNING):
        matcher = making.make(catalog(*PROMPTS))
    assert isinstance(matcher.match("I forgot my password", "desk"), Match)
    assert "matcher_not_kept" in caplog.text
    assert "cannot be written: Not a directory" in caplog.text
    assert "fits are not kept" in making.status
    assert "taken" not in making.status, "readiness names no path"


def test_the_fit_is_found_again_and_gone_when_the_gateway_ends(making, monkeypatch):
    fingerprint = making.make(catalog(*PROMPTS)).fingerprint
    spare = Path(making._spare.name)
    run_instead(monkeypatch, "raise SystemExit('made again')")
    assert making.make(catalog(*PROMPTS)).fingerprint == fingerprint
    making.close()
    assert not spare.exists()


def test_where_nothing_can_be_written_at_all_there_is_no_fit(making, monkeypatch):
    def refuse(**_options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(matchers, "TemporaryDirectory", refuse)
    with pytest.raises(NotServing, match="nor can any other folder"):
        making.make(catalog(*PROMPTS))


def test_a_log_that_cannot_be_opened_keeps_nothing_from_being_fitted_and_is_told_once(monkeypatch, tmp_path, caplog):
    run_instead(monkeypatch, WITH_A_FAKE_EMBEDDER)
    (tmp_path / "fitting.log").mkdir()
    settings = FitSettings(
        EmbedderSource(tmp_path, "0" * 64, tmp_path),
        tmp_path / "fits",
        tmp_path / "index",
        tmp_path / "fitting.log",
        is_tuned=False,
        threads=1,
    )
    making = FittedMatchers(settings, FakeEmbedder(), lambda *_: None)
    for documents in (PROMPTS, PROMPTS[:1]):
        assert isinstance(making.make(catalog(*documents)).match("I forgot my password", "desk"), Match)
    told = [message for message in caplog.messages if message.startswith("fitting_log_not_kept")]
    assert told == [f"fitting_log_not_kept: {tmp_path / 'fitting.log'} cannot be written: Is a directory"]
