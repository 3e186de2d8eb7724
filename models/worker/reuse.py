"""How much of what a model was given it had ready: the beginnings of prompts that are kept."""

import threading
from dataclasses import dataclass

from models.ports import Completion


@dataclass(frozen=True, slots=True)
class Reused:
    """Counts since the gateway started."""

    hits: int = 0
    """Answers whose prompt began with something that was ready."""
    misses: int = 0
    ready_tokens: int = 0
    """Tokens of prompts that were ready."""
    read_tokens: int = 0
    """Those that had to be read."""


class ReuseCounter:
    """Counts completions. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.counted = Reused()

    def count(self, completion: Completion) -> None:
        """Adds an answer of the model."""
        is_hit, ready = completion.reused_tokens > 0, completion.reused_tokens
        with self._lock:
            so_far = self.counted
            self.counted = Reused(
                so_far.hits + is_hit,
                so_far.misses + (not is_hit),
                so_far.ready_tokens + ready,
                so_far.read_tokens + completion.prompt_token_count - ready,
            )
