"""The model worker's main program: llama.cpp, one context, tokens in and bytes out."""

import ctypes
import os
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import llama_cpp

from models.errors import ModelRefused
from models.formats import Segment
from models.messages import Load
from models.ports import Sampling
from models.verified import require_sha256
from models.worker import Halted, serve

CPU_STEP = 16
"""Prompt tokens decoded at a time. On two CPU cores larger steps prefill hardly faster, and a smaller step makes
a known prefix worth more, see `LlamaBackend._prefill`."""

GPU_STEP = 256
"""The same with layers on a GPU, where a small batch wastes it."""

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
        require_sha256(Path(load.path), load.sha256)
        llama_cpp.llama_log_set(_log, None)
        llama_cpp.llama_backend_init()
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = load.gpu_layers
        self._model = llama_cpp.llama_model_load_from_file(load.path.encode(), params)
        if not self._model:
            raise ModelRefused(f"llama.cpp cannot load {Path(load.path).name}")
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._control = frozenset(
            token
            for token in range(llama_cpp.llama_vocab_n_tokens(self._vocab))
            if llama_cpp.llama_vocab_is_control(self._vocab, token)
        )
        self._require_markers(load.control_markers)
        self._begin = [llama_cpp.llama_vocab_bos(self._vocab)] if load.begin_of_sequence else []
        self._step = GPU_STEP if load.gpu_layers else CPU_STEP
        self._context = self._new_context(load)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._held: list[int] = []
        self._is_halted: Callable[[], bool] = _never
        self._abort = llama_cpp.ggml_abort_callback(lambda _data: self._is_halted())
        self._no_abort = llama_cpp.ggml_abort_callback()
        self.context_tokens = load.context_tokens
        self.can_offload_to_gpu = bool(llama_cpp.llama_supports_gpu_offload())
        self._warm_up()

    def prompt_tokens(self, segments: Sequence[Segment]) -> list[int]:
        tokens = list(self._begin)
        for segment in segments:
            new = self._tokenise(segment.text, is_markup=segment.is_markup)
            if not segment.is_markup and not self._control.isdisjoint(new):
                raise ModelRefused("a text of the prompt became a control token")
            tokens += new
        return tokens

    def pieces(self, tokens: list[int], sampling: Sampling, is_halted: Callable[[], bool]) -> Iterator[bytes]:
        self._prefill(tokens, is_halted)
        sampler = _new_sampler(sampling)
        try:
            while True:
                token = llama_cpp.llama_sampler_sample(sampler, self._context, -1)
                if llama_cpp.llama_vocab_is_eog(self._vocab, token):
                    return
                yield self._piece(token)
                if is_halted():
                    raise Halted
                self._decode([token])
        finally:
            llama_cpp.llama_sampler_free(sampler)

    def _prefill(self, tokens: list[int], is_halted: Callable[[], bool]) -> None:
        """Decodes the prompt, keeping what the context still holds of its beginning from the previous job.

        Steps start at multiples of the step size and only whole steps are kept, so every token is computed in the
        same batch shape whether its beginning was kept or not: the answer never depends on the job before.
        """
        agreeing = 0
        limit = min(len(self._held), len(tokens) - 1)
        while agreeing < limit and self._held[agreeing] == tokens[agreeing]:
            agreeing += 1
        kept = agreeing - agreeing % self._step
        self._held = self._held[:kept]
        if not llama_cpp.llama_memory_seq_rm(self._memory, 0, kept, -1):
            llama_cpp.llama_memory_clear(self._memory, False)  # noqa: FBT003 - a C function
            self._held, kept = [], 0
        # Only here: llama.cpp asks some 500 times a batch, which is dear for a batch of one token.
        self._is_halted = is_halted
        llama_cpp.llama_set_abort_callback(self._context, self._abort, None)
        try:
            for start in range(kept, len(tokens), self._step):
                if is_halted():
                    raise Halted
                batch = tokens[start : start + self._step]
                self._decode(batch)
                self._held += batch
        finally:
            llama_cpp.llama_set_abort_callback(self._context, self._no_abort, None)
            self._is_halted = _never

    def _decode(self, tokens: list[int]) -> None:
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        status = llama_cpp.llama_decode(self._context, llama_cpp.llama_batch_get_one(array, len(tokens)))
        if status == ABORTED:
            raise Halted
        if status != 0:
            # The context may be half written: end the process, the gateway starts another.
            raise SystemExit(f"llama_decode returned {status}")

    def _tokenise(self, text: str, *, is_markup: bool) -> list[int]:
        data = text.encode()
        # No text has more tokens than bytes, but for the space that some vocabularies put in front.
        room = len(data) + 2
        array = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self._vocab, data, len(data), array, room, False, is_markup)  # noqa: FBT003 - a C function
        if count < 0:
            raise ModelRefused("llama.cpp cannot tokenise the prompt")
        return list(array[:count])

    def _piece(self, token: int) -> bytes:
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)  # noqa: FBT003 - a C function
            if length >= 0:
                return buffer.raw[:length]
            size = -length

    def _require_markers(self, markers: tuple[str, ...]) -> None:
        for marker in markers:
            tokens = self._tokenise(marker, is_markup=True)
            if len(tokens) != 1 or tokens[0] not in self._control:
                raise ModelRefused(f"the prompt format does not fit this model: {marker} is no control token of it")

    def _new_context(self, load: Load) -> object:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = load.context_tokens
        params.n_batch = params.n_ubatch = self._step
        params.n_threads = params.n_threads_batch = load.threads
        params.no_perf = True
        context = llama_cpp.llama_init_from_model(self._model, params)
        if not context:
            raise ModelRefused(f"llama.cpp cannot make a context of {load.context_tokens} tokens")
        return context

    def _warm_up(self) -> None:
        """Touches every weight once, so that the first person does not wait for the disk."""
        text = self._tokenise("Warm up. " * self._step, is_markup=False)[: self._step]
        self._decode(text)
        self._decode(text[:1])
        llama_cpp.llama_memory_clear(self._memory, False)  # noqa: FBT003 - a C function


def _new_sampler(sampling: Sampling) -> object:
    chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
    if sampling.temperature == 0.0:
        steps = [llama_cpp.llama_sampler_init_greedy()]
    else:
        steps = [
            llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1),
            llama_cpp.llama_sampler_init_temp(sampling.temperature),
            llama_cpp.llama_sampler_init_dist(min(sampling.seed, RANDOM_SEED - 1)),
        ]
    for step in steps:
        llama_cpp.llama_sampler_chain_add(chain, step)
    return chain


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
