"""Tiny models with random weights, written as GGUF files: real graphs and vocabularies, no sense in what they say.

They show that an architecture loads, that a family's prompt becomes the right tokens and that the worker decodes them.
The same name gives the same bytes every time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np

from models.catalog import KnownModel
from models.families import family
from models.verified import sha256_of

WIDTH, HEADS, LAYERS, INNER = 64, 4, 2, 128
CONTEXT = 1024
SEED = 20261122
LONELY_BYTES = [*range(33, 127), *range(161, 173), *range(174, 256)]
"""The bytes that stand for themselves in GPT-2's alphabet; the others are moved behind U+0100."""

Vocabulary = list[tuple[str, gguf.TokenType]]


@dataclass(frozen=True)
class Tiny:
    """One tiny model: which graph, which vocabulary, which control tokens."""

    architecture: str
    tokenizer: str
    pre: str
    markers: tuple[str, ...]
    begin: str
    end: str

    @property
    def vocabulary(self) -> Vocabulary:
        """The tokens by number."""
        control = [(marker, gguf.TokenType.CONTROL) for marker in self.markers]
        if self.tokenizer == "gpt2":
            letters = [(char, gguf.TokenType.NORMAL) for char in byte_alphabet().values()]
            return [*control, *letters, ("\u0120H", gguf.TokenType.NORMAL)]
        bytes_ = [(f"<0x{byte:02X}>", gguf.TokenType.BYTE) for byte in range(256)]
        letters = [(chr(code), gguf.TokenType.NORMAL) for code in range(33, 127)]
        words = [(word, gguf.TokenType.NORMAL) for word in ("\u2581", "\u2581H")]
        return [("<unk>", gguf.TokenType.UNKNOWN), *control, *bytes_, *letters, *words]


TINY = {
    "llama": Tiny("llama", "llama", "default", ("<s>", "</s>", "<|prompter|>", "<|assistant|>"), "<s>", "</s>"),
    "gptneox": Tiny(
        "gptneox",
        "gpt2",
        "gpt-2",
        (
            *("<|endoftext|>", "### End", "### Instruction:", "### Response:\n", "<|prompter|>", "<|assistant|>"),
            *("<|SYSTEM|>", "<|USER|>", "<|ASSISTANT|>"),
        ),
        "<|endoftext|>",
        "<|endoftext|>",
    ),
    "mpt": Tiny("mpt", "gpt2", "mpt", ("<|endoftext|>", "<|im_start|>", "<|im_end|>"), "<|endoftext|>", "<|im_end|>"),
    "chatglm": Tiny(
        "chatglm",
        "llama",
        "chatglm-spm",
        (
            *("<bos>", "<eos>", "[MASK]", "[gMASK]", "[sMASK]", "sop", "eop"),
            *("<|system|>", "<|user|>", "<|assistant|>", "<|observation|>"),
        ),
        "<bos>",
        "<eos>",
    ),
}


def byte_alphabet() -> dict[int, str]:
    """Returns the character that stands for each byte in a byte-level vocabulary."""
    moved = [byte for byte in range(256) if byte not in LONELY_BYTES]
    return {byte: chr(byte) for byte in LONELY_BYTES} | {byte: chr(256 + place) for place, byte in enumerate(moved)}


