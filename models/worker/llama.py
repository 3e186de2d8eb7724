"""The model worker's main program: llama.cpp, one context, tokens in and bytes out."""

import ctypes
import importlib.metadata
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import llama_cpp
import numpy as np

from models.errors import ModelRefused
from models.files.gguf import read_adapter_header, read_header
from models.files.unpacking import is_one_by_one
from models.ports import Sampling
from models.verified import require_sha256
from models.worker.backend import Chooser, Entry, Halted, PromptTokens
from models.worker.constraint import Constrained, Logits, Rules, Vocabulary
from models.worker.greedy import Greedy
from models.worker.loading import loadable
from models.worker.loop import serve
from models.worker.messages import Adapter, Load, Prompt
from models.worker.prompt_tokens import PromptTokeniser

CPU_STEP = 63
"""Tokens of a batch. On two CPU cores larger steps prefill hardly faster and make the answers of others wait.

From 64 on llama.cpp's fused attention goes by tiles of the cache, so that sums depend on what others have there.
"""

GGML_TYPE_BF16 = 30
"""As in ggml.h of the pinned version; the package lists the older types alone."""

GPU_STEP = 512
"""The same with layers on a GPU, where a small batch wastes it."""

MOST_PREFIXES = 64
"""Kept at once; each takes a sequence number, and llama.cpp has 256 of them."""

SLOW_STEP_S = 0.05
"""A step that may take longer, by the last one's time for a token, can be aborted half-way. llama.cpp asks some 500
times a batch whether it should, about a millisecond, which is dear for short ones."""

FEWEST_GUESSES = 6
"""On a CPU a step for two tokens takes twice the time of one for a single token, one for eight three times."""

KEPT_GRAMMARS = 16
LOG_WARNING = 3
RANDOM_SEED = 0xFFFFFFFF
"""llama.cpp draws a seed of its own for this one."""

ABORTED = 2
"""What `llama_decode` returns when the abort callback stopped it."""


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator,unused-ignore]  # llama_cpp has no types
def _log(level: int, text: bytes, _data: object) -> None:
    if level in (LOG_WARNING, LOG_WARNING + 1):
        sys.stderr.write(text.decode("utf-8", "replace"))
        sys.stderr.flush()


