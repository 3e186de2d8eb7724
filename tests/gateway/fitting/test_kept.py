"""Fits on disk: found only for what they were made from, and only when every byte of them is there."""

import os
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from gateway.fitting import corpora, kept
from gateway.fitting.corpora import EmbedderSource, FittedParts, fit_untuned
from gateway.fitting.kept import Fits, Published, drop_old, keep, keep_embedders
from models.errors import ModelRefused
from models.fakes import FakeEmbedder
from models.verified import Manifest, new_folder, publish, sha256_of
from store.content import CanonicalPrompt
from store.learning.errors import TooLittleToLearn
from tests.building import RESET

HELP, ALL = frozenset({"help"}), frozenset({"help", "desk"})


def prompt(key: str, *phrasings: str) -> CanonicalPrompt:
    return msgspec.convert(
        {**RESET, "key": key, "area": key.partition(".")[0], "phrasings": list(phrasings), "counterexamples": []},
        CanonicalPrompt,
    )


PROMPTS = (
    prompt("desk.card", "I lost my card", "my card is gone"),
    prompt("help.hours", "when do you open", "opening hours please"),
    prompt("help.reset", "reset my password", "I forgot my password"),
)
PUBLISHED = Published(PROMPTS, (HELP, ALL))


def job_in(folder: Path, scopes: tuple[tuple[str, ...], ...]) -> kept.FitJob:
    return kept.FitJob(
        source=str(folder),
        sha256="hash",
        base=FakeEmbedder().fingerprint,
        languages=None,
        exports=str(folder / "exports"),
        fits=str(folder / "fits"),
        prompts=PROMPTS,
        scopes=scopes,
        is_tuned=True,
        threads=1,
    )


@pytest.fixture(scope="module")
def made() -> FittedParts:
    embedder = FakeEmbedder()
    fitted = [fit_untuned(corpus, embedder, progress=lambda *_: None) for corpus in PUBLISHED.corpora.values()]
    return FittedParts(embedder, tuple(fitted), is_tuned=False, note="not asked for")


@pytest.fixture
def fits(tmp_path, made) -> Fits:
    keep(tmp_path / "fits", made.embedder.fingerprint, PUBLISHED, made, is_tuned=False)
    return Fits(tmp_path / "fits", made.embedder)


def test_a_fit_that_was_kept_is_found_with_the_models_of_every_scope(fits):
    found = fits.find(PUBLISHED, is_tuned=False)
    assert set(found.fitted) == {HELP, ALL}
    assert found.fitted[HELP].model.keys == ("help.hours", "help.reset")
    assert (found.is_tuned, found.note, found.too_little) == (False, "not asked for", {})
    assert fits.find(PUBLISHED, is_tuned=True) is None


def test_other_phrasings_or_scopes_are_another_fit(fits):
    changed = (*PROMPTS[:2], prompt("help.reset", "reset my password", "I forgot it"))
    assert fits.find(Published(changed, PUBLISHED.scopes), is_tuned=False) is None
    assert fits.find(Published(PROMPTS, (HELP,)), is_tuned=False) is None


def test_another_answer_is_the_same_fit(fits):
    reworded = msgspec.structs.replace(PROMPTS[0], title="Something else")
    assert fits.find(Published((reworded, *PROMPTS[1:]), PUBLISHED.scopes), is_tuned=False) is not None


def test_a_damaged_model_or_record_is_no_fit(fits, tmp_path):
    model = next((tmp_path / "fits").glob("fitted-*.bin"))
    whole = model.read_bytes()
    model.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert fits.find(PUBLISHED, is_tuned=False) is None
    model.write_bytes(whole)
    assert fits.find(PUBLISHED, is_tuned=False) is not None
    record = next((tmp_path / "fits").glob("fit-*.json"))
    record.write_bytes(record.read_bytes()[:-1])
    assert fits.find(PUBLISHED, is_tuned=False) is None


def test_a_fit_whose_embedder_is_gone_is_no_fit(tmp_path, made):
    tuned = FakeEmbedder(fingerprint="tuned")
    parts = FittedParts(tuned, made.fitted, is_tuned=True, note="")
    keep(tmp_path, made.embedder.fingerprint, PUBLISHED, parts, is_tuned=True)
    assert Fits(tmp_path, made.embedder).find(PUBLISHED, is_tuned=True) is None


