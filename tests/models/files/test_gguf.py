import contextlib
import ctypes
import os
import struct
from functools import cache
from pathlib import Path

import llama_cpp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.catalog import known_model, located
from models.errors import ModelRefused
from models.files import gguf_stream
from models.files.gguf import read_adapter_header, read_header
from models.files.gguf_types import FILE_TYPES, TENSOR_TYPES
from tests.models.files.gguf_bytes import (
    EMBEDDING,
    F32,
    LAYERS,
    STRING,
    U32,
    WEIGHTS,
    array,
    f32,
    gguf,
    llama,
    small_model,
    string,
    strings,
    tensor,
    text,
    u32,
)

HEADER_BYTES = 1_785_664


def packaged():
    return located(known_model("smollm2-135m-instruct"))


@cache
def front():
    with packaged().open("rb") as file:
        return file.read(HEADER_BYTES)


def written(folder, data):
    path = folder / "model.gguf"
    path.write_bytes(data)
    return path


def test_a_small_model_is_described(tmp_path):
    header = read_header(small_model(tmp_path / "small.gguf"))
    assert (header.architecture, header.layers, header.heads, header.kv_heads) == ("llama", 2, 4, (2, 2))
    assert (header.key_length, header.context_tokens, header.vocabulary, header.parameters) == (2, 64, 3, 56)
    assert (header.layer_bytes, header.weight_bytes, header.file_type) == ((64, 64), 224, "f32")
    assert header.layer_kv_bytes == (16, 16)


@pytest.mark.weights
def test_the_packaged_model_is_described_as_llama_cpp_does():
    header = read_header(packaged())
    # What llama.cpp says of it: 92.10 MiB of weights; K and V of 2048 cells in f16 take 45.00 MiB.
    assert round(header.weight_bytes / 2**20, 2) == 92.10
    assert sum(header.layer_kv_bytes) * 2048 == 45 * 2**20
    assert (header.layers, header.heads, header.vocabulary, header.file_type) == (30, 9, 49152, "q4_1")
    assert header.parameters == 134_515_008
    assert header.header_bytes == HEADER_BYTES


def test_an_output_that_is_the_input_once_more_counts_where_it_is_used(tmp_path):
    header = read_header(small_model(tmp_path / "small.gguf"))
    assert (header.input_bytes, header.output_bytes) == (96, 96)
    tensors = (EMBEDDING, tensor("output.weight", (8, 3), 96))
    header = read_header(written(tmp_path, gguf(llama(), tensors, bytes(192))))
    assert (header.input_bytes, header.output_bytes) == (96, 96)


def test_heads_may_differ_by_layer(tmp_path):
    per_layer = {"llama.attention.head_count_kv": array(U32, struct.pack("<II", 1, 4), 2)}
    assert read_header(small_model(tmp_path / "small.gguf", **per_layer)).kv_heads == (1, 4)


def test_a_file_that_says_what_it_is_mostly_made_of_is_believed(tmp_path):
    assert read_header(small_model(tmp_path / "small.gguf", general__file_type=u32(15))).file_type == "q4_k_m"
    assert read_header(small_model(tmp_path / "small.gguf", general__file_type=u32(999))).file_type == "f32"


def changed(**values):
    return gguf(llama(**values), (EMBEDDING, *LAYERS), WEIGHTS)


def with_tensors(*tensors, data=WEIGHTS):
    return gguf(llama(), tensors, data)


