"""Step (3) of a message: the approved prompt that it means, with its slots filled, or a question back, or no match."""

import datetime as dt
from dataclasses import replace
from functools import partial
from typing import cast

import anyio
from anyio import CapacityLimiter, to_thread

from gateway.decisions import DecisionLog
from gateway.errors import InvalidRequest, NotServing
from gateway.faults import Faults, Point
from gateway.turn import Turn
from models.errors import ModelError, ModelRefused
from store.content import AnySlot, PromptVersion, QuotedTextSlot, ShortTextSlot
from store.errors import IndexUnusable, InvalidContent, StoreError
from store.matches import Ambiguous, AnyMatch, Evidence, Gate, Match, MatchMethod, NoMatch, SlotNeeded
from store.slot_values import accept_value, find_values
from store.slots import fill_slots, value_within
from store.types import Decision

PENDING = dt.timedelta(minutes=15)
"""How long a question back waits for its value; later, a message in the same conversation is a new question."""
_VALUE_CHARS = 64
"""Longer than any value but a quoted text, which takes everything."""
_QUESTION_MARKS = "?؟"


class Matching:
    """Asks the matcher within its time. Anything but a result means no answer."""

    def __init__(self, decisions: DecisionLog, *, match_s: float, faults: Faults | None = None) -> None:
        self._decisions = decisions
        self._faults = faults
        self._match_s = match_s
        self._threads = CapacityLimiter(4)

    async def find(self, turn: Turn) -> AnyMatch | SlotNeeded:
        """Returns the match with every slot filled, or what is missing; the turn keeps prompt, values and evidence.

        Raises `InvalidRequest` for a slot that the prompt does not have or a message that is too long for the
        embedder, and `NotServing` when the matcher fails or is late.
        """
        found = await self._found(turn)
        if isinstance(found, Match):
            return _filled(turn, found)
        turn.evidence = found.evidence
        return found

    def as_reply(self, turn: Turn, found: Ambiguous | NoMatch) -> Match | SlotNeeded | None:
        """Returns what a message that means no prompt comes to as the reply to the question for a blank, if it is one.

        That is a free text, or no value at all: then the blank is asked for again. What came near to prompts was meant
        as a value only where something in it is of the slot's kind, or where the nearest is the prompt that asked.
        Raises `InvalidRequest` as `find` does.
        """
        prompt, slot = _pending_slot(turn)
        if prompt is None or slot is None:
            return None
        today = turn.at.date()
        if isinstance(slot, ShortTextSlot | QuotedTextSlot) and accept_value(slot, turn.message, today):
            is_denied = _is_countered(turn, prompt, found.evidence)
            return None if is_denied else _filled(turn, _reply_of(turn, prompt, slot, turn.message))
        if _asks_itself(turn, prompt, found):
            return None
        is_near_others = isinstance(found, Ambiguous) and found.choices[0].key != prompt.key
        if is_near_others and not find_values(slot, turn.message, today):
            return None
        known = _known(prompt, turn.pending)
        needed = fill_slots(prompt.content, "", captured=known, given={slot.name: turn.message}, today=today)
        if not isinstance(needed, SlotNeeded):
            return None
        turn.prompt, turn.values = prompt, needed.known
        turn.method, turn.evidence = MatchMethod.SLOT_REPLY, Evidence((), Gate.SLOT_REPLY)
        return needed

    def _word_for_word(self, turn: Turn) -> AnyMatch | None:
        """Returns the match of an approved phrasing that goes on with nothing: a thread takes longer than the look.

        One that may go on with something needs the database first, and one that is late is not looked up at all.
        """
        question = turn.question
        if self._faults is not None or question.conversation is not None or question.deadline.remaining_s <= 0.0:
            return None
        return turn.state.matcher.word_for_word(turn.message, turn.assistant.name)

    async def _found(self, turn: Turn) -> AnyMatch:
        try:
            if found := self._word_for_word(turn):
                return found
            with anyio.fail_after(min(self._match_s, turn.question.deadline.remaining_s)):
                return await to_thread.run_sync(
                    partial(self._match, turn), abandon_on_cancel=True, limiter=self._threads
                )
        except ModelRefused as error:
            raise InvalidRequest("message_too_long", f"{error}. Shorten it.", param="message") from error
        except (StoreError, ModelError, TimeoutError) as error:
            if isinstance(error, TimeoutError):
                turn.question.deadline.require()
            raise NotServing("matcher_unavailable", "The message could not be matched. Try again shortly.") from error

    def _match(self, turn: Turn) -> AnyMatch:
        if self._faults is not None and self._faults.at(Point.MATCHER, IndexUnusable):
            return cast("AnyMatch", None)
        previous = self._previous(turn)
        found = turn.state.matcher.match(
            turn.message,
            turn.assistant.name,
            after=previous.prompt_key if previous else None,
        )
        if previous is None or previous.needs_slot is None or turn.at - previous.at > PENDING:
            return found
        turn.pending = previous
        return _slot_reply(turn, found) or found

    def _previous(self, turn: Turn) -> Decision | None:
        if turn.question.conversation is None:
            return None
        return self._decisions.previous(turn.question.conversation, turn.question.principal.id, turn.assistant.name)


