"""Attacks that got through: the share of hostile messages whose words reach a model, or that get an answer at all.

A checker lets through what none of its checks stops, and a router what it finds a route for; a model then gets the
person's own words. A dialog of stored replies gives one of them instead. The gateway does the same and renders an
approved prompt: what a model would have been sent is compared, token by token, with that prompt asked alone. Beside
each stands what its checks do to honest people. Checks that need the network or a download could not be run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from benchmarks.attacks_whole import FAKE, REACHED, Asker, desk
from benchmarks.rivals import quality_told
from benchmarks.rivals.attack_sets import OWN_HONEST, attack_messages, honest_messages
from benchmarks.rivals.chapters import Chapter
from benchmarks.rivals.comparing import OURS
from benchmarks.rivals.curves import held_out, limit_for, ranked_of, some_strangers
from benchmarks.rivals.matching import CONTESTANTS, Contestant
from benchmarks.rivals.questions import Figures, Options
from benchmarks.rivals.sets import helpdesk
from benchmarks.rivals.talking import CHILDREN, THREADS, Child, ChildFailed
from benchmarks.rivals.venvs import HERE, Rival
from models.embedding.embedder import packaged_minilm
from store.learning.corpus import background
from store.learning.metrics import wilson

FEW, MOST = 60, 250
"""Messages of each set, from everywhere in it: in a quick run, and in a whole one."""
RATE = 0.01
CONFIGURATIONS = HERE / "configurations"


@dataclass(frozen=True, slots=True)
class Checker:
    """A rival's checks of a message, by their child."""

    rival: str
    program: Path
    title: str
    opening: Mapping[str, Any]
    not_run: str
    """What of it could not be run here, and why."""


CHECKERS = (
    Checker(
        "litellm",
        CHILDREN / "content_filter.py",
        "LiteLLM, content filter",
        {"configuration": str(CONFIGURATIONS / "litellm" / "attacks" / "config.yaml")},
        "LiteLLM's other guardrails ask a service or a model, its semantic guard an embedding model of one.",
    ),
    Checker(
        "openai-guardrails",
        CHILDREN / "openai_checks.py",
        "OpenAI Guardrails, checks without a model",
        {"configuration": str(CONFIGURATIONS / "openai-guardrails" / "attacks" / "guardrails_config.json")},
        "OpenAI Guardrails' jailbreak, moderation, topic and prompt injection checks ask OpenAI's models;"
        " Contains PII needs a spaCy model that is not on PyPI.",
    ),
    Checker(
        "llm-guard",
        CHILDREN / "guard_scanners.py",
        "LLM Guard, scanners without a download",
        {},
        "LLM Guard's prompt injection, toxicity and topic scanners download their models from a hub.",
    ),
)
MATCHERS = {one.rival: one for one in reversed(CONTESTANTS)}.values()
"""The first set-up of each rival's matcher."""
PASSES = "the person's words go to the model"
REPLIES = "a stored reply is given"


def measure(rivals: Sequence[Rival], options: Options) -> Figures:
    """Returns a row for each contestant: what gets through of each set of attacks, and who is stopped for nothing."""
    most = FEW if options.is_quick else MOST
    attacks = {name: _some(texts, most) for name, texts in attack_messages(options.data).items()}
    honest = {name: _some(texts, most) for name, texts in honest_messages(options.data).items()}
    remarks = [one.not_run for one in CHECKERS if one.not_run]
    if len(attacks) == 1:
        remarks.append(f"Only the help desk's own attacks were asked: the others are not in {options.data.name}/.")
    installed = {one.name: one for one in rivals}
    options.say("the gateway, whole, with a model that repeats the approved facts")
    rows = [_own_row(attacks, honest)]
    tasks: list[tuple[str, str, Callable[[Rival], list[dict[str, Any]]]]] = [
        *((one.rival, one.title, lambda rival, one=one: [_checker(rival, one, attacks, honest)]) for one in CHECKERS),
        *(
            (one.rival, one.title, lambda rival, one=one: _matcher(rival, one, attacks, honest[OWN_HONEST]))
            for one in MATCHERS
        ),
    ]
    for name, title, task in tasks:
        if name not in installed:
            remarks.append(f"{title} was not asked: it is not installed.")
            continue
        options.say(title)
        try:
            rows += task(installed[name])
        except ChildFailed as error:
            remarks.append(f"{title} failed: {error}")
    return {"rows": rows, "remarks": remarks}


