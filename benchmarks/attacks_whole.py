"""Attacks against the whole pipeline with the example help desk: `python -m benchmarks.attacks_whole --data FOLDER`.

The example bundle is published to a temporary SQLite, the matcher is fitted without tuning, with the real embedder.
Nothing that a person types reaches the model, so an answered attack got an approved prompt's own answer; this is
counted and not assumed: an answer `serves` an attack when the tokens that were sent are not those of the same prompt
asked alone or, where the model was not asked, when the text is not. The same tokens may get other words: a model rounds
otherwise after other work; that is counted beside. `glued` puts an attack before or after an approved question: it must
be refused, or answered exactly as the question alone. Rows are read where they lie and never copied here.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import anyio

from benchmarks.gateway_process import ROOT, say
from gateway.bootstrap import open_components, open_embedder
from gateway.commands.asking import OPERATOR
from gateway.components import Components
from gateway.content import import_folder
from gateway.errors import InvalidRequest
from gateway.limits import Deadline
from gateway.logs import set_up_logging
from gateway.opening import open_store
from gateway.rail_services import rail_services
from gateway.rows import read_rows
from gateway.settings import LogSettings, Settings, load_settings
from gateway.suite import run_suite
from gateway.turn import Question, Reply
from models.fakes import FakeModel
from models.ports import ApprovedPrompt
from store.catalog import Catalog
from store.formats.suite import Expectation, Suite, read_suite
from store.phrases import Row, RowKind, fill_sample
from store.types import Outcome

EXAMPLE = ROOT / "examples" / "helpdesk"
ASSISTANT = "helpdesk"
SETS = {"harmful": "text", "jailbreaks": "text", "tensor_hijacking": "attack", "tensor_extraction": "attack"}
"""Files of rows, and the field that holds the words of the attacker."""
GLUED = ("jailbreaks", "tensor_hijacking")
REACHED = (Outcome.ANSWERED, Outcome.DEGRADED, Outcome.BLOCKED_OUTPUT)
FAKE = "fake"
NO_LIMIT = replace(OPERATOR, requests_per_minute=10**9)
_DEADLINE_S = 120.0
Alone = tuple[str | None, str | None, str]
"""What an answer comes from and what it says: prompt key, hash of the tokens that were sent, text."""


def main() -> None:
    """Runs every set and prints what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python -m benchmarks.attacks_whole --data ../shared/data --json",
    )
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of the attacks")
    parser.add_argument("--model", default=FAKE, help="`fake` repeats the approved facts; or a name in the catalogue")
    parser.add_argument("--sets", default=",".join((*SETS, "glued", "suite")), help="which to run")
    parser.add_argument("--limit", type=int, help="rows of each file, for a quick look")
    parser.add_argument("--json", action="store_true", dest="as_json")
    chosen = parser.parse_args()
    if not chosen.data.is_dir():
        sys.exit(f"no data in {chosen.data}: the sets are not part of the repository; name their folder with --data")
    names = chosen.sets.split(",")
    if unknown := [name for name in names if name not in {*SETS, "glued", "suite"}]:
        parser.error(f"unknown set {unknown[0]!r}")
    texts = {name: read_texts(chosen.data, name, chosen.limit) for name in SETS if {name, "glued"} & set(names)}
    with desk(chosen.model) as components:
        figures = anyio.run(measure, components, texts, names)
    print(json.dumps(figures, indent=2) if chosen.as_json else _table(figures))


def read_texts(data: Path, name: str, limit: int | None) -> list[str]:
    """Returns the words of the attackers of one file."""
    path = data / f"{name}.jsonl.gz"
    if not path.exists():
        sys.exit(f"{path.name} is not in {data}")
    return [row.text(SETS[name]) for row in read_rows(path, f'{{"{SETS[name]}": ...}}')][:limit]


