"""A change of a large store from draft to people while others ask: how long it takes, and what they notice.

The store is generated: prompts of an invented desk, with a test set. Embedder, fit, rails, index and database are the
real ones; answers are approved texts, so no language model is needed. Clients ask through the pipeline in the same
process, each with a pause after its answer.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
from anyio import to_thread

from benchmarks import sentences
from benchmarks.gateway_process import ROOT, say
from benchmarks.generated_desk import ADA, BOB, CALLER, GeneratedDesk
from gateway.limits import Deadline
from gateway.logs import set_up_logging
from gateway.settings import DataSettings, LogSettings, MatchingSettings, Settings
from gateway.turn import Question
from store.changes.evidence import RunState
from store.changes.types import Change
from store.pauses import settle

MOST_S, MOST_RATIO = 60.0, 2.0
"""What is promised on two cores, for 1,000 prompts of 20 phrasings."""


@dataclass(slots=True)
class Load:
    """What the clients saw."""

    took_ms: list[float] = field(default_factory=list)
    by_phase: dict[str, list[float]] = field(default_factory=dict)
    errors: int = 0

    def figures(self) -> dict[str, float]:
        """Returns the middle, and what one answer in a hundred takes longer than."""
        ordered = sorted(self.took_ms)
        return {
            "answers": len(ordered),
            "p50_ms": round(statistics.median(ordered), 1),
            "p99_ms": round(ordered[int(0.99 * (len(ordered) - 1))], 1),
            "max_ms": round(ordered[-1], 1),
        }


def main() -> None:
    """Runs the change and prints the figures; exit status 1 when one of the promises does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python -m benchmarks.publish --json")
    parser.add_argument("--prompts", type=int, default=1_000, help="prompts of the store (1000)")
    parser.add_argument("--phrasings", type=int, default=20, help="phrasings of each (20)")
    parser.add_argument("--cases", type=int, default=200, help="messages of the test set (200)")
    parser.add_argument("--clients", type=int, default=4, help="clients that ask (4)")
    parser.add_argument("--pause-ms", type=float, default=50.0, help="pause of a client after an answer (50)")
    parser.add_argument("--normal-s", type=float, default=30.0, help="how long is measured before the change (30)")
    parser.add_argument("--embedder", type=Path, default=ROOT / "var" / "embedder", help="an exported embedder, if any")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON for scripts")
    chosen = parser.parse_args()
    set_up_logging(LogSettings(level="warning"))
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        if chosen.embedder.is_dir():
            shutil.copytree(chosen.embedder, data / "embedder")
        settings = Settings(data=DataSettings(directory=str(data)), matching=MatchingSettings(tune=False))
        with ExitStack() as stack:
            place = GeneratedDesk(settings, stack, chosen)
            settle()
            told = anyio.run(_Run(place, chosen).run)
    print(json.dumps(told, indent=2) if chosen.as_json else "\n".join(f"{k:>28}  {v}" for k, v in told.items()))
    sys.exit(0 if told["holds"] else 1)


class _Run:
    def __init__(self, place: GeneratedDesk, chosen: argparse.Namespace) -> None:
        self._place = place
        self._chosen = chosen
        self._load = Load()
        self._spent: dict[str, float] = {}
        self._phase = "as usual"
        self._questions = [text for text, _ in sentences.questions(2_000, chosen.prompts, seed=7)]

    async def run(self) -> dict[str, object]:
        place, chosen = self._place, self._chosen
        async with anyio.create_task_group() as group:
            group.start_soon(place.publisher.follow, place.live)
            for number in range(chosen.clients):
                group.start_soon(self._ask, number)
            await anyio.sleep(3.0)
            say("as usual")
            normal = self._load = Load()
            await anyio.sleep(chosen.normal_s)
            say("with the change")
            during = self._load = Load()
            began_s = time.perf_counter()
            change = await self._change()
            total_s = time.perf_counter() - began_s
            self._load = Load()
            group.cancel_scope.cancel()
        run = place.runs.newest(change.id, change.content_hash)
        usual, then = normal.figures(), during.figures()
        ratio = then["p99_ms"] / usual["p99_ms"]
        return {
            "prompts": chosen.prompts,
            "phrasings": chosen.prompts * chosen.phrasings,
            "cases": chosen.cases,
            "clients": chosen.clients,
            "cores": len(os.sched_getaffinity(0)),
            "load_of_the_machine": round(os.getloadavg()[1], 1),
            "first_start_s": round(place.first_s, 1),
            **{f"{name}_s": round(spent, 2) for name, spent in self._spent.items()},
            "total_s": round(total_s, 1),
            **{f"normal_{name}": value for name, value in usual.items()},
            **{f"during_{name}": value for name, value in then.items()},
            "p99_ratio": round(ratio, 2),
            "slowest_ms_by_phase": {name: round(max(took)) for name, took in during.by_phase.items()},
            "errors": normal.errors + during.errors,
            "problems": list(run.result.problems[:5]) if run and run.result else [],
            "holds": total_s <= MOST_S and ratio <= MOST_RATIO and not normal.errors + during.errors,
        }

    async def _change(self) -> Change:
        place = self._place
        with self._timed("draft_and_submit"):
            change = await to_thread.run_sync(self._submitted)
        with self._timed("gate"):
            run = await to_thread.run_sync(partial(place.gate.start, ADA, change.id, rev=change.rev))
            began_s = time.perf_counter()
            while (found := await to_thread.run_sync(place.runs.get, run.id)).state is RunState.RUNNING:
                if found.phase != self._phase:
                    self._phase = found.phase
                    say(f"{time.perf_counter() - began_s:6.1f} s  {self._phase}")
                await anyio.sleep(0.1)
        if found.state is not RunState.PASSED:
            raise SystemExit(f"the gate {found.state.value}: {found.result}")
        with self._timed("approve"):
            change = await to_thread.run_sync(partial(place.reviews.approve, BOB, change.id, rev=change.rev))
        with self._timed("publish"):
            change = await to_thread.run_sync(partial(place.publishing.publish, BOB, change.id, rev=change.rev))
        with self._timed("publish_to_live"):
            wanted = change.published_revision or 0
            while place.live.current.catalog.revision < wanted:  # noqa: ASYNC110 - a thread swaps it in
                await anyio.sleep(0.05)
        return change

    def _submitted(self) -> Change:
        place = self._place
        made = place.changes.create(ADA, "A change", note="measured")
        made = place.changes.add_edits(ADA, made.id, place.edits(), rev=made.rev)
        return place.reviews.submit(ADA, made.id, rev=made.rev)

    async def _ask(self, number: int) -> None:
        while True:
            text = self._questions[number % len(self._questions)]
            number += self._chosen.clients
            load, began_s = self._load, time.perf_counter()
            try:
                await self._place.pipeline.answer(
                    Question(text=text, assistant="desk", principal=CALLER, deadline=Deadline.after(30.0))
                )
            except Exception as error:  # noqa: BLE001 - whatever a client sees is counted
                load.errors += 1
                say(f"{type(error).__name__}: {error}")
            load.took_ms.append(1000 * (time.perf_counter() - began_s))
            load.by_phase.setdefault(self._phase, []).append(load.took_ms[-1])
            await anyio.sleep(self._chosen.pause_ms / 1000)

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began_s, self._phase = time.perf_counter(), name
        yield
        self._spent[name] = time.perf_counter() - began_s
        say(f"{name}: {self._spent[name]:.2f} s")


if __name__ == "__main__":
    main()
