"""The quantising process's main program: llama.cpp rewrites one GGUF in a smaller form."""

import re
import resource

import llama_cpp

from models.child import Parent
from models.files.quantizing import Done, Failed, Job, Said, Step

_COUNT = re.compile(rb"\[ *(\d+)/ *(\d+)\]")
"""What llama.cpp logs before each tensor."""
_WARNING = 3


class _Reporter:
    """Turns what llama.cpp logs into steps, and keeps its last complaint."""

    def __init__(self, parent: Parent) -> None:
        self._parent = parent
        self.complaint = ""

    def hear(self, level: int, text: bytes) -> None:
        """Takes one line of llama.cpp's log."""
        if found := _COUNT.search(text):
            self._parent.say(Step(int(found[1]), int(found[2])))
        elif level in (_WARNING, _WARNING + 1):
            self.complaint = text.decode("utf-8", "replace").strip() or self.complaint


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
    parent = Parent()
    parent.say(quantize(parent.job(Job), _Reporter(parent)))


if __name__ == "__main__":
    main()