def test_a_scope_with_too_little_to_learn_from_says_why(tmp_path, made):
    parts = FittedParts(made.embedder, (TooLittleToLearn("give more"), made.fitted[1]), is_tuned=False, note="")
    keep(tmp_path, made.embedder.fingerprint, PUBLISHED, parts, is_tuned=False)
    found = Fits(tmp_path, made.embedder).find(PUBLISHED, is_tuned=False)
    assert (dict(found.too_little), set(found.fitted)) == ({HELP: "give more"}, {ALL})


def test_only_the_newest_fits_are_kept_with_the_embedders_that_they_need(tmp_path):
    fits = tmp_path / "fits"
    embedders = [FakeEmbedder(fingerprint=f"tuned-{number}") for number in range(10)]
    for number, embedder in enumerate(embedders):
        (fits / "embedders" / embedder.fingerprint).mkdir(parents=True)
        changed = Published((*PROMPTS, prompt("help.more", f"number {number}", "more")), (HELP,))
        fitted = (fit_untuned(changed.corpora[HELP], embedder, progress=lambda *_: None),)
        keep(fits, "base", changed, FittedParts(embedder, fitted, is_tuned=True, note=""), is_tuned=True)
        newest = max(fits.glob("fit-*.json"), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (number, number))
    drop_old(fits)
    assert len(list(fits.glob("fit-*.json"))) == 8
    assert len(list(fits.glob("fitted-*.bin"))) == 8
    left = {path.name for path in (fits / "embedders").iterdir()}
    assert left == {one.fingerprint for one in embedders[2:]}


def export(folder: Path, word: str) -> Path:
    """An export of an embedder, as far as moving it goes."""
    with new_folder(folder) as new:
        (new / "model.onnx").write_text(word)
        digest = sha256_of(new / "model.onnx")
        publish(new, folder / "tuned", Manifest(1, "0" * 64, 64, 128, {"model.onnx": digest}))
    return folder


def test_the_embedder_of_a_fit_that_never_got_its_record_goes_with_the_next_fit(tmp_path, made):
    keep_embedders(tmp_path, export(tmp_path / ".tuning-ended", "ended here"))
    assert [path.name for path in (tmp_path / "embedders").iterdir()] == ["tuned"]
    keep(tmp_path, made.embedder.fingerprint, PUBLISHED, made, is_tuned=False)
    drop_old(tmp_path)
    assert list((tmp_path / "embedders").iterdir()) == []


HOLDS = """
import sys
from pathlib import Path
from gateway.fitting import kept
with kept._scratch_in(Path(sys.argv[1])) as scratch:
    print(scratch, flush=True)
    sys.stdin.read()
"""


def test_what_a_living_process_is_tuning_is_left_alone_and_gone_once_it_is_killed(tmp_path):
    command = (sys.executable, "-c", HOLDS, str(tmp_path))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:  # noqa: S603 - our own
        scratch = Path(other.stdout.readline().strip())
        kept.drop_scratch(tmp_path)
        drop_old(tmp_path)
        with kept._scratch_in(tmp_path) as mine:
            assert mine != scratch
            assert scratch.exists(), "it is in use"
        assert not mine.exists()
        other.kill()
        other.wait()
    assert scratch.exists(), "nothing was tidied up"
    kept.drop_scratch(tmp_path)
    assert not scratch.exists()


def test_what_an_ended_fit_left_goes_at_the_next_publish_whether_or_not_it_needs_a_fit(tmp_path):
    export(tmp_path / ".tuning-old" / "exports", "of a version that held nothing")
    kept.drop_scratch(tmp_path)
    assert not (tmp_path / ".tuning-old").exists()


def test_what_is_damaged_is_named_in_the_log(fits, tmp_path, caplog):
    assert fits.find(PUBLISHED, is_tuned=True) is None
    assert caplog.messages == [], "what is merely absent is not"
    model = next((tmp_path / "fits").glob("fitted-*.bin"))
    model.write_bytes(model.read_bytes()[:-1])
    assert fits.find(PUBLISHED, is_tuned=False) is None
    assert f"fit_not_used: {model}: the payload of the fit is damaged" in caplog.text
    record = next((tmp_path / "fits").glob("fit-*.json"))
    assert f"fit_incomplete, it is made again: a model that {record} names" in caplog.text
    record.write_bytes(b"{")
    assert fits.find(PUBLISHED, is_tuned=False) is None
    assert f"fit_record_not_used, the fit is made again: {record}" in caplog.text


