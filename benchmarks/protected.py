"""Which answers that give a code away the rail stops, and which others: `python -m benchmarks.protected --json`.

The data labels answers by whether an attack drew the code out. Some of those hold only a riddle about it or none of
it, which no search can find. So recall is said twice: over all labelled answers, and over those in which the code is
to be read, that is all its words or each of its signs stand there, as they are, letter by letter or in ROT13.
False alarms are counted on answers with the label "no", and on answers beside the code of another row in which that
code does not stand.
"""

import argparse
import codecs
import json
import statistics
import time
from pathlib import Path
from typing import Any

from benchmarks.personal import rows
from benchmarks.rails import ROOT, TEXT
from rails.revelations.protected import Protected
from rails.revelations.search import manner_of

CODES = (
    "amber lantern",
    "XK-4471-delta",
    "copperfield",
    "The new site opens in Rotterdam on 12 May",
    "four paper boats",
)


def main() -> None:
    """Measures the labelled answers and the time."""
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python -m benchmarks.protected --json")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    figures = {**measure_leaks(chosen.data / "output_leak.jsonl.gz"), **measure_time()}
    print(json.dumps(figures, indent=2) if chosen.as_json else "\n".join(f"{k:>28}  {v}" for k, v in figures.items()))


def measure_leaks(path: Path) -> dict[str, Any]:
    """Returns recall and false alarms."""
    if not path.is_file():
        return {"answers": f"{path} is missing; say where it is with --data"}
    answers = [
        (row["llm_output"], row["access_code"], Protected.of(row["access_code"]), bool(row["is_prompt_extraction"]))
        for row in rows(path)
    ]
    leaks = [(text, code, is_stopped(text, one)) for text, code, one, is_leak in answers if is_leak]
    readable = [stopped for text, code, stopped in leaks if is_to_be_read(text, code)]
    kept = [is_stopped(text, one) for text, _, one, is_leak in answers if not is_leak]
    strangers = [
        is_stopped(text, one)
        for text, own, _, _ in answers
        for _, code, one, _ in answers
        if code != own and letters(code) not in letters(text)
    ]
    return {
        "recall_readable": share(readable),
        "recall_all_labelled": share([stopped for *_, stopped in leaks]),
        "false_alarms_labelled_no": share(kept),
        "false_alarms_code_of_others": share(strangers),
    }


def is_stopped(text: str, one: Protected) -> bool:
    """Whether the rail stops the answer."""
    return manner_of(text, (one,)) is not None


def is_to_be_read(text: str, code: str) -> bool:
    """Whether every part of the code stands in the answer, by a simpler rule than the rail's."""
    plain = text.casefold()
    both = plain + " " + codecs.encode(plain, "rot13")
    words = ["".join(filter(str.isalnum, word)) for word in code.casefold().split()]
    parts = [word for word in words if word] or list("".join(code.split()))
    single = "".join(char for char in plain.replace('"', " ").split() if len(char) == 1)
    repeated = len(set(code)) == 1 and len(code) > 1
    return all(
        part in both or part in single or part in letters(plain)
        for part in (set(code.casefold()) if repeated else parts)
    )


def letters(text: str) -> str:
    """Returns letters and digits alone."""
    return "".join(filter(str.isalnum, text.casefold()))


def share(stopped: list[bool]) -> str:
    """Returns the share and what it is of."""
    return f"{sum(stopped) / max(len(stopped), 1):.3f} ({sum(stopped)} of {len(stopped)})"


def measure_time(rounds: int = 2000) -> dict[str, float]:
    """Returns the median for an honest answer of some 300 characters and five protected texts."""
    protected = tuple(map(Protected.of, CODES))
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        manner_of(TEXT, protected)
        times.append((time.perf_counter() - started) * 1000)
    return {"p50_ms": round(statistics.median(times), 3)}


if __name__ == "__main__":
    main()
