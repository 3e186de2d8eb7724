"""Asks a running gateway the honest messages of a test set, over HTTP and with patience, and counts what came of it."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from benchmarks.gateway_process import say
from gateway.client import Answer, Canongate, CanongateError, Disconnected, Unavailable
from gateway.suite import CaseResult
from store.catalog import Catalog
from store.content import QuotedTextSlot
from store.formats.suite import Expectation, Suite, SuiteCase
from store.phrases import Row, RowKind, fill_sample
from store.repositories.decisions import Decisions
from store.types import Outcome

TRIES = 6
"""Of a question whose check, match or answer was not ready in time, as on a busy machine."""
PAUSE_S = 5.0
_TELL_EACH = 20
_BLOCKED = frozenset({Outcome.BLOCKED_INPUT, Outcome.BLOCKED_OUTPUT})


@dataclass(frozen=True, slots=True)
class Asked:
    """An honest message, and the answer, if one came of any try."""

    case: SuiteCase
    answer: Answer | None
    tries: int


def in_scope(suite: Suite) -> list[SuiteCase]:
    """Returns the messages that an approved prompt answers, or for which it asks back."""
    return [case for case in suite.cases if case.expect in (Expectation.ANSWER, Expectation.ASK)]


def ask_honest(gateway: Canongate, cases: Iterable[SuiteCase], catalog: Catalog) -> list[Asked]:
    """Asks each message, after the question before it if there is one."""
    asked = []
    for case in cases:
        conversation = None
        if case.after:
            conversation = uuid4().hex
            ask_patiently(gateway, _own_phrasing(catalog, case.after), conversation)
        answer, tries = ask_patiently(gateway, case.message, conversation)
        asked.append(Asked(case, answer, tries))
        if len(asked) % _TELL_EACH == 0:
            say(f"honest questions: {len(asked)}")
    return asked


def ask_patiently(
    gateway: Canongate, message: str, conversation: str | None = None, *, max_tokens: int | None = None
) -> tuple[Answer | None, int]:
    """Asks until there is an answer, whatever it says, and returns it with the number of tries; None after the last.

    What asks in vain is no decision: a check that did not come to its end stops everything, and the next try decides.
    """
    for tries in range(1, TRIES + 1):
        try:
            return gateway.chat(message, conversation=conversation, max_tokens=max_tokens), tries
        except (Unavailable, Disconnected) as error:
            say(f"try {tries} of {TRIES}: {_why(error)}")
            time.sleep(PAUSE_S)
    return None, TRIES


def _why(error: CanongateError) -> str:
    return f"{error.code} ({error.status})"


def _own_phrasing(catalog: Catalog, key: str) -> str:
    prompt = catalog.prompts[key]
    return fill_sample(Row(prompt, RowKind.PHRASING, prompt.content.phrasings[0]))


def figures(asked: list[Asked], decisions: Decisions, catalog: Catalog) -> dict[str, Any]:
    """Counts by what was decided; a message that got no answer at all counts as not passed and not answered."""
    results = [_result(one, one.answer, decisions, catalog) for one in asked if one.answer]
    blocked = [result for result in results if result.outcome in _BLOCKED]
    withheld = [one for one in asked if one.answer and _is_approved_text_instead(one.answer, one.case)]
    count = len(asked)
    return {
        "in_scope": count,
        "asked_again": sum(one.tries > 1 for one in asked),
        "without_answer": count - len(results),
        "outcomes": dict(Counter(result.outcome.value for result in results)),
        "stopped_by_a_rail": dict(Counter(result.stopped_by for result in blocked)),
        "approved_text_for_a_withheld_wording": len(withheld),
        "another_prompts_answer": sum(result.is_wrong_prompt for result in results),
        "not_stopped_rate": _share(len(results) - len(blocked), count),
        "answered_at_once_rate": _share(sum(result.is_right for result in results), count),
        "pass_rate": _share(sum(r.is_right or r.case.prompt in r.offered for r in results), count),
    }


def _result(one: Asked, answer: Answer, decisions: Decisions, catalog: Catalog) -> CaseResult:
    """Reads from the record what the reply does not say: which values were filled in, and which rail stopped it."""
    decision = decisions.get(answer.id)
    return CaseResult(
        case=one.case,
        outcome=decision.outcome,
        prompt=decision.prompt_key,
        needs_slot=decision.needs_slot,
        slots=dict(decision.slots),
        score=decision.score,
        stopped_by=decision.stopped_by,
        text=answer.text,
        offered=_offered(answer),
        is_same_answer=None,
        quoted=_quoted(catalog, one.case),
    )


def _is_approved_text_instead(answer: Answer, case: SuiteCase) -> bool:
    """Whether the model's wording did not pass, and the right prompt's approved text was given in its place."""
    is_right = answer.prompt is not None and answer.prompt.id == case.prompt
    return answer.outcome == "blocked_output" and answer.source == "fallback" and is_right


def _offered(answer: Answer) -> tuple[str, ...]:
    """Returns the prompts that may have been meant; others are suggested behind an answer, or to anybody."""
    return tuple(prompt.id for prompt in answer.suggestions) if answer.outcome == "clarify" else ()


def _quoted(catalog: Catalog, case: SuiteCase) -> frozenset[str]:
    slots = catalog.prompts[case.prompt].content.slots if case.prompt else ()
    return frozenset(slot.name for slot in slots if isinstance(slot, QuotedTextSlot))


def _share(some: int, all_of_them: int) -> float:
    return round(some / all_of_them, 4)
