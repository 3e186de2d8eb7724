"""Plans how a model is run on a machine: layers on the GPU, context, batch, threads, and the memory that takes."""

from collections.abc import Iterator
from dataclasses import dataclass

from models.device import DevicePlan, Machine
from models.errors import ModelRefused
from models.files.gguf import GgufHeader
from models.files.unpacking import gains_by_unpacking, unpacked_bytes

GIB = 2**30
MIB = 2**20

CPU_BATCH, GPU_BATCH = 63, 512
"""Tokens computed at once, beside one for each request: the worker's own steps."""
KEPT_SEQUENCES = 65
"""Beside those of requests: of kept beginnings and one for scratch. llama.cpp's batch has a token for each at least."""
CPU_SEQUENCES, GPU_SEQUENCES = (8, 4, 2, 1), (32, 16, 8, 4)
"""Requests worked on at once, where nobody asked for a number: the first that fits."""
USUAL_TOKENS = 512
"""What an approved prompt with its facts and its answer take of the cache, at most usually."""

GPU_PREFIX_CELLS = 512
"""Cells for prompts' beginnings that nobody uses at the moment, or a quarter of the context when that is more. None on
a CPU: each step would pass over them (512 made a step of SmolLM2 for eight a sixth longer), while putting one back from
main memory takes a millisecond; and a request that runs alone finds its cells in the same places each time."""

PROCESS_BYTES = 512 * MIB
"""Of main memory, for the worker beside its weights: Python, llama.cpp, the vocabulary, and beginnings of prompts that
have no room in the cache."""
GPU_RESERVE_BYTES = 768 * MIB
"""Of each card, left free: the driver's context, cuBLAS and what a desktop may take."""
FLOAT_BYTES = 4
HALF_BYTES = 2


@dataclass(frozen=True, slots=True)
class Wish:
    """What a plan is made for; what is None is planned."""

    context_tokens: int = 2048
    """Most tokens of one request, prompt and answer together."""
    sequences: int | None = None
    """Requests worked on at once."""
    gpu_layers: int | None = None
    """As llama.cpp counts: the output is one, -1 is all."""
    threads: int | None = None
    may_unpack: bool = True
    """Whether weights that a CPU computes token by token may be rewritten in a larger form that it does not."""

    def __post_init__(self) -> None:
        if any(one is not None and one < 1 for one in (self.context_tokens, self.sequences, self.threads)):
            raise ValueError("context, sequences and threads are at least 1")


@dataclass(frozen=True, slots=True)
class Memory:
    """What a plan takes of one kind of memory, in bytes."""

    weights: int
    kv: int
    compute: int
    reserve: int
    free: int

    @property
    def needed(self) -> int:
        """All of it together."""
        return self.weights + self.kv + self.compute + self.reserve

    @property
    def fits(self) -> bool:
        """Whether there is as much."""
        return self.needed <= self.free


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """How a model is run; it fits, or it would not exist."""

    device: DevicePlan
    context_tokens: int
    """Most tokens of one request."""
    sequences: int
    cells: int
    """Tokens that the KV cache holds: all requests and kept beginnings of prompts share them."""
    prefix_cells: int
    """Most of them that kept beginnings take which nobody uses at the moment."""
    batch_tokens: int
    is_unpacked: bool
    """Whether the weights are rewritten to be computed faster, which `main` counts (`models/files/unpacking.py`)."""
    layers_on_gpu: int
    """Without the output, which `device.gpu_layers` counts too."""
    main: Memory
    gpu: Memory | None
    """All cards together; None when none is used."""


def plan_model(header: GgufHeader, machine: Machine, wish: Wish) -> ModelPlan:
    """Returns the plan that puts most on the GPUs; raises `ModelRefused`, with sizes and what to change, for none.

    Main memory must hold what the GPUs do not. One core is left to the gateway where there are two or more.
    """
    if wish.context_tokens > header.context_tokens:
        raise ModelRefused(
            f"{header.file} has a context of {header.context_tokens} tokens, not {wish.context_tokens}. "
            "Lower context_tokens."
        )
    if wish.gpu_layers and not machine.gpus:
        raise ModelRefused(
            f"{header.file} is to have layers on a GPU, but {machine.no_gpu}. Mend that, or set gpu_layers to 0, "
            "or in the settings to -1, which uses one as soon as it can."
        )
    may_unpack = wish.may_unpack and gains_by_unpacking(header)
    plans = [
        _plan(header, machine, wish, gpu_layers=layers, sequences=sequences, is_unpacked=is_unpacked)
        for layers, sequences in _candidates(header, machine, wish)
        for is_unpacked in ((True, False) if may_unpack and not layers else (False,))
    ]
    for plan in plans:
        if plan.main.fits and (plan.gpu is None or plan.gpu.fits):
            return plan
    raise _too_large(header, plans[-1])


