"""A worker process without weights: the real loop over a backend that does what the prompt's text says."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from models.errors import ModelRefused
from models.formats import Segment
from models.messages import Load
from models.ports import Sampling
from models.worker import Halted, serve


class ScriptedBackend:
    """`die`, `hang`, `deaf` (works on and obeys nothing), `noise`, `slow`; any other text is repeated back."""

    context_tokens = 128
    can_offload_to_gpu = False

    def __init__(self, load: Load) -> None:
        if load.sha256 != "a" * 64:
            raise ModelRefused("the file was changed")

    def prompt_tokens(self, segments: Sequence[Segment]) -> list[int]:
        self._text = "".join(segment.text for segment in segments if not segment.is_markup)
        return list(range(len(self._text.split())))

    def pieces(self, tokens: list[int], sampling: Sampling, is_halted: Callable[[], bool]) -> Iterator[bytes]:
        del tokens, sampling
        if "die" in self._text:
            os._exit(9)
        if "deaf" in self._text:
            time.sleep(3600)
        if "noise" in self._text:
            os.write(1, b"\x00\x00\x00\x04what")
            time.sleep(3600)
        for word in self._text.split():
            while "hang" in self._text:
                if is_halted():
                    raise Halted
                time.sleep(0.005)
            if "slow" in self._text:
                time.sleep(0.1)
            yield f"{word} ".encode()


def load(message: Load) -> ScriptedBackend:
    if "--crash-at-start" in sys.argv:
        os._exit(1)
    if "--never-ready" in sys.argv:
        time.sleep(3600)
    return ScriptedBackend(message)


serve(load, os.fdopen(0, "rb"), os.fdopen(1, "wb", closefd=False))
