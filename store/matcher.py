"""The matcher: which approved prompt a message means, if any, and on what evidence."""

from collections.abc import Collection

from store.content import MatchLimits
from store.gates import MAX_CHOICES, TIE, Scored, decide
from store.index import Embed, Hit, PromptIndex, Vectors, check_vectors
from store.matches import Ambiguous, AnyMatch, Candidate, Evidence, Gate, Match, MatchMethod, NoMatch
from store.phrases import ExactHit, RowKind

_FIRST_K = 64
_CANDIDATES = MAX_CHOICES + 2
"""Prompts kept as evidence: the choices, and what they were chosen from."""


class Matcher:
    """Decides in layers: an approved phrasing word for word, then nearness and gates. Immutable, thread-safe."""

    def __init__(self, index: PromptIndex, embed: Embed) -> None:
        self._index = index
        self._embed = embed

    def match(self, text: str, *, areas: Collection[str], limits: MatchLimits, after: str | None = None) -> AnyMatch:
        """Returns the match among the prompts of `areas`, for a canonical message.

        `after` is the key of the prompt answered before in this conversation; it lets follow-ups take part. Raises
        `IndexUnusable` when the embedder's vector is not usable; what the embedder raises passes through.
        """
        if self._index.size_of(areas) == 0:
            return NoMatch(Evidence((), Gate.EMPTY))
        refused = self._index.refused_by(text)
        exact = tuple(hit for hit in self._index.exact(text, areas, after=after) if hit.row.prompt.key not in refused)
        if exact:
            return _decide_exact(exact)
        vector = check_vectors(self._embed([text]), 1, self._index.dimension)
        scored = score_candidates(self._index, vector, areas=areas, after=after, refused=refused)
        if not scored:
            return NoMatch(Evidence((), Gate.COUNTEREXAMPLE if refused else Gate.EMPTY))
        result = decide(text, scored, limits)
        if isinstance(result, Match):
            captured = self._index.capture(result.prompt, text)
            return Match(result.prompt, result.method, result.evidence, captured)
        return result


def score_candidates(
    index: PromptIndex, vector: Vectors, *, areas: Collection[str], after: str | None, refused: Collection[str]
) -> tuple[Scored, ...]:
    """Returns the nearest prompts, best first, each by its nearest phrasing and with its nearest counterexample."""
    best = _best_per_prompt(index, vector, areas, after, refused)
    counter = index.nearest_counterexamples(vector, best)
    scored = [
        Scored(
            Candidate(hit.row.prompt, hit.score, hit.row.text, counter[key].score if key in counter else None),
            is_follow_up=hit.row.kind is RowKind.FOLLOW_UP,
        )
        for key, hit in best.items()
    ]
    top = scored[0].candidate.score if scored else 0.0
    # Stable: only what ties with the best moves, and only a follow-up moves to the front.
    scored.sort(key=lambda one: not (one.is_follow_up and top - one.candidate.score <= TIE))
    return tuple(scored)


def _best_per_prompt(
    index: PromptIndex, vector: Vectors, areas: Collection[str], after: str | None, refused: Collection[str]
) -> dict[str, Hit]:
    k, size = _FIRST_K, index.size_of(areas, after=after)
    while True:
        best: dict[str, Hit] = {}
        for hit in index.search(vector, k, areas, after=after):
            key = hit.row.prompt.key
            if key not in refused:
                kept = best.setdefault(key, hit)
                if hit.row.kind is RowKind.FOLLOW_UP and kept.score - hit.score <= TIE:
                    best[key] = hit
        # One prompt with many phrasings must not hide the runner-up that the margin is measured to.
        if len(best) >= _CANDIDATES or k >= size:
            return dict(list(best.items())[:_CANDIDATES])
        k *= 4


def _decide_exact(hits: tuple[ExactHit, ...]) -> AnyMatch:
    follow_ups = tuple(hit for hit in hits if hit.row.kind is RowKind.FOLLOW_UP)
    rank = max(hit.rank for hit in follow_ups or hits)
    best = {hit.row.prompt.key: hit for hit in reversed(follow_ups or hits) if hit.rank == rank}
    candidates = tuple(Candidate(hit.row.prompt, 1.0, hit.row.text) for hit in best.values())
    if len(best) > 1:
        choices = tuple(candidate.prompt for candidate in candidates[:MAX_CHOICES])
        return Ambiguous(choices, Evidence(candidates, Gate.MARGIN))
    (hit,) = best.values()
    method = MatchMethod.FOLLOW_UP if follow_ups else MatchMethod.EXACT
    return Match(hit.row.prompt, method, Evidence(candidates, Gate.EXACT_PHRASE), hit.captured)
