"""Quality of the refusal and relevance rails, and time of the rails on answers: `python -m benchmarks.answers --json`.

The labelled rows call an answer refused also when it speaks of something else than what was asked, which is the
relevance rail's part: the figures are of each rail and of both. The help desk's approved texts are measured without
any data: each beside its own prompt, and beside every other one.
"""

import argparse
import gzip
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.rails import TEXTS
from gateway.render import asked_of
from rails.checks import grounding, refusal, relevance, repetition
from rails.claims import claims_of
from rails.types import RailContext
from store.content import SLOT_MARK, CanonicalPrompt, Generate
from store.formats.bundle import read_bundle

ROOT = Path(__file__).parents[1]
FILE = "refusal_detection.jsonl.gz"
ROUNDS = 5


def main() -> None:
    """Prints the figures of the labelled answers, of the help desk's texts, and the times."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m benchmarks.answers --data ../shared/data --json",
    )
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help=f"folder with {FILE}")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    figures: dict[str, Any] = {"help_desk": measure_help_desk(), "cpu_p50_ms": measure_times()}
    path = chosen.data / FILE
    if path.exists():
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            figures["refusal_detection"] = measure_labelled([json.loads(line) for line in lines])
    else:
        print(
            f"no {FILE} in {chosen.data}: it is not part of the repository; name its folder with --data",
            file=sys.stderr,
        )
    print(json.dumps(figures, indent=2) if chosen.as_json else "\n".join(f"{k}: {v}" for k, v in figures.items()))


def measure_labelled(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Returns precision, recall, F1 and accuracy of the rails at their defaults."""
    truth = [bool(row["refused"]) for row in rows]
    outright = [_refuses(row["response"], lectures=False) for row in rows]
    refused = [_refuses(row["response"], lectures=True) for row in rows]
    elsewhere = [_is_elsewhere(row["response"], row["objective"]) for row in rows]
    return {
        "rows": len(rows),
        "refusal, outright only": _quality(outright, truth),
        "refusal": _quality(refused, truth),
        "relevance": _quality(elsewhere, truth),
        "refusal or relevance": _quality([a or b for a, b in zip(refused, elsewhere, strict=True)], truth),
    }


def measure_help_desk() -> dict[str, Any]:
    """Returns how many approved texts each rail stops, and how many stand beside another prompt unnoticed."""
    prompts = read_bundle(ROOT / "examples" / "helpdesk").prompts
    texts = [_shown(prompt) for prompt in prompts]
    asked = [asked_of(prompt) for prompt in prompts]
    others = [_is_elsewhere(text, asked[j]) for i, text in enumerate(texts) for j in range(len(asked)) if i != j]
    return {
        "texts": len(texts),
        "refusal_stops": sum(_refuses(text, lectures=True) for text in texts),
        "relevance_stops_own": sum(_is_elsewhere(text, own) for text, own in zip(texts, asked, strict=True)),
        "relevance_stops_others_share": round(sum(others) / len(others), 4),
    }


def measure_times() -> dict[str, float]:
    """Returns the time on the processor of each rail on texts that no cache knows; medians of the rounds' means."""
    context = RailContext(facts=TEXTS[0], prompt="Get a new access card")
    checks: dict[str, Callable[[str], object]] = {
        "grounding": lambda text: grounding.find(text, context, grounding.GroundingParams()),
        "relevance": lambda text: relevance.find(text, context, relevance.RelevanceParams()),
        "refusal": lambda text: refusal.find(text, "en", refusal.RefusalParams()),
        "repetition": lambda text: repetition.find(text, repetition.RepetitionParams()),
    }
    return {name: round(_cpu_ms(check, TEXTS[:500]), 4) for name, check in checks.items()}


def _cpu_ms(check: Callable[[str], object], texts: Sequence[str]) -> float:
    means = []
    for _ in range(ROUNDS):
        claims_of.cache_clear()
        check(texts[0])
        began = time.process_time()
        for text in texts[1:]:
            check(text)
        means.append((time.process_time() - began) * 1000 / (len(texts) - 1))
    return sorted(means)[ROUNDS // 2]


def _shown(prompt: CanonicalPrompt) -> str:
    text = prompt.reply.fallback if isinstance(prompt.reply, Generate) else prompt.reply.answer
    return SLOT_MARK.sub("", text)


def _refuses(text: str, *, lectures: bool) -> bool:
    return refusal.find(text, "en", refusal.RefusalParams(lectures=lectures)) is not None


def _is_elsewhere(text: str, asked: str) -> bool:
    return relevance.find(text, RailContext(prompt=asked), relevance.RelevanceParams()) is not None


def _quality(said: Iterable[bool], truth: Sequence[bool]) -> dict[str, float]:
    pairs = list(zip(said, truth, strict=True))
    hits = sum(a and b for a, b in pairs)
    precision, recall = hits / max(1, sum(a for a, _ in pairs)), hits / max(1, sum(truth))
    return {
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(2 * precision * recall / max(1e-9, precision + recall), 4),
        "accuracy": round(sum(a == b for a, b in pairs) / len(pairs), 4),
    }


if __name__ == "__main__":
    main()