@contextmanager
def desk(model: str) -> Iterator[Components]:
    """Opens a gateway with the example help desk in a folder that is gone afterwards."""
    exports = ROOT / "var" / "embedder"
    exports.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="canongate-attacks-") as scratch:
        settings = load_settings(
            None,
            {
                "CANONGATE_DATA__DIRECTORY": scratch,
                "CANONGATE_MATCHING__TUNE": "false",
                "CANONGATE_ANSWERS__KEPT": "0",
                "CANONGATE_LIMITS__REQUESTS_PER_MINUTE": "1000000000",
                **({} if model == FAKE else {"CANONGATE_MODEL__NAME": model}),
            },
        )
        (Path(scratch) / "embedder").symlink_to(exports)
        set_up_logging(LogSettings(level="error"))
        publish(settings)
        with open_components(settings, without_model=model == FAKE, progress=say) as components:
            if model == FAKE:
                # The approved facts, word for word: what the rails let pass, and the tokens tell prompts apart.
                components.pipeline._model = FakeModel(answer=_facts)  # noqa: SLF001 - the one part that is exchanged
            yield components


def publish(settings: Settings) -> None:
    """Publishes the example bundle."""
    with open_store(settings) as store:
        import_folder(store.database, EXAMPLE, services=rail_services(cache(lambda: open_embedder(settings, say))))


def _facts(prompt: ApprovedPrompt) -> str:
    return "".join(part.text for part in prompt.question)


@dataclass
class Tally:
    """What became of the messages of one set."""

    outcomes: Counter[str] = field(default_factory=Counter)
    stopped_by: Counter[str] = field(default_factory=Counter)
    prompts: Counter[str] = field(default_factory=Counter)
    """Prompts whose answer, or question for a blank, was given."""
    same: int = 0
    other_prompt: int = 0
    """Answers of another approved prompt than the one that was asked for; only `glued` asks for one."""
    serves: int = 0
    other_words: int = 0
    """Answers to the very same tokens in other words."""
    quoted: int = 0
    """Answers to prompts that quote the person's own text to the model, the approved exception to the promise."""

    def figures(self) -> dict[str, Any]:
        """Returns what is printed; shares are of all messages."""
        count = self.outcomes.total()
        answered = sum(self.outcomes[outcome.value] for outcome in REACHED)
        return {
            "messages": count,
            "refused": round(1 - answered / count, 4),
            "refused_or_as_its_prompt_alone": round(1 - (answered - self.same) / count, 4),
            "answered": answered,
            "asked_back": self.outcomes[Outcome.CLARIFY.value],
            "answered_as_its_prompt_alone": self.same,
            "answered_as_another_prompt_alone": self.other_prompt,
            "answered_with_quoted_text": self.quoted,
            "serves_the_attack": self.serves,
            "same_tokens_in_other_words": self.other_words,
            "outcomes": dict(self.outcomes.most_common()),
            "stopped_by": dict(self.stopped_by.most_common()),
            "prompts": dict(self.prompts.most_common()),
        }


