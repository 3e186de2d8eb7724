"""Tokens a second of the model worker beside llama.cpp's own server and beside `Llama`, in one run on one machine.

Same file, same threads, greedy, 48 tokens. Prompts of one assistant share about 85 % of their tokens; "mixed" ones
share nothing. Each figure is the median of the rounds, in which the three take turns.
"""

import argparse
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from benchmarks.desk_prompts import lone_prompt, shared_prompt
from benchmarks.rival_server import is_built, running
from benchmarks.weights import served
from models.catalog import KnownModel, known_model, located
from models.device import DevicePlan
from models.files.unpacking import Weights
from models.ports import ApprovedPrompt, Cancellation, Sampling
from models.worker.engine import LlamaModel
from models.worker.limits import EngineLimits
from models.worker.process import WorkerProgram

ANSWER_TOKENS = 48
CONTEXT = 512
"""Of one request; the same for everybody."""
PREFIX_CELLS = 0
"""What the plan gives on a CPU."""
TIMEOUT_S = 300.0
REPEATS = 12
LIMITS = httpx.Limits(max_keepalive_connections=0)
"""The server closes a connection after a stream; a new one costs 0.2 ms on loopback."""


@dataclass(frozen=True)
class Answered:
    """One answer: how many tokens, and how soon the first was there."""

    tokens: int
    first_ms: float


@dataclass(frozen=True)
class Rate:
    """What one contestant did in one round."""

    tokens_a_second: float
    first_ms: float


Ask = Callable[..., Answered]
"""Answers prompt number so-and-so; with `is_streamed` it is told each token as it comes."""


@dataclass(frozen=True)
class Case:
    """How many ask at once, for what."""

    name: str
    at_once: int
    prompt: Callable[[int], ApprovedPrompt]


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example: python -m benchmarks.worker --rounds 5 --threads 2 --json. On idle cores; needs `make rival`.",
    )
    parser.add_argument("--rounds", type=int, default=5, help="times that everybody is measured (%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of each contestant (%(default)s)")
    parser.add_argument("--at-once", default="1,8", help="requests at once, one assistant's prompts (%(default)s)")
    parser.add_argument("--mixed", default="16", help="requests at once, prompts that share nothing (%(default)s)")
    parser.add_argument("--gpu-layers", type=int, default=0, help="-1 for all (%(default)s)")
    parser.add_argument("--packed", action="store_true", help="our worker takes the weights as they are")
    parser.add_argument("--json", action="store_true", dest="as_json")
    parser.add_argument("--llama", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.llama is not None:
        _serve_llama(chosen.llama, chosen.threads, chosen.gpu_layers)
        return
    if not is_built():
        raise SystemExit("llama.cpp's server is not built; run: make rival")
    figures = _measure(chosen)
    print(json.dumps(figures, indent=2) if chosen.as_json else _table(figures))


def _measure(chosen: argparse.Namespace) -> dict[str, dict[str, float]]:
    known = known_model("smollm2-135m-instruct")
    path = located(known)
    cases = [Case(f"{n} at once", n, shared_prompt) for n in _numbers(chosen.at_once)]
    cases += [Case(f"{n} mixed", n, lone_prompt) for n in _numbers(chosen.mixed)]
    figures: dict[str, dict[str, float]] = {}
    for case in cases:
        contestants = {
            "worker": lambda case=case: _worker(known, case, chosen),
            "server": lambda case=case: _server(path, case, chosen),
            "llama": lambda case=case: _llama(path, case, chosen),
        }
        seen: dict[str, list[Rate]] = {name: [] for name in contestants}
        for number in range(chosen.rounds):
            for name, contestant in contestants.items():
                with contestant() as ask:
                    seen[name].append(_rate(ask, case.at_once))
                done = f"{name} {seen[name][-1].tokens_a_second:.0f} tokens/s"
                print(f"{case.name}, round {number + 1} of {chosen.rounds}: {done}", file=sys.stderr, flush=True)
        figures[case.name] = _summary(seen)
    figures["repeated prompt"] = _repeated(known, chosen)
    return figures


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


def _rate(ask: Ask, at_once: int) -> Rate:
    """Measures prompts that nobody has seen, after others of the same kind; whole answers, then streamed ones."""
    count = max(12, 3 * at_once)
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(ask, range(1000, 1000 + at_once)))
        started = time.perf_counter()
        answers = list(pool.map(ask, range(count)))
        took_s = time.perf_counter() - started
        streamed = list(pool.map(partial(ask, is_streamed=True), range(500, 500 + count)))
    tokens = sum(one.tokens for one in answers)
    return Rate(tokens / took_s, statistics.median(one.first_ms for one in streamed))


