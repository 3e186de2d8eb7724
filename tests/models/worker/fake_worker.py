"""A worker process without weights: the real loop over a backend that does what the prompt's text says."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from models.errors import ModelRefused
from models.ports import Sampling
from models.worker.backend import Chooser, Entry, Halted, PromptTokens
from models.worker.loop import serve
from models.worker.messages import Load, Prompt

MOST_WORDS = 1000
END = -1


class ScriptedBackend:
    """`die`, `hang`, `deaf` (works on and obeys nothing), `noise`, `slow`; any other text is repeated back.

    A token is the number of its prompt times a thousand and the number of its word.
    """

    context_tokens = 128
    cells = 1024
    step = 128
    can_offload_to_gpu = False
    can_guess = True
    fewest_guesses = 1

    def __init__(self, load: Load) -> None:
        if load.sha256 != "a" * 64:
            raise ModelRefused("the file was changed")
        self.parallel = self.sequences = load.parallel
        self._prompts: list[list[str]] = []
        self._batch: Sequence[Entry] = ()

    def tokens(self, prompt: Prompt) -> PromptTokens:
        words = prompt.segments[prompt.shared[0].segments].text.split()
        first = MOST_WORDS * len(self._prompts)
        self._prompts.append(words)
        return PromptTokens(tuple(range(first, first + len(words))), ())

    def chooser(self, sampling: Sampling) -> Chooser:
        del sampling
        return _Repeater(self)

    def next_word(self, place: int) -> int:
        entry = self._batch[place]
        number = entry.token // MOST_WORDS
        words = self._prompts[number]
        said = entry.position - len(words) + 1
        return number * MOST_WORDS + said if said < len(words) else END

    def is_end(self, token: int) -> bool:
        return token == END

    def piece(self, token: int) -> bytes:
        return f"{self._prompts[token // MOST_WORDS][token % MOST_WORDS]} ".encode()

    def decode(self, batch: Sequence[Entry], is_vain: Callable[[], bool]) -> None:
        self._batch = batch
        text = " ".join(word for entry in batch for word in self._prompts[entry.token // MOST_WORDS])
        if "die" in text:
            os._exit(9)
        if "deaf" in text:
            time.sleep(3600)
        if "noise" in text:
            os.write(1, b"\x00\x00\x00\x04what")
            time.sleep(3600)
        if "slow" in text:
            time.sleep(0.1)
        while "hang" in text:
            if is_vain():
                raise Halted
            time.sleep(0.005)

    def use(self, assistant: str) -> None:
        """Has no adapters."""

    def adapter_of(self, assistant: str) -> str:
        del assistant
        return ""

    def identity(self, assistant: str) -> str:
        return assistant

    def copy(self, source: int, target: int, length: int) -> None:
        raise AssertionError("nothing is shared")

    def forget(self, sequence: int, start: int = 0) -> None:
        """Keeps nothing."""

    def export(self, sequence: int, start: int) -> bytes:
        raise AssertionError("nothing is kept")

    def restore(self, sequence: int, state: bytes, start: int, length: int) -> bool:
        raise AssertionError("nothing is kept")


class _Repeater:
    def __init__(self, backend: ScriptedBackend) -> None:
        self._backend = backend

    def choose(self, place: int) -> int:
        return self._backend.next_word(place)

    def close(self) -> None:
        """Holds nothing."""


def load(message: Load) -> ScriptedBackend:
    if "--crash-at-start" in sys.argv:
        os._exit(1)
    if "--refused-while" in sys.argv and Path(sys.argv[-1]).exists():
        raise ModelRefused("the file is not there")
    while "--held-while" in sys.argv and Path(sys.argv[-1]).exists():
        time.sleep(0.01)
    if "--never-ready" in sys.argv:
        time.sleep(3600)
    return ScriptedBackend(message)


serve(load, os.fdopen(0, "rb"), os.fdopen(1, "wb", closefd=False))
