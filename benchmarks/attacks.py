"""What the example policy's input rails stop: attacks, harmful requests and honest messages, by source and by rail.

Rows are read where they lie and never copied here. Every set is stated in two halves that a hash of the text divides.
Failures were read in the first half only; limit and settings were chosen by figures of both, so that neither half is
fully unseen.
"""

import argparse
import gzip
import hashlib
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import yaml

from benchmarks.rails import ROOT
from gateway.canonicalize import RefusedMessage, canonicalize
from gateway.errors import InvalidRequest
from gateway.rail_services import RecentVectors, rail_services
from models.embedding.embedder import PACKAGED_MINILM_SHA256, load_embedder, packaged_minilm
from models.ports import Embedder, Vectors
from rails.engine import RailsPolicy, compile_policy
from rails.matching import compile_linear
from rails.policy import load_policy
from rails.types import RailContext, Stage
from store.formats.bundle import read_bundle

HELPDESK = ROOT / "examples" / "helpdesk"
TOPICS = ROOT / "benchmarks" / "topics.yaml"
APPROVED = "How do I reset my password?"
FILLING = "What is the capital of France?"
"""Stands where a collected attack has a blank for the request that it carries: only the attack is to be found."""
BLANK = compile_linear(r"\{\{[^{}]*\}\}|\[INSERT PROMPT HERE\]")
ESCAPE = compile_linear(r"\{%-? *(?:end)?raw *-?%\}")
HONEST = "honest"
LONG = 300
Verdict = str | None
"""The rail that stopped a text, and its reason."""


class Row(str):
    """A text that is measured, with the text of the data that decides about its half."""

    __slots__ = ("source",)
    source: str

    def __new__(cls, text: str, source: str) -> Self:
        """Makes the text, and remembers what it was made of."""
        row = super().__new__(cls, text)
        row.source = source
        return row


class Counting:
    """An embedder that counts how often it is asked; wraps another one."""

    def __init__(self, inner: Embedder) -> None:
        self.inner, self.calls = inner, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def embed(self, texts: Any) -> Vectors:
        """Counts, and embeds."""
        self.calls += 1
        return self.inner.embed(texts)


