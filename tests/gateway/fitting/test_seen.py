"""Vectors that an earlier fit made: taken while they are whole and of the same embedder, and made again otherwise."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from gateway.fitting import corpora
from gateway.fitting.corpora import EmbedderSource, TunedPlace, fit_parts
from gateway.fitting.kept import Published
from gateway.fitting.seen import SeenEmbedder
from models.fakes import FakeEmbedder
from store.learning.corpus import background
from tests.gateway.fitting.test_kept import ALL, HELP, PROMPTS, PUBLISHED, prompt


@dataclass(frozen=True)
class Counting(FakeEmbedder):
    """A fake that keeps what it was given."""

    texts: list[str] = field(default_factory=list)

    def embed(self, texts):
        self.texts.extend(texts)
        return FakeEmbedder().embed(texts)


def embedded(folder, *texts, **changes) -> list[str]:
    """Returns what had to be embedded for these texts."""
    inner = Counting(**changes)
    seen = SeenEmbedder(inner, folder)
    assert np.array_equal(seen.embed(texts), FakeEmbedder().embed(texts))
    seen.keep()
    return inner.texts


def test_only_sentences_that_no_earlier_fit_embedded_are_embedded(tmp_path):
    assert embedded(tmp_path, "one", "two", "one") == ["one", "two"]
    assert embedded(tmp_path, "two", "three", "one") == ["three"]
    assert embedded(tmp_path, "two") == []


def test_what_the_last_fit_did_not_need_is_forgotten(tmp_path):
    embedded(tmp_path, "one", "two")
    embedded(tmp_path, "two", "three")
    assert embedded(tmp_path, "one", "two") == ["one"]


def test_another_embedder_shares_nothing(tmp_path):
    embedded(tmp_path, "one")
    assert embedded(tmp_path, "one", fingerprint="another") == ["one"]


def test_a_damaged_file_is_named_and_its_sentences_are_embedded_again(tmp_path, caplog):
    embedded(tmp_path, "one")
    (path,) = tmp_path.glob("*/index-*.bin")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert embedded(tmp_path, "one") == ["one"]
    assert f"index_file_not_used: {path}" in caplog.text


def test_a_folder_that_cannot_be_written_is_told_and_nothing_else_happens(tmp_path, caplog):
    (tmp_path / "taken").write_text("a file")
    assert embedded(tmp_path / "taken", "one") == ["one"]
    assert "fit_vectors_not_written" in caplog.text
    assert embedded(None, "one") == ["one"], "nor without any folder"


@pytest.fixture
def fit(monkeypatch, tmp_path):
    """Fits what is published, and returns what was embedded for it."""

    def run(published: Published) -> list[str]:
        inner = Counting()
        monkeypatch.setattr(corpora, "load_embedder", lambda *_args, **_kwargs: inner)
        fit_parts(
            published.whole,
            list(published.corpora.values()),
            EmbedderSource(tmp_path, "hash", tmp_path),
            tune=False,
            tuned=TunedPlace(tmp_path / "tuned", tmp_path),
            seen=tmp_path / "seen",
            progress=lambda *_: None,
        )
        return inner.texts

    return run


def test_a_publish_with_one_more_phrasing_embeds_that_one(fit):
    first = fit(PUBLISHED)
    assert len(first) == len(set(first)), "what two assistants share is embedded once"
    assert set(background()) <= set(first)
    more = prompt("help.hours", *PROMPTS[1].phrasings, "is anybody there on Sundays")
    assert fit(Published((PROMPTS[0], more, PROMPTS[2]), (HELP, ALL))) == ["is anybody there on Sundays"]
