"""What the scheduler needs of a loaded model: tokens, one batch after another, and sequences of cells."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from models.ports import Sampling
from models.worker.messages import Prompt


class Halted(Exception):
    """The batch was given up because nobody waits for any of it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One token of a batch."""

    token: int
    position: int
    sequence: int
    is_last: bool
    """Whether the next token is wanted after it."""


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """A prompt's tokens and the lengths of the beginnings that others may share, shortest first."""

    tokens: tuple[int, ...]
    shared: tuple[int, ...]


class Chooser(Protocol):
    """Chooses the tokens of one answer."""

    def choose(self, place: int) -> int:
        """Returns the token after the batch's entry number `place`; raises `ModelRefused` when there can be none."""

    def close(self) -> None:
        """Gives back what it holds."""


class Backend(Protocol):
    """A loaded model; used from one thread."""

    context_tokens: int
    """Most tokens of one request."""
    parallel: int
    """Most requests at once; their sequences have the numbers below it, kept prefixes those from it on."""
    sequences: int
    """How many sequences there are in all."""
    cells: int
    """Tokens that all sequences may have together; shared ones count once."""
    step: int
    """Tokens that a batch may have without making others wait too long for their next one."""
    can_guess: bool
    """Whether several tokens of an answer cost less together than one by one, and can be forgotten again."""
    fewest_guesses: int
    """So many are computed for an answer that runs alone, or none."""
    can_offload_to_gpu: bool

    def tokens(self, prompt: Prompt) -> PromptTokens:
        """Returns the tokens of a prompt; raises `ModelRefused` when text would become a control token."""

    def chooser(self, sampling: Sampling) -> Chooser:
        """Returns what chooses an answer's tokens; raises `ModelRefused` for a grammar that is none."""

    def use(self, assistant: str) -> None:
        """Makes the next batches those of an assistant's adapter."""

    def adapter_of(self, assistant: str) -> str:
        """Returns what may not be mixed in one batch: the name of the assistant's adapter, empty for none."""

    def identity(self, assistant: str) -> str:
        """Returns everything that decides what a token's cells hold, beside the tokens before it."""

    def decode(self, batch: Sequence[Entry], is_vain: Callable[[], bool]) -> None:
        """Computes a batch; raises `Halted`, with some of it in the cache, soon after `is_vain` says so."""

    def is_end(self, token: int) -> bool:
        """Whether the token ends the model's turn."""

    def piece(self, token: int) -> bytes:
        """Returns the bytes of a token; maybe half a character."""

    def copy(self, source: int, target: int, length: int) -> None:
        """Lets an empty sequence share the cells of another's first tokens."""

    def forget(self, sequence: int, start: int = 0) -> None:
        """Frees a sequence's cells from a position on."""

    def export(self, sequence: int, start: int) -> bytes:
        """Returns the cells of a sequence from a position on."""

    def restore(self, sequence: int, state: bytes, start: int, length: int) -> bool:
        """Adds exported cells to a sequence that has those before them; returns False when they do not fit."""
