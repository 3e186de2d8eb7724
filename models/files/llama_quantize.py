"""The quantising process's main program: llama.cpp rewrites one GGUF in a smaller form."""

import os
import re
import resource
import sys
import threading
from typing import BinaryIO

import llama_cpp
import msgspec

from models.files.quantizing import Done, Failed, Job, Said, Step

_COUNT = re.compile(rb"\[ *(\d+)/ *(\d+)\]")
"""What llama.cpp logs before each tensor."""
_WARNING = 3


class _Reporter:
    """Turns what llama.cpp logs into steps, and keeps its last complaint."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self.complaint = ""

    def hear(self, level: int, text: bytes) -> None:
        """Takes one line of llama.cpp's log."""
        if found := _COUNT.search(text):
            self.say(Step(int(found[1]), int(found[2])))
        elif level in (_WARNING, _WARNING + 1):
            self.complaint = text.decode("utf-8", "replace").strip() or self.complaint

    def say(self, message: Said) -> None:
        """Tells the parent."""
        self._sink.write(msgspec.json.encode(message) + b"\n")
        self._sink.flush()


def quantize(job: Job, reporter: _Reporter) -> Said:
    """Returns whether llama.cpp wrote the file, and its own words when it did not."""
    callback = llama_cpp.llama_log_callback(lambda level, text, _data: reporter.hear(level, text))
    llama_cpp.llama_log_set(callback, None)
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = job.file_type
    params.nthread = job.threads
    params.allow_requantize = job.allow_requantize
    status = llama_cpp.llama_model_quantize(job.source.encode(), job.target.encode(), params)
    return Done() if status == 0 else Failed(reporter.complaint or f"llama.cpp returned {status}")


def main() -> None:
    """Reads a job from standard input and says on standard output how far it is."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what llama.cpp prints must not end up between the messages
    source = os.fdopen(0, "rb")
    job = msgspec.json.decode(source.readline(), type=Job)
    threading.Thread(target=_end_with_parent, args=(source,), daemon=True).start()
    reporter = _Reporter(sink)
    reporter.say(quantize(job, reporter))
    sys.stdout.flush()
    # The other thread sits in a read that nothing ends as long as the parent lives.
    os._exit(0)


def _end_with_parent(source: BinaryIO) -> None:
    source.read()
    os._exit(1)


if __name__ == "__main__":
    main()
