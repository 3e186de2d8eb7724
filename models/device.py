"""What this machine offers the language model: cores, memory, GPUs, and how many threads to use of it."""

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from models.cgroups import core_quota, free_bytes_left

SMI_TIMEOUT_S = 5.0
"""`nvidia-smi` answers in 0.1 s, or in some seconds when it has to wake the driver."""
SMI_PATHS = (os.defpath, "/usr/local/bin", "/usr/local/nvidia/bin", "/usr/local/cuda/bin", "/usr/lib/wsl/lib")
SMI_QUERY = ("--query-gpu=index,name,memory.total,memory.free", "--format=csv,noheader,nounits")
SMI_FIELDS = 4
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


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to plan with."""

    cores: int
    free_bytes: int
    """Of main memory, for a process that starts now."""
    gpus: tuple[Gpu, ...] = ()

    def __post_init__(self) -> None:
        if self.cores < 1 or self.free_bytes < 0:
            raise ValueError("a machine has a core and no negative memory")


def has_gpu_build() -> bool:
    """Whether the installed llama.cpp has a part for GPUs, by its files: it is not imported here."""
    spec = importlib.util.find_spec("llama_cpp")
    folders = (spec.submodule_search_locations if spec else None) or ()
    return any(next(Path(folder, "lib").glob(f"*ggml-{kind}*"), None) for folder in folders for kind in GPU_PARTS)


def this_machine() -> Machine:
    """Looks at the machine as this process may use it: a container's limits count, not what the host has."""
    return Machine(cores=usable_cores(), free_bytes=free_memory(), gpus=nvidia_gpus())


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
    return Gpu(name=fields[1], total_bytes=int(fields[2]) * MIB, free_bytes=int(fields[3]) * MIB)


def _available(meminfo: Path = Path("/proc/meminfo")) -> int:
    try:
        lines = meminfo.read_text().splitlines()
        (kib,) = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
        return int(kib) * 1024
    except (OSError, ValueError, IndexError):
        # Not Linux, where nobody says what could be had: half of what is built in.
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
