"""Tries what a message would be matched to: by the pipeline's own matching, without rails, model or decision."""

from dataclasses import dataclass

import structlog

from gateway.canonicalize import RefusedMessage, canonicalize_all
from gateway.credentials import Principal
from gateway.limits import Admission, Charged
from gateway.live import Live
from gateway.matching import Matching
from gateway.turn import Question, Turn
from rails.languages import spoken
from store.content import PromptVersion
from store.matches import Ambiguous, Candidate, Match, NoMatch, SlotNeeded
from store.scoring import Limits
from store.types import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What matching came to. Every rail could still stop the message, and its dialog answer what matched nothing."""

    outcome: Outcome
    """What it would be if every check passes and the model answers."""
    turn: Turn
    """The prompt, slot values and evidence; it never becomes a decision."""
    limits: Limits
    rate: Charged
    refused: str | None = None
    """Why the message was refused before it was matched."""
    choices: tuple[PromptVersion, ...] = ()
    """Approved prompts that may have been meant."""
    slot: SlotNeeded | None = None
    """The blank that the person would be asked to fill."""

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The prompts that came nearest, best first."""
        return self.turn.evidence.candidates if self.turn.evidence else ()


class MatchTrials:
    """Tries matches under the same admission as questions."""

    def __init__(self, live: Live, matching: Matching, admission: Admission) -> None:
        self._live = live
        self._matching = matching
        self._admission = admission
        self._log = structlog.get_logger("canongate.match")

    async def match(self, question: Question) -> Tried:
        """Returns what the message would be matched to; the question's conversation counts and is not continued.

        Raises as the pipeline does: `InvalidRequest`, `RateLimited` and `NotServing`.
        """
        state = self._live.serving
        assistant = state.assistant(question.assistant, question.principal)
        rate = await self._admission.charge(question.principal, assistant.name)
        tried = await self._try(Turn(question, state, assistant), rate)
        self._note(tried, question.principal)
        return tried

    async def _try(self, turn: Turn, rate: Charged) -> Tried:
        limits = turn.state.matcher.scopes[turn.assistant.name].limits
        words = canonicalize_all(turn.question.text, turn.question.given)
        if isinstance(words, RefusedMessage):
            return Tried(outcome=Outcome.BLOCKED_INPUT, turn=turn, limits=limits, rate=rate, refused=words.reason)
        turn.message, *values = words
        turn.language = spoken(turn.message, turn.assistant.languages)
        turn.given = dict(zip(turn.question.given, values, strict=True))
        with turn.timed("match"):
            found = await self._matching.find(turn)
            if isinstance(found, NoMatch | Ambiguous):
                found = self._matching.as_reply(turn, found) or found
        match found:
            case Match():
                return Tried(outcome=Outcome.ANSWERED, turn=turn, limits=limits, rate=rate)
            case Ambiguous(choices=choices):
                return Tried(outcome=Outcome.CLARIFY, turn=turn, limits=limits, rate=rate, choices=choices)
            case SlotNeeded() as needed:
                return Tried(outcome=Outcome.CLARIFY, turn=turn, limits=limits, rate=rate, slot=needed)
            case NoMatch():
                return Tried(outcome=Outcome.NO_MATCH, turn=turn, limits=limits, rate=rate)

    def _note(self, tried: Tried, principal: Principal) -> None:
        """Writes one line, and never a word of the message."""
        turn = tried.turn
        self._log.info(
            "match_tried",
            assistant=turn.assistant.name,
            principal=principal.id,
            outcome=tried.outcome.value,
            prompt=turn.prompt.key if turn.prompt else None,
            gate=turn.evidence.gate.value if turn.evidence else None,
            store_revision=turn.state.catalog.revision,
            match_ms=turn.timings_ms.get("match"),
        )