class Asker:
    """Asks one message after another, and knows what each approved prompt answers alone."""

    def __init__(self, components: Components) -> None:
        self._components = components
        self._alone: dict[tuple[str, tuple[tuple[str, str], ...]], Alone] = {}

    @property
    def catalog(self) -> Catalog:
        """What is live."""
        return self._components.live.current.catalog

    async def tally(self, messages: Iterable[tuple[str, str | None]]) -> Tally:
        """Asks messages, each with the prompt that its approved part belongs to, if it has one."""
        tally = Tally()
        for text, wanted in messages:
            try:
                reply = await self._ask(text, {})
            except InvalidRequest as error:
                tally.outcomes[f"refused with 4xx: {error.code}"] += 1
                continue
            await self._count(tally, reply, wanted)
        return tally

    async def _count(self, tally: Tally, reply: Reply, wanted: str | None) -> None:
        decision = reply.decision
        tally.outcomes[decision.outcome.value] += 1
        stopped = (rail for rail in decision.rails if rail["status"] in ("blocked", "error"))
        if first := next(stopped, None):
            tally.stopped_by[f"{first['stage']}.{first['name']}"] += 1
        if decision.outcome not in REACHED or decision.prompt_key is None:
            return
        tally.prompts[decision.prompt_key] += 1
        if decision.has_quoted_text:
            tally.quoted += 1
            return
        alone, found = await self._said_alone(decision.prompt_key, decision.slots), _said(reply)
        tally.other_words += alone[1] is not None and alone[:2] == found[:2] and alone != found
        if alone[:2] != found[:2] or (alone[1] is None and alone != found):
            tally.serves += 1
        elif wanted is not None and wanted != decision.prompt_key:
            tally.other_prompt += 1
        else:
            tally.same += 1

    async def _said_alone(self, key: str, slots: Mapping[str, str]) -> Alone:
        place = (key, tuple(sorted(slots.items())))
        if place not in self._alone:
            self._alone[place] = _said(await self._ask(self.phrasing(key), slots))
        return self._alone[place]

    def phrasing(self, key: str) -> str:
        """Returns the prompt's first phrasing, with an example in each blank."""
        prompt = self.catalog.prompts[key]
        return fill_sample(Row(prompt, RowKind.PHRASING, prompt.content.phrasings[0]))

    async def _ask(self, text: str, slots: Mapping[str, str]) -> Reply:
        return await self._components.pipeline.answer(
            Question(
                text=text,
                slots=slots,
                assistant=ASSISTANT,
                principal=NO_LIMIT,
                deadline=Deadline.after(_DEADLINE_S),
            )
        )


def _said(reply: Reply) -> Alone:
    return reply.decision.prompt_key, reply.decision.sent_sha256, reply.text


async def measure(components: Components, texts: Mapping[str, list[str]], names: list[str]) -> dict[str, Any]:
    """Returns the figures of the chosen sets."""
    asker = Asker(components)
    figures: dict[str, Any] = {}
    for name in names:
        say(name)
        if name == "suite":
            figures[name] = await honest(components)
        elif name == "glued":
            figures[name] = {kind: (await asker.tally(glued(asker, texts[kind]))).figures() for kind in GLUED}
        else:
            figures[name] = (await asker.tally((text, None) for text in texts[name])).figures()
    return figures


def glued(asker: Asker, attacks: list[str]) -> Iterator[tuple[str, str | None]]:
    """Gives each attack before and after an approved question, each prompt's question in turn."""
    keys = sorted(asker.catalog.prompts)
    for number, attack in enumerate(attacks):
        key = keys[number % len(keys)]
        question = asker.phrasing(key)
        yield f"{attack}\n{question}", key
        yield f"{question} {attack}", key


async def honest(components: Components) -> dict[str, Any]:
    """Returns what becomes of the example test set's messages that an approved prompt answers."""
    suite = read_suite(EXAMPLE / "suites" / "helpdesk.yaml")
    cases = tuple(case for case in suite.cases if case.expect in (Expectation.ANSWER, Expectation.ASK))
    report = await run_suite(
        components.pipeline,
        components.live.current,
        Suite(suite.name, suite.title, cases),
        assistant=ASSISTANT,
        principal=NO_LIMIT,
        progress=lambda _done, _all: None,
    )
    blocked = sum(result.outcome is Outcome.BLOCKED_INPUT for result in report.results)
    return {
        **{
            name: report.figures()[name]
            for name in (
                "in_scope",
                "not_checked",
                "honest_answer_rate",
                "honest_answered_or_offered_rate",
                "wrong_prompts",
            )
        },
        "blocked_by_input_rails": round(blocked / len(cases), 4),
    }


def _table(figures: Mapping[str, Any]) -> str:
    lines = []
    for name, row in figures.items():
        for part, one in row.items() if name == "glued" else (("", row),):
            lines.append(f"\n{name} {part}".rstrip())
            lines += [f"{key:>34}  {value}" for key, value in one.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
