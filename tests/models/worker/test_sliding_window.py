"""A model whose layers forget what is before a window: beginnings of prompts are used again, and change no answer."""

import time

import gguf
import numpy as np
import pytest

from models.device import DevicePlan
from models.ports import Cancellation, Sampling
from models.worker.engine import LlamaModel
from models.worker.limits import EngineLimits
from models.worker.process import WorkerProgram
from tests.models.prompts import approved
from tests.models.tiny_models import Tiny, add_vocabulary, known_tiny

GEMMA = Tiny("gemma3", "llama", "default", ("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"), "<bos>", "<eos>")
LAYERS, WIDTH, HEADS, HEAD, INNER = 7, 64, 4, 16, 128
"""The sixth of seven layers sees everything, the others a window."""
WINDOW = 24
FACTS = "Facts: " + "the office is open from nine to five. " * 3


def write_gemma(path):
    writer = gguf.GGUFWriter(path, GEMMA.architecture)
    writer.add_context_length(1024)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_sliding_window(WINDOW)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(len(GEMMA.vocabulary))
    add_vocabulary(writer, GEMMA)
    for name, tensor in tensors().items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tensors():
    chance = np.random.default_rng(1)

    def weights(*shape):
        return (2 * chance.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)

    made = {
        "token_embd.weight": weights(len(GEMMA.vocabulary), WIDTH),
        "output_norm.weight": np.ones(WIDTH, np.float32),
    }
    for layer in range(LAYERS):
        shapes = {
            "attn_q": (HEADS * HEAD, WIDTH),
            "attn_k": (HEADS * HEAD, WIDTH),
            "attn_v": (HEADS * HEAD, WIDTH),
            "attn_output": (WIDTH, HEADS * HEAD),
            "ffn_gate": (INNER, WIDTH),
            "ffn_up": (INNER, WIDTH),
            "ffn_down": (WIDTH, INNER),
        }
        norms = dict.fromkeys(("attn_norm", "ffn_norm", "post_attention_norm", "post_ffw_norm"), WIDTH)
        norms |= dict.fromkeys(("attn_q_norm", "attn_k_norm"), HEAD)
        made |= {f"blk.{layer}.{name}.weight": weights(*shape) for name, shape in shapes.items()}
        made |= {f"blk.{layer}.{name}.weight": np.ones(size, np.float32) for name, size in norms.items()}
    return made


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("gemma") / "gemma.gguf"
    write_gemma(path)
    limits = EngineLimits(context_tokens=1024, parallel=4, cells=2048)
    made = LlamaModel(known_tiny(path, "gemma-3"), DevicePlan(1, 0), limits, WorkerProgram(), path=path)
    made.start(60.0)
    yield made
    made.close()


def ask(model, assistant, *, slot=None):
    prompt = approved("When is it open for ", instructions=FACTS, slot=slot, assistant=assistant)
    return model.complete(
        prompt, Sampling(max_tokens=24), deadline_s=time.monotonic() + 60, cancellation=Cancellation()
    )


@pytest.mark.parametrize("slot", [None, "Alice"])
def test_a_beginning_longer_than_the_window_is_used_again_and_the_answer_is_the_same(model, slot):
    first, again = ask(model, f"one-{slot}", slot=slot), ask(model, f"one-{slot}", slot=slot)
    anew = ask(model, f"other-{slot}", slot=slot)
    assert (first.reused_tokens, anew.reused_tokens) == (0, 0)
    assert again.reused_tokens > 4 * WINDOW
    assert first.text == again.text == anew.text
