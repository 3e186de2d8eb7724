"""A backend without weights whose cache is kept to the letter: what is not in a sequence's cells, it does not know."""

import ast
import hashlib
from collections.abc import Callable, Iterable, Sequence

from models.errors import ModelRefused
from models.formats import Place, Segment
from models.ports import Sampling
from models.worker.backend import Chooser, Entry, Halted, PromptTokens
from models.worker.messages import Generate, Prompt

VOCABULARY = 50
ENDS = 10
"""Tokens below it end an answer: one in five."""


class Cell:
    """One token's place in the cache; sequences that share it hold the same object."""

    def __init__(self, token: int, adapter: str) -> None:
        self.token = token
        self.adapter = adapter


class CellBackend:
    """Its answers depend on every token before them, on the adapter that each was computed with, and on the seed."""

    can_offload_to_gpu = False
    can_guess = True

    def __init__(
        self,
        *,
        context_tokens: int = 64,
        cells: int = 128,
        parallel: int = 4,
        prefixes: int = 4,
        step: int = 8,
        adapters: Iterable[str] = (),
        recalled: int | None = None,
        fewest_guesses: int = 1,
    ) -> None:
        """`recalled` last tokens decide the next one; with few of them answers repeat themselves, None means all."""
        self.context_tokens = context_tokens
        self.cells = cells
        self.parallel = parallel
        self.sequences = parallel + prefixes
        self.step = step
        self._adapters = frozenset(adapters)
        self._recalled = recalled
        self.fewest_guesses = fewest_guesses
        self._used = ""
        self._held: list[list[Cell]] = [[] for _ in range(self.sequences)]
        self._ends: list[tuple[int, ...]] = []
        self.computed = 0
        self.exports = 0
        self.restores = 0
        self.most_cells = 0
        self.open_choosers = 0
        self.batches: list[list[Entry]] = []
        self.on_decode: Callable[[], None] = lambda: None

    @property
    def cells_in_use(self) -> int:
        """Cells that some sequence holds."""
        return len({id(cell) for held in self._held for cell in held})

    def tokens(self, prompt: Prompt) -> PromptTokens:
        return tokens_of(prompt)

    def chooser(self, sampling: Sampling) -> Chooser:
        if sampling.grammar:
            raise ModelRefused("the grammar is none")
        self.open_choosers += 1
        return _Hashed(self, sampling.seed)

    def choose(self, place: int, seed: int) -> int:
        """Returns the token after an entry of the last batch."""
        tokens = self._ends[place]
        return next_token(tokens, self._used, seed, self._recalled)

    def use(self, assistant: str) -> None:
        self._used = self.adapter_of(assistant)

    def adapter_of(self, assistant: str) -> str:
        return assistant if assistant in self._adapters else ""

    def identity(self, assistant: str) -> str:
        return self.adapter_of(assistant)

    def decode(self, batch: Sequence[Entry], is_vain: Callable[[], bool]) -> None:
        assert 0 < len(batch) <= self.step + self.parallel, "a batch of a wrong size"
        self._ends = []
        self.batches.append(list(batch))
        self.on_decode()
        for at, entry in enumerate(batch):
            if is_vain() and at > 0:
                raise Halted
            held = self._held[entry.sequence]
            assert entry.position == len(held), "a gap in a sequence"
            assert all(cell.adapter == self._used for cell in held), "cells of another adapter"
            held.append(Cell(entry.token, self._used))
            self._ends.append(tuple(cell.token for cell in held))
        self.computed += len(batch)
        self.most_cells = max(self.most_cells, self.cells_in_use)
        assert self.most_cells <= self.cells, "more cells than there are"

    def is_end(self, token: int) -> bool:
        return token < ENDS

    def piece(self, token: int) -> bytes:
        return f"{token} ".encode()

    def copy(self, source: int, target: int, length: int) -> None:
        assert not self._held[target], "the target is not empty"
        assert len(self._held[source]) >= length, "the source is shorter"
        self._held[target] = self._held[source][:length]

    def forget(self, sequence: int, start: int = 0) -> None:
        del self._held[sequence][start:]

    def export(self, sequence: int, start: int) -> bytes:
        self.exports += 1
        return repr([(cell.token, cell.adapter) for cell in self._held[sequence][start:]]).encode()

    def restore(self, sequence: int, state: bytes, start: int, length: int) -> bool:
        self.restores += 1
        assert len(self._held[sequence]) == start, "what comes before is not there"
        cells = [Cell(token, adapter) for token, adapter in ast.literal_eval(state.decode())]
        if len(cells) != length - start or self.cells_in_use + len(cells) > self.cells:
            return False
        self._held[sequence] += cells
        return True


class _Hashed:
    def __init__(self, backend: CellBackend, seed: int) -> None:
        self._backend = backend
        self._seed = seed

    def choose(self, place: int) -> int:
        return self._backend.choose(place, self._seed)

    def close(self) -> None:
        self._backend.open_choosers -= 1


def next_token(tokens: tuple[int, ...], adapter: str, seed: int, recalled: int | None = None) -> int:
    """Returns the token after these."""
    known = tokens if recalled is None else tokens[-recalled:]
    return hashlib.sha256(f"{known} {adapter} {seed}".encode()).digest()[0] % VOCABULARY


def answer_alone(prompt: Prompt, sampling: Sampling, adapter: str = "", recalled: int | None = None) -> str:
    """Returns what a request gets from a model that works for nobody else."""
    tokens = tokens_of(prompt).tokens
    said: list[int] = []
    while len(said) < sampling.max_tokens:
        token = next_token((*tokens, *said), adapter, sampling.seed, recalled)
        if token < ENDS:
            break
        said.append(token)
    return "".join(f"{token} " for token in said)


def tokens_of(prompt: Prompt) -> PromptTokens:
    """Returns a token for each letter, and the beginnings that may be shared: instructions, and up to the slot."""
    texts = [segment.text for segment in prompt.segments]
    tokens = tuple(ord(letter) % VOCABULARY for letter in "".join(texts))
    lengths = {len("".join(texts[: place.segments])) + place.chars for place in prompt.shared}
    return PromptTokens(tokens, tuple(sorted({min(length, len(tokens) - 1) for length in lengths} - {0})))


def job(
    number: int,
    question: str,
    *,
    instructions: str = "",
    approved_chars: int | None = None,
    assistant: str = "desk",
    sampling: Sampling | None = None,
    is_streamed: bool = False,
) -> Generate:
    """Returns a request in the worker's form."""
    segments = (Segment(instructions, is_markup=False), Segment(question, is_markup=False))
    end = Place(2, 0) if approved_chars is None else Place(1, approved_chars)
    prompt = Prompt(segments, (Place(1, 0), end), assistant)
    return Generate(number, prompt, sampling or Sampling(max_tokens=6), (), 10.0, is_streamed)
