"""Makes rows of feedback: preference pairs of two answers to one prompt, and conversations with their verdict."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from store.feedback import Feedback, Verdict
from store.formats.rows import Conversation, Preference, Speaker, Turn, line_of
from store.repositories.feedback import JudgedAnswer
from store.types import Decision, Outcome, Words

MOST_WAITING = 20_000
"""Answers that wait in memory for one to be paired with; the oldest give way and are told as unpaired."""

_REPLACED = frozenset({Outcome.BLOCKED_OUTPUT, Outcome.DEGRADED})
"""Of these the text may begin with sentences that were shown before an approved text took their place."""


@dataclass(slots=True)
class PairingReport:
    """What became of feedback in an export."""

    judged: int = 0
    pairs: int = 0
    by_better: int = 0
    """Pairs of an answer and what somebody said it should have been."""
    without_text: int = 0
    """Verdicts whose answer's text is not kept: they count in the rates alone."""
    unpaired: int = 0
    """Answers with a text, to which there is no answer with the other verdict for the same prompt version and slots;
    and those that were withheld or replaced."""
    same_answer: int = 0
    """Answers that were the same as every one of the other verdict: words cannot prefer themselves."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer with its question, waiting for one of the other verdict."""

    decision: str
    message: str
    answer: str


Group = tuple[str, str, int, str]
"""Assistant, prompt, version and slots: what must be equal for two answers to be answers to one thing."""


def paired(judged: Iterable[JudgedAnswer], report: PairingReport) -> Iterator[Preference]:
    """Gives pairs: an answer that helped beside one that did not, to the same prompt version with the same slots.

    Each answer is in one pair at most. One for which somebody wrote a better answer is a pair by itself. One that was
    withheld, or broke off and was replaced by the fallback, is in none.
    """
    waiting: dict[Group, dict[Verdict, deque[_Answer]]] = {}
    order: deque[tuple[Group, Verdict, str]] = deque()
    for feedback, decision, words in _answers(judged, report):
        if feedback.texts is not None and feedback.texts.better and feedback.texts.better != words.answer:
            report.by_better += 1
            report.pairs += 1
            yield _preference(feedback.decision, words.message, feedback.texts.better, words.answer)
            continue
        # Of a quoted text a decision keeps the length alone: two such answers may be to different texts.
        if feedback.prompt_key is None or feedback.prompt_version is None or decision.has_quoted_text:
            report.unpaired += 1
            continue
        slots = json.dumps(dict(decision.slots), sort_keys=True)
        group = (feedback.assistant, feedback.prompt_key, feedback.prompt_version, slots)
        answer = _Answer(feedback.decision, words.message, words.answer)
        sides = waiting.setdefault(group, {Verdict.UP: deque(), Verdict.DOWN: deque()})
        other = _taken(sides[_other(feedback.verdict)], answer)
        if other is None:
            report.same_answer += bool(sides[_other(feedback.verdict)])
            sides[feedback.verdict].append(answer)
            order.append((group, feedback.verdict, feedback.decision))
            report.unpaired += 1
            _give_way(waiting, order)
            continue
        report.unpaired -= 1
        report.pairs += 1
        chosen, rejected = (answer, other) if feedback.verdict is Verdict.UP else (other, answer)
        yield _preference(f"{chosen.decision}+{rejected.decision}", chosen.message, chosen.answer, rejected.answer)


def message_rows(
    judged: Iterable[JudgedAnswer], report: PairingReport, language_of: Callable[[Feedback], str]
) -> Iterator[Conversation]:
    """Gives each judged answer as a conversation of two messages, with the verdict as OASST's labels say it.

    One that was withheld, or broke off and was replaced by the fallback, is left out. `language_of` says what the
    prompt that answered is written in, empty for an answer of none.
    """
    for feedback, _, words in _answers(judged, report):
        language, is_helpful = language_of(feedback), feedback.verdict is Verdict.UP
        turns = (
            Turn(Speaker.PERSON, words.message, id=f"{feedback.decision}-q", language=language),
            Turn(Speaker.ASSISTANT, words.answer, id=feedback.decision, language=language, helpful=is_helpful),
        )
        yield line_of(turns, conversation_id=feedback.decision)


def _answers(judged: Iterable[JudgedAnswer], report: PairingReport) -> Iterator[tuple[Feedback, Decision, Words]]:
    """Gives those whose words are kept and are the answer alone, and counts the others."""
    for one in judged:
        report.judged += 1
        if one.words is None or one.decision is None or not one.words.answer:
            report.without_text += 1
        elif one.decision.outcome in _REPLACED:
            report.unpaired += 1
        else:
            yield one.feedback, one.decision, one.words


def _taken(others: deque[_Answer], answer: _Answer) -> _Answer | None:
    """Takes the first answer out that says something else."""
    for place, other in enumerate(others):
        if other.answer != answer.answer:
            del others[place]
            return other
    return None


def _give_way(waiting: dict[Group, dict[Verdict, deque[_Answer]]], order: deque[tuple[Group, Verdict, str]]) -> None:
    while len(order) > MOST_WAITING:
        group, verdict, decision = order.popleft()
        sides = waiting.get(group)
        if sides is None:  # its answers found their pairs, and it went with an earlier place of its own
            continue
        queue = sides[verdict]
        if queue and queue[0].decision == decision:
            queue.popleft()
        if not any(sides.values()):
            del waiting[group]


def _other(verdict: Verdict) -> Verdict:
    return Verdict.DOWN if verdict is Verdict.UP else Verdict.UP


def _preference(row_id: str, message: str, chosen: str, rejected: str) -> Preference:
    asked = Turn(Speaker.PERSON, message)
    return Preference(
        chosen=(asked, Turn(Speaker.ASSISTANT, chosen)), rejected=(asked, Turn(Speaker.ASSISTANT, rejected)), id=row_id
    )