class LlamaBackend:
    """One loaded GGUF and its context. The GGUF's chat template is never read. Used from one thread (finding F6)."""

    def __init__(self, load: Load) -> None:
        load = loadable(load)
        header = read_header(Path(load.path))
        llama_cpp.llama_log_set(_log, None)
        llama_cpp.llama_backend_init()
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = load.gpu_layers
        self._model = llama_cpp.llama_model_load_from_file(load.path.encode(), params)
        if not self._model:
            raise ModelRefused(f"llama.cpp cannot load {Path(load.path).name}")
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._vocab_size = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self._window = llama_cpp.llama_model_n_swa(self._model)
        control = frozenset(
            token for token in range(self._vocab_size) if llama_cpp.llama_vocab_is_control(self._vocab, token)
        )
        begin = (llama_cpp.llama_vocab_bos(self._vocab),) if load.begin_of_sequence else ()
        self._prompts = PromptTokeniser(self._tokenise, control, begin)
        self._prompts.require_markers(load.control_markers)
        self._ends = frozenset(self._tokenise(marker, is_markup=True)[0] for marker in load.end_tokens)
        self.context_tokens = load.context_tokens
        self.cells = load.cells or load.context_tokens
        self.parallel = load.parallel
        self.sequences = load.parallel + MOST_PREFIXES
        self._scratch = self.sequences
        self.step = GPU_STEP if load.gpu_layers else CPU_STEP
        # A recurrent state cannot forget its last tokens.
        keeps_cells = not (
            llama_cpp.llama_model_is_recurrent(self._model) or llama_cpp.llama_model_is_hybrid(self._model)
        )
        self.can_guess = keeps_cells and (bool(load.gpu_layers) or not is_one_by_one(header))
        self.fewest_guesses = 1 if load.gpu_layers else FEWEST_GUESSES
        self.can_offload_to_gpu = bool(llama_cpp.llama_supports_gpu_offload())
        self._identity = f"{load.sha256} {load.gpu_layers} {importlib.metadata.version('llama-cpp-python')}"
        self._adapters = {adapter.assistant: self._adapter(adapter) for adapter in load.adapters}
        self._adapter_hashes = {adapter.assistant: f"{adapter.sha256} {adapter.scale}" for adapter in load.adapters}
        self._context = self._new_context(load)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(self.step + self.parallel, 0, 1)
        self._used: tuple[object, float] | None = None
        self._vocabulary: Vocabulary | None = None
        self._rules = lru_cache(KEPT_GRAMMARS)(self._new_rules)
        self._is_vain: Callable[[], bool] = _never
        self._abort = llama_cpp.ggml_abort_callback(lambda _data: self._is_vain())
        self._no_abort = llama_cpp.ggml_abort_callback()
        self._token_s = 0.0
        self._warm_up()

    def tokens(self, prompt: Prompt) -> PromptTokens:
        return self._prompts.tokens(prompt)

    def chooser(self, sampling: Sampling) -> Chooser:
        rules = self._rules(sampling.grammar) if sampling.grammar else None
        free = Greedy(self._logits) if sampling.temperature == 0.0 else _Chain(self._context, sampling)
        return Constrained(free, rules, self._logits) if rules else free

    def adapter_of(self, assistant: str) -> str:
        return assistant if assistant in self._adapters else ""

    def identity(self, assistant: str) -> str:
        return f"{self._identity} {self._adapter_hashes.get(assistant, '')}"

    def use(self, assistant: str) -> None:
        wanted = self._adapters.get(assistant)
        if wanted == self._used:
            return
        adapters, scales = ([wanted[0]], [wanted[1]]) if wanted else ([], [])
        count = len(adapters)
        array = (llama_cpp.llama_adapter_lora_p_ctypes * max(1, count))(*adapters)
        if llama_cpp.llama_set_adapters_lora(self._context, array, count, (ctypes.c_float * max(1, count))(*scales)):
            raise SystemExit("llama.cpp cannot switch to an adapter that it loaded")
        self._used = wanted

    def decode(self, batch: Sequence[Entry], is_vain: Callable[[], bool]) -> None:
        target = self._batch
        target.n_tokens = len(batch)
        for place, entry in enumerate(batch):
            target.token[place] = entry.token
            target.pos[place] = entry.position
            target.n_seq_id[place] = 1
            target.seq_id[place][0] = entry.sequence
            target.logits[place] = entry.is_last
        self._is_vain = is_vain
        is_slow = self._token_s * len(batch) > SLOW_STEP_S
        llama_cpp.llama_set_abort_callback(self._context, self._abort if is_slow else self._no_abort, None)
        started = time.monotonic()
        status = llama_cpp.llama_decode(self._context, target)
        self._is_vain = _never
        if status == ABORTED:
            raise Halted
        self._token_s = (time.monotonic() - started) / len(batch)
        if status != 0:
            # The context may be half written: end the process, the gateway starts another.
            raise SystemExit(f"llama_decode returned {status}")

    def is_end(self, token: int) -> bool:
        return token in self._ends or bool(llama_cpp.llama_vocab_is_eog(self._vocab, token))

    def piece(self, token: int) -> bytes:
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)  # noqa: FBT003 - a C function
            if length >= 0:
                return buffer.raw[:length]
            size = -length

    def copy(self, source: int, target: int, length: int) -> None:
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def forget(self, sequence: int, start: int = 0) -> None:
        if not llama_cpp.llama_memory_seq_rm(self._memory, sequence, start, -1):
            raise SystemExit("llama.cpp cannot forget a part of this model's cache")

    def export(self, sequence: int, start: int) -> bytes:
        llama_cpp.llama_memory_seq_cp(self._memory, sequence, self._scratch, start, -1)
        size = llama_cpp.llama_state_seq_get_size(self._context, self._scratch)
        buffer = (ctypes.c_uint8 * size)()
        written = llama_cpp.llama_state_seq_get_data(self._context, buffer, size, self._scratch)
        self.forget(self._scratch)
        return bytes(memoryview(buffer)[:written])

    def restore(self, sequence: int, state: bytes, start: int, length: int) -> bool:
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        read = llama_cpp.llama_state_seq_set_data(self._context, buffer, len(state), self._scratch)
        first = llama_cpp.llama_memory_seq_pos_min(self._memory, self._scratch)
        last = llama_cpp.llama_memory_seq_pos_max(self._memory, self._scratch)
        # Layers with a sliding window have forgotten what is before it, and do not need it for what comes next.
        latest = max(start, length - self._window) if self._window else start
        fits = (read, last) == (len(state), length - 1) and start <= first <= latest
        if fits:
            llama_cpp.llama_memory_seq_cp(self._memory, self._scratch, sequence, start, length)
        self.forget(self._scratch)
        return fits

    def _logits(self, place: int) -> Logits:
        return np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(self._context, place), (self._vocab_size,))

    def _new_rules(self, grammar: str) -> Rules:
        if self._vocabulary is None:
            tokens = range(self._vocab_size)
            self._vocabulary = Vocabulary(
                [self.piece(one) for one in tokens], [one for one in tokens if self.is_end(one)]
            )
        return Rules(grammar, self._vocabulary)

    def _tokenise(self, text: str, *, is_markup: bool) -> list[int]:
        data = text.encode()
        # No text has more tokens than bytes, but for the space that some vocabularies put in front.
        room = len(data) + 2
        array = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self._vocab, data, len(data), array, room, False, is_markup)  # noqa: FBT003 - a C function
        if count < 0:
            raise ModelRefused("llama.cpp cannot tokenise the prompt")
        return list(array[:count])

    def _adapter(self, adapter: Adapter) -> tuple[object, float]:
        path = Path(adapter.path)
        require_sha256(path, adapter.sha256)
        read_adapter_header(path)
        loaded = llama_cpp.llama_adapter_lora_init(self._model, str(path).encode())
        if not loaded:
            raise ModelRefused(f"llama.cpp cannot load the adapter {path.name} over this model")
        return loaded, adapter.scale

    def _new_context(self, load: Load) -> object:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = self.cells
        params.n_seq_max = self.sequences + 1
        # llama.cpp ends the process when there are more sequences than a batch has tokens.
        params.n_batch = params.n_ubatch = max(self.step + self.parallel, params.n_seq_max)
        params.kv_unified = True  # sequences share cells, so a prefix costs nothing to copy
        params.n_threads = params.n_threads_batch = load.threads
        # Fused wherever possible, also on a CPU: with other sequences in the cache a step took 3 to 20 % less time.
        params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_AUTO
        if not load.gpu_layers:
            # For values like its keys llama.cpp parts a lone token's attention among threads at a place that depends on
            # what others have in the cache: an answer then differs by who else is answered.
            params.type_v = GGML_TYPE_BF16
        params.no_perf = True
        context = llama_cpp.llama_init_from_model(self._model, params)
        if not context:
            raise ModelRefused(f"llama.cpp cannot make a context of {self.cells} tokens")
        return context

    def _warm_up(self) -> None:
        """Touches every weight once, so that the first person does not wait for the disk."""
        for tokens in (self._tokenise("Warm up. " * self.step, is_markup=False)[: self.step], [0]):
            self.decode([Entry(token, at, 0, is_last=at == 0) for at, token in enumerate(tokens)], _never)
            self.forget(0)


class _Chain:
    """llama.cpp's own samplers: the likeliest tokens, then chance."""

    def __init__(self, context: object, sampling: Sampling) -> None:
        self._context = context
        self._chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
        for step in (
            llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1),
            llama_cpp.llama_sampler_init_temp(sampling.temperature),
            llama_cpp.llama_sampler_init_dist(min(sampling.seed, RANDOM_SEED - 1)),
        ):
            llama_cpp.llama_sampler_chain_add(self._chain, step)

    def choose(self, place: int) -> int:
        return int(llama_cpp.llama_sampler_sample(self._chain, self._context, place))

    def close(self) -> None:
        llama_cpp.llama_sampler_free(self._chain)


def _never() -> bool:
    return False


def main() -> None:
    """Serves one model over stdin and stdout until stdin ends."""
    # A core dump would hold prompts and answers.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # What llama.cpp prints to stdout must not end up between the frames.
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(LlamaBackend, os.fdopen(0, "rb"), sink)


if __name__ == "__main__":
    main()