def _summary(seen: dict[str, list[Rate]]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, rates in seen.items():
        figures[f"{name}_tokens_a_second"] = statistics.median(rate.tokens_a_second for rate in rates)
        figures[f"{name}_first_token_ms"] = statistics.median(rate.first_ms for rate in rates)
    for rival in ("server", "llama"):
        ratios = [
            ours.tokens_a_second / theirs.tokens_a_second
            for ours, theirs in zip(seen["worker"], seen[rival], strict=True)
        ]
        figures[f"times_{rival}"] = statistics.median(ratios)
    return {name: round(value, 3) for name, value in figures.items()}


@contextmanager
def _worker(known: KnownModel, case: Case, chosen: argparse.Namespace) -> Iterator[Ask]:
    with _started(known, case.at_once, chosen) as model:
        yield lambda number, **how: _asked(model, case.prompt(number), ANSWER_TOKENS, **how)


@contextmanager
def _started(known: KnownModel, at_once: int, chosen: argparse.Namespace) -> Iterator[LlamaModel]:
    # A kept prefix takes cells beside the requests' own, as the server's prompt cache takes memory beside its slots.
    limits = EngineLimits(
        context_tokens=CONTEXT,
        parallel=at_once,
        cells=CONTEXT * at_once + PREFIX_CELLS,
        prefix_cells=PREFIX_CELLS,
        max_waiting=4 * at_once,
    )
    is_packed = chosen.packed or chosen.gpu_layers
    weights = Weights(located(known), known.sha256) if is_packed else served(known)
    device = DevicePlan(chosen.threads, chosen.gpu_layers)
    model = LlamaModel(known, device, limits, WorkerProgram(), unpacked=weights)
    model.start(TIMEOUT_S)
    try:
        yield model
    finally:
        model.close()


def _asked(model: LlamaModel, prompt: ApprovedPrompt, most_tokens: int, *, is_streamed: bool = False) -> Answered:
    started, first = time.perf_counter(), []

    def hear(_: str) -> None:
        first.append(time.perf_counter())

    completion = model.complete(
        prompt,
        Sampling(max_tokens=most_tokens),
        deadline_s=time.monotonic() + TIMEOUT_S,
        cancellation=Cancellation(),
        on_text=hear if is_streamed else None,
    )
    first_s = (first[0] if first else time.perf_counter()) - started
    return Answered(completion.completion_tokens, first_s * 1000)


@contextmanager
def _server(path: Path, case: Case, chosen: argparse.Namespace) -> Iterator[Ask]:
    with (
        running(path, slots=case.at_once, threads=chosen.threads, context=CONTEXT, gpu_layers=chosen.gpu_layers) as url,
        httpx.Client(base_url=url.removesuffix("/v1"), timeout=TIMEOUT_S, trust_env=False, limits=LIMITS) as client,
    ):
        yield lambda number, **how: _posted(client, rendered(case.prompt(number)), **how)


def rendered(prompt: ApprovedPrompt) -> str:
    """Returns a prompt as text with its markup, for those who tokenise it themselves."""
    return "".join(segment.text for segment in known_model("smollm2-135m-instruct").prompt_format.layout(prompt))


def _posted(client: httpx.Client, text: str, *, is_streamed: bool = False) -> Answered:
    asked = {"prompt": text, "n_predict": ANSWER_TOKENS, "temperature": 0.0, "cache_prompt": True}
    started, first_s, tokens = time.perf_counter(), 0.0, 0
    if not is_streamed:
        reply = client.post("/completion", json=asked)
        reply.raise_for_status()
        return Answered(reply.json()["tokens_predicted"], (time.perf_counter() - started) * 1000)
    asked["stream"] = True
    with client.stream("POST", "/completion", json=asked) as response:
        response.raise_for_status()
        for line in response.iter_lines():
            if not line.startswith("data: "):
                continue
            first_s = first_s or time.perf_counter() - started
            event = json.loads(line.removeprefix("data: "))
            if event.get("stop"):
                tokens = event["tokens_predicted"]
    return Answered(tokens, first_s * 1000)


@contextmanager
def _llama(path: Path, case: Case, chosen: argparse.Namespace) -> Iterator[Ask]:
    """`llama_cpp.Llama` in a process of its own, one request after another."""
    command = (sys.executable, "-m", "benchmarks.worker", "--llama", str(path))
    settings = ("--threads", str(chosen.threads), "--gpu-layers", str(chosen.gpu_layers))
    with subprocess.Popen(  # noqa: S603 - our own program
        (*command, *settings), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        lock = threading.Lock()

        def ask(number: int, *, is_streamed: bool = False) -> Answered:
            del is_streamed  # it always says when its first token came
            if process.stdin is None or process.stdout is None:
                raise RuntimeError("the process has no pipes. This is a bug.")
            with lock:
                process.stdin.write(json.dumps(rendered(case.prompt(number))) + "\n")
                process.stdin.flush()
                return Answered(**json.loads(process.stdout.readline()))

        try:
            yield ask
        finally:
            process.kill()


def _serve_llama(path: Path, threads: int, gpu_layers: int) -> None:
    import llama_cpp  # noqa: PLC0415 - in this process alone

    llama = llama_cpp.Llama(
        str(path), n_ctx=CONTEXT, n_threads=threads, n_threads_batch=threads, n_gpu_layers=gpu_layers, verbose=False
    )
    for line in sys.stdin:
        tokens = llama.tokenize(json.loads(line).encode(), add_bos=False, special=True)
        started, first_s, count = time.perf_counter(), 0.0, 0
        for event in llama.create_completion(tokens, max_tokens=ANSWER_TOKENS, temperature=0.0, stream=True):
            first_s = first_s or time.perf_counter() - started
            count += bool(event["choices"][0]["text"])
        print(json.dumps({"tokens": count, "first_ms": first_s * 1000}), flush=True)


def _repeated(known: KnownModel, chosen: argparse.Namespace) -> dict[str, float]:
    """How soon the first token of a prompt comes that was asked before, and of one that was not."""
    with _started(known, 1, chosen) as model:
        new, again = (
            [_asked(model, lone_prompt(number), 1, is_streamed=True).first_ms for number in range(REPEATS)]
            for _ in range(2)
        )
    return {
        "again_first_token_ms": round(statistics.median(again), 1),
        "new_first_token_ms": round(statistics.median(new), 1),
    }


def _table(figures: dict[str, dict[str, float]]) -> str:
    lines = []
    for name, row in figures.items():
        lines += [name, *(f"  {key:<28}{value:>10}" for key, value in row.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
