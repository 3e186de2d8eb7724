"""What the live matcher says of a question, and what would come of adding it to a prompt: a dry run."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.errors import NotServing
from gateway.live import Live, LiveState
from models.errors import ModelError, ModelRefused
from store.errors import InvalidContent, NotFound, StoreError
from store.matches import Ambiguous, AnyMatch, Candidate, Match
from store.review.collisions import Addition, Collisions

MAX_CANDIDATES = 3


@dataclass(frozen=True, slots=True)
class Prospect:
    """A prompt that a question may belong to."""

    key: str
    title: str
    score: float
    """What the live matcher gives it now, 0 to 1."""
    phrasing: str
    """Its nearest phrasing."""
    similarity: float
    counter_similarity: float | None
    added: Addition
    """What adding the question as a phrasing of this prompt would do."""


@dataclass(frozen=True, slots=True)
class Prospects:
    """What the live matcher makes of a question."""

    outcome: str
    """`answered`, `clarify` or `no_match`: what matching would come to now."""
    gate: str
    """The check that decided."""
    difference: str | None
    """What the contradiction gate found."""
    answer_from: float | None
    """The score from which an answer is given; None where only phrasings word for word are."""
    candidates: tuple[Prospect, ...]


class Prospecting:
    """Asks the live state; nothing is recorded. Blocks for some milliseconds: use a thread."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def of(self, text: str, assistant: str, others: Sequence[str] = ()) -> Prospects:
        """Returns the best candidates; `others` are questions of the same cluster.

        Raises `NotFound` for an assistant that is no longer live, `InvalidContent` for a question that is too long to
        be matched, `NotServing` when the matcher cannot answer.
        """
        state = self._live.current
        if assistant not in state.catalog.assistants:
            raise NotFound("the assistant of this question is no longer live, so nothing can be matched for it.")
        try:
            found = state.matcher.match(text, assistant)
            collisions = Collisions(state.matcher, assistant)
            ranked = found.evidence.candidates[:MAX_CANDIDATES]
            added = collisions.of_all(text, [one.prompt for one in ranked], others)
        except ModelRefused as error:
            raise InvalidContent("the question is longer than the embedder reads, so it matches nothing.") from error
        except (StoreError, ModelError) as error:
            raise NotServing("matcher_unavailable", "The question could not be matched. Try again shortly.") from error
        candidates = tuple(_prospect(one, addition) for one, addition in zip(ranked, added, strict=True))
        return _prospects(state, assistant, found, candidates)


def _prospects(state: LiveState, assistant: str, found: AnyMatch, candidates: tuple[Prospect, ...]) -> Prospects:
    limits = state.matcher.scopes[assistant].limits
    return Prospects(
        outcome="answered" if isinstance(found, Match) else "clarify" if isinstance(found, Ambiguous) else "no_match",
        gate=found.evidence.gate.value,
        difference=found.evidence.difference,
        answer_from=None if limits.is_word_for_word else limits.answer,
        candidates=candidates,
    )


def _prospect(candidate: Candidate, added: Addition) -> Prospect:
    return Prospect(
        candidate.prompt.key,
        candidate.prompt.content.title,
        candidate.score,
        candidate.phrasing,
        candidate.similarity,
        candidate.counter_similarity,
        added,
    )
