"""Keeps an answer to its prompt's grammar: before each token, what the grammar does not allow is ruled out."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelRefused
from models.worker.backend import Chooser
from models.worker.byte_table import DEAD, ByteTable

Logits = NDArray[np.float32]

MOST_BYTES = 32
"""Longer tokens are rare, and runs of spaces or dashes; an answer that has a form does without them."""
KEPT_MASKS = 16
"""Of one grammar, one byte a token each."""


class Vocabulary:
    """The bytes of every token, as a matrix; 1.6 MB and a tenth of a second for 49,000 of them."""

    def __init__(self, pieces: Sequence[bytes], ends: Sequence[int]) -> None:
        """Tokens without bytes are no part of a text; those of `ends` end it."""
        self.size = len(pieces)
        self.ends = np.array(ends, dtype=np.intp)
        self.ordinary = np.array([0 < len(piece) <= MOST_BYTES for piece in pieces])
        self.ordinary[self.ends] = False
        self.lengths = np.array([len(piece) for piece in pieces])
        padded = b"".join(piece[:MOST_BYTES].ljust(MOST_BYTES, b"\0") for piece in pieces)
        self.bytes = np.frombuffer(padded, dtype=np.uint8).reshape(self.size, MOST_BYTES)


class Rules:
    """One grammar over one vocabulary; answers that follow it share this."""

    def __init__(self, grammar: str, vocabulary: Vocabulary) -> None:
        """Raises `ModelRefused` for a grammar that cannot be followed."""
        self._table = ByteTable(grammar)
        self._vocabulary = vocabulary
        self.allowed = lru_cache(KEPT_MASKS)(self._allowed)

    def _allowed(self, state: int) -> NDArray[np.bool_]:
        """Returns which tokens may come: 1 to 10 ms for 49,000."""
        words = self._vocabulary
        mask = np.zeros(words.size, dtype=np.bool_)
        mask[words.ends] = self._table.is_end[state]
        tokens = np.flatnonzero(words.ordinary)
        states = np.full(len(tokens), state, dtype=np.int16)
        for place in range(MOST_BYTES):
            states = self._table.next[states, words.bytes[tokens, place]]
            tokens, states = tokens[states != DEAD], states[states != DEAD]
            is_whole = words.lengths[tokens] == place + 1
            mask[tokens[is_whole]] = True
            tokens, states = tokens[~is_whole], states[~is_whole]
        return mask

    def after(self, state: int, token: int) -> int:
        """Returns the state after an allowed token; one that ends the answer changes nothing."""
        for place in range(self._vocabulary.lengths[token] if self._vocabulary.ordinary[token] else 0):
            state = int(self._table.next[state, self._vocabulary.bytes[token, place]])
        return state


class Constrained:
    """A chooser that follows rules: it takes the model's own choice among the tokens that they allow."""

    def __init__(self, free: Chooser, rules: Rules, logits: Callable[[int], Logits]) -> None:
        """`logits` returns the very numbers that `free` looks at, to be written to."""
        self._free = free
        self._rules = rules
        self._logits = logits
        self._state = 0

    def choose(self, place: int) -> int:
        allowed = self._rules.allowed(self._state)
        logits = self._logits(place)
        logits[~allowed] = -np.inf
        token = self._free.choose(place)
        # Also when no token is allowed, or the weights are damaged and nothing is comparable.
        if not allowed[token]:
            raise ModelRefused("the model's vocabulary cannot go on with the grammar")
        self._state = self._rules.after(self._state, token)
        return token

    def close(self) -> None:
        self._free.close()
