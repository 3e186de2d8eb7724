"""Files that are rewritten to be computed faster: made once, whole, of the registered weights, and never in the way."""

import logging
from dataclasses import replace

import pytest

from models.catalog import known_model, located
from models.device import DevicePlan
from models.errors import ModelRefused
from models.files import unpacking
from models.files.gguf import read_header
from models.files.unpacking import MOST_BYTES, Weights, gains_by_unpacking, unpacked, unpacked_bytes
from models.verified import sha256_of
from models.worker.engine import LlamaModel
from models.worker.limits import EngineLimits
from models.worker.process import WorkerProgram
from tests.models.files.gguf_bytes import small_model
from tests.models.prompts import approved
from tests.models.upstream.upstreams import ask

pytestmark = pytest.mark.weights
KNOWN = known_model("smollm2-135m-instruct")


@pytest.fixture
def source():
    return Weights(located(KNOWN), KNOWN.sha256)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("unpacked")


def test_a_file_is_unpacked_once_and_found_again(source, folder):
    said = []
    made = unpacked(source, folder, said.append)
    assert made.path.parent == folder
    assert made.sha256 == sha256_of(made.path) != source.sha256
    assert set(read_header(made.path).tensor_types) == {"q8_0", "f32"}
    changed = made.path.stat().st_mtime_ns
    assert unpacked(source, folder, said.append) == made
    assert made.path.stat().st_mtime_ns == changed
    assert [line.rpartition(": ")[2] for line in said][1:] == ["25 %", "50 %", "75 %", "100 %"]


def test_work_that_takes_too_long_is_ended_and_the_file_serves_as_it_is(source, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(unpacking, "MOST_S", 0.05)
    with caplog.at_level(logging.WARNING):
        assert unpacked(source, tmp_path, lambda _: None) is source
    assert "took longer than 0.05 s" in caplog.text
    assert not list(tmp_path.rglob("*.gguf"))


def test_the_plan_knows_its_size(source, folder):
    made = unpacked(source, folder, lambda _: None)
    assert unpacked_bytes(read_header(source.path)) == pytest.approx(read_header(made.path).weight_bytes, rel=0.01)


def test_a_damaged_file_is_made_again(source, tmp_path, folder, caplog):
    made = unpacked(source, folder, lambda _: None)
    damaged = tmp_path / made.path.name
    damaged.write_bytes(made.path.read_bytes()[:-1] + b"x")
    with caplog.at_level(logging.WARNING):
        again = unpacked(source, tmp_path, lambda _: None)
    assert again == Weights(damaged, made.sha256)
    assert sha256_of(damaged) == made.sha256
    assert "unpacked_file_damaged" in caplog.text


def test_what_a_start_that_broke_off_left_is_in_nobodys_way(source, tmp_path):
    left = tmp_path / ".old.tmp"
    left.mkdir()
    (left / ".unpacked.gguf.partial").write_bytes(b"half")
    assert unpacked(source, tmp_path, lambda _: None).path.parent == tmp_path


def test_a_changed_source_is_not_served_in_its_old_form(source, tmp_path):
    changed = tmp_path / "changed.gguf"
    changed.write_bytes(source.path.read_bytes())
    registered = Weights(changed, source.sha256)
    assert unpacked(registered, tmp_path / "made", lambda _: None).path.parent == tmp_path / "made"
    changed.write_bytes(changed.read_bytes()[:-1] + b"x")
    assert unpacked(registered, tmp_path / "made", lambda _: None) is registered


def test_weights_that_are_not_the_registered_ones_are_not_unpacked(source, tmp_path, caplog):
    other = replace(source, sha256="0" * 64)
    with caplog.at_level(logging.WARNING):
        assert unpacked(other, tmp_path / "new", lambda _: None) is other
    assert "not_unpacked" in caplog.text
    assert not list(tmp_path.glob("new/*"))


def test_a_folder_that_cannot_be_made_leaves_the_file_as_it_is(source, tmp_path, caplog):
    (tmp_path / "taken").write_text("a file")
    with caplog.at_level(logging.WARNING):
        assert unpacked(source, tmp_path / "taken", lambda _: None) is source
    assert "not_unpacked" in caplog.text


def test_only_small_files_whose_weights_are_computed_one_by_one_gain(source, tmp_path):
    header = read_header(source.path)
    assert gains_by_unpacking(header)
    assert not gains_by_unpacking(replace(header, parameters=MOST_BYTES))
    assert not gains_by_unpacking(read_header(small_model(tmp_path / "small.gguf")))


def test_the_worker_answers_with_unpacked_weights_and_is_known_by_the_hash_of_the_file(source, folder):
    made = unpacked(source, folder, lambda _: None)
    model = LlamaModel(KNOWN, DevicePlan(1, 0), EngineLimits(), WorkerProgram(), unpacked=made)
    model.start(60.0)
    try:
        completion = ask(model, approved("The capital of France is Paris. What is it?"), max_tokens=24)
        assert "Paris" in completion.text
        assert model.sha256 == KNOWN.sha256
    finally:
        model.close()


def test_a_worker_without_the_rewritten_file_loads_the_registered_one(tmp_path):
    gone = Weights(tmp_path / "gone.gguf", "0" * 64)
    model = LlamaModel(KNOWN, DevicePlan(1, 0), EngineLimits(), WorkerProgram(), unpacked=gone)
    model.start(60.0)
    try:
        assert ask(model, approved("Say hello."), max_tokens=4).completion_tokens > 0
    finally:
        model.close()


def test_a_worker_whose_files_are_both_others_loads_neither(source, tmp_path):
    changed = tmp_path / "changed.gguf"
    changed.write_bytes(source.path.read_bytes() + b"x")
    unlike = Weights(changed, "0" * 64)
    model = LlamaModel(KNOWN, DevicePlan(1, 0), EngineLimits(), WorkerProgram(), path=changed, unpacked=unlike)
    model.start()
    try:
        with pytest.raises(ModelRefused, match="SHA-256"):
            ask(model, approved("Hello"), max_tokens=1)
    finally:
        model.close()
