"""The review queue: how fast it takes, groups and lists questions, and how well it groups the example's phrasings.

Questions are the example help desk's phrasings said in other ways by the templates of suggestions; the embedder is the
packaged one, the database a new SQLite file. Grouping is measured on the phrasings themselves: two of one prompt
belong together, two of different prompts do not, also where the example has them close on purpose.
"""

import argparse
import datetime as dt
import json
import os
import resource
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from gateway.bootstrap import open_embedder
from gateway.settings import DataSettings, Settings
from gateway.suggesting.templates import vary
from store.content import CanonicalPrompt
from store.database import migrate, open_database
from store.formats.bundle import read_bundle
from store.people import Actor
from store.phrases import fold
from store.review.clusters import NEARNESS, Clusters
from store.review.grouping import Nearness, group, unit
from store.review.intake import Intake
from store.review.reading import Reading
from store.review.types import Bounds, Noted, Reason, Wanted
from store.vectors import Embed, Vectors

EXAMPLE = Path(__file__).parents[1] / "examples" / "helpdesk"
AT = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
ANYBODY = Actor("system", "benchmark", "system", frozenset())
BATCH = 100
LATER = 200
"""Questions that come when all others have their places."""
TIMES = 50


class TimedEmbedder:
    """An embedder that knows how long it took."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self.spent_s = 0.0

    def __call__(self, texts: list[str]) -> Vectors:
        """Embeds."""
        started = time.perf_counter()
        try:
            return self._embed(texts)
        finally:
            self.spent_s += time.perf_counter() - started


def main() -> None:
    """Runs everything and prints the figures."""
    epilog = "example: python -m benchmarks.review --questions 20000 --json"
    parser = argparse.ArgumentParser(description=__doc__, epilog=epilog)
    parser.add_argument("--questions", type=int, default=20_000, help="different questions (20000)")
    parser.add_argument("--sweep", action="store_true", help="also tell what other limits of nearness give")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON for scripts")
    chosen = parser.parse_args()
    prompts = read_bundle(EXAMPLE).prompts
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=DataSettings(directory=str(Path(folder) / "data")))
        embedder = open_embedder(settings, lambda _: None)
        told = _queue(prompts, TimedEmbedder(embedder.embed), chosen.questions, Path(folder))
        unrelated = _queue(prompts, TimedEmbedder(_unrelated), chosen.questions, Path(folder) / "unrelated")
        told |= {f"unrelated_{name}": value for name, value in unrelated.items() if name.endswith("_s")}
        told |= _quality(prompts, embedder.embed, [NEARNESS, *(_sweep() if chosen.sweep else ())])
    told |= {"cores": len(os.sched_getaffinity(0)), "load_of_the_machine": round(os.getloadavg()[1], 1)}
    print(json.dumps(told, indent=2) if chosen.as_json else "\n".join(f"{k:>34}  {v}" for k, v in told.items()))


def _queue(prompts: tuple[CanonicalPrompt, ...], embed: TimedEmbedder, count: int, folder: Path) -> dict[str, object]:
    url = f"sqlite:///{folder / 'queue.db'}"
    migrate(url)
    database = open_database(url)
    texts = _questions(prompts, count + LATER)
    first, later = texts[:-LATER], texts[-LATER:]
    intake = Intake(database, Bounds(new_per_day=10 * count, questions=10 * count, days=90))
    clusters = Clusters(database, embed, "benchmark")
    reading = Reading(database)
    taking_s = _timed(lambda: _take(intake, first))
    placing_s = _timed(lambda: _place(clusters))
    embedding_s, embed.spent_s = embed.spent_s, 0.0
    _take(intake, later)
    later_s = _timed(lambda: _place(clusters))
    now = AT + dt.timedelta(days=1)
    pages_ms = [1000 * _timed(lambda: reading.questions(ANYBODY, Wanted(), now=now)) for _ in range(TIMES)]
    groups_ms = [1000 * _timed(lambda: reading.clusters(ANYBODY, Wanted(), least=3, now=now)) for _ in range(TIMES)]
    found = reading.clusters(ANYBODY, Wanted(), least=3, now=now, limit=5).items
    database.close()
    return {
        "questions": len(first),
        "taken_per_s": round(len(first) / taking_s),
        "all_placed_in_s": round(placing_s, 1),
        "of_which_embedding_s": round(embedding_s, 1),
        f"{LATER}_more_placed_in_s": round(later_s, 2),
        "of_which_embedding_later_s": round(embed.spent_s, 2),
        "list_p50_ms": round(statistics.median(pages_ms), 1),
        "list_max_ms": round(max(pages_ms), 1),
        "clusters_p50_ms": round(statistics.median(groups_ms), 1),
        "clusters_max_ms": round(max(groups_ms), 1),
        "largest_clusters": {one.label: one.messages for one in found},
        "peak_resident_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def _quality(prompts: tuple[CanonicalPrompt, ...], embed: Embed, nearnesses: list[Nearness]) -> dict[str, object]:
    pairs = [(text, number) for number, prompt in enumerate(prompts) for text in prompt.phrasings]
    vectors = np.concatenate([embed([text for text, _ in pairs[at : at + 64]]) for at in range(0, len(pairs), 64)])
    owners = np.array([number for _, number in pairs])
    belong = owners[:, None] == owners[None, :]
    np.fill_diagonal(belong, val=False)
    told: dict[str, object] = {"phrasings": len(pairs), "prompts": len(prompts)}
    for nearness in nearnesses:
        groups = group(vectors, np.ones(len(pairs), dtype=np.int64), nearness)
        together = groups[:, None] == groups[None, :]
        np.fill_diagonal(together, val=False)
        right = int((together & belong).sum())
        precision, recall = right / max(1, int(together.sum())), right / int(belong.sum())
        told[f"join {nearness.join}, merge {nearness.merge}"] = {
            "groups": int(groups.max()) + 1,
            "pairs_together_rightly": round(precision, 3),
            "pairs_of_a_prompt_together": round(recall, 3),
        }
    return told


def _sweep() -> list[Nearness]:
    return [Nearness(join=join, merge=merge) for join in (0.4, 0.45, 0.5, 0.55) for merge in (0.65, 0.7, 0.75, 0.8)]


def _questions(prompts: tuple[CanonicalPrompt, ...], count: int) -> list[str]:
    known: dict[str, str] = {}
    for text in _said(prompts):
        known.setdefault(fold(text), text)
        if len(known) == count:
            # Spread over the whole, or the questions that come later would all be of one prompt.
            order = np.random.default_rng(0).permutation(count)
            said = list(known.values())
            return [said[number] for number in order]
    raise SystemExit(f"the example gives only {len(known)} different questions; ask for fewer")


def _said(prompts: tuple[CanonicalPrompt, ...]) -> Iterator[str]:
    phrasings = [(text, prompt.language) for prompt in prompts for text in prompt.phrasings]
    yield from (text for text, _ in phrasings)
    varied = [[one.text for one in vary(text, language)] for text, language in phrasings]
    yield from (text for texts in varied for text in texts)
    for number in range(1, 100):
        yield from (f"{text} (ticket {number})" for texts in varied for text in texts)


def _unrelated(texts: Sequence[str]) -> Vectors:
    """Gives every text a vector that is near no other: the most groups that there can be."""
    made = [np.random.default_rng(zlib.crc32(text.encode())).normal(size=384) for text in texts]
    return unit(np.array(made, dtype=np.float32))


def _take(intake: Intake, texts: list[str]) -> None:
    noted = [
        Noted(decision=f"{hash(text)}", at=AT, assistant="helpdesk", reason=Reason.NO_MATCH, text=text)
        for text in texts
    ]
    for start in range(0, len(noted), BATCH):
        intake.take(noted[start : start + BATCH])


def _place(clusters: Clusters) -> None:
    while clusters.place_some(AT).has_more:
        pass


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
