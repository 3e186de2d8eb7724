"""Damaged model files, each registered under its own hash: refused in words, or run, and never more than that."""

import dataclasses
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from benchmarks.soak.asking import (
    MODEL,
    Choice,
    Figures,
    Outcome,
    ask,
    counted,
    progress,
    prompt,
    spread,
)
from benchmarks.soak.damage import KINDS, damaged
from models.catalog import KnownModel, located
from models.device import DevicePlan
from models.errors import ModelRefused
from models.files.gguf import read_header
from models.ports import Sampling
from models.verified import sha256_of
from models.worker.engine import LlamaModel
from models.worker.limits import EngineLimits
from models.worker.process import WorkerProgram
from models.worker.restarts import RestartLimits
from tests.models.tiny_models import TINY, known_tiny, write_tiny

WHOLE = 200
LARGE = 40
"""So many of them are the packaged model's."""
TIMEOUT_S = 60.0
FAMILIES = {"llama": "oasst-llama", "gptneox": "dolly-v2", "mpt": "mpt-7b-chat", "chatglm": "chatglm3"}
LIMITS = EngineLimits(
    context_tokens=512, cells=1024, prefix_cells=256, restarts=RestartLimits(restarts=1), start_timeout_s=30.0
)
MOST_MEMORY = 8 * 2**30
"""Address space of a worker here: a file that makes llama.cpp ask for more does not take the machine's memory."""
PROGRAM = WorkerProgram(
    (
        *(sys.executable, "-P", "-c"),
        f"import resource as r, models.worker.llama as m; r.setrlimit(r.RLIMIT_AS, 2 * ({MOST_MEMORY},)); m.main()",
    )
)


def run(choice: Choice) -> Figures:
    """Returns the figures of this part."""
    random, whole = choice.random("files"), choice.count(WHOLE)
    large = round(whole * LARGE / WHOLE)
    say = progress("files", whole)
    rows: list[tuple[str, str, bool, float]] = []
    deaths: list[str] = []
    with tempfile.TemporaryDirectory(prefix="canongate-soak-") as folder:
        sound = _sound_files(Path(folder))
        for number in range(whole):
            known, path = sound[-1] if number < large else sound[number % (len(sound) - 1)]
            damage, is_caught, outcome, took_s = _try(known, path, Path(folder) / "damaged.gguf", random)
            what = _what(outcome, is_caught=is_caught)
            rows.append((damage.split()[0], what, outcome.is_late or outcome.is_foreign, took_s))
            deaths += [f"{known.name}: {damage}"] if what == DIED else []
            say(number)
    unexpected = sorted({what for _, what, _, _ in rows} - set(ENDINGS))
    hangs = sum(is_bad for _, _, is_bad, _ in rows)
    return {
        "files": whole,
        "of_the_packaged_model": large,
        "endings": counted([what for _, what, _, _ in rows]),
        "by_damage": {kind: counted([what for one, what, _, _ in rows if one == kind]) for kind in KINDS},
        "caught_before_llama_cpp": sum(what == CAUGHT for _, what, _, _ in rows),
        "deaths": deaths,
        "hangs_or_other_exceptions": hangs,
        "unexpected": unexpected,
        "took_s_each": spread([took_s for _, _, _, took_s in rows]),
        "holds": not hangs and not unexpected,
    }


CAUGHT = "refused by the header check"
DIED = "worker died, told as unavailable"
ENDINGS = (CAUGHT, "refused by the worker", "answered", DIED)


def _what(outcome: Outcome, *, is_caught: bool) -> str:
    if is_caught:
        return CAUGHT if outcome.name == "ModelRefused" else f"not refused although damaged: {outcome.name}"
    names = {"ModelRefused": ENDINGS[1], "answer": ENDINGS[2], "ModelUnavailable": DIED}
    return names.get(outcome.name, f"{outcome.name}: {outcome.words}")


def _sound_files(folder: Path) -> list[tuple[KnownModel, Path]]:
    """Returns tiny models of four architectures, and the packaged one last."""
    files = []
    for architecture, family in FAMILIES.items():
        path = folder / f"{architecture}.gguf"
        write_tiny(TINY[architecture], path)
        files.append((known_tiny(path, family), path))
    return [*files, (MODEL, located(MODEL))]


def _try(known: KnownModel, sound: Path, path: Path, random: Random) -> tuple[str, bool, Outcome, float]:
    """Returns the damage, whether the header check finds it, how a request ends, and how long all of that took."""
    kind, data = damaged(sound.read_bytes(), read_header(sound).header_bytes, random)
    path.write_bytes(data)
    try:
        read_header(path)
        is_caught = False
    except ModelRefused:
        is_caught = True
    registered = dataclasses.replace(known, sha256=sha256_of(path), size_bytes=max(1, len(data)))
    started_s = time.monotonic()
    model = LlamaModel(registered, DevicePlan(1, 0), LIMITS, PROGRAM, path=path)
    model.start()
    try:
        # Chance meets what is not a number otherwise than the likeliest token does.
        for temperature in (0.0, 1.0):
            asked = prompt("Greet Alice.", "Be brief.")
            outcome = ask(model, asked, Sampling(max_tokens=8, temperature=temperature), timeout_s=TIMEOUT_S)
            if outcome.name != "answer":
                break
    finally:
        model.close()
    return kind, is_caught, outcome, time.monotonic() - started_s