BROKEN = {
    "empty": (b"", "ends in the middle"),
    "another file": (b"PK\x03\x04" + bytes(100), "does not begin with GGUF"),
    "version 1": (gguf(llama(), version=1), "version 1"),
    "version 4": (gguf(llama(), version=4), "version 4"),
    "big-endian": (gguf(llama(), version=0x03000000), "big-endian"),
    "cut in a key": (changed()[:40], "ends in the middle"),
    "cut in the weights": (changed()[:-1], "cut short"),
    "endless keys": (gguf(llama(), keys=2**63), "states 9223372036854775808 keys"),
    "endless tensors": (gguf(llama(), count=2**40), "states 1099511627776 tensors"),
    "a key twice": (gguf([*llama(), ("llama.block_count", u32(2))], (EMBEDDING,), WEIGHTS), "stands twice"),
    "a key of gigabytes": (gguf([])[:16] + struct.pack("<QQ", 1, 2**40), "has 1099511627776 bytes"),
    "a key that is not text": (gguf([(b"\xff\xff", u32(1))]), "not UTF-8"),
    "a key with a line break": (gguf([("a\nb", u32(1))]), "other characters"),
    "an unknown kind": (gguf([("a", struct.pack("<I", 13))]), "unknown kind 13"),
    "a text of gigabytes": (gguf([("a", struct.pack("<IQ", STRING, 2**62))]), "a text has"),
    "an array of arrays": (gguf([("a", array(9, b"", 1))]), "array of arrays"),
    "an endless array": (gguf([("a", array(F32, b"", 2**60))]), "an array has"),
    "an array longer than the file": (gguf([("a", array(F32, b"", 2**20))]), "ends in the middle"),
    "texts longer than the file": (gguf([("a", array(STRING, struct.pack("<Q", 2**63), 3))]), "ends in the middle"),
    "texts that end early": (gguf([("a", array(STRING, text("x"), 2**22))]), "ends in the middle"),
    "a truth value of 2": (gguf([("a", struct.pack("<IB", 7, 2))]), "truth value"),
    "alignment 0": (changed(general__alignment=u32(0)), "general.alignment is 0"),
    "alignment 48": (changed(general__alignment=u32(48)), "power of two"),
    "alignment in words": (changed(general__alignment=string("32")), "general.alignment"),
    "no architecture": (changed(general__architecture=None), "does not say its architecture"),
    "an architecture with a path": (changed(general__architecture=string("../llama")), "does not say"),
    "an adapter": (changed(general__type=string("adapter")), "a model is needed"),
    "one of several parts": (changed(split__count=struct.pack("<IH", 2, 3)), "one of several parts"),
    "no layers": (changed(llama__block_count=None), "llama.block_count"),
    "too many layers": (changed(llama__block_count=u32(100_000)), "from 1 to 512"),
    "layers in words": (changed(llama__block_count=string("2")), "llama.block_count"),
    "layers as a truth value": (changed(llama__block_count=struct.pack("<IB", 7, 1)), "llama.block_count"),
    "heads of one layer only": (
        changed(**{"llama.attention.head_count_kv": array(U32, struct.pack("<I", 2), 1)}),
        "head_count_kv",
    ),
    "no heads": (changed(**{"llama.attention.head_count": u32(0)}), "head_count"),
    "more heads than width": (changed(**{"llama.attention.head_count": u32(99)}), "key_length"),
    "no vocabulary": (changed(tokenizer__ggml__tokens=None), "vocab_size"),
    "an empty vocabulary": (changed(tokenizer__ggml__tokens=strings([])), "tokenizer.ggml.tokens"),
    "no weights": (with_tensors(), "no token_embd.weight"),
    "a tensor twice": (with_tensors(EMBEDDING, tensor("token_embd.weight", (8, 2), 96)), "stands twice"),
    "tensors over each other": (with_tensors(EMBEDDING, tensor("output.weight", (8, 2), 64)), "overlaps"),
    "a tensor off its place": (with_tensors(tensor("token_embd.weight", (8, 3), 4)), "multiple of 32"),
    "a tensor behind the end": (with_tensors(tensor("token_embd.weight", (8, 3), 2**62)), "cut short"),
    "no dimension": (with_tensors(tensor("token_embd.weight", (), 0)), "0 dimensions"),
    "five dimensions": (with_tensors(tensor("token_embd.weight", (1, 1, 1, 1, 1), 0)), "5 dimensions"),
    "an endless tensor": (with_tensors(tensor("token_embd.weight", (2**63, 2**63), 0)), "elements"),
    "an empty tensor": (with_tensors(tensor("token_embd.weight", (8, 0), 0)), "0 elements"),
    "half a block": (with_tensors(tensor("token_embd.weight", (8, 3), 0, kind=12)), "whole blocks of q4_K"),
    "an unknown type": (with_tensors(tensor("token_embd.weight", (8, 3), 0, kind=4)), "unknown type 4"),
    "a long name": (with_tensors(tensor("x" * 64, (8, 3), 0)), "has 64 bytes"),
    "a layer too many": (with_tensors(EMBEDDING, tensor("blk.2.attn_q.weight", (8, 2), 96)), "layer 2"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_refused_in_words(tmp_path, kind):
    data, words = BROKEN[kind]
    with pytest.raises(ModelRefused, match=words):
        read_header(written(tmp_path, data))


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ModelRefused, match="cannot be read"):
        read_header(tmp_path / "absent.gguf")
    with pytest.raises(ModelRefused, match="cannot be read"):
        read_header(Path("a\0b"))
    with pytest.raises(ModelRefused, match="not a regular file"):
        read_header(tmp_path)


def test_a_pipe_of_that_name_keeps_nobody_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.gguf")
    with pytest.raises(ModelRefused, match="not a regular file"):
        read_header(tmp_path / "pipe.gguf")


def test_a_header_larger_than_any_is_read_no_further_than_its_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(gguf_stream, "MAX_HEADER_BYTES", 2**20)
    path = written(tmp_path, gguf([("a", array(STRING, bytes(2**20), 2**17))]))  # empty texts, the dearest bytes
    with pytest.raises(ModelRefused, match="more than 1 MiB"):
        read_header(path)


def lora(**values):
    known = {
        "general.type": string("adapter"),
        "general.architecture": string("llama"),
        "adapter.type": string("lora"),
        "adapter.lora.alpha": f32(16.0),
    }
    known |= {key.replace("__", "."): packed for key, packed in values.items()}
    return gguf(list(known.items()), (tensor("blk.0.attn_q.weight.lora_a", (8, 2), 0),), bytes(64))


def test_an_adapter_is_described(tmp_path):
    header = read_adapter_header(written(tmp_path, lora()))
    assert (header.architecture, header.alpha, len(header.tensors)) == ("llama", 16.0, 1)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"adapter__type": string("control_vector")}, "not a LoRA"),
        ({"adapter__lora__alpha": f32(float("nan"))}, "alpha"),
        ({"adapter__lora__alpha": u32(1)}, "alpha"),
        ({"general__type": string("model")}, "an? adapter is needed"),
    ],
)
def test_an_adapter_that_is_none_is_refused(tmp_path, values, words):
    with pytest.raises(ModelRefused, match=words):
        read_adapter_header(written(tmp_path, lora(**values)))


