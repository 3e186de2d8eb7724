"""What can be expected of a model, and how long the gateway waits for what."""

from dataclasses import dataclass, field
from enum import StrEnum

from models.worker.restarts import RestartLimits


class ModelState(StrEnum):
    """What can be expected of the model now."""

    STARTING = "starting"
    READY = "ready"
    DOWN = "down"
    """Not started, closed, or pausing before a restart."""
    OPEN = "open"
    """The worker died too often, or refused the file: requests fail at once."""


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """How long the gateway waits for what, and for how many."""

    context_tokens: int = 2048
    """Most tokens of one request, prompt and answer together."""
    parallel: int = 8
    """Most requests that the worker works on at once."""
    cells: int = 8192
    """Tokens that its KV cache holds, for all requests and kept prefixes together."""
    prefix_cells: int = 0
    """Most of them that kept prefixes take which nobody uses at the moment; the others wait in main memory. Every step
    passes over them, and where they lie decides how sums are rounded."""
    max_waiting: int = 8
    start_timeout_s: float = 120.0
    """From the start of the process to its readiness; a large file on a slow disk needs more."""
    silence_s: float = 10.0
    """A worker reports every second; one that is silent for so long is killed."""
    grace_s: float = 2.0
    """How long a worker may take to give up a job, or to end."""
    restarts: RestartLimits = field(default_factory=RestartLimits)
