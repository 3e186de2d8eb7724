"""llama.cpp's own server, from the package xllamacpp in a venv of its own: for benchmarks, and for tests of upstreams.

As a program it is run by that venv's Python: it serves one GGUF and ends when its standard input ends, so that it never
outlives whoever started it. Nothing of ours is imported.

`make rival` builds the venv. What was found out about the server, for whoever compares with it:

- `context` is for one slot; the server divides the whole context (`n_ctx`) by the slots unless `kv_unified` is set.
- `prompt_cache` reuses what a slot still holds of the prompt's beginning (`cache_prompt`). A slot is chosen by how much
  of its prompt agrees (`slot_prompt_similarity`, 0.1), else the least recently used one. `cache_ram_mib` (8 GiB by
  default) keeps the states of whole prompts in memory and loads them back into slots; it is switched off together with
  `prompt_cache`, for figures without any reuse.
- Threads: `cpuparams` for decoding, `cpuparams_batch` for prompts; both are set. The HTTP threads are beside them.
- Batch sizes stay the server's (2048 and 512), continuous batching is on, the context is never shifted.
- `fit_params` would change context and layers to what it finds free: off, so that both sides get what is asked for.
- `ngrams` switches on its guessing without a second model (`ngram_simple`): how many of the last tokens are looked for
  among those before them, and how many that followed are guessed; 12 and 48 are its own.
- A connection that is not used is closed after 5 s. A client that leaves frees its slot after the token in work.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

VENV = Path(__file__).resolve().parent.parent / "var" / "bench" / "xllamacpp-venv"
PYTHON = VENV / "bin" / "python"
START_S = 120.0


def is_built() -> bool:
    """Whether `make rival` has been run."""
    return (VENV / ".ready").is_file()


@contextlib.contextmanager
def running(
    model: Path,
    *,
    slots: int = 1,
    threads: int = 1,
    context: int = 2048,
    prompt_cache: bool = True,
    key: str = "",
    gpu_layers: int = 0,
    ngrams: tuple[int, int] = (0, 0),
) -> Iterator[str]:
    """Starts the server and gives its base URL, such as `http://127.0.0.1:4711/v1`; ends it on leaving.

    Raises `RuntimeError` with the server's last words when it does not start.
    """
    if not is_built():
        raise RuntimeError("llama.cpp's server is not built; run: make rival")
    wanted = {
        "slots": slots,
        "threads": threads,
        "context": context,
        "prompt_cache": prompt_cache,
        "key": key,
        "gpu_layers": gpu_layers,
        "ngrams": ngrams,
    }
    log = VENV / f"server-{os.getpid()}.log"
    with log.open("w+b") as said:
        server = subprocess.Popen(  # noqa: S603 - our own venv and program
            [PYTHON, "-P", __file__, model, json.dumps(wanted)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env={"LANG": "C.UTF-8"},
        )
        try:
            yield _base_url(server, log)
        finally:
            server.kill()
            server.communicate()
            log.unlink(missing_ok=True)


def _base_url(server: "subprocess.Popen[bytes]", log: Path) -> str:
    if server.stdout is None:
        raise RuntimeError("the server has no standard output. This is a bug.")
    readable, _, _ = select.select([server.stdout], [], [], START_S)
    line = server.stdout.readline().decode() if readable else ""
    if not line.startswith("http://"):
        tail = log.read_bytes()[-2000:].decode("utf-8", "replace")
        raise RuntimeError(f"llama.cpp's server did not start within {START_S:g} s. It said:\n{tail}")
    return f"{line.strip()}/v1"


def _serve(model: str, wanted: dict[str, Any]) -> None:
    import xllamacpp  # noqa: PLC0415 - installed in the server's venv alone

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.n_parallel = wanted["slots"]
    params.n_ctx = int(wanted["context"]) * int(wanted["slots"])
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = wanted["threads"]
    params.cache_prompt = bool(wanted["prompt_cache"])
    if not wanted["prompt_cache"]:
        params.cache_ram_mib = 0
    params.fit_params = False
    params.n_gpu_layers = wanted["gpu_layers"]
    params.hostnames, params.port = ["127.0.0.1"], 0
    looked_for, guessed = wanted["ngrams"]
    if looked_for:
        kinds = xllamacpp.common_speculative_type
        params.speculative.types = [kinds.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE]
        params.speculative.ngram_simple.size_n, params.speculative.ngram_simple.size_m = looked_for, guessed
    if wanted["key"]:
        params.api_keys = [wanted["key"]]
    # The server answers from threads of its own; what it logs to standard output goes to standard error.
    out = os.dup(1)
    os.dup2(2, 1)
    server = xllamacpp.Server(params)
    os.write(out, f"{server.listening_address}\n".encode())
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    _serve(sys.argv[1], json.loads(sys.argv[2]))
