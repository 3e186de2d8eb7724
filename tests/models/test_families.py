import pytest

from models import families as module
from models.errors import ModelRefused
from models.families import BITS_PER_WEIGHT, CommercialUse, Quantisation, Runtime, families, family
from models.formats import format_names

NO = CommercialUse.NO
YES = CommercialUse.YES
TERMS = CommercialUse.WITH_TERMS

FIRST_CHAT_MODELS = {
    "stablevicuna": ("llama", 2048, NO),
    "vicuna-v0": ("llama", 2048, NO),
    "vicuna-v1.1": ("llama", 2048, NO),
    "vicuna-v1.5": ("llama", 4096, TERMS),
    "dolly-v1": (None, 2048, NO),
    "dolly-v2": ("gptneox", 2048, YES),
    "freewilly1": ("llama", 2048, NO),
    "freewilly2": ("llama", 4096, NO),
    "pythia": ("gptneox", 2048, YES),
    "chatglm": (None, 2048, TERMS),
    "chatglm2": ("chatglm", 8192, TERMS),
    "chatglm3": ("chatglm", 8192, TERMS),
    "alpaca": ("llama", 2048, NO),
    "koala": ("llama", 2048, NO),
    "baize": ("llama", 2048, NO),
    "oasst-pythia": ("gptneox", 2048, YES),
    "oasst-llama": ("llama", 2048, NO),
    "redpajama-incite": ("gptneox", 2048, YES),
    "mpt-7b-chat": ("mpt", 2048, NO),
    "mpt-30b-chat": ("mpt", 8192, NO),
    "stablelm-alpha": ("gptneox", 4096, NO),
    "colossalchat": ("llama", 2048, NO),
    "llama-2-chat": ("llama", 4096, TERMS),
    "smollm2": ("llama", 8192, YES),
}
TODAY = {
    *("llama-3", "llama-3.1", "llama-3.2", "qwen-2.5", "qwen-2.5-3b", "qwen-2.5-72b", "qwen-3", "qwen-3-moe"),
    *("mistral-7b-v0.1", "mistral-7b-v0.3", "mixtral-8x7b", "mistral-nemo", "ministral-8b", "mistral-small-3"),
    *("gemma-2", "gemma-3", "phi-3", "phi-4", "phi-4-mini"),
}


@pytest.mark.parametrize("name", FIRST_CHAT_MODELS)
def test_a_family_has_its_architecture_context_and_use(name):
    one = family(name)
    assert (one.gguf_architecture, one.context_tokens, one.commercial_use) == FIRST_CHAT_MODELS[name]


def test_these_families_are_known_and_no_others():
    assert {one.name for one in families()} == set(FIRST_CHAT_MODELS) | TODAY


def test_the_families_are_in_order():
    names = [one.name for one in families()]
    assert names == sorted(names)


def test_every_family_has_a_format_that_is_there_and_every_format_a_family():
    assert {one.prompt_format.name for one in families()} == set(format_names())


def test_dolly_v1_and_the_first_chatglm_are_served_through_an_upstream():
    assert {one.name for one in families() if one.runtime is Runtime.UPSTREAM} == {"dolly-v1", "chatglm"}
    assert not family("chatglm").runs_in_llama_cpp


def test_a_number_that_nobody_verified_says_so():
    assert family("llama-2-chat").is_context_verified
    assert not family("vicuna-v1.5").is_context_verified
    assert not family("freewilly2").is_licence_verified


def test_only_pythia_is_a_base_model():
    assert [one.name for one in families() if not one.is_chat_tuned] == ["pythia"]


def test_a_licence_without_commercial_use_needs_an_acknowledgement_and_others_do_not():
    assert family("koala").needs_acknowledgement
    assert not family("llama-3").needs_acknowledgement
    assert not family("qwen-3").needs_acknowledgement


@pytest.mark.parametrize(
    ("quantisation", "gib"),
    [("f16", 14.96), ("q8_0", 7.95), ("q6_k", 6.14), ("q5_k_m", 5.33), ("q4_k_m", 4.58), ("q4_0", 4.34)],
)
def test_the_weights_of_llama_3_1_8b_take_what_llama_cpp_publishes(quantisation, gib):
    size = next(size for size in family("llama-3.1").sizes if size.name == "8B")
    assert size.weights_bytes(Quantisation(quantisation)) / 2**30 == pytest.approx(gib, abs=0.01)


def test_every_quantisation_has_its_bits_and_fewer_than_the_one_before():
    bits = [BITS_PER_WEIGHT[quantisation] for quantisation in Quantisation]
    assert bits == sorted(bits, reverse=True)


def test_a_size_with_a_context_of_its_own_names_it():
    contexts = {size.name: size.context_tokens for size in family("phi-3").sizes}
    assert (contexts["mini-4k"], contexts["mini-128k"]) == (None, 131_072)


def test_an_unknown_family_is_refused_and_the_known_ones_are_named():
    with pytest.raises(ModelRefused, match="stablevicuna"):
        family("gpt-4")


GOOD = """[[families]]
name = "x"
title = "X"
architecture = "Llama"
runtime = "llama.cpp"
gguf_architecture = "llama"
context_tokens = 64
is_context_verified = true
licence = "MIT"
is_licence_verified = true
commercial_use = "yes"
format_name = "chatml"
sizes = [{ name = "1B", billions = 1.0 }]
"""


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FAMILIES", tmp_path)

    def from_text(text):
        (tmp_path / "some.toml").write_text(text)
        return families.__wrapped__()

    return from_text


def test_a_file_of_families_is_read(read):
    assert [one.title for one in read(GOOD)] == ["X"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('gguf_architecture = "llama"\n', ""),
        ('runtime = "llama.cpp"', 'runtime = "upstream"'),
        ("context_tokens = 64", "context_tokens = 0"),
        ("billions = 1.0", "billions = 0.0"),
        ('commercial_use = "yes"', 'commercial_use = "perhaps"'),
        ('licence = "MIT"\n', ""),
        ('title = "X"', 'titel = "X"'),
        ("}]", '}, { name = "1B", billions = 2.0 }]'),
        ("}]", "}"),
    ],
)
def test_a_family_that_is_not_right_is_refused_with_the_name_of_its_file(read, old, new):
    assert old in GOOD
    with pytest.raises(ModelRefused, match=r"some\.toml"):
        read(GOOD.replace(old, new))


def test_two_families_of_one_name_are_refused(read):
    with pytest.raises(ModelRefused, match="already"):
        read(GOOD + GOOD)
