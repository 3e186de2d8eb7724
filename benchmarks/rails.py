"""Time of the example policy's rails on texts of some 300 characters: `python -m benchmarks.rails --json`.

Both stages of one text, each rail alone, and what letting an answer out sentence by sentence costs and tells.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from gateway.bootstrap import open_embedder
from gateway.rail_services import RecentVectors, rail_services
from gateway.rail_trial import Times
from gateway.releasing import SentenceBuffer, release_sentences
from gateway.sentences import next_end
from gateway.settings import load_settings
from rails.engine import RailsPolicy, compile_policy
from rails.policy import load_policy
from rails.runner import RailLimits, RailRunner
from rails.types import RailContext, RailsReport, Stage
from rails.wordlists import word_list
from store.formats.bundle import read_bundle

ROOT = Path(__file__).parents[1]
TEXTS = (
    (
        "Please {how} open the portal and choose the form, then enter your office and {how_else} send it to the team. "
        "The team looks at it on the next working day. If nobody has answered after three days, call extension 4100 "
        "and say when you sent it. Keep the number of your ticket at hand, they will ask for it."
    ),
    (
        "I {how} came back from two weeks of holiday and my laptop says that the password is no longer right. I "
        "{how_else} tried the one that I wrote down, and the one before, and now it says that I have to wait. Who can "
        "help me with that today, and do I have to come to the office, or is the phone enough?"
    ),
    (
        "You can {how} take up to five days over into the next year, to be used by the end of March. Tell your manager "
        "{how_else} before the end of November how many you want to keep. Contractors cannot take days over. The HR "
        "Service Team on extension 4200 tells you how many you have left, and until when."
    ),
)
"""Honest texts of some 300 characters, for a message as well as for an answer."""
FACTS = " ".join(TEXTS)
"""Of an answer; the same every time, as the facts of a prompt are."""
HOW = word_list(
    "slowly quickly gladly calmly simply soon later often always quietly briefly early lately kindly neatly "
    "safely surely truly only just still now then again once twice nearly fully"
)


def texts(count: int) -> list[str]:
    """Returns so many texts, the same one not before 900 others: what rails remember of a text must not help."""
    pairs = [(how, else_) for how in HOW for else_ in HOW]
    chosen = (pairs[number % len(pairs)] for number in range(count))
    return [TEXTS[number % len(TEXTS)].format(how=how, how_else=other) for number, (how, other) in enumerate(chosen)]


TEXT = texts(1)[0]
"""One of them, for benchmarks of single checks."""


def main() -> None:
    """Checks harmless texts many times and prints figures in milliseconds."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m benchmarks.rails --rounds 500",
    )
    parser.add_argument("--rounds", type=int, default=3000, help="texts to check")
    parser.add_argument("--policy", default="helpdesk", help="policy of the example bundle")
    parser.add_argument(
        "--rest",
        type=float,
        default=0.0,
        metavar="MS",
        help="wait so long before each stage, as a gateway does that waits for its next message: its code and data are "
        "then no longer in the processor's caches",
    )
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    settings = load_settings(None, {})
    services = rail_services(cache(lambda: RecentVectors(open_embedder(settings, lambda _: None))))
    document = load_policy(read_bundle(ROOT / "examples" / "helpdesk").policies[chosen.policy])
    with closing(RailRunner(RailLimits())) as runner:
        policy = compile_policy(document, 1, runner=runner, services=services)
        figures = asyncio.run(_measure(policy, chosen.rounds, chosen.rest / 1000))
    print(json.dumps(figures, indent=2) if chosen.as_json else _table(figures))


async def _measure(policy: RailsPolicy, rounds: int, rest_s: float) -> dict[str, Any]:
    both: list[float] = []
    stages: dict[Stage, list[float]] = {stage: [] for stage in Stage}
    rails: dict[str, list[float]] = {}
    for text in texts(rounds):
        taken = 0.0
        for stage in Stage:
            if rest_s:
                await asyncio.sleep(rest_s)
            started = time.perf_counter()
            report = await policy.check(stage, text, RailContext(facts=FACTS))
            spent = (time.perf_counter() - started) * 1000
            _require_passed(report)
            stages[stage].append(spent)
            taken += spent
            for record in report.records:
                rails.setdefault(f"{stage.value}.{record.name}", []).append(record.duration_ms)
        both.append(taken)
    return {
        "characters": round(statistics.mean(map(len, texts(rounds)))),
        "input_and_output": _times(both),
        **{stage.value: _times(times) for stage, times in stages.items()},
        "rails": {name: _times(times) for name, times in rails.items()},
        "streaming": await _measure_streaming(policy, max(1, rounds // 5)),
    }


async def _measure_streaming(policy: RailsPolicy, rounds: int) -> dict[str, Any]:
    """Lets the texts out as a model would say them, four characters at a time."""
    told: Counter[str] = Counter()
    per_sentence, per_answer, whole = [], [], []
    for text in texts(rounds):

        async def check(beginning: str, is_whole: bool) -> RailsReport:  # noqa: FBT001 - the buffer's form of a check
            started = time.perf_counter()
            report = await policy.check(Stage.OUTPUT, beginning, RailContext(facts=FACTS, is_whole=is_whole))
            per_sentence.append((time.perf_counter() - started) * 1000)
            told["checks"] += 1
            return report

        async def release(_: str) -> None:
            told["events"] += 1

        async def generate(hear: Any, text: str = text) -> str:
            for start in range(0, len(text), 4):
                hear(text[start : start + 4])
            return text

        started = time.perf_counter()
        buffer = SentenceBuffer(check, release, until_s=time.monotonic() + 60.0)
        report = await release_sentences(generate, buffer)
        per_answer.append((time.perf_counter() - started) * 1000)
        if report is None or report.text != text:
            raise SystemExit("the text did not come through as it is")
        started = time.perf_counter()
        _require_passed(await policy.check(Stage.OUTPUT, text, RailContext(facts=FACTS)))
        whole.append((time.perf_counter() - started) * 1000)
        told["sentences"] += _sentences(text)
    return {
        "sentences_per_answer": round(told["sentences"] / len(per_answer), 2),
        "checks_per_sentence": round(told["checks"] / told["sentences"], 2),
        "events_per_sentence": round(told["events"] / told["sentences"], 2),
        "check_of_a_sentence": _times(per_sentence),
        "whole_answer_by_sentence": _times(per_answer),
        "whole_answer_at_once": _times(whole),
    }


def _sentences(text: str) -> int:
    count, end = 1, 0
    while (found := next_end(text, end)) is not None:
        count, end = count + 1, found
    return count


def _require_passed(report: RailsReport) -> None:
    if report.is_blocked:
        raise SystemExit(f"a text was stopped by {report.stopped_by}; the figure would be of a shorter stage")


def _times(times_ms: Sequence[float]) -> dict[str, float]:
    times = Times.of(times_ms)
    return {"p50_ms": times.p50_ms, "p95_ms": times.p95_ms, "mean_ms": round(statistics.mean(times_ms), 3)}


def _table(figures: dict[str, Any], indent: int = 0) -> str:
    lines = []
    for name, value in figures.items():
        if isinstance(value, dict) and "p50_ms" in value:
            shown = f"p50 {value['p50_ms']:.3f} ms, 95 % at most {value['p95_ms']:.3f} ms"
            lines.append(f"{'':{indent}}{name:<28} {shown}")
        elif isinstance(value, dict):
            lines += [f"{'':{indent}}{name}", _table(value, indent + 2)]
        else:
            lines.append(f"{'':{indent}}{name:<28} {value}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