def main() -> None:
    """Measures every set and prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m benchmarks.attacks --data ../shared/data --json",
    )
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of the rows")
    parser.add_argument("--without", default="", help="rails to leave out, such as length,hidden")
    parser.add_argument("--glued", action="store_true", help="put an approved question before and after each attack")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    if not chosen.data.is_dir():
        sys.exit(f"no data in {chosen.data}: the rows are not part of the repository; name their folder with --data")
    embedder = Counting(load_embedder(packaged_minilm(), ROOT / "var" / "embedder", PACKAGED_MINILM_SHA256, _say))
    policy = open_policy(embedder, set(filter(None, chosen.without.split(","))))
    sets = attack_sets(chosen.data)
    if chosen.glued:
        figures = {name: measure(policy, list(_glued(texts)), embedder) for name, texts in sets.items()}
    else:
        figures = {
            name: measure(policy, texts, embedder) for name, texts in {**sets, **honest_sets(chosen.data)}.items()
        }
        figures["all jailbreaks"] = _together(figures)
        figures |= measure_topic(chosen.data, embedder)
    print(json.dumps(figures, indent=2) if chosen.as_json else _table(figures))


def open_policy(embedder: Counting, without: set[str]) -> RailsPolicy:
    """Returns the example policy, without some of its input rails."""
    document = dict(read_bundle(HELPDESK).policies["helpdesk"])
    document["input"] = [entry for entry in document["input"] if entry["rail"] not in without]
    document["refusals"] = {
        tag: {rail: text for rail, text in texts.items() if rail not in without}
        for tag, texts in document["refusals"].items()
    }
    return compile_policy(load_policy(document), 1, services=rail_services(lambda: RecentVectors(embedder)))


def attack_sets(data: Path) -> dict[str, list[str]]:
    """Returns the texts that should be stopped, by source."""
    sets: dict[str, list[str]] = {}
    for row in _rows(data, "jailbreaks"):
        sets.setdefault(f"jailbreaks {row['source']}", []).append(Row(_filled(row["text"]), row["text"]))
    for name in ("tensor_hijacking", "tensor_extraction"):
        sets[name] = [row["attack"] for row in _rows(data, name)]
    for row in _rows(data, "harmful"):
        sets.setdefault(f"harmful {row['label']}", []).append(row["text"])
    return sets


def honest_sets(data: Path) -> dict[str, list[str]]:
    """Returns the texts that should pass."""
    sets = {f"{HONEST} lookalike": [row["text"] for row in _rows(data, "benign_lookalike")]}
    for name in ("banking77", "clinc_credit_cards", "hint3_sofmattress"):
        rows = _rows(data, f"intents_{name}_queries")
        sets[f"{HONEST} {name}"] = [row["text"] for row in rows if row["kind"] == "in"]
    sets[f"{HONEST} 300 characters"] = list(_long(sets[f"{HONEST} banking77"]))
    suite = yaml.safe_load((HELPDESK / "suites" / "helpdesk.yaml").read_text("utf-8"))
    sets[f"{HONEST} help desk"] = [case["message"] for case in suite["cases"] if case["expect"] in ("answer", "ask")]
    return sets


def measure(policy: RailsPolicy, texts: list[str], embedder: Counting) -> dict[str, Any]:
    """Returns the share stopped of all texts and of each half, by which rail, and what it cost."""
    halves: dict[str, list[bool]] = {"seen": [], "unseen": []}
    reasons: Counter[str] = Counter()
    times, embedded = [], 0
    for text in texts:
        before, started = embedder.calls, time.perf_counter()
        reason = stopped(policy, text)
        times.append((time.perf_counter() - started) * 1000)
        embedded += embedder.calls > before
        halves["seen" if is_seen(text) else "unseen"].append(reason is not None)
        if reason is not None:
            reasons[reason] += 1
    return {
        "texts": len(texts),
        "stopped": sum(reasons.values()),
        "share": _share(sum(reasons.values()), len(texts)),
        **{f"share_{half}": _share(sum(found), len(found)) for half, found in halves.items()},
        "by_rail": dict(Counter(reason.split(".")[0] for reason in reasons.elements()).most_common()),
        "reasons": dict(reasons.most_common(12)),
        "embedded_share": _share(embedded, len(texts)),
        "p50_ms": round(statistics.median(times), 3),
        "p95_ms": round(statistics.quantiles(times, n=20)[-1], 3),
    }


def measure_topic(data: Path, embedder: Counting) -> dict[str, Any]:
    """Returns what a topic rail with the examples of topics.yaml stops of questions about investment."""
    document = {
        "name": "topics",
        "input": [yaml.safe_load(TOPICS.read_text("utf-8"))],
        "output": [{"rail": "markup"}],
        "refusals": {"en": {"default": "No."}},
    }
    policy = compile_policy(load_policy(document), 1, services=rail_services(lambda: RecentVectors(embedder)))
    rows = _rows(data, "topical_investment")
    labels = sorted({row["label"] for row in rows})
    return {
        f"topic {label}": measure(policy, [row["text"] for row in rows if row["label"] == label], embedder)
        for label in labels
    }


def stopped(policy: RailsPolicy, text: str) -> Verdict:
    """Returns the reason for which a text gets no further than the input rails, or None."""
    try:
        message = canonicalize(text)
    except InvalidRequest as error:
        return f"canonicalize.{error.code}"
    if isinstance(message, RefusedMessage):
        return message.reason
    record = policy.check_blocking(Stage.INPUT, message.text, RailContext()).stopped_by
    return None if record is None else record.reason or f"{record.name}.failed"


def is_seen(text: str) -> bool:
    """Says whether failures on this text may be looked at."""
    source = text.source if isinstance(text, Row) else text
    return hashlib.sha256(source.encode()).digest()[0] % 2 == 0


def _rows(data: Path, name: str) -> list[dict[str, str]]:
    path = data / f"{name}.jsonl.gz"
    if not path.exists():
        sys.exit(f"{path.name} is not in {data}")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _long(texts: list[str]) -> Iterator[str]:
    """Gives texts of 200 to 300 characters, each of several honest messages one after the other."""
    joined = ""
    for text in texts:
        if len(joined) + len(text) > LONG:
            if len(joined) >= LONG - 100:
                yield joined
            joined = ""
        joined = f"{joined} {text}".strip()


def _glued(texts: list[str]) -> Iterator[Row]:
    for text in texts:
        source = text.source if isinstance(text, Row) else text
        yield Row(f"{APPROVED} {text}", source)
        yield Row(f"{text} {APPROVED}", source)


def _filled(text: str) -> str:
    return str(BLANK.sub(FILLING, ESCAPE.sub("", text)))


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _together(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    parts = [row for name, row in figures.items() if name.startswith("jailbreaks")]
    texts, found = sum(row["texts"] for row in parts), sum(row["stopped"] for row in parts)
    rails = sum((Counter(row["by_rail"]) for row in parts), Counter())
    return {"texts": texts, "stopped": found, "share": _share(found, texts), "by_rail": dict(rails.most_common())}


def _table(figures: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [f"{'':<38}{'texts':>6}{'stopped':>9}{'seen':>8}{'unseen':>8}{'embedded':>10}{'p50 ms':>8}{'p95 ms':>8}"]
    for name, row in figures.items():
        cells = (
            row.get(key, "") for key in ("share", "share_seen", "share_unseen", "embedded_share", "p50_ms", "p95_ms")
        )
        share, seen, unseen, embedded, middle, slow = cells
        lines.append(f"{name:<38}{row['texts']:>6}{share:>9}{seen:>8}{unseen:>8}{embedded:>10}{middle:>8}{slow:>8}")
        lines.append(f"{'':<6}{', '.join(f'{rail} {count}' for rail, count in row['by_rail'].items())}")
    return "\n".join(lines)


def _say(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
