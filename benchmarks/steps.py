"""Milliseconds of one step of llama.cpp, by how many tokens are computed together, form of the weights and used cells.

A step is one `llama_decode` with the logits of every token read, as the worker does it: answers that share a beginning
of 65 tokens and have 30 of their own. Contestants take turns step by step, so that a busy moment of the machine is
everybody's. Figures are medians, and the lowest fifth in brackets.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import llama_cpp

from benchmarks.weights import FOLDER, served
from models.catalog import known_model, located
from models.files.quantizing import quantize_file

SHARED, OWN = 65, 30
CELLS = 4096
MOST_TOKENS = 256
SEQUENCES = 24
PROMPT_TOKENS = 64


@dataclass(frozen=True)
class Case:
    """So many answers with so many tokens each; or tokens of one prompt, of which only the last one's logits count."""

    name: str
    answers: int
    tokens: int = 1
    idle: int = 0
    """Cells in use that belong to nobody who is computed."""
    is_prompt: bool = False


CASES = (
    *(Case(f"{count} answers" if count > 1 else "1 answer", count) for count in (1, 2, 4, 8)),
    Case("1 answer, 7 guesses", 1, 8),
    Case("8 answers, 1 guess each", 8, 2),
    Case("8 answers, 2 guesses each", 8, 3),
    Case(f"{PROMPT_TOKENS} tokens of a prompt", 1, PROMPT_TOKENS, is_prompt=True),
    *(Case(f"8 answers, {idle} idle cells", 8, idle=idle) for idle in (512, 1024, 3072)),
)


class Contestant:
    """One model in one context of its own."""

    def __init__(self, name: str, path: Path, threads: int, *, is_fused: bool = True, is_divided: bool = False) -> None:
        self.name = name
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), llama_cpp.llama_model_default_params())
        params = llama_cpp.llama_context_default_params()
        # Without shared cells each sequence gets its part of them.
        params.n_ctx = CELLS if not is_divided else CELLS * 2
        params.n_seq_max = SEQUENCES
        params.n_batch = params.n_ubatch = MOST_TOKENS
        params.kv_unified = not is_divided
        params.n_threads = params.n_threads_batch = threads
        fused = llama_cpp.LLAMA_FLASH_ATTN_TYPE_ENABLED, llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.flash_attn_type = fused[not is_fused]
        params.no_perf = True
        self._context = llama_cpp.llama_init_from_model(self._model, params)
        if not self._context:
            raise SystemExit(f"llama.cpp cannot make a context for {path}")
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(MOST_TOKENS, 0, 1)
        self._is_divided = is_divided

    def can(self, case: Case) -> bool:
        """Whether the case fits into its cells."""
        return not (self._is_divided and (case.idle or case.is_prompt))

    def prepare(self, case: Case) -> None:
        """Puts into the cache what the answers have already."""
        llama_cpp.llama_memory_clear(self._memory, True)  # noqa: FBT003 - a C function
        for start in range(0, case.idle, PROMPT_TOKENS):
            self._compute([(500 + at, at, SEQUENCES - 1) for at in range(start, start + PROMPT_TOKENS)])
        self._compute([(1000 + at, at, 0) for at in range(SHARED)])
        for sequence in range(1, case.answers):
            llama_cpp.llama_memory_seq_cp(self._memory, 0, sequence, -1, -1)
        for sequence in range(case.answers):
            self._compute([(2000 + 40 * sequence + at, SHARED + at, sequence) for at in range(OWN)])

    def step_ms(self, case: Case, number: int) -> float:
        """Computes a step and takes it back."""
        first = SHARED + OWN
        tokens = [
            (3000 + 7 * sequence + at + number, first + at, sequence)
            for sequence in range(case.answers)
            for at in range(case.tokens)
        ]
        took_ms = self._compute(tokens, has_all_logits=not case.is_prompt)
        for sequence in range(case.answers):
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, first, -1)
        return took_ms

    def _compute(self, tokens: Sequence[tuple[int, int, int]], *, has_all_logits: bool = False) -> float:
        batch = self._batch
        batch.n_tokens = len(tokens)
        for place, (token, position, sequence) in enumerate(tokens):
            batch.token[place], batch.pos[place] = token, position
            batch.n_seq_id[place], batch.seq_id[place][0] = 1, sequence
            batch.logits[place] = has_all_logits or place == len(tokens) - 1
        started = time.perf_counter()
        if llama_cpp.llama_decode(self._context, batch):
            raise SystemExit(f"{self.name}: llama_decode failed")
        llama_cpp.llama_get_logits_ith(self._context, len(tokens) - 1)
        return (time.perf_counter() - started) * 1000


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m benchmarks.steps --threads 2 --json. On idle cores.",
    )
    parser.add_argument("--threads", type=int, default=2, help="(%(default)s)")
    parser.add_argument("--steps", type=int, default=40, help="of each contestant in each case (%(default)s)")
    parser.add_argument("--forms", default="", help="more forms of the weights, such as q4_0,bf16; made in var/bench")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    if chosen.threads < 1 or chosen.steps < 1:
        parser.error("--threads and --steps must be at least 1")
    llama_cpp.llama_log_set(_silent, None)
    llama_cpp.llama_backend_init()
    figures = _measure(_contestants(chosen), chosen.steps)
    print(json.dumps(figures, indent=2) if chosen.as_json else _table(figures))


def _contestants(chosen: argparse.Namespace) -> list[Contestant]:
    known = known_model("smollm2-135m-instruct")
    rewritten = served(known).path
    made = [
        Contestant("as registered (Q4_1)", located(known), chosen.threads),
        Contestant("as served (Q8_0)", rewritten, chosen.threads),
        Contestant("as served, attention not fused", rewritten, chosen.threads, is_fused=False),
        Contestant("as served, cells not shared", rewritten, chosen.threads, is_divided=True),
    ]
    for form in ("f16", *filter(None, chosen.forms.split(","))):
        path = FOLDER / f"steps-{form}.gguf"
        if not path.exists():
            FOLDER.mkdir(parents=True, exist_ok=True)
            quantize_file(located(known), path, form, lambda *_: None, allow_requantize=True)
        made.append(Contestant(form, path, chosen.threads))
    return made


def _measure(contestants: Sequence[Contestant], steps: int) -> dict[str, dict[str, dict[str, float]]]:
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for case in CASES:
        able = [one for one in contestants if one.can(case)]
        for one in able:
            one.prepare(case)
        seen: dict[str, list[float]] = {one.name: [] for one in able}
        for number in range(-2, steps):
            for one in able:
                took_ms = one.step_ms(case, number + 2)
                if number >= 0:
                    seen[one.name].append(took_ms)
        figures[case.name] = {
            name: {"median_ms": round(statistics.median(ms), 1), "low_ms": round(sorted(ms)[len(ms) // 5], 1)}
            for name, ms in seen.items()
        }
        print(f"{case.name}: {figures[case.name]}", file=sys.stderr, flush=True)
    return figures


def _table(figures: dict[str, dict[str, dict[str, float]]]) -> str:
    names = list(figures[CASES[0].name])
    lines = [f"| a step for | {' | '.join(names)} |", f"|{'---|' * (len(names) + 1)}"]
    for case, row in figures.items():
        cells = (f"{row[name]['median_ms']} ({row[name]['low_ms']})" if name in row else "" for name in names)
        lines.append(f"| {case} | {' | '.join(cells)} |")
    return "\n".join(lines)


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator,unused-ignore]  # llama_cpp has no types
def _silent(_level: int, _text: bytes, _data: object) -> None:
    """What llama.cpp says is no figure."""


if __name__ == "__main__":
    main()