def _filled(turn: Turn, found: Match) -> Match | SlotNeeded:
    """Returns the match with every slot filled, or what is missing. Raises `InvalidRequest` as `Matching.find` does."""
    turn.prompt, turn.method, turn.evidence = found.prompt, found.method, found.evidence
    try:
        filled = fill_slots(
            found.prompt.content,
            turn.message,
            captured=found.captured,
            given=turn.given,
            today=turn.at.date(),
        )
    except InvalidContent as error:
        raise InvalidRequest("invalid_slot", str(error), param="slots") from error
    if isinstance(filled, SlotNeeded):
        turn.values = filled.known
        return replace(filled, is_invalid=True) if _is_asked_for_twice(turn, filled) else filled
    turn.values = filled.values
    return found


def _slot_reply(turn: Turn, found: AnyMatch) -> Match | None:
    """Reads the message as the value that the previous reply asked for, if it plainly is one.

    An approved question word for word is never a value. A free text takes anything, so it gives way to every match, and
    one that is not long to what the policy's dialog says; a value of another type that stands in a sentence gives way
    to a sentence that asks something itself.
    """
    prompt, slot = _pending_slot(turn)
    if prompt is None or slot is None or (isinstance(found, Match) and found.method is MatchMethod.EXACT):
        return None
    stated = turn.message
    if isinstance(slot, ShortTextSlot | QuotedTextSlot):
        is_short = len(stated) <= _VALUE_CHARS
        if is_short or isinstance(found, Match) or _is_countered(turn, prompt, found.evidence):
            return None
    else:
        stated = stated.rstrip(_QUESTION_MARKS)  # "Leeds?" is meant as a value
    today = turn.at.date()
    if accept_value(slot, stated, today):
        return _reply_of(turn, prompt, slot, stated)
    if not _asks_itself(turn, prompt, found) and (value := value_within(slot, turn.message, today)):
        return _reply_of(turn, prompt, slot, value.text)
    return None


def _reply_of(turn: Turn, prompt: PromptVersion, slot: AnySlot, text: str) -> Match:
    captured = {**_known(prompt, turn.pending), slot.name: text}
    return Match(prompt, MatchMethod.SLOT_REPLY, Evidence((), Gate.SLOT_REPLY), captured=captured)


def _asks_itself(turn: Turn, asking: PromptVersion, found: AnyMatch) -> bool:
    """Whether the message is a question of its own, though a value for a blank of `asking` may stand in it.

    It is one where it means another prompt, or others are near and `asking` is not; where a counterexample, or what
    contradicts it, keeps it from being a match; and, unless it means `asking`, where it ends as a question does or is
    longer than any value.
    """
    match found:
        case Match(prompt=prompt):
            return prompt.key != asking.key
        # Below the floor nothing is near: what is offered all the same is a guess.
        case Ambiguous(choices=choices, evidence=Evidence(gate=gate)) if gate is not Gate.FLOOR:
            if all(choice.key != asking.key for choice in choices):
                return True
        case _:
            pass
    is_denied = found.evidence.gate in (Gate.COUNTEREXAMPLE, Gate.CONTRADICTION)
    return is_denied or _is_countered(turn, asking, found.evidence) or not _may_be_value(turn.message)


def _is_countered(turn: Turn, asking: PromptVersion, evidence: Evidence) -> bool:
    """Whether the message is, word for word or nearly, a counterexample of the prompt."""
    is_excluded = any(one.is_excluded for one in evidence.candidates if one.prompt.key == asking.key)
    return is_excluded or asking.key in turn.state.matcher.index.refused_by(turn.message)


def _may_be_value(message: str) -> bool:
    return len(message) <= _VALUE_CHARS and not message.endswith(tuple(_QUESTION_MARKS))


def _is_asked_for_twice(turn: Turn, needed: SlotNeeded) -> bool:
    """Whether the reply before asked for the same blank, and what came was meant as its value."""
    prompt, slot = _pending_slot(turn)
    is_similar = turn.method not in (MatchMethod.EXACT, MatchMethod.TITLE)
    return prompt == turn.prompt and slot == needed.slot and is_similar and _may_be_value(turn.message)


def _pending_slot(turn: Turn) -> tuple[PromptVersion | None, AnySlot | None]:
    """Returns the prompt and the slot that the reply before asked for, as far as they are still there."""
    if turn.pending is None:
        return None, None
    prompt = turn.state.catalog.prompts.get(turn.pending.prompt_key or "")
    slots = prompt.content.slots if prompt else ()
    return prompt, next((slot for slot in slots if slot.name == turn.pending.needs_slot), None)


def _known(prompt: PromptVersion, previous: Decision | None) -> dict[str, str]:
    """Returns the values that were there before; of a quoted text only its length is kept: it is asked for again."""
    quoted = {slot.name for slot in prompt.content.slots if isinstance(slot, QuotedTextSlot)}
    slots = previous.slots if previous else {}
    return {name: text for name, text in slots.items() if name not in quoted}
