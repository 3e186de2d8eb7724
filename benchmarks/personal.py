"""How much personal data the rail finds, and what else it takes for it: `python -m benchmarks.personal --json`.

A labelled span counts as found when a finding of its kind covers more than half of its characters (`recall`), and as
found exactly when both ends agree (`exact`). A finding of these kinds counts as right when it lies over a labelled
span of its kind in the same way (`precision`). The data has no e-mail addresses and no social security numbers.
"""

import argparse
import gzip
import json
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.rails import ROOT, TEXT
from rails.checks.personal import find
from rails.recognisers.finding import Entity, Finding, Reading
from store.formats.bundle import read_bundle

KINDS = {
    "EMAIL_ADDRESS": Entity.EMAIL,
    "PHONE_NUMBER": Entity.PHONE,
    "CREDIT_CARD": Entity.CARD,
    "IBAN_CODE": Entity.IBAN,
    "US_SSN": Entity.SSN,
    "IP_ADDRESS": Entity.IP,
}
NUMBERS = (
    "Please look at INC-448120: since version 10.0.19045 of 12/05/2024 the printer in room 4.12 prints 1,250 pages "
    "at 10:30, as KB5034441 says. The order 4500012345 over EUR 1 250.00 is late, and extension 4400 rings on and on. "
    "The laptop LT-2024-000123456 with 192.168.1.20 is slow after 3 to 5 minutes, see page 12."
)
"""Some 300 honest characters full of digits."""


def main() -> None:
    """Measures the labelled texts, honest messages and the time."""
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python -m benchmarks.personal --json")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    figures = {**measure_spans(chosen.data / "pii.jsonl.gz"), **measure_honest(chosen.data), **measure_time()}
    print(json.dumps(figures, indent=2) if chosen.as_json else "\n".join(f"{k:>28}  {v}" for k, v in figures.items()))


def measure_spans(path: Path) -> dict[str, Any]:
    """Returns recall and precision of each kind and of all."""
    if not path.is_file():
        return {"spans": f"{path} is missing; say where it is with --data"}
    counts = {name: Counter[Entity]() for name in ("labelled", "found", "exact", "findings", "right")}
    times = []
    for row in rows(path):
        labelled = [
            Finding(KINDS[span["entity_type"]], span["start_position"], span["end_position"])
            for span in row["spans"]
            if span["entity_type"] in KINDS
        ]
        started = time.perf_counter()
        findings = find(Reading.of(row["full_text"]))
        times.append((time.perf_counter() - started) * 1000)
        findings = [finding for finding in findings if finding.entity in KINDS.values()]
        for span in labelled:
            counts["labelled"][span.entity] += 1
            counts["found"][span.entity] += any(covers(finding, span) for finding in findings)
            counts["exact"][span.entity] += span in findings
        for finding in findings:
            counts["findings"][finding.entity] += 1
            counts["right"][finding.entity] += any(covers(finding, span) for span in labelled)
    each = {entity.value: shares(counts, [entity]) for entity in KINDS.values()}
    return {**shares(counts, list(KINDS.values())), "kinds": each, "text_mean_ms": round(statistics.mean(times), 3)}


def covers(finding: Finding, span: Finding) -> bool:
    """Whether the finding is of the span's kind and over more than half of it."""
    shared = min(finding.end, span.end) - max(finding.start, span.start)
    return finding.entity is span.entity and 2 * shared > span.end - span.start


def shares(counts: dict[str, Counter[Entity]], kinds: list[Entity]) -> dict[str, Any]:
    """Returns the figures of these kinds together; None where nothing can be said."""
    totals = {name: sum(counter[kind] for kind in kinds) for name, counter in counts.items()}
    labelled, findings = totals["labelled"], totals["findings"]
    return {
        "recall": round(totals["found"] / labelled, 3) if labelled else None,
        "exact": round(totals["exact"] / labelled, 3) if labelled else None,
        "precision": round(totals["right"] / findings, 3) if findings else None,
        "labelled": labelled,
        "findings": findings,
    }


def measure_honest(data: Path) -> dict[str, Any]:
    """Returns how many honest messages hold what the rail takes for personal data."""
    suite = read_bundle(ROOT / "examples" / "helpdesk").suites["helpdesk"]
    figures = {"help_desk_messages": alarms([case["message"] for case in suite["cases"]])}
    banking = data / "intents_banking77_queries.jsonl.gz"
    if banking.is_file():
        texts = [row["text"] for row in rows(banking) if row["kind"] == "in"]
        figures["banking77_queries"] = alarms(texts)
    return figures


def alarms(texts: list[str]) -> str:
    """Returns the messages with a finding, of all."""
    return f"{sum(bool(find(Reading.of(text))) for text in texts)} of {len(texts)}"


def measure_time() -> dict[str, float]:
    """Returns medians for honest texts of some 300 characters, plain and full of digits."""
    return {"p50_ms": median_ms(TEXT), "digits_p50_ms": median_ms(NUMBERS)}


def median_ms(text: str, rounds: int = 2000) -> float:
    """Returns the median time of one search."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        find(Reading.of(text))
        times.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(times), 3)


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yields the rows of a compressed file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


if __name__ == "__main__":
    main()