def write_tiny(tiny: Tiny, path: Path, *, always: str | None = None) -> None:
    """Writes a model; one that `always` says a certain token ignores what it reads."""
    writer = gguf.GGUFWriter(path, tiny.architecture)
    _add_hyperparameters(writer, tiny)
    add_vocabulary(writer, tiny)
    for name, weights in _tensors(tiny, always).items():
        writer.add_tensor(name, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def known_tiny(path: Path, family_name: str) -> KnownModel:
    """Registers a written file as a model of a family."""
    one = family(family_name)
    return KnownModel(
        name=f"tiny-{family_name}",
        sha256=sha256_of(path),
        size_bytes=path.stat().st_size,
        licence="Apache-2.0",
        is_commercial_use_allowed=not one.needs_acknowledgement,
        context_tokens=CONTEXT,
        format_name=one.format_name,
        package=None,
        file=path.name,
        family=family_name,
    )


def text_of(tiny: Tiny, tokens: Sequence[int]) -> str:
    """Returns what tokens stand for, control tokens as they are written."""
    vocabulary, places = tiny.vocabulary, {char: byte for byte, char in byte_alphabet().items()}
    data = b""
    for token in tokens:
        text, kind = vocabulary[token]
        if kind is gguf.TokenType.CONTROL:
            data += text.encode()
        elif kind is gguf.TokenType.BYTE:
            data += bytes([int(text[3:5], 16)])
        elif tiny.tokenizer == "gpt2":
            data += bytes(places[char] for char in text)
        else:
            data += text.replace("\u2581", " ").encode()
    return data.decode()


def _add_hyperparameters(writer: gguf.GGUFWriter, tiny: Tiny) -> None:
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(2 if tiny.architecture in ("llama", "chatglm") else HEADS)
    if tiny.architecture in ("llama", "chatglm"):
        writer.add_layer_norm_rms_eps(1e-5)
    else:
        writer.add_layer_norm_eps(1e-5)
    if tiny.architecture == "mpt":
        writer.add_max_alibi_bias(8.0)
    elif tiny.architecture == "llama":
        writer.add_rope_dimension_count(WIDTH // HEADS)
    else:
        # GPT-NeoX rotates a part of each head, ChatGLM half of it.
        writer.add_rope_dimension_count(WIDTH // HEADS // 2)
    if tiny.architecture == "gptneox":
        writer.add_parallel_residual(use=True)
    writer.add_vocab_size(len(tiny.vocabulary))


def add_vocabulary(writer: gguf.GGUFWriter, tiny: Tiny) -> None:
    tokens = [token for token, _ in tiny.vocabulary]
    writer.add_tokenizer_model(tiny.tokenizer)
    writer.add_tokenizer_pre(tiny.pre)
    writer.add_token_list(tokens)
    writer.add_token_types([kind for _, kind in tiny.vocabulary])
    if tiny.tokenizer == "gpt2":
        writer.add_token_merges(["\u0120 H"])
    else:
        writer.add_token_scores([-1.0 if token == "\u2581H" else -10.0 for token in tokens])
        writer.add_unk_token_id(0)
    writer.add_bos_token_id(tokens.index(tiny.begin))
    writer.add_eos_token_id(tokens.index(tiny.end))


def _tensors(tiny: Tiny, always: str | None) -> dict[str, np.ndarray]:
    random = np.random.default_rng(SEED)

    def weights(*shape: int) -> np.ndarray:
        return (random.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)

    # The embedding is wider than what it meets, so that different prompts lead to different tokens.
    size = len(tiny.vocabulary)
    tensors = {"token_embd.weight": 8 * weights(size, WIDTH), "output.weight": weights(size, WIDTH)}
    tensors["output_norm.weight"] = np.ones(WIDTH, np.float32)
    for layer in range(LAYERS):
        for name, shape in _shapes(tiny).items():
            tensors[f"blk.{layer}.{name}.weight"] = weights(*shape)
        for name in ("attn_norm", "ffn_norm"):
            tensors[f"blk.{layer}.{name}.weight"] = np.ones(WIDTH, np.float32)
    if tiny.architecture == "gptneox":
        for name in [name for name in tensors if name.startswith(("blk.", "output_norm"))]:
            tensors[name.replace(".weight", ".bias")] = weights(len(tensors[name]))
    if always is not None:
        _make_certain(tensors, [token for token, _ in tiny.vocabulary].index(always))
    return tensors


def _shapes(tiny: Tiny) -> dict[str, tuple[int, int]]:
    """Returns the matrices of a layer: rows and columns."""
    grouped = WIDTH // HEADS * 2
    shared = {"attn_output": (WIDTH, WIDTH), "ffn_up": (INNER, WIDTH), "ffn_down": (WIDTH, INNER)}
    match tiny.architecture:
        case "llama":
            return shared | {
                "attn_q": (WIDTH, WIDTH),
                "attn_k": (grouped, WIDTH),
                "attn_v": (grouped, WIDTH),
                "ffn_gate": (INNER, WIDTH),
            }
        case "chatglm":
            return shared | {"attn_qkv": (WIDTH + 2 * grouped, WIDTH), "ffn_up": (2 * INNER, WIDTH)}
        case _:
            return shared | {"attn_qkv": (3 * WIDTH, WIDTH)}


def _make_certain(tensors: dict[str, np.ndarray], token: int) -> None:
    """Lets one token win: no layer adds anything to the one state that every token has, and its row agrees with it."""
    # Half up, half down: a norm that takes the mean away leaves it as it is.
    state = np.tile(np.array([1.0, -1.0], np.float32), WIDTH // 2)
    for name, weights in tensors.items():
        if "attn_output" in name or "ffn_down" in name or name in ("output.weight", "output_norm.bias"):
            tensors[name] = np.zeros_like(weights)
    tensors["token_embd.weight"] = np.tile(state, (len(tensors["token_embd.weight"]), 1))
    tensors["output.weight"][token] = state


def write_tiny_adapter(tiny: Tiny, path: Path, *, strength: float = 20.0) -> None:
    """Writes a low-rank adapter over the value matrices of a tiny llama."""
    random = np.random.default_rng(SEED + 1)
    writer = gguf.GGUFWriter(path, tiny.architecture)
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, strength)
    for layer in range(LAYERS):
        rows, columns = _shapes(tiny)["attn_v"]
        for name, shape in (("lora_a", (2, columns)), ("lora_b", (rows, 2))):
            writer.add_tensor(f"blk.{layer}.attn_v.weight.{name}", random.standard_normal(shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
