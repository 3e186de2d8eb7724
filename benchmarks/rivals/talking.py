"""A child: a program of `children/`, run by a rival's own interpreter, that is asked in lines of JSON."""

import json
import os
import select
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[2]
CHILDREN = Path(__file__).parent / "children"
ANSWER_S = 900.0
"""For one answer: a rival may have thousands of sentences to embed."""
THREADS = 1
"""Where it is not time that is measured: two wait for each other a hundred times a message on a busy machine."""
END_S = 10.0
_TAIL = 2000
_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "NEMO_GUARDRAILS_NO_USAGE_STATS": "1",
}


class ChildFailed(Exception):
    """A child ended or was silent; the message holds its last words."""


class Child:
    """A running child. Use it as a context manager: it ends with its standard input."""

    def __init__(self, command: Sequence[str], *, threads: int = THREADS) -> None:
        """Starts the program `command`, with so many threads for whatever asks OpenMP or its like."""
        self.name = Path(command[-1]).name
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        numbers = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            list(command),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **numbers, **_OFFLINE},  # noqa: TID251 - handed on as it is, but for threads and the network
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Returns what the child answers. Raises `ChildFailed`."""
        source, sink = self._process.stdin, self._process.stdout
        if source is None or sink is None:
            raise ChildFailed("the child has no pipes. This is a bug.")
        try:
            source.write(json.dumps({"do": do, **fields}).encode() + b"\n")
            source.flush()
        except BrokenPipeError as error:
            raise ChildFailed(f"{self.name} ended before {do}: {self._last_words()}") from error
        readable, _, _ = select.select([sink], [], [], ANSWER_S)
        line = sink.readline() if readable else b""
        if not line:
            state = "ended" if readable else f"was silent for {ANSWER_S:g} s"
            raise ChildFailed(f"{self.name} {state} at {do}: {self._last_words()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _last_words(self) -> str:
        # A child that ends closes its output first and tells why afterwards; both write to one place in the file.
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, self._errors.tell() - _TAIL))
        return self._errors.read().decode("utf-8", "replace").strip()
