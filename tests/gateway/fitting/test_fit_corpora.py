"""Fitting composes tuning, export and learning; what cannot be tuned serves as it is."""

import dataclasses

import msgspec
import numpy as np
import pytest

from gateway.errors import SettingsInvalid
from gateway.fitting import corpora as fitting
from gateway.fitting.corpora import EmbedderSource, TunedPlace, fit_corpus, fit_parts, source_of
from gateway.settings import Settings
from models.errors import ModelRefused
from models.fakes import FakeEmbedder
from store.learning.corpus import background, corpus_of_pairs

CORPUS = corpus_of_pairs((f"sentence {number} about {key}", key) for key in "abcd" for number in range(4))


class Tuned:
    def __init__(self, made):
        self.made = made

    def embed(self, texts):
        return FakeEmbedder().embed(texts)

    def save(self, folder):
        folder.mkdir()
        return "tuned-hash"


class Tuner:
    """Records what it was shown."""

    shown: list[tuple[list[str], list[str]]]

    def __init__(self, *, refuses=False):
        self.refuses = refuses
        self.shown = []

    def tune(self, texts, labels, others, plan, *, seed, progress):
        if self.refuses:
            raise ModelRefused("tuning needs at least two prompts")
        assert len(texts) == len(labels)
        self.shown.append((list(texts), list(others)))
        progress(plan.steps, plan.steps)
        return Tuned(len(self.shown))


@dataclasses.dataclass
class Calls:
    loaded: list
    fitted: list


@pytest.fixture
def calls(monkeypatch):
    made = Calls([], [])

    def load(folder, _cache, sha256, progress, *, languages):
        progress("preparing the embedder")
        made.loaded.append((folder.name, sha256))
        assert languages is None, "nobody knows what this model reads"
        return FakeEmbedder()

    def fit(_corpus, vectors, counter_vectors, background_vectors, *, folds, fold_vectors, **_rest):
        made.fitted.append((vectors.shape, counter_vectors.shape, background_vectors.shape, folds, fold_vectors))
        return "fitted"

    monkeypatch.setattr(fitting, "load_embedder", load)
    monkeypatch.setattr(fitting, "fit", fit)
    monkeypatch.setattr(fitting, "with_contradictions", lambda fitted, _corpus: fitted)
    return made


@pytest.fixture
def use(monkeypatch):
    return lambda tuner: monkeypatch.setattr(fitting, "_tuner", lambda *_: tuner)


def run(tmp_path, *, tune, progress=lambda *_: None):
    source = EmbedderSource(tmp_path / "model", "source-hash", tmp_path / "exports")
    return fit_corpus(
        CORPUS, source, tune=tune, tuned=TunedPlace(tmp_path / "tuned", tmp_path / "exports"), progress=progress
    )


def test_untuned_fitting_never_makes_a_tuner(calls, monkeypatch, tmp_path):
    monkeypatch.setattr(fitting, "_tuner", lambda *_: pytest.fail("torch would be imported"))
    store = run(tmp_path, tune=False)
    assert (store.is_tuned, store.note, calls.loaded) == (False, "not asked for", [("model", "source-hash")])
    ((vectors, counters, others, _, fold_vectors),) = calls.fitted
    assert (vectors[0], counters[0], others[0], fold_vectors) == (16, 0, len(background()), None)


def test_a_tuned_embedder_is_loaded_by_its_own_hash(calls, use, tmp_path):
    use(Tuner())
    store = run(tmp_path, tune=True)
    assert store.is_tuned
    assert calls.loaded == [("model", "source-hash"), ("tuned", "tuned-hash")]


def test_a_fold_is_tuned_without_the_sentences_prompts_and_background_that_it_holds_out(calls, use, tmp_path):
    tuner = Tuner()
    use(tuner)
    run(tmp_path, tune=True)
    *in_folds, (last_texts, last_others) = tuner.shown
    assert tuple(last_texts) == CORPUS.texts
    assert tuple(last_others) == background()
    folds = calls.fitted[0][3]
    assert len(in_folds) == folds.count
    for fold, (texts, others) in enumerate(in_folds):
        held = {text for text, own in zip(CORPUS.texts, folds.rows, strict=True) if own == fold}
        prompts = {CORPUS.keys[label] for label in np.flatnonzero(folds.prompts == fold)}
        strangers = {text for text, own in zip(background(), folds.background, strict=True) if own == fold}
        assert held.isdisjoint(texts)
        assert not any(text.rsplit(" ", 1)[1] in prompts for text in texts)
        assert strangers.isdisjoint(others)
    (sentences, others) = calls.fitted[0][4][0]
    assert (len(sentences), len(others)) == (16, len(background()))


def test_what_cannot_be_tuned_serves_untuned_and_says_why(calls, use, tmp_path):
    use(Tuner(refuses=True))
    store = run(tmp_path, tune=True)
    assert (store.is_tuned, store.note) == (False, "tuning needs at least two prompts")
    assert not (tmp_path / "tuned").exists()
    assert calls.fitted[0][4] is None


def test_a_part_is_fitted_alike_whatever_else_is_in_the_store(monkeypatch, tmp_path):
    """What is kept under the name of a part's sentences is what these sentences give."""
    monkeypatch.setattr(fitting, "load_embedder", lambda *_args, **_kwargs: FakeEmbedder())
    source = EmbedderSource(tmp_path / "model", "source-hash", tmp_path / "exports")
    said = [(f"sentence {number} about {key}", key) for key in "bcd" for number in range(6)]
    part = corpus_of_pairs(said)

    def fitted_beside(*others):
        whole = corpus_of_pairs([*said, *((f"{key} {number}", key) for key in others for number in range(5))])
        place = TunedPlace(tmp_path / "tuned", tmp_path / "exports")
        return fit_parts(whole, [part], source, tune=False, tuned=place, progress=lambda *_: None).fitted[0]

    alone, first, second = fitted_beside(), fitted_beside("a"), fitted_beside("a", "e")
    for other in (first, second):
        assert other.held_out.texts == alone.held_out.texts
        assert np.array_equal(other.held_out.scores, alone.held_out.scores)
        assert np.array_equal(other.model.stack.weights, alone.model.stack.weights)


def test_progress_that_raises_ends_the_fitting(calls, use, tmp_path):
    class Cancelled(Exception):
        pass

    def progress(phase, _done, _total):
        if phase.startswith("tuning for fold 2"):
            raise Cancelled

    use(Tuner())
    with pytest.raises(Cancelled):
        run(tmp_path, tune=True, progress=progress)
    assert calls.fitted == []


def test_a_folder_without_its_hash_is_refused():
    settings = Settings()
    assert source_of(settings).sha256 == fitting.PACKAGED_MINILM_SHA256
    embedder = msgspec.structs.replace(settings.embedder, path="/models/mine")
    with pytest.raises(SettingsInvalid, match="sha256sum"):
        source_of(msgspec.structs.replace(settings, embedder=embedder))


def test_a_language_that_no_message_can_be_told_to_be_in_stops_the_start(tmp_path):
    embedder = msgspec.structs.replace(Settings().embedder, path=str(tmp_path), sha256="a" * 64, languages="en, tlh")
    with pytest.raises(SettingsInvalid, match=r"embedder\.languages: .*tlh"):
        source_of(msgspec.structs.replace(Settings(), embedder=embedder))
