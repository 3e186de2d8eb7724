"""How a reply was decided, prepared for a person to read: the four stations, scores, checks and what was sent."""

from dataclasses import dataclass
from enum import StrEnum

from gateway.turn import Reply
from models.ports import PartKind, PromptPart
from rails.types import RailRecord, RailStatus, Stage
from store.types import Outcome

_STEPS = (("check", "input_rails"), ("match", "match"), ("word", "generate"), ("verify", "output_rails"))

_MOST_CANDIDATES = 5


class StationState(StrEnum):
    """How far the message came."""

    PASSED = "passed"
    STOPPED = "stopped"
    ASKED = "asked"
    """The person is asked back before the way can go on."""
    SKIPPED = "skipped"
    """The way went on without it: an approved answer, or one that is kept, needs no model."""
    NOT_REACHED = "not_reached"


@dataclass(frozen=True, slots=True)
class Station:
    """One of the four steps on the way of a message."""

    name: str
    state: StationState
    duration_ms: float | None


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """An approved prompt that came near."""

    title: str
    phrasing: str
    score: float
    is_chosen: bool

    @property
    def percent(self) -> float:
        """The score as a share of the bar; below 0 there is nothing to draw."""
        return max(0.0, min(100.0, self.score * 100))


@dataclass(frozen=True, slots=True)
class SentPart:
    """A piece of what the model was given, and whether it came from the person."""

    text: str
    is_from_person: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that the details below an answer show."""

    stations: tuple[Station, ...]
    rails: tuple[RailRecord, ...]
    candidates: tuple[CandidateRow, ...]
    """The nearest ones, at most five."""
    limit: float | None
    """The score that is enough to be answered; None when only an approved phrasing word for word is."""
    difference: str | None
    """What the message says else than the nearest phrasing, such as `opposite: open/close`, when that decided."""
    method: str | None
    instructions: tuple[SentPart, ...]
    question: tuple[SentPart, ...]
    """Empty, like the instructions, when nothing was sent to the model."""
    language: str
    """Of the assistant's languages the one that the question is in."""

    def rails_at(self, stage: str) -> tuple[RailRecord, ...]:
        """Returns the checks of a stage, in their order."""
        return tuple(one for one in self.rails if one.stage.value == stage)


def explain(reply: Reply) -> Explanation:
    """Returns the explanation of a reply."""
    turn = reply.turn
    chosen = turn.prompt.key if turn.prompt else None
    limits = turn.state.matcher.scopes[turn.assistant.name].limits
    candidates = turn.evidence.candidates if turn.evidence else ()
    return Explanation(
        stations=_stations(reply),
        rails=tuple(turn.records),
        candidates=tuple(
            CandidateRow(one.prompt.content.title, one.phrasing, one.score, one.prompt.key == chosen)
            for one in candidates[:_MOST_CANDIDATES]
        ),
        limit=None if limits.is_word_for_word else limits.answer,
        difference=turn.evidence.difference if turn.evidence else None,
        method=reply.decision.method,
        instructions=_parts(turn.sent.instructions) if turn.sent else (),
        question=_parts(turn.sent.question) if turn.sent else (),
        language=turn.language,
    )


def _stations(reply: Reply) -> tuple[Station, ...]:
    states = _states(reply)
    timings = reply.decision.timings_ms
    return tuple(
        Station(name, states[name], timings.get(timing) if states[name] is not StationState.NOT_REACHED else None)
        for name, timing in _STEPS
    )


def _states(reply: Reply) -> dict[str, StationState]:
    """Says for each step how it went; what comes after a stop was not reached."""
    passed, stopped, unreached = StationState.PASSED, StationState.STOPPED, StationState.NOT_REACHED
    word = _word_state(reply)
    match reply.decision.outcome:
        case Outcome.BLOCKED_INPUT:
            return dict(
                zip(("check", "match", "word", "verify"), (stopped, unreached, unreached, unreached), strict=True)
            )
        case Outcome.NO_MATCH:
            return {"check": passed, "match": stopped, "word": unreached, "verify": unreached}
        case Outcome.CLARIFY if reply.decision.stopped_by:  # by a rail that asks for other words
            return {"check": StationState.ASKED, "match": unreached, "word": unreached, "verify": unreached}
        case Outcome.CLARIFY:
            return {"check": passed, "match": StationState.ASKED, "word": unreached, "verify": unreached}
        case Outcome.BLOCKED_OUTPUT:
            return {"check": passed, "match": passed, "word": word, "verify": stopped}
        case Outcome.ANSWERED | Outcome.DEGRADED:
            return {"check": passed, "match": passed, "word": word, "verify": _verify_state(reply)}


def _word_state(reply: Reply) -> StationState:
    if reply.turn.sent is None or reply.turn.kept:
        return StationState.SKIPPED
    return StationState.PASSED if reply.turn.completion else StationState.STOPPED


def _verify_state(reply: Reply) -> StationState:
    checks = [one for one in reply.turn.records if one.stage is Stage.OUTPUT and not one.is_monitored]
    has_passed = checks and all(record.status in (RailStatus.PASSED, RailStatus.MODIFIED) for record in checks)
    return StationState.PASSED if has_passed else StationState.STOPPED


def _parts(parts: tuple[PromptPart, ...]) -> tuple[SentPart, ...]:
    return tuple(SentPart(part.text, part.kind is not PartKind.APPROVED) for part in parts)