def test_a_tuned_embedder_that_is_damaged_is_named_in_the_log(tmp_path, made, caplog):
    keep_embedders(tmp_path, export(tmp_path / "one", "first"))
    (tmp_path / "embedders" / "tuned" / "model.onnx").write_text("damaged")
    parts = FittedParts(FakeEmbedder(fingerprint="tuned"), made.fitted, is_tuned=True, note="")
    keep(tmp_path, made.embedder.fingerprint, PUBLISHED, parts, is_tuned=True)
    assert Fits(tmp_path, made.embedder).find(PUBLISHED, is_tuned=True) is None
    assert f"folder_not_used: {tmp_path / 'embedders' / 'tuned'}: model.onnx has SHA-256" in caplog.text
    assert "fit_embedder_not_used" in caplog.text


def test_a_damaged_embedder_gives_way_and_an_intact_one_stays(tmp_path):
    model = tmp_path / "embedders" / "tuned" / "model.onnx"
    keep_embedders(tmp_path, export(tmp_path / "one", "first"))
    keep_embedders(tmp_path, export(tmp_path / "two", "second"))
    assert model.read_text() == "first"
    model.write_text("damaged")
    keep_embedders(tmp_path, export(tmp_path / "three", "third"))
    assert model.read_text() == "third"


def test_a_tuned_embedder_is_exported_into_the_scratch_of_its_fit_and_moved_with_its_record(
    tmp_path, monkeypatch, made
):
    def fit_parts(_whole, _parts, source, *, tuned, **_):
        assert not tuned.exports.is_relative_to(source.exports)
        export(tuned.exports, "tuned on this")
        return FittedParts(FakeEmbedder(fingerprint="tuned"), made.fitted, is_tuned=True, note="")

    monkeypatch.setattr(kept, "fit_parts", fit_parts)
    kept.fit_job(job_in(tmp_path, scopes=(("help",), ("desk", "help"))), lambda *_: None)
    fits = tmp_path / "fits"
    assert (fits / "embedders" / "tuned" / "model.onnx").read_text() == "tuned on this"
    assert [path for path in fits.iterdir() if path.name.startswith(".tuning-")] == []
    assert not (tmp_path / "exports").exists()


def test_one_embedder_is_tuned_for_all_scopes_and_each_gets_its_own_model(monkeypatch, tmp_path):
    class Tuned:
        def embed(self, texts):
            return FakeEmbedder().embed(texts)

        def save(self, folder):
            folder.mkdir()
            return "hash"

    class Tuner:
        texts: ClassVar[list[tuple[str, ...]]] = []

        def tune(self, texts, *_args, **_kwargs):
            self.texts.append(tuple(texts))
            return Tuned()

    monkeypatch.setattr(corpora, "load_embedder", lambda *_args, **_kwargs: FakeEmbedder())
    monkeypatch.setattr(corpora, "_tuner", lambda *_: Tuner())
    source = EmbedderSource(tmp_path, "hash", tmp_path)
    place = corpora.TunedPlace(tmp_path / "tuned", tmp_path)
    parts = list(PUBLISHED.corpora.values())
    made = corpora.fit_parts(PUBLISHED.whole, parts, source, tune=True, tuned=place, progress=lambda *_: None)
    assert Tuner.texts[-1] == PUBLISHED.whole.texts, "the embedder that serves knows every scope"
    assert len(Tuner.texts) == 5, "four folds and the whole"
    assert [one.model.keys for one in made.fitted] == [corpus.keys for corpus in parts]
    assert made.is_tuned


def test_a_store_that_cannot_be_tuned_is_fitted_as_it_is(monkeypatch, tmp_path):
    def refuse(*_):
        raise ModelRefused("no layers")

    monkeypatch.setattr(corpora, "load_embedder", lambda *_args, **_kwargs: FakeEmbedder())
    monkeypatch.setattr(corpora, "_tuner", refuse)
    kept.fit_job(job_in(tmp_path, scopes=(("help",),)), lambda *_: None)
    found = Fits(tmp_path / "fits", FakeEmbedder()).find(Published(PROMPTS, (HELP,)), is_tuned=True)
    assert (found.is_tuned, found.note, set(found.fitted)) == (False, "no layers", {HELP})