def _candidates(header: GgufHeader, machine: Machine, wish: Wish) -> Iterator[tuple[int, int]]:
    """Gives numbers of layers on the GPU and of requests at once, best first: fewer requests before fewer layers."""
    on_gpu = GPU_SEQUENCES if wish.sequences is None else (wish.sequences,)
    on_cpu = CPU_SEQUENCES if wish.sequences is None else (wish.sequences,)
    most = header.layers + 1
    if wish.gpu_layers is not None:
        layers = most if wish.gpu_layers == -1 else min(wish.gpu_layers, most)
        yield from ((layers, sequences) for sequences in (on_gpu if layers else on_cpu))
        return
    if machine.gpus:
        yield from ((most, sequences) for sequences in on_gpu)
        yield from ((layers, on_gpu[-1]) for layers in range(most - 1, 0, -1))
    yield from ((0, sequences) for sequences in on_cpu)


def compute_bytes(header: GgufHeader, *, context_tokens: int, batch_tokens: int) -> int:
    """Returns about how much llama.cpp reserves for what is being computed, rather too much than too little.

    For each token of a batch: the larger of its logits (one float for each word piece) and its row of the attention
    mask (attention is fused), and the vectors within a layer (two of the feed-forward's length, two of the
    embedding's). SmolLM2: 14.9 MiB for a batch of 73 where llama.cpp reports 14.0 to 14.6, and 104.3 for 512 where it
    reports 103.1.
    """
    widest = max(header.vocabulary * FLOAT_BYTES, context_tokens * HALF_BYTES)
    inside = 2 * (header.feed_forward_length + header.embedding_length) * FLOAT_BYTES
    return batch_tokens * (widest + inside)


def _plan(
    header: GgufHeader, machine: Machine, wish: Wish, *, gpu_layers: int, sequences: int, is_unpacked: bool
) -> ModelPlan:
    uses_gpu = gpu_layers > 0
    batch = max(GPU_BATCH if uses_gpu else CPU_BATCH, KEPT_SEQUENCES) + sequences
    prefix_cells = max(GPU_PREFIX_CELLS, wish.context_tokens // 4) if uses_gpu else 0
    cells = max(wish.context_tokens, sequences * USUAL_TOKENS) + prefix_cells
    compute = compute_bytes(header, context_tokens=cells, batch_tokens=batch)
    compute += sequences * header.vocabulary * FLOAT_BYTES  # the logits that are read
    # As llama.cpp counts: the first of `gpu_layers` is the output, the others are the last layers.
    first_on_gpu = header.layers - max(0, gpu_layers - 1)
    kept = slice(0, first_on_gpu)
    moved = slice(first_on_gpu, header.layers)
    kv = [size * cells for size in header.layer_kv_bytes]
    weights = header.input_bytes + sum(header.layer_bytes[kept]) + (0 if uses_gpu else _output_beside_input(header))
    main = Memory(
        weights=unpacked_bytes(header) if is_unpacked else weights,
        kv=sum(kv[kept]),
        compute=compute,
        reserve=PROCESS_BYTES,
        free=machine.free_bytes,
    )
    gpu = Memory(
        weights=sum(header.layer_bytes[moved]) + header.output_bytes,
        kv=sum(kv[moved]),
        compute=compute * len(machine.gpus),
        reserve=GPU_RESERVE_BYTES * len(machine.gpus),
        free=sum(card.free_bytes for card in machine.gpus),
    )
    threads = max(1, machine.cores - 1) if wish.threads is None else wish.threads
    everything = gpu_layers == header.layers + 1
    return ModelPlan(
        device=DevicePlan(threads, -1 if everything else gpu_layers),
        context_tokens=wish.context_tokens,
        sequences=sequences,
        cells=cells,
        prefix_cells=prefix_cells,
        batch_tokens=batch,
        is_unpacked=is_unpacked,
        layers_on_gpu=len(kv[moved]) if uses_gpu else 0,
        main=main,
        gpu=gpu if uses_gpu else None,
    )


def _output_beside_input(header: GgufHeader) -> int:
    """Returns the bytes of the output where it lies beside the input: nothing twice, as both are in one memory."""
    return header.weight_bytes - header.input_bytes - sum(header.layer_bytes)


def _too_large(header: GgufHeader, plan: ModelPlan) -> ModelRefused:
    if plan.gpu is not None and not plan.gpu.fits:
        return ModelRefused(
            f"{header.file} with {plan.layers_on_gpu} of {header.layers} layers on the GPU needs {_sizes(plan.gpu)}. "
            "Put fewer layers on it, lower the context, or leave the number of layers to the plan."
        )
    return ModelRefused(
        f"{header.file} needs {_sizes(plan.main)}. Take a smaller quantisation (canongate models quantize), a smaller "
        "model, a lower context or fewer requests at once, or a machine with more memory or a GPU."
    )


def _sizes(memory: Memory) -> str:
    return (
        f"{memory.needed / GIB:.2f} GiB ({memory.weights / GIB:.2f} weights, {memory.kv / GIB:.2f} context, "
        f"{memory.compute / GIB:.2f} computing, {memory.reserve / GIB:.2f} reserve), and {memory.free / GIB:.2f} GiB "
        "are free"
    )