def tell(figures: Figures) -> Chapter:
    """Returns the chapter, which has a module of its own."""
    return quality_told.tell(figures)


def _own_row(attacks: Mapping[str, list[str]], honest: Mapping[str, list[str]]) -> dict[str, Any]:
    with desk(FAKE) as components:
        return anyio.run(_ask_own, Asker(components), attacks, honest)


async def _ask_own(asker: Asker, attacks: Mapping[str, list[str]], honest: Mapping[str, list[str]]) -> dict[str, Any]:
    """Returns the gateway's row: `through` is what changed a model's input, `answered` any approved answer."""
    tallies = {name: await asker.tally((text, None) for text in texts) for name, texts in attacks.items()}
    blocked = {}
    for name, texts in honest.items():
        tally = await asker.tally((text, None) for text in texts)
        stopped = sum(count for outcome, count in tally.outcomes.items() if _is_stopped(outcome))
        blocked[name] = _share(stopped, len(texts))
    answered = {
        name: _share(sum(tally.outcomes[one.value] for one in REACHED), len(attacks[name]))
        for name, tally in tallies.items()
    }
    return {
        "who": OURS,
        "does": REPLIES,
        "through": {name: _share(one.serves + one.quoted, len(attacks[name])) for name, one in tallies.items()},
        "answered": answered,
        "blocked": blocked,
    }


def _is_stopped(outcome: str) -> bool:
    return outcome == "blocked_input" or outcome.startswith("refused with 4xx")


def _checker(
    rival: Rival, checker: Checker, attacks: Mapping[str, list[str]], honest: Mapping[str, list[str]]
) -> dict[str, Any]:
    with Child([str(rival.python), str(checker.program)]) as child:
        child.ask("open", **checker.opening)

        def stopped(texts: list[str]) -> int:
            return sum(reason is not None for reason in child.ask("check", messages=texts)["stopped"])

        return {
            "who": checker.title,
            "does": PASSES,
            "through": {name: _share(len(texts) - stopped(texts), len(texts)) for name, texts in attacks.items()},
            "answered": None,
            "blocked": {name: _share(stopped(texts), len(texts)) for name, texts in honest.items()},
        }


def _matcher(
    rival: Rival, contestant: Contestant, attacks: Mapping[str, list[str]], own: list[str]
) -> list[dict[str, Any]]:
    """Returns a row for the defaults of a matcher over the help desk, and one for the limit from the phrasings."""
    given = helpdesk()
    known, asked = held_out(given.sentences)
    strangers = some_strangers(background(), len(asked))
    trial = [text for text, _ in asked] + strangers
    opening = {"model": str(packaged_minilm()), "threads": THREADS, **contestant.opening}
    with Child([str(rival.python), str(contestant.program)]) as child:
        child.ask("open", sentences=known, **opening)
        found = [tuple(one) for one in child.ask("rank", messages=trial)["found"]]
        limit = limit_for(ranked_of(found, [key for _, key in asked] + [None] * len(strangers)), RATE)
        child.ask("open", sentences=list(given.sentences), **opening)
        scores = {
            name: [score for key, score in child.ask("rank", messages=texts)["found"] if key is not None]
            for name, texts in {**attacks, OWN_HONEST: own}.items()
        }
    answered = scores.pop(OWN_HONEST)
    rows = []
    for point, least in {**contestant.fixed, f"limit from the phrasings for {RATE:.0%}": limit}.items():
        is_dialog = contestant.rival == "nemoguardrails"
        through = {
            name: _share(sum(score >= least for score in found), len(attacks[name])) for name, found in scores.items()
        }
        rows.append(
            {
                "who": f"{contestant.title}, {point}",
                "does": REPLIES if is_dialog else PASSES,
                "through": dict.fromkeys(attacks, _share(0, 0)) if is_dialog else through,
                "answered": through if is_dialog else None,
                "blocked": None,
                "unanswered": _share(len(own) - sum(score >= least for score in answered), len(own)),
            }
        )
    return rows


def _share(part: int, whole: int) -> list[float]:
    """Returns a share with its interval of 95 %; nothing of nothing is none."""
    if not whole:
        return [0.0, 0.0, 0.0]
    found = wilson(part, whole)
    return [found.value, found.low, found.high]


def _some(texts: list[str], most: int) -> list[str]:
    """Returns so many of the texts at most, in equal steps."""
    if len(texts) <= most:
        return texts
    return [texts[place * len(texts) // most] for place in range(most)]
