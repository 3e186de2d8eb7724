import json
import os
import re
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from models.errors import ModelRefused, ModelUnavailable
from models.files import merging
from models.files.merging import merge_delta
from models.files.numbers import added
from models.files.shards import open_folder, read_shard

KINDS = {"F16": np.float16, "BF16": ml_dtypes.bfloat16, "F32": np.float32}


def silent(*_):
    """Reports nothing."""


def weights(seed, dtype=np.float16, rows=10):
    random = np.random.default_rng(seed)
    shapes = {"model.embed_tokens.weight": (rows, 4), "model.layers.0.weight": (4, 4), "lm_head.weight": (rows, 4)}
    return {name: random.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


def folder(path: Path, tensors, shards=2):
    """Writes a folder as transformers does: several files and an index, or one file alone."""
    path.mkdir()
    names = list(tensors)
    if shards == 1:
        save_file(tensors, path / "model.safetensors")
        return path
    placed = {}
    for number in range(shards):
        file = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        part = {name: tensors[name] for name in names[number::shards]}
        save_file(part, path / file)
        placed |= dict.fromkeys(part, file)
    (path / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": placed}))
    return path


def read(path: Path):
    found = {}
    for file in sorted(path.glob("*.safetensors")):
        with safe_open(file, framework="numpy") as opened:
            found |= {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - it is no dict
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shards", [1, 3])
def test_base_and_delta_make_the_model(tmp_path, kind, shards, monkeypatch):
    monkeypatch.setattr(merging, "CHUNK_ELEMENTS", 7)  # so that weights span several chunks
    base, delta = weights(1, KINDS[kind]), weights(2, KINDS[kind])
    done = merge_delta(
        folder(tmp_path / "base", base, 2), folder(tmp_path / "delta", delta, shards), tmp_path / "out", silent
    )
    result = read(tmp_path / "out")
    assert result.keys() == base.keys()
    for name, values in result.items():
        wanted = (base[name].astype(np.float32) + delta[name].astype(np.float32)).astype(KINDS[kind])
        assert values.tobytes() == wanted.tobytes()
    assert (done.weights, done.added_tokens, done.resumed_files) == (3, 0, 0)
    assert open_folder(tmp_path / "out").size_bytes == done.size_bytes
    assert not (tmp_path / "out.merging").exists()


def test_the_settings_and_the_vocabulary_of_the_delta_go_along_and_its_programs_do_not(tmp_path):
    base, delta = folder(tmp_path / "base", weights(1)), folder(tmp_path / "delta", weights(2))
    for name in ("config.json", "tokenizer.model", "modeling.py", "pytorch_model.bin"):
        (delta / name).write_bytes(name.encode())
    merge_delta(base, delta, tmp_path / "out", silent)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"config.json", "tokenizer.model", "merge.json", "model.safetensors.index.json"} <= names
    assert not names & {"modeling.py", "pytorch_model.bin"}


def test_word_pieces_that_the_delta_added_are_taken_only_when_allowed(tmp_path):
    base, delta = weights(1), weights(2, rows=12)
    places = folder(tmp_path / "base", base), folder(tmp_path / "delta", delta)
    with pytest.raises(ModelRefused, match=r"2 word pieces more.*--allow-added-tokens"):
        merge_delta(*places, tmp_path / "out", silent)
    done = merge_delta(*places, tmp_path / "out", silent, allow_added_tokens=True)
    assert done.added_tokens == 2
    result = read(tmp_path / "out")["lm_head.weight"]
    assert np.array_equal(result[10:], delta["lm_head.weight"][10:])
    assert np.array_equal(result[:10], base["lm_head.weight"] + delta["lm_head.weight"][:10])


def test_rows_may_grow_in_no_other_weight_and_never_shrink(tmp_path):
    base, delta = weights(1), weights(2)
    delta["model.layers.0.weight"] = np.zeros((5, 4), np.float16)
    places = folder(tmp_path / "base", base), folder(tmp_path / "delta", delta)
    with pytest.raises(ModelRefused, match=r"model.layers.0.weight has the shape \(4, 4\) in the base and \(5, 4\)"):
        merge_delta(*places, tmp_path / "out", silent, allow_added_tokens=True)
    places = folder(tmp_path / "larger", weights(1, rows=12)), folder(tmp_path / "smaller", weights(2))
    with pytest.raises(ModelRefused, match="has the shape"):
        merge_delta(*places, tmp_path / "out", silent, allow_added_tokens=True)


def test_another_base_is_refused(tmp_path):
    other = weights(1) | {"model.layers.1.weight": np.zeros((4, 4), np.float16)}
    places = folder(tmp_path / "base", other), folder(tmp_path / "delta", weights(2))
    with pytest.raises(ModelRefused, match=r"delta lacks model.layers.1.weight and 0 more"):
        merge_delta(*places, tmp_path / "out", silent)


def test_numbers_of_another_kind_are_refused(tmp_path):
    places = folder(tmp_path / "base", weights(1, np.float32)), folder(tmp_path / "delta", weights(2))
    with pytest.raises(ModelRefused, match="is F32 in the base and F16 in the delta; convert"):
        merge_delta(*places, tmp_path / "out", silent)


def test_numbers_that_everybody_computes_anew_may_be_missing_and_are_left_out(tmp_path):
    base = weights(1) | {"model.layers.0.self_attn.rotary_emb.inv_freq": np.ones(4, np.float16)}
    merge_delta(folder(tmp_path / "base", base), folder(tmp_path / "delta", weights(2)), tmp_path / "out", silent)
    assert read(tmp_path / "out").keys() == weights(2).keys()


@pytest.mark.parametrize("value", [np.inf, np.nan, 65504.0])
@pytest.mark.parametrize("kind", KINDS)
def test_a_sum_that_is_no_finite_number_is_refused(tmp_path, value, kind):
    base, delta = weights(1, KINDS[kind]), weights(2, KINDS[kind])
    value = {"F16": value, "BF16": min(value * 1e34, 3.3e38), "F32": min(value * 1e34, 3.3e38)}[kind]
    for tensors in (base, delta):
        tensors["lm_head.weight"][3, 1] = value
    places = folder(tmp_path / "base", base), folder(tmp_path / "delta", delta)
    with pytest.raises(ModelRefused, match=r"lm_head.weight: base \+ delta is not a finite number"):
        merge_delta(*places, tmp_path / "out", silent)
    assert not (tmp_path / "out").exists()


def test_a_merge_that_was_broken_off_goes_on_with_the_file_it_was_at(tmp_path):
    base, delta = folder(tmp_path / "base", weights(1), 3), folder(tmp_path / "delta", weights(2), 3)

    def stopped(file, *_):
        if file.startswith("model-00002"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merge_delta(base, delta, tmp_path / "out", stopped)
    assert not (tmp_path / "out").exists()
    done = merge_delta(base, delta, tmp_path / "out", silent)
    assert done.resumed_files == 1
    fresh = merge_delta(base, delta, tmp_path / "fresh", silent)
    assert fresh.resumed_files == 0
    for file in (tmp_path / "fresh").iterdir():
        assert file.read_bytes() == (tmp_path / "out" / file.name).read_bytes()


def test_what_a_merge_of_other_inputs_or_a_damaged_one_left_is_made_anew(tmp_path):
    base, delta = folder(tmp_path / "base", weights(1), 3), folder(tmp_path / "delta", weights(2), 3)

    def stopped(file, *_):
        if file.startswith("model-00003"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        merge_delta(base, delta, tmp_path / "out", stopped)
    (tmp_path / "out.merging" / "model-00001-of-00003.safetensors").write_bytes(b"damaged")
    changed = delta / "model-00002-of-00003.safetensors"
    assert merge_delta(base, delta, tmp_path / "out", silent).resumed_files == 1
    with pytest.raises(KeyboardInterrupt):
        merge_delta(base, delta, tmp_path / "other", stopped)
    os.utime(changed, ns=(1, 1))
    assert merge_delta(base, delta, tmp_path / "other", silent).resumed_files == 0


def test_nothing_that_is_there_is_written_over(tmp_path):
    base, delta = folder(tmp_path / "base", weights(1)), folder(tmp_path / "delta", weights(2))
    (tmp_path / "out").mkdir()
    with pytest.raises(ModelRefused, match="exists"):
        merge_delta(base, delta, tmp_path / "out", silent)
    (tmp_path / "mine.merging").mkdir()
    (tmp_path / "mine.merging" / "letter.txt").write_text("dear")
    with pytest.raises(ModelRefused, match="no merge made"):
        merge_delta(base, delta, tmp_path / "mine", silent)
    assert (tmp_path / "mine.merging" / "letter.txt").read_text() == "dear"


def test_two_merges_into_one_folder_do_not_meet(tmp_path):
    base, delta = folder(tmp_path / "base", weights(1)), folder(tmp_path / "delta", weights(2))

    def again(*_):
        merge_delta(base, delta, tmp_path / "out", silent)

    with pytest.raises(ModelRefused, match="another merge is working"):
        merge_delta(base, delta, tmp_path / "out", again)


def test_a_disk_without_room_is_found_before_the_work(tmp_path, monkeypatch):
    base, delta = folder(tmp_path / "base", weights(1)), folder(tmp_path / "delta", weights(2))
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr(merging.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ModelRefused, match="larger disk"):
        merge_delta(base, delta, tmp_path / "out", silent)


def test_a_disk_that_fills_up_is_said_so(tmp_path, monkeypatch):
    base, delta = folder(tmp_path / "base", weights(1)), folder(tmp_path / "delta", weights(2))

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(merging.os, "fsync", full)
    with pytest.raises(ModelUnavailable, match=r"No space left on device. Run it again"):
        merge_delta(base, delta, tmp_path / "out", silent)
    assert not (tmp_path / "out").exists()


def header(path, text, data=b""):
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


BROKEN = {
    "empty": (b"", b"", "cut short"),
    "no object": (b"[]", b"", "no safetensors file"),
    "a gap": (b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', bytes(8), "do not follow"),
    "an overlap": (
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        bytes(4),
        "do not follow",
    ),
    "cut": (b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(4), "has .* bytes where"),
    "more": (b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(9), "has .* bytes where"),
    "another size": (b'{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}', bytes(8), "other bytes than its shape"),
    "backwards": (b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}', bytes(8), "other bytes than its shape"),
    "a negative size": (b'{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}', bytes(8), "no safetensors file"),
    "whole numbers": (b'{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}', bytes(8), "weights are F16"),
    "a field more": (b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}', bytes(8), "no safetensors"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_refused_in_words(tmp_path, kind):
    text, data, words = BROKEN[kind]
    with pytest.raises(ModelRefused, match=words):
        read_shard(header(tmp_path / "model.safetensors", text, data))


def test_a_header_of_gigabytes_is_not_read(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes((2**40).to_bytes(8, "little"))
    with pytest.raises(ModelRefused, match="no safetensors file"):
        read_shard(path)


@pytest.mark.parametrize(
    ("placed", "words"),
    [
        ({"a": "../secret.safetensors"}, "outside its folder"),
        ({"a": "/etc/passwd"}, "outside its folder"),
        ({"a": "weights.bin"}, "outside its folder"),
        ({}, "names no weights"),
        ({"a": "absent.safetensors"}, "cannot be read"),
        ({"other": "model-1.safetensors"}, "do not agree about"),
    ],
)
def test_an_index_that_does_not_fit_is_refused(tmp_path, placed, words):
    save_file({"a": np.zeros(1, np.float32)}, tmp_path / "model-1.safetensors")
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": placed}))
    with pytest.raises(ModelRefused, match=words):
        open_folder(tmp_path)


def test_a_folder_of_files_that_can_run_code_is_refused(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(ModelRefused, match=re.escape("can run code")):
        open_folder(tmp_path)
    with pytest.raises(ModelRefused, match="not a folder"):
        open_folder(tmp_path / "absent")


def test_bfloat16_is_rounded_as_others_round_it():
    random = np.random.default_rng(7)
    left = random.integers(0, 2**16, 200_000, dtype=np.uint16).view(ml_dtypes.bfloat16)
    right = random.integers(0, 2**16, 200_000, dtype=np.uint16).view(ml_dtypes.bfloat16)
    with np.errstate(all="ignore"):
        wanted = (left.astype(np.float32) + right.astype(np.float32)).astype(ml_dtypes.bfloat16)
    keep = np.isfinite(wanted.astype(np.float32))
    assert added(left[keep].tobytes(), right[keep].tobytes(), "BF16") == wanted[keep].tobytes()
