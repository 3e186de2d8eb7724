"""The calibration report: what the limits mean, for the store and per prompt, and which prompts collide."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec
import numpy as np

from store.learning.corpus import Corpus
from store.learning.fit import HeldOut, HeldOutKind
from store.learning.metrics import NONE, Estimate, Flags, Numbers, Scores, is_offered, weighted_share, wilson
from store.scoring import Limits

_MAX_COLLISIONS = 50
_MAX_NEARER = 100
_MAX_EXAMPLES = 3


class Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the report, written as JSON."""


class StoreRates(Struct, frozen=True):
    """Shares at the chosen limits, each sentence ranked by a matcher that did not know it."""

    coverage: Estimate
    """Of messages that have a prompt: answered with it."""
    clarify: Estimate
    """Of messages that have a prompt: asked back, the right one among those offered."""
    abstention: Estimate
    """Of messages that have a prompt: neither answered nor asked back with the right prompt."""
    false_match: Estimate
    """Of all messages in the assumed mix: answered with a wrong prompt. This is what the operator's rate is about."""
    empty_clarify: Estimate
    """Of all messages in the assumed mix: asked back, nothing offered was right."""
    near_misses_answered: Estimate | None
    """Of messages near a prompt that have none of their own; None when none could be held out."""
    strangers_answered: Estimate | None
    """Of messages from elsewhere."""
    counterexamples_answered: Estimate | None
    """Of counterexamples unknown to the matcher: answered with the very prompt that they must not match."""


class PromptRates(Struct, frozen=True):
    """What becomes of one prompt's own sentences, and what is wrongly answered with it."""

    key: str
    sentences: int
    coverage: Estimate
    clarify: Estimate
    abstention: Estimate
    """Neither answered nor asked back with the right prompt, nor answered with another."""
    false_match: Estimate
    """Of its own sentences: answered with another prompt."""
    wrongly_given: int
    """Sentences of others, or of nobody, that were answered with this prompt."""


class Collision(Struct, frozen=True):
    """Sentences of one prompt that another prompt ranks first for."""

    prompt: str
    ranked_first: str
    sentences: int
    answered: int
    """Of these: with enough score to be answered wrongly."""
    examples: tuple[str, ...]


class NearerElsewhere(Struct, frozen=True):
    """A phrasing that is nearer to a phrasing of another prompt than to the rest of its own."""

    phrasing: str
    prompt: str
    similarity: float | None
    """To the nearest other phrasing of its own prompt; None when that prompt did not come near at all."""
    other_phrasing: str
    other_prompt: str
    other_similarity: float


class AssumedShare(Struct, frozen=True):
    """What another assumption about near misses would have chosen."""

    near_misses: float
    """For each message that has a prompt."""
    answer: float
    coverage: float
    false_match: float


class Report(Struct, frozen=True):
    """What the operator reads before trusting the matcher. Intervals are of 95 %."""

    stated_rate: float
    near_misses: float
    """Assumed for each message that has a prompt; the operator's to state."""
    limits: Limits
    more_phrasings: int
    """To be written before the stated rate can be proven; until then the limits are stricter. 0 when it could be."""
    store: StoreRates
    prompts: tuple[PromptRates, ...]
    collisions: tuple[Collision, ...]
    nearer_elsewhere: tuple[NearerElsewhere, ...]
    assumed: tuple[AssumedShare, ...]
    unknown: tuple[str, ...]
    """What the sentences could not tell, in words."""

    @property
    def is_over_rate(self) -> bool:
        """Whether wrong answers are above the stated rate beyond doubt. It is warned of and serves nevertheless."""
        return self.store.false_match.low > self.stated_rate

    @property
    def caveat(self) -> str:
        """What an operator must know of the limits, in a few words; empty when the rate is proven."""
        missing = f"; {self.more_phrasings} more phrasings would prove its rate" if self.more_phrasings else ""
        if self.limits.is_word_for_word:
            return f"answers word for word only{missing}"
        return f"answers from limits that are not proven{missing}" if missing else ""


def store_rates(held: HeldOut, answered: Numbers, offered: Numbers, weights: Scores) -> StoreRates:
    """Returns the store's rates; `weights` make the held-out rows the mix of messages that is expected."""
    wrong = (answered != NONE) & wrongly(held, answered)
    asked = (answered == NONE) & (offered != NONE).any(axis=1)
    helped = asked & is_offered(offered, held.truths)
    right = (answered != NONE) & (answered == held.truths)
    # Sentences of one prompt depend on each other; a background sentence depends on none.
    clusters = np.where(
        held.labels == NONE, int(held.labels.max(initial=0)) + 1 + np.arange(len(held.labels)), held.labels
    )

    def share(flags: Flags, kind: HeldOutKind) -> Estimate | None:
        rows = held.kinds == kind
        return weighted_share(flags[rows], np.ones(int(rows.sum())), clusters[rows]) if rows.any() else None

    inside = HeldOutKind.IN_SCOPE
    return StoreRates(
        coverage=share(right, inside) or wilson(0, 0),
        clarify=share(helped, inside) or wilson(0, 0),
        abstention=share(~right & ~helped & ~wrong, inside) or wilson(0, 0),
        false_match=weighted_share(wrong, weights, clusters),
        empty_clarify=weighted_share(asked & ~helped, weights, clusters),
        near_misses_answered=share(answered != NONE, HeldOutKind.NEAR_MISS),
        strangers_answered=share(answered != NONE, HeldOutKind.STRANGER),
        counterexamples_answered=share(wrong, HeldOutKind.COUNTEREXAMPLE),
    )


