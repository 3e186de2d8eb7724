"""The command line over a data folder of its own, with a fake embedder, and without a model or a fit."""

import shutil
from pathlib import Path

import pytest

from gateway import bootstrap
from gateway.commands import backups, checking, evaluating_rails, models, rail_means
from models.fakes import FakeEmbedder
from tests.building import NearestMatchers
from tests.gateway.command_line import CommandLine
from tests.gateway.content_files import write_content

ROOT = Path(__file__).parents[3]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    for module in (bootstrap, backups, checking, evaluating_rails, models, rail_means):
        monkeypatch.setattr(module, "open_embedder", lambda *_: FakeEmbedder())
    for module in (bootstrap, backups, checking):
        monkeypatch.setattr(
            module, "FittedMatchers", lambda settings, embedder, _: NearestMatchers(embedder, settings.index)
        )
    monkeypatch.setenv("CANONGATE_MODEL__NAME", "none")
    return CommandLine(tmp_path / "data", monkeypatch, capsys)


@pytest.fixture
def content(tmp_path):
    return write_content(tmp_path / "content")


@pytest.fixture(scope="session")
def published_once(tmp_path_factory) -> Path:
    """A data folder in which the content is live, as soon as the first test has made it; do not change it."""
    return tmp_path_factory.mktemp("published") / "data"


@pytest.fixture
def published(run, content, published_once):
    if published_once.exists():
        shutil.copytree(published_once, run.data)
    else:
        assert run("import", content).status == 0
        shutil.copytree(run.data, published_once)
    return run
