"""Step (3) of a message: the approved prompt that it means, with its slots filled, or a question back, or no match."""

import datetime as dt
from functools import partial
from typing import cast

import anyio
from anyio import CapacityLimiter, to_thread

from gateway.decisions import DecisionLog
from gateway.errors import InvalidRequest, NotServing
from gateway.faults import Faults, Point
from gateway.turn import Turn
from models.errors import ModelError, ModelRefused
from store.content import QuotedTextSlot, ShortTextSlot
from store.errors import IndexUnusable, InvalidContent, StoreError
from store.matches import Ambiguous, AnyMatch, Evidence, Gate, Match, MatchMethod, NoMatch, SlotNeeded
from store.slots import fill_slots, pending_slot_reply
from store.types import Decision

PENDING = dt.timedelta(minutes=15)
"""How long a question back waits for its value; later, a message in the same conversation is a new question."""


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
        found = await self._in_thread(turn)
        match found:
            case Match(prompt=prompt, method=method, evidence=evidence):
                turn.prompt, turn.method, turn.evidence = prompt, method, evidence
            case Ambiguous(evidence=evidence) | NoMatch(evidence=evidence):
                turn.evidence = evidence
                return found
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
            return filled
        turn.values = filled.values
        return found

    async def _in_thread(self, turn: Turn) -> AnyMatch:
        try:
            with anyio.fail_after(min(self._match_s, turn.question.deadline.remaining_s)):
                return await to_thread.run_sync(
                    partial(self._match, turn), abandon_on_cancel=True, limiter=self._threads
                )
        except ModelRefused as error:
            raise InvalidRequest("message_too_long", f"{error}. Shorten it.", param="message") from error
        except (StoreError, ModelError, TimeoutError) as error:
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
        is_pending = previous is not None and turn.at - previous.at <= PENDING
        return (previous and is_pending and _slot_reply(turn, previous, found)) or found

    def _previous(self, turn: Turn) -> Decision | None:
        if turn.question.conversation is None:
            return None
        return self._decisions.previous(turn.question.conversation, turn.question.principal.id, turn.assistant.name)


def _slot_reply(turn: Turn, previous: Decision, found: AnyMatch) -> Match | None:
    """Reads the message as the value that the previous reply asked for, if it is one.

    An approved question word for word is never a value. A free text takes anything, so it gives way to every match.
    """
    prompt = turn.state.catalog.prompts.get(previous.prompt_key or "")
    if prompt is None or previous.needs_slot is None:
        return None
    slot = next((slot for slot in prompt.content.slots if slot.name == previous.needs_slot), None)
    if slot is None or (isinstance(found, Match) and found.method is MatchMethod.EXACT):
        return None
    if isinstance(slot, ShortTextSlot | QuotedTextSlot) and isinstance(found, Match):
        return None
    value = pending_slot_reply(slot, turn.message, today=turn.at.date())
    if value is None:
        return None
    # Of a quoted text only its length is kept; it is asked for again.
    quoted = {slot.name for slot in prompt.content.slots if isinstance(slot, QuotedTextSlot)}
    known = {name: text for name, text in previous.slots.items() if name not in quoted}
    captured = {**known, slot.name: value.text}
    return Match(prompt, MatchMethod.SLOT_REPLY, Evidence((), Gate.SLOT_REPLY), captured=captured)
