"""How well the grounding rail tells right answers from made-up ones: `python -m benchmarks.grounding --data FOLDER`.

Rows are read where they lie and never copied here. In this data right answers are short pieces of the knowledge and
made-up ones whole sentences: length alone orders them well, so the figure for made-up answers of at most six words is
given beside, and the order by length too.
"""

import argparse
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from rails.checks.grounding import GroundingParams, find, score
from rails.types import RailContext

ROOT = Path(__file__).parents[1]
FILE = "grounding.jsonl.gz"
SHORT_WORDS = 6
WAYS = {
    "knowledge": (False, False),
    "knowledge and question": (True, False),
    "knowledge, question named": (False, True),
    "knowledge and question, question named": (True, True),
}
"""By name: whether the question is among the facts, and whether the rail is told what was asked."""


@dataclass(frozen=True)
class Pair:
    """One question with its knowledge, a right answer and a made-up one."""

    knowledge: str
    question: str
    right: str
    made_up: str

    def context(self, *, with_question: bool, names_question: bool) -> RailContext:
        """Returns what the rail is given beside the answer."""
        facts = f"{self.knowledge}\n{self.question}" if with_question else self.knowledge
        return RailContext(facts=facts, prompt=self.question if names_question else "")


def main() -> None:
    """Scores both answers of every row in each way and prints the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m benchmarks.grounding --data ../shared/data --json --plot roc.svg",
    )
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help=f"folder with {FILE}")
    parser.add_argument("--plot", type=Path, help="where to draw the curves, as SVG")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    path = chosen.data / FILE
    if not path.exists():
        sys.exit(f"no {FILE} in {chosen.data}: it is not part of the repository; name its folder with --data")
    pairs = list(_read(path))
    figures = {name: measure(pairs, *way) for name, way in WAYS.items()}
    lengths = ([-float(len(pair.right)) for pair in pairs], [-float(len(pair.made_up)) for pair in pairs])
    figures["order by length alone"] = {"auroc": round(auroc(*lengths), 4)}
    if chosen.plot:
        draw(pairs, chosen.plot)
    print(json.dumps(figures, indent=2) if chosen.as_json else _table(figures))


def measure(pairs: Sequence[Pair], with_question: bool, names_question: bool) -> dict[str, Any]:  # noqa: FBT001 - unpacked from the table
    """Returns the figures of one way to call the rail, at its default limit."""
    contexts = [pair.context(with_question=with_question, names_question=names_question) for pair in pairs]
    right, made_up = _scores(pairs, contexts)
    short = [s for s, pair in zip(made_up, pairs, strict=True) if len(pair.made_up.split()) <= SHORT_WORDS]
    verdicts = {
        "right": Counter(find(p.right, c, GroundingParams()) for p, c in zip(pairs, contexts, strict=True)),
        "made_up": Counter(find(p.made_up, c, GroundingParams()) for p, c in zip(pairs, contexts, strict=True)),
    }
    return {
        "rows": len(pairs),
        "auroc": round(auroc(right, made_up), 4),
        "auroc_short_made_up": round(auroc(right, short), 4),
        "short_made_up": len(short),
        "right_blocked": round(1 - verdicts["right"][None] / len(pairs), 4),
        "made_up_blocked": round(1 - verdicts["made_up"][None] / len(pairs), 4),
        "made_up_blocked_by": {str(reason): count for reason, count in verdicts["made_up"].most_common() if reason},
    }


def auroc(right: Sequence[float], wrong: Sequence[float]) -> float:
    """Returns how often a right answer scores above a wrong one; ties count half."""
    high, low = np.array(right)[:, None], np.array(wrong)[None, :]
    return float((high > low).mean() + (high == low).mean() / 2)


def draw(pairs: Sequence[Pair], path: Path) -> None:
    """Draws the share of made-up answers stopped against the share of right ones, over all limits."""
    with mpl.rc_context({"svg.hashsalt": "canongate", "svg.fonttype": "none"}):
        figure = Figure(figsize=(6, 5), layout="constrained")
        axes = figure.add_subplot()
        for name, (with_question, names_question) in WAYS.items():
            contexts = [pair.context(with_question=with_question, names_question=names_question) for pair in pairs]
            right, made_up = (np.array(scores) for scores in _scores(pairs, contexts))
            limits = np.unique(np.concatenate([right, made_up, [2.0]]))
            axes.plot([(right < at).mean() for at in limits], [(made_up < at).mean() for at in limits], label=name)
        axes.plot([0, 1], [0, 1], color="0.7", linestyle=":")
        axes.set(xlabel="right answers stopped", ylabel="made-up answers stopped", xlim=(0, 1), ylim=(0, 1))
        axes.legend(loc="lower right")
        figure.savefig(path, format="svg", metadata={"Date": None})


def _scores(pairs: Sequence[Pair], contexts: Sequence[RailContext]) -> tuple[list[float], list[float]]:
    both = list(zip(pairs, contexts, strict=True))
    return [score(pair.right, context) for pair, context in both], [score(p.made_up, context) for p, context in both]


def _read(path: Path) -> Iterator[Pair]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield Pair(row["knowledge"], row["question"], row["right_answer"], row["hallucinated_answer"])


def _table(figures: dict[str, dict[str, Any]]) -> str:
    lines = []
    for name, found in figures.items():
        lines += [name, *(f"  {key:>20}  {value}" for key, value in found.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