def wrongly(held: HeldOut, given: Numbers) -> Flags:
    """Returns for which rows answering with `given` would be wrong.

    Of a counterexample only one thing is known, which prompt it must not get: another one may be just right.
    """
    is_counterexample = held.kinds == HeldOutKind.COUNTEREXAMPLE
    flags: Flags = np.where(is_counterexample, given == held.labels, given != held.truths)
    return flags


def prompt_rates(held: HeldOut, corpus: Corpus, answered: Numbers, offered: Numbers) -> tuple[PromptRates, ...]:
    """Returns the rates of every prompt, in the corpus' order."""
    inside = held.kinds == HeldOutKind.IN_SCOPE
    count = len(corpus.keys)
    right = inside & (answered == held.truths)
    wrong = (answered != NONE) & wrongly(held, answered)
    helped = (answered == NONE) & is_offered(offered, held.truths)

    def per_prompt(flags: Flags, of: Numbers = held.labels) -> Sequence[int]:
        counts: list[int] = np.bincount(of[flags], minlength=count).tolist()
        return counts

    columns = zip(
        corpus.keys,
        per_prompt(inside),
        per_prompt(right),
        per_prompt(inside & helped),
        per_prompt(inside & wrong),
        per_prompt(wrong, answered),
        strict=True,
    )
    return tuple(
        PromptRates(key, n, wilson(hit, n), wilson(ask, n), wilson(n - hit - ask - bad, n), wilson(bad, n), given)
        for key, n, hit, ask, bad, given in columns
    )


def collisions(held: HeldOut, corpus: Corpus, answered: Numbers) -> tuple[Collision, ...]:
    """Returns the pairs of prompts that are taken for each other, the worst first."""
    rows = np.flatnonzero((held.kinds == HeldOutKind.IN_SCOPE) & (held.candidates[:, 0] != NONE))
    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row in rows.tolist():
        own, first = int(held.labels[row]), int(held.candidates[row, 0])
        if own != first:
            found[own, first].append(row)
    pairs = [
        Collision(
            corpus.keys[own],
            corpus.keys[first],
            len(numbers),
            sum(int(answered[row]) == first for row in numbers),
            tuple(held.texts[row] for row in sorted(numbers, key=lambda row: -held.scores[row, 0])[:_MAX_EXAMPLES]),
        )
        for (own, first), numbers in found.items()
    ]
    return tuple(sorted(pairs, key=lambda p: (-p.answered, -p.sentences, p.prompt, p.ranked_first))[:_MAX_COLLISIONS])


def nearer_elsewhere(held: HeldOut, corpus: Corpus) -> tuple[NearerElsewhere, ...]:
    """Returns the phrasings that are nearer to another prompt than to their own, the furthest astray first."""
    found = [
        one
        for row in np.flatnonzero(held.kinds == HeldOutKind.IN_SCOPE).tolist()
        if (one := _nearer_elsewhere(held, corpus, row)) is not None
    ]
    found.sort(key=lambda one: ((one.similarity or 0.0) - one.other_similarity, one.phrasing))
    return tuple(found[:_MAX_NEARER])


def _nearer_elsewhere(held: HeldOut, corpus: Corpus, row: int) -> NearerElsewhere | None:
    own = int(held.labels[row])
    ranked = [
        (float(similarity), int(candidate), int(nearest))
        for candidate, similarity, nearest in zip(
            held.candidates[row], held.similarities[row], held.nearest[row], strict=True
        )
        if candidate != NONE
    ]
    others = [one for one in ranked if one[1] != own]
    if not others:
        return None
    mine = next((similarity for similarity, candidate, _ in ranked if candidate == own), None)
    similarity, other, nearest = max(others)
    if mine is not None and mine >= similarity:
        return None
    return NearerElsewhere(
        held.texts[row], corpus.keys[own], mine, corpus.phrasings[nearest], corpus.keys[other], similarity
    )


def unknown(
    held: HeldOut, corpus: Corpus, limits: Limits, *, near_misses: float, more_phrasings: int
) -> tuple[str, ...]:
    """Returns in words what the held-out sentences cannot tell."""
    counts = Counter(held.kinds.tolist())
    said = []
    if more_phrasings:
        used = (
            "cautious limits are used, which answer word for word only and ask otherwise"
            if limits.is_word_for_word
            else "the limits aim at half of it"
        )
        said.append(
            f"The stated rate: too few phrasings to prove it; {used}. Write {more_phrasings} more, or state a higher "
            "rate."
        )
    if near_misses > 0 and not counts[HeldOutKind.NEAR_MISS]:
        said.append(
            "Near misses: too few prompts to leave some out. Wrong answers to them count as those to strangers."
        )
    if not counts[HeldOutKind.STRANGER]:
        said.append("Strangers: there is no background set.")
    if not counts[HeldOutKind.COUNTEREXAMPLE]:
        said.append("Counterexamples: the prompts have none.")
    single = [key for number, key in enumerate(corpus.keys) if int((corpus.labels == number).sum()) < 2]  # noqa: PLR2004 - one to leave out, one to know
    if single:
        said.append(f"Prompts with one sentence, whose coverage cannot be estimated: {', '.join(single)}.")
    return tuple(said)
