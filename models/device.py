"""What this machine offers the language model: cores, memory, GPUs, and how many threads to use of it."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.cgroups import core_quota, free_bytes_left

SMI_TIMEOUT_S = 5.0
"""`nvidia-smi` answers in 0.1 s, or in some seconds when it has to wake the driver."""
SMI_PATHS = (os.defpath, "/usr/local/bin", "/usr/local/nvidia/bin", "/usr/local/cuda/bin", "/usr/lib/wsl/lib")
SMI_QUERY = ("--query-gpu=uuid,name,memory.total,memory.free,mig.mode.current", "--format=csv,noheader,nounits")
SMI_FIELDS = 5
CUDA_CARDS, CUDA_ORDER = "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"
SMI_ORDER = "PCI_BUS_ID"
"""What makes CUDA number cards as `nvidia-smi` does; its own way is the fastest first."""
NONE_SHOWN = "nvidia-smi shows none"
NO_GPU_BUILD = "llama-cpp-python was built without one"
GPU_PARTS = ("cuda", "hip", "vulkan", "sycl", "musa")
"""How llama.cpp's libraries for GPUs are called."""
MIB = 2**20


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """How many threads the worker decodes with, and how many of the model's layers go to a GPU."""

    threads: int
    gpu_layers: int
    """The output counts as one, as llama.cpp counts; -1 is all."""

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise ValueError("threads must be at least 1")
        if self.gpu_layers < -1:
            raise ValueError("gpu_layers must be -1 (all) or a number of layers")


@dataclass(frozen=True, slots=True)
class Gpu:
    """One graphics card."""

    name: str
    total_bytes: int
    free_bytes: int
    uuid: str = ""
    is_split: bool = False
    """Into parts (MIG), of which CUDA shows one; their memory is not known here, and 0."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to plan with."""

    cores: int
    free_bytes: int
    """Of main memory, for a process that starts now."""
    gpus: tuple[Gpu, ...] = ()
    no_gpu: str = NONE_SHOWN
    """Why there is none, where there is none."""

    def __post_init__(self) -> None:
        if self.cores < 1 or self.free_bytes < 0:
            raise ValueError("a machine has a core and no negative memory")


def has_gpu_build() -> bool:
    """Whether the installed llama.cpp has a part for GPUs, by its files: it is not imported here."""
    spec = importlib.util.find_spec("llama_cpp")
    folders = (spec.submodule_search_locations if spec else None) or ()
    return any(next(Path(folder, "lib").glob(f"*ggml-{kind}*"), None) for folder in folders for kind in GPU_PARTS)


def this_machine(environment: Mapping[str, str]) -> Machine:
    """Looks at the machine as a worker with these variables may use it.

    A container's limits count, not what the host has, and a GPU only where the installed llama.cpp can use it.
    """
    gpus, no_gpu = seen_gpus(nvidia_gpus(), environment) if has_gpu_build() else ((), NO_GPU_BUILD)
    return Machine(usable_cores(), free_memory(), gpus, no_gpu)


def usable_cores() -> int:
    """Returns the number of cores this process may run on, which a container or taskset can make fewer than exist."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = core_quota()
    return cores if quota is None else max(1, min(cores, int(quota)))


def free_memory() -> int:
    """Returns the bytes that a new process may take before something has to give way."""
    left = free_bytes_left()
    free = _available()
    return free if left is None else min(free, left)


def nvidia_gpus(program: str | None = None) -> tuple[Gpu, ...]:
    """Returns the NVIDIA cards that `nvidia-smi` sees; none when it is absent, fails, hangs or says something odd."""
    found = program or shutil.which("nvidia-smi", path=os.pathsep.join(SMI_PATHS))
    if found is None:
        return ()
    try:
        done = subprocess.run(  # noqa: S603 - a program of the driver, found in the system's own folders
            (found, *SMI_QUERY), capture_output=True, timeout=SMI_TIMEOUT_S, check=True, env={"LANG": "C"}, cwd="/"
        )
        lines = done.stdout.decode("utf-8", "replace").splitlines()
        return tuple(_gpu(line) for line in lines if line.strip())
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()


def seen_gpus(cards: Sequence[Gpu], environment: Mapping[str, str]) -> tuple[tuple[Gpu, ...], str]:
    """Returns those of `nvidia-smi`'s cards that a worker with these variables sees, in its order; or none, and why."""
    if not cards:
        return (), NONE_SHOWN
    listed = environment.get(CUDA_CARDS)
    seen = tuple(cards) if listed is None else _listed(cards, listed)
    if any(card.is_split for card in seen) or (listed or "").startswith("MIG-"):
        return (), f"what is free in a part of a card (MIG) is not known; name whole cards in {CUDA_CARDS}"
    if not seen:
        return (), f"{CUDA_CARDS} shows the worker none"
    if listed is not None and not listed.startswith("GPU-") and environment.get(CUDA_ORDER, SMI_ORDER) != SMI_ORDER:
        return (), f"{CUDA_ORDER} makes other numbers than nvidia-smi's; name cards as GPU-... in {CUDA_CARDS}"
    return seen, ""


def plan_device(*, gpu_layers: int, cores: int | None = None) -> DevicePlan:
    """Returns a plan that leaves one core to the gateway itself.

    `gpu_layers` is passed through (-1 offloads all of them); whether the installed llama.cpp can offload at all is
    known only to the worker, which reports it when it is ready. `models/planning.py` plans from a file's header.
    """
    available = usable_cores() if cores is None else cores
    return DevicePlan(threads=max(1, available - 1), gpu_layers=gpu_layers)


def _gpu(line: str) -> Gpu:
    fields = [field.strip() for field in line.split(",")]
    if len(fields) != SMI_FIELDS:
        raise ValueError(f"nvidia-smi said {line!r}")
    uuid, name, total, free, mode = fields
    if mode == "Enabled":
        return Gpu(name, 0, 0, uuid, is_split=True)
    return Gpu(name, int(total) * MIB, int(free) * MIB, uuid)


def _listed(cards: Sequence[Gpu], listed: str) -> tuple[Gpu, ...]:
    """Reads a list as CUDA does: up to the first that is no card, and nothing of one that has a card twice."""
    seen: list[Gpu] = []
    for one in listed.split(","):
        if listed.startswith("GPU-"):
            found = [card for card in cards if one.startswith("GPU-") and card.uuid.startswith(one)]
        else:
            number = re.match(r"\s*\+?([0-9]{1,9})", one)  # as C reads a number, whatever stands behind it
            found = list(cards[int(number[1]) :][:1]) if number else []
        if len(found) != 1:
            break
        if found[0] in seen:
            return ()
        seen += found
    return tuple(seen)


def _available(meminfo: Path = Path("/proc/meminfo")) -> int:
    try:
        lines = meminfo.read_text().splitlines()
        (kib,) = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
        return int(kib) * 1024
    except (OSError, ValueError, IndexError):
        # Not Linux, where nobody says what could be had: half of what is built in.
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
