import os
import struct
from dataclasses import fields, is_dataclass

import msgspec
import numpy as np
import pytest
from small_store import STRANGERS, fitted, small_corpus

from store.errors import IndexUnusable, StoreUnavailable
from store.learning import artefact
from store.learning.artefact import FittedFolder, decode_fitted, encode_fitted, fitted_key
from store.learning.corpus import corpus_of_pairs

KEY = "ab" * 32


@pytest.fixture(scope="module")
def fit():
    return fitted(small_corpus())


@pytest.fixture(scope="module")
def data(fit):
    return encode_fitted(fit, KEY)


def assert_same(one, other):
    assert type(one) is type(other)
    if is_dataclass(one):
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)
    else:
        assert one == other


def test_what_is_written_is_read_back(fit, data):
    assert_same(decode_fitted(data, KEY), fit)


def test_what_is_read_cannot_be_changed(data):
    with pytest.raises(ValueError, match="read-only"):
        decode_fitted(data, KEY).model.knowledge.vectors[0] = 0


def test_any_changed_byte_is_noticed(data):
    for place in [*range(200), *range(200, len(data), len(data) // 50)]:
        broken = bytearray(data)
        broken[place] ^= 1
        with pytest.raises(IndexUnusable):
            decode_fitted(bytes(broken), KEY)


@pytest.mark.parametrize("length", [0, 5, 100, 114, 5000, -1])
def test_a_cut_file_is_noticed(data, length):
    with pytest.raises(IndexUnusable):
        decode_fitted(data[:length], KEY)


def test_a_fit_of_something_else_is_not_believed(data):
    with pytest.raises(IndexUnusable, match="another corpus"):
        decode_fitted(data, "cd" * 32)


def test_a_fit_of_another_format_is_not_believed(fit, monkeypatch):
    monkeypatch.setattr(artefact, "_FORMAT", 99)
    other = encode_fitted(fit, KEY)
    monkeypatch.undo()
    with pytest.raises(IndexUnusable, match="another format"):
        decode_fitted(other, KEY)


@pytest.mark.parametrize(
    "change",
    [{"dtype": "|O"}, {"dtype": "<U4"}, {"shape": (10**9,)}, {"shape": (-1,)}, {"start": 10**9}, {"start": -8}],
)
def test_a_whole_file_with_impossible_arrays_is_refused(fit, monkeypatch, change):
    whole = encode_fitted(fit, KEY)
    header = artefact._HEADER
    begin = header.size + 32
    length = header.unpack(whole[: header.size])[2]
    contents = msgspec.msgpack.decode(whole[begin : begin + length], type=artefact._Contents)
    first = next(name for name, place in contents.arrays.items() if place.start == 0)
    arrays = contents.arrays | {first: msgspec.structs.replace(contents.arrays[first], **change)}
    altered = msgspec.msgpack.encode(msgspec.structs.replace(contents, arrays=arrays))
    monkeypatch.setattr(artefact.msgspec.msgpack, "encode", lambda _: altered)
    with pytest.raises(IndexUnusable):
        decode_fitted(encode_fitted(fit, KEY), KEY)


def test_the_key_depends_on_all_that_a_fit_depends_on(monkeypatch):
    corpus = small_corpus()
    key = fitted_key(corpus, "minilm", STRANGERS)
    assert key == fitted_key(small_corpus(), "minilm", STRANGERS)
    assert len(bytes.fromhex(key)) == 32
    others = {
        fitted_key(corpus_of_pairs([("a", "b")]), "minilm", STRANGERS),
        fitted_key(corpus, "other", STRANGERS),
        fitted_key(corpus, "minilm", STRANGERS[1:]),
    }
    monkeypatch.setattr(artefact, "_FORMAT", 99)
    others.add(fitted_key(corpus, "minilm", STRANGERS))
    assert len(others) == 4
    assert key not in others


def test_a_folder_keeps_a_fit_by_its_key(tmp_path, fit):
    folder = FittedFolder(tmp_path / "fits")
    assert folder.read(KEY) is None
    path = folder.write(KEY, fit)
    assert path.stat().st_mode & 0o777 == 0o600
    assert_same(folder.read(KEY), fit)
    assert folder.read("cd" * 32) is None


def test_a_damaged_or_linked_file_counts_as_absent(tmp_path, fit):
    folder = FittedFolder(tmp_path)
    path = folder.write(KEY, fit)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert folder.read(KEY) is None
    path.unlink()
    path.write_bytes(struct.pack("<Q", 7) * 100)
    assert folder.read(KEY) is None


def test_other_fits_and_strays_are_dropped(tmp_path, fit):
    folder = FittedFolder(tmp_path)
    kept, old = folder.write(KEY, fit), folder.write("cd" * 32, fit)
    stray = tmp_path / f"fitted-x-{os.getpid()}.tmp"
    stray.write_bytes(b"")
    mine = tmp_path / "notes.txt"
    mine.write_text("")
    folder.keep_only({KEY})
    assert (kept.exists(), old.exists(), stray.exists(), mine.exists()) == (True, False, False, True)


def test_a_folder_that_cannot_be_written_says_so(tmp_path, fit):
    (tmp_path / "fits").write_text("a file is in the way")
    with pytest.raises(StoreUnavailable, match="cannot be kept"):
        FittedFolder(tmp_path / "fits").write(KEY, fit)
