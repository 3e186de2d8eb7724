"""What this machine offers the language model: cores and a thread plan."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """How many threads the worker decodes with, and how many of the model's layers go to a GPU."""

    threads: int
    gpu_layers: int

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise ValueError("threads must be at least 1")
        if self.gpu_layers < -1:
            raise ValueError("gpu_layers must be -1 (all) or a number of layers")


def usable_cores() -> int:
    """Returns the number of cores this process may run on, which a container or taskset can make fewer than exist."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def plan_device(*, gpu_layers: int, cores: int | None = None) -> DevicePlan:
    """Returns a plan that leaves one core to the gateway itself.

    `gpu_layers` is passed through (-1 offloads all of them); whether the installed llama.cpp can offload at all is
    known only to the worker, which reports it when it is ready.
    """
    available = usable_cores() if cores is None else cores
    return DevicePlan(threads=max(1, available - 1), gpu_layers=gpu_layers)
