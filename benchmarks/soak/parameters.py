"""Settings out of range, at its edge, and hostile grammars: refused or obeyed, never bent into something else."""

import re
from random import Random
from typing import Any

from benchmarks.soak.asking import (
    Choice,
    Figures,
    Outcome,
    ask,
    counted,
    new_model,
    progress,
    prompt,
    spread,
    together,
)
from benchmarks.soak.oddities import FORMS, grammar, right, wrong
from models.ports import FinishReason, Sampling
from models.worker.engine import LlamaModel
from models.worker.limits import EngineLimits
from models.worker.restarts import RestartLimits

WHOLE = 1000
AT_ONCE = 4
TIMEOUT_S = 20.0
SHARES = {"wrong": 55, "edge": 15, "hostile grammar": 20, "sound grammar": 10}
SLOW_S = 10.0
"""No request of so few tokens may take so long, whatever its grammar."""


def run(choice: Choice) -> Figures:
    """Returns the figures of this part."""
    random, whole = choice.random("parameters"), choice.count(WHOLE)
    cases = [_case(random) for _ in range(whole)]
    model = new_model(choice, EngineLimits(restarts=RestartLimits(restarts=1_000_000)))
    try:
        pid = model.pid
        before = _normal(model)
        calls = [lambda case=case: _ask(model, *case) for case in cases]
        crowd = together(calls, AT_ONCE, TIMEOUT_S, progress("parameters", whole))
        after = _normal(model)
        # A worker that crashed and came back has another number.
        restarts = int(model.pid != pid)
    finally:
        model.close()
    ended = {number: outcome.name for number, outcome in crowd.outcomes.items()}
    wrongs = [_verdict(*cases[number], outcome) for number, outcome in crowd.outcomes.items()]
    bad = [words for words in wrongs if words]
    return {
        "cases": counted([kind for kind, _ in cases]),
        "outcomes": {
            kind: counted([name for number, name in ended.items() if cases[number][0] == kind]) for kind in SHARES
        },
        "hangs": crowd.hangs,
        "worker_restarts": restarts,
        "not_as_they_should": len(bad),
        "such_as": bad[:10],
        "took_ms": spread([outcome.took_s * 1000 for outcome in crowd.outcomes.values()]),
        "answers_as_before": before.text == after.text,
        "holds": not (crowd.hangs or restarts or bad) and before.name == "answer" and before.text == after.text,
    }


def _normal(model: LlamaModel) -> Outcome:
    return ask(model, prompt("When is the office open?"), Sampling(max_tokens=12), timeout_s=TIMEOUT_S)


def _case(random: Random) -> tuple[str, dict[str, Any]]:
    (kind,) = random.choices(list(SHARES), list(SHARES.values()))
    if kind == "wrong":
        return kind, wrong(random)
    if kind == "edge":
        return kind, right(random)
    text = grammar(random) if kind == "hostile grammar" else random.choice(list(FORMS))
    return kind, {"grammar": text, "max_tokens": 16, "temperature": random.choice((0.0, 1.0)), "seed": 7}


def _ask(model: LlamaModel, kind: str, settings: dict[str, Any]) -> Outcome:
    del kind
    try:
        sampling = Sampling(**settings)
    except Exception as error:  # noqa: BLE001 - which exceptions come is what is counted
        return Outcome(type(error).__name__, 0.0, TIMEOUT_S, "", words=str(error))
    return ask(model, prompt("Is the office open at 8?", "Say it."), sampling, timeout_s=TIMEOUT_S)


def _verdict(kind: str, settings: dict[str, Any], outcome: Outcome) -> str:
    """Returns what is wrong with an outcome, empty when it is as it should be."""
    about = f"{kind} {str(settings)[:160]}: {outcome.name} {outcome.words[:80]}"
    if kind == "wrong":
        return "" if outcome.name == "ValueError" else about
    if kind == "hostile grammar":
        is_fine = outcome.name in ("ValueError", "ModelRefused", "answer") and outcome.took_s < SLOW_S
        return "" if is_fine else f"{about} after {outcome.took_s:.1f} s"
    if outcome.completion is None:
        return about
    if outcome.completion.completion_tokens > settings["max_tokens"]:
        return f"{about} {outcome.completion.completion_tokens} tokens"
    if kind == "sound grammar" and outcome.completion.finish_reason is FinishReason.STOP:
        return "" if re.fullmatch(FORMS[settings["grammar"]], outcome.text) else f"{about} {outcome.text!r}"
    return f"{about} {outcome.text!r}" if any(stop in outcome.text for stop in settings.get("stop", ())) else ""