def test_the_sizes_of_tensors_are_those_of_llama_cpp():
    library = ctypes.CDLL(str(next((Path(llama_cpp.__file__).parent / "lib").glob("libggml-base.so*"))))
    library.ggml_type_name.restype = ctypes.c_char_p
    library.ggml_type_size.restype = ctypes.c_size_t
    library.ggml_blck_size.restype = ctypes.c_int64
    for number, ours in TENSOR_TYPES.items():
        theirs = (
            library.ggml_type_name(number).decode(),
            library.ggml_blck_size(number),
            library.ggml_type_size(number),
        )
        assert theirs == (ours.name, ours.block, ours.block_bytes)
    for number in set(range(llama_cpp.GGML_TYPE_COUNT)) - set(TENSOR_TYPES):
        assert library.ggml_blck_size(number) == 0, "a type of theirs that ours would call unknown"


def test_the_names_of_file_types_are_those_of_llama_cpp():
    prefix = "LLAMA_FTYPE_"
    theirs = {
        getattr(llama_cpp, name): name.removeprefix(prefix).removeprefix("MOSTLY_").removeprefix("ALL_").lower()
        for name in dir(llama_cpp)
        if name.startswith(prefix) and name != "LLAMA_FTYPE_GUESSED"
    }
    assert dict(FILE_TYPES) == theirs


@st.composite
def mutations(draw):
    """The front of the packaged file with some bytes changed, near the numbers that steer a reader."""
    data = bytearray(front())
    at = st.one_of(
        st.integers(0, 1600), st.integers(HEADER_BYTES - 20_000, HEADER_BYTES - 1), st.integers(0, HEADER_BYTES - 1)
    )
    for _ in range(draw(st.integers(1, 8))):
        place = draw(at)
        kind = draw(st.sampled_from(("byte", "number", "cut", "insert")))
        if kind == "byte":
            data[place % len(data)] = draw(st.integers(0, 255))
        elif kind == "number":
            number = draw(st.sampled_from((0, 1, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1)))
            data[place : place + 8] = struct.pack("<Q", number)
        elif kind == "insert":
            data[place:place] = draw(st.binary(min_size=1, max_size=16))
        elif draw(st.booleans()):
            del data[max(64, place) :]
    return bytes(data)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("mutated") / "mutated.gguf"


@pytest.mark.weights
@settings(max_examples=250, deadline=5000, suppress_health_check=list(HealthCheck))
@given(data=mutations(), is_whole=st.booleans())
def test_a_mutated_header_is_refused_or_read_and_nothing_else_happens(place, data, is_whole):
    place.write_bytes(data)
    if is_whole:  # as long as the weights would make it, without their room on the disk
        with place.open("r+b") as file:
            file.truncate(98_362_432)
    with contextlib.suppress(ModelRefused):
        header = read_header(place)
        assert header.layers <= 512
        assert header.weight_bytes <= header.file_bytes
