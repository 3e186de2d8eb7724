"""The matcher: which approved prompt a message means, if any, and on what evidence."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from store.contradiction import contradicts
from store.gates import MAX_CHOICES, decide
from store.index import Hit, PromptIndex
from store.matches import Ambiguous, AnyMatch, Candidate, Evidence, Gate, Match, MatchMethod, NoMatch
from store.phrases import ExactHit, RowKind
from store.scoring import MAX_RANKED, Limits, Scope
from store.vectors import Embed, Vectors, check_vectors

_FIRST_K = 64
_TIE = 1e-3
"""Similarities of the same sentence differ by less than this from one run of an int8 embedder to another."""


class Matcher:
    """Decides in layers: an approved phrasing word for word, then scores and gates. Immutable, thread-safe."""

    def __init__(
        self,
        index: PromptIndex,
        embed: Embed,
        scopes: Mapping[str, Scope],
        *,
        is_unread: Callable[[str], bool],
        fingerprint: str | None = None,
    ) -> None:
        """`is_unread` says whether a message is in a language that the embedder does not read.

        To such an embedder it is near to anything, and for no reason.
        """
        self._index = index
        self._embed = embed
        self.scopes = scopes
        """What each assistant matches with, by its name."""
        self._is_unread = is_unread
        self.fingerprint = fingerprint
        """What it was fitted from, recorded with every decision; None for one that was not fitted."""

    @property
    def index(self) -> PromptIndex:
        """What it matches with, for dry runs."""
        return self._index

    def vector_of(self, text: str) -> Vectors:
        """Returns the vector of a text, (1, dimension). Raises as `match` does."""
        return self.vectors_of([text])

    def vectors_of(self, texts: Sequence[str]) -> Vectors:
        """Returns the vectors of texts, (texts, dimension). Raises as `match` does."""
        return check_vectors(self._embed(texts), len(texts), self._index.dimension)

    def match(self, text: str, assistant: str, *, after: str | None = None) -> AnyMatch:
        """Returns the match among the prompts of an assistant, for a canonical message.

        `after` is the key of the prompt answered before in this conversation; it lets follow-ups take part. Raises
        `IndexUnusable` when the embedder's vector is not usable; what the embedder raises passes through.
        """
        found = self.word_for_word(text, assistant, after=after)
        if found is not None:
            return found
        scope, refused = self.scopes[assistant], self._index.refused_by(text)
        if self._is_unread(text):
            return NoMatch(Evidence((), Gate.LANGUAGE))
        vector = self.vector_of(text)
        hits = self._hits(vector, scope.areas, after, refused)
        found = self._follow_up(text, vector, hits, scope.limits) or self._decided(
            text, self._candidates(text, scope, vector, hits, refused), scope.limits
        )
        if isinstance(found, Match):
            captured = self._index.capture(found.prompt, text)
            return Match(found.prompt, found.method, found.evidence, captured)
        if not found.evidence.candidates and refused:
            return NoMatch(Evidence((), Gate.COUNTEREXAMPLE))
        return found

    def word_for_word(self, text: str, assistant: str, *, after: str | None = None) -> AnyMatch | None:
        """Returns what `match` returns where that takes no vector, else None: looks into tables and never waits."""
        areas = self.scopes[assistant].areas
        if self._index.size_of(areas) == 0:
            return NoMatch(Evidence((), Gate.EMPTY))
        refused = self._index.refused_by(text)
        exact = self._index.exact(text, areas, after=after)
        allowed = tuple(hit for hit in exact if hit.row.prompt.key not in refused)
        return _decide_exact(allowed) if allowed else None

    def _decided(self, text: str, candidates: tuple[Candidate, ...], limits: Limits) -> AnyMatch:
        """Decides by title, else by scores and gates.

        Who is asked "did you mean" answers with a title. By scores it was not clear enough to be answered before, and
        would be asked about for ever.
        """
        titled = [one for one in candidates if self._index.is_same(text, one.prompt.content.title)]
        if len(titled) == 1 and not titled[0].is_excluded:
            return Match(titled[0].prompt, MatchMethod.TITLE, Evidence(candidates, Gate.TITLE))
        return decide(text, candidates, limits)

    def _hits(
        self, vector: Vectors, areas: Collection[str], after: str | None, refused: Collection[str]
    ) -> tuple[Hit, ...]:
        k, size = _FIRST_K, self._index.size_of(areas, after=after)
        while True:
            hits = self._index.search(vector, k, areas, after=after)
            kept = tuple(hit for hit in hits if hit.row.prompt.key not in refused) if refused else hits
            # One prompt with many phrasings must not hide the runner-up that the margin is measured to.
            if k >= size or len({hit.row.prompt.key for hit in kept}) >= MAX_RANKED:
                return kept
            k *= 4

    def _candidates(
        self, text: str, scope: Scope, vector: Vectors, hits: Sequence[Hit], refused: Collection[str]
    ) -> tuple[Candidate, ...]:
        phrasings = [hit for hit in hits if hit.row.kind is RowKind.PHRASING]
        ranked = scope.scorer.rank(text, vector, phrasings, refused)
        countered = self._countered(vector, [one.key for one in ranked])
        return tuple(
            Candidate(self._index.prompt(one.key), one.score, one.phrasing, one.similarity, countered.get(one.key))
            for one in ranked
        )

    def _follow_up(self, text: str, vector: Vectors, hits: Sequence[Hit], limits: Limits) -> Match | Ambiguous | None:
        """Right after its predecessor, a follow-up that is nearest of all is what was meant."""
        nearest = [hit for hit in hits if hits[0].score - hit.score <= _TIE and hit.row.kind is RowKind.FOLLOW_UP]
        if (
            not nearest
            or nearest[0].score < limits.follow_up
            or contradicts(text, nearest[0].row.text, nearest[0].row.prompt.content.follow_ups)
        ):
            return None
        best = {hit.row.prompt.key: hit for hit in reversed(nearest)}
        countered = self._countered(vector, best)
        likely = (
            Candidate(hit.row.prompt, hit.score, hit.row.text, hit.score, countered.get(key))
            for key, hit in best.items()
        )
        candidates = tuple(one for one in likely if not one.is_countered)
        if not candidates:
            return None
        if len(candidates) > 1:
            return _ask(candidates)
        return Match(candidates[0].prompt, MatchMethod.FOLLOW_UP, Evidence(candidates, Gate.ACCEPTED))

    def _countered(self, vector: Vectors, keys: Iterable[str]) -> dict[str, float]:
        """Returns the cosine of each prompt's nearest counterexample, for those that have one."""
        return {key: hit.score for key, hit in self._index.nearest_counterexamples(vector, keys).items()}


def _decide_exact(hits: tuple[ExactHit, ...]) -> AnyMatch:
    follow_ups = tuple(hit for hit in hits if hit.row.kind is RowKind.FOLLOW_UP)
    rank = max(hit.rank for hit in follow_ups or hits)
    best = {hit.row.prompt.key: hit for hit in reversed(follow_ups or hits) if hit.rank == rank}
    candidates = tuple(Candidate(hit.row.prompt, 1.0, hit.row.text, 1.0) for hit in best.values())
    if len(best) > 1:
        return _ask(candidates)
    (hit,) = best.values()
    method = MatchMethod.FOLLOW_UP if follow_ups else MatchMethod.EXACT
    return Match(hit.row.prompt, method, Evidence(candidates, Gate.EXACT_PHRASE), hit.captured)


def _ask(candidates: tuple[Candidate, ...]) -> Ambiguous:
    choices = tuple(candidate.prompt for candidate in candidates[:MAX_CHOICES])
    return Ambiguous(choices, Evidence(candidates, Gate.MARGIN))
