import sys
from typing import NamedTuple

import pytest

from models.catalog import known_model, located
from models.errors import ModelRefused, ModelUnavailable
from models.files import quantizing
from models.files.gguf import read_header
from models.files.gguf_types import FILE_TYPES
from models.files.quantized_size import BITS, quantized_bytes
from models.files.quantizing import OFFERED, SPARE_BYTES, quantize_file
from tests.models.files.gguf_bytes import LAYERS, WEIGHTS, gguf, llama, small_model, tensor


def silent(*_):
    """Reports nothing."""


def program(*lines):
    """Returns a command that plays the quantising process."""
    return (sys.executable, "-P", "-c", "\n".join(("import json, sys, time, os", "job = json.loads(input())", *lines)))


class Disk(NamedTuple):
    free: int


COPY = "open(job['target'], 'wb').write(open(job['source'], 'rb').read())"
DONE = "print(json.dumps({'type': 'done'}), flush=True)"


@pytest.fixture
def source(tmp_path):
    return small_model(tmp_path / "small.gguf")


def quantized(source, *lines, progress=silent):
    target = source.with_name("out.gguf")
    try:
        return quantize_file(source, target, "q8_0", progress, command=program(*lines))
    finally:
        assert [path.name for path in source.parent.iterdir() if path.name.startswith(".")] == []


def test_a_file_appears_when_it_is_whole_and_the_progress_is_told(source):
    steps = []
    step = "print(json.dumps({'type': 'step', 'done': 1, 'total': 3}), flush=True)"
    made = quantized(source, step, COPY, DONE, progress=lambda done, total: steps.append((done, total)))
    assert made.after.parameters == made.before.parameters
    assert (source.with_name("out.gguf")).read_bytes() == source.read_bytes()
    assert steps == [(1, 3)]


@pytest.mark.parametrize(
    ("lines", "kind", "words"),
    [
        (("print(json.dumps({'type': 'failed', 'reason': 'no such tensor'}), flush=True)",), ModelRefused, "no such"),
        (("sys.exit(3)",), ModelUnavailable, "exit status 3"),
        (("os.kill(os.getpid(), 9)",), ModelUnavailable, "signal 9"),
        (("print('nonsense', flush=True)", "time.sleep(60)"), ModelUnavailable, "broke off"),
        ((DONE,), ModelRefused, "ends in the middle"),
        (("open(job['target'], 'wb').write(b'GGUF')", DONE), ModelRefused, "ends in the middle"),
    ],
)
def test_a_process_that_fails_leaves_nothing(source, lines, kind, words):
    with pytest.raises(kind, match=words):
        quantized(source, *lines)
    assert not source.with_name("out.gguf").exists()


def test_another_model_is_not_taken_for_the_result(source, tmp_path):
    other = tmp_path / "other.gguf"
    other.write_bytes(gguf(llama(), (tensor("token_embd.weight", (8, 2), 0), *LAYERS), WEIGHTS))
    with pytest.raises(ModelUnavailable, match="came out as another model"):
        quantized(source, f"open(job['target'], 'wb').write(open({str(other)!r}, 'rb').read())", DONE)


def test_a_file_that_appears_meanwhile_stays(source):
    put = "open(os.path.join(os.path.dirname(job['target']), 'out.gguf'), 'w').write('mine')"
    with pytest.raises(ModelRefused, match="appeared meanwhile"):
        quantized(source, COPY, put, DONE)
    assert source.with_name("out.gguf").read_text() == "mine"


def test_a_caller_that_gives_up_ends_the_process(source):
    step = "print(json.dumps({'type': 'step', 'done': 1, 'total': 3}), flush=True)"

    def given_up(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quantized(source, step, "time.sleep(60)", progress=given_up)


def test_what_cannot_be_taken_is_refused_before_the_work(source, tmp_path):
    with pytest.raises(ModelRefused, match="not offered"):
        quantize_file(source, tmp_path / "out.gguf", "iq1_s", silent)
    with pytest.raises(ModelRefused, match="exists"):
        quantize_file(source, source, "q8_0", silent)
    with pytest.raises(ModelRefused, match="not a folder"):
        quantize_file(source, tmp_path / "absent" / "out.gguf", "q8_0", silent)
    (tmp_path / "letter.gguf").write_text("dear sir or madam")
    with pytest.raises(ModelRefused, match="does not begin with GGUF"):
        quantize_file(tmp_path / "letter.gguf", tmp_path / "out.gguf", "q8_0", silent)
    (tmp_path / ".out.gguf.partial").touch()
    with pytest.raises(ModelRefused, match="another run writes it"):
        quantize_file(source, tmp_path / "out.gguf", "q8_0", silent)


def test_a_process_that_takes_too_long_is_ended(source):
    with pytest.raises(ModelUnavailable, match=r"longer than 0\.1 s"):
        quantize_file(
            source, source.with_name("out.gguf"), "q8_0", silent, most_s=0.1, command=program("time.sleep(60)")
        )
    assert not source.with_name("out.gguf").exists()


def test_a_disk_that_the_new_form_does_not_fit_on_is_told_before_anything_is_written(source, monkeypatch):
    free = quantized_bytes(read_header(source), "q8_0") + SPARE_BYTES
    monkeypatch.setattr(quantizing.shutil, "disk_usage", lambda _: Disk(free - 1))
    with pytest.raises(ModelRefused, match="q8_0 may take"):
        quantized(source, COPY, DONE)
    monkeypatch.setattr(quantizing.shutil, "disk_usage", lambda _: Disk(free))
    quantized(source, COPY, DONE)


def test_a_program_that_is_not_there_is_said_so(source):
    with pytest.raises(ModelUnavailable, match="cannot be started"):
        quantize_file(source, source.with_name("out.gguf"), "q8_0", silent, command=("/no/such/program",))


def test_every_form_on_offer_has_a_number():
    assert set(OFFERED) <= set(FILE_TYPES.values())
    assert set(OFFERED) == set(BITS)


@pytest.mark.weights
@pytest.mark.parametrize("file_type", ["q8_0", "q4_k_m", "q4_1", "q2_k"])
def test_no_form_comes_out_larger_than_reckoned(tmp_path, file_type):
    packaged = located(known_model("smollm2-135m-instruct"))
    target = tmp_path / "out.gguf"
    made = quantize_file(packaged, target, file_type, silent, allow_requantize=True)
    assert target.stat().st_size <= quantized_bytes(made.before, file_type)


@pytest.mark.weights
def test_llama_cpp_writes_the_form_that_was_asked_for_and_refuses_to_lose_twice(tmp_path):
    packaged = located(known_model("smollm2-135m-instruct"))
    with pytest.raises(ModelRefused, match=r"is q4_1 already.*--allow-requantize"):
        quantize_file(packaged, tmp_path / "out.gguf", "q8_0", silent)
    steps = []
    made = quantize_file(
        packaged,
        tmp_path / "out.gguf",
        "q8_0",
        lambda done, total: steps.append((done, total)),
        allow_requantize=True,
    )
    assert steps[-1] == (272, 272)
    assert read_header(tmp_path / "out.gguf") == made.after
    assert (made.after.file_type, made.after.tensor_types) == ("q8_0", {"f32": 61, "q8_0": 211})


@pytest.mark.weights
def test_what_llama_cpp_cannot_read_is_refused_in_its_words(source, tmp_path):
    with pytest.raises(ModelRefused, match=r"llama\.cpp cannot quantise small\.gguf: .+"):
        quantize_file(source, tmp_path / "out.gguf", "q8_0", silent)
