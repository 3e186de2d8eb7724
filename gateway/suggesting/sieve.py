"""Lets through only proposed sentences that are new, clean and of the right prompt; says of the others why not."""

import re
from collections.abc import Collection
from itertools import pairwise
from typing import Any

from gateway.live import LiveState
from gateway.reviewing.redaction import redact
from gateway.suggesting.rouge import Alike, words_of
from gateway.suggesting.templates import Variant
from rails.checks import toxicity
from rails.toxic_terms import Category
from store.content import SLOT_MARK, PromptVersion
from store.contradiction import explain
from store.phrases import Row, RowKind, fill_sample, fold
from store.review.collisions import Collisions, Rival
from store.review.edits import MAX_LINE
from store.review.suggested import Found, ProposalKind

LEAST_SIMILAR = 0.5
"""Cosine to the prompt's nearest phrasing below which a sentence has left the subject."""
LEAST_SIMILAR_OF_MODEL = 0.65
"""The same for a model's words: small ones wander off."""
LEAST_APART = 0.02
"""How much nearer the sentence must be to its own prompt than to any other."""
MODEL = "model"
_FEWEST_WORDS = 2
_MOST_WORDS = 30
_MOST_WORDS_OF_MODEL = 20
_ODD = re.compile(r"https?:|www\.|[<>|\\^~`#=\[\]]|\.{3}|[!?]{2}")
_ABOUT_THE_TASK = re.compile(
    r"(?:you(?:'re| are) asking|here (?:are|is)|let me think|if you have|sure\b|one question|question|answer"
    r"|(?:re)?phras|these questions|write \d|note\b|step \d)|.*(?::|\.\s+\S.*\.)$",
    re.IGNORECASE,
)
"""What a model says about its task in place of doing it."""
_TOXIC = toxicity.ToxicityParams(categories=tuple(Category))


class Sieve:
    """Checks sentences for one prompt, one after the other: each that passes counts for those after it.

    Asks the embedder for a vector a sentence: use it in a thread.
    """

    def __init__(
        self, state: LiveState, assistant: str, prompt: PromptVersion, known: Collection[tuple[str, str]]
    ) -> None:
        """`known` are kind and folded text of everything that was ever proposed for the prompt."""
        self._prompt = prompt
        self._known = set(known)
        self._collisions = Collisions(state.matcher, assistant)
        everything = (one.content for one in state.catalog.prompts.values())
        self._phrasings = Alike(text for content in everything for text in (*content.phrasings, *content.follow_ups))
        self._counterexamples = Alike(prompt.content.counterexamples)
        self._of_others = {
            fold(text)
            for one in state.catalog.prompts.values()
            if one.key != prompt.key
            for text in one.content.phrasings
        }

    def check(self, variant: Variant, kind: ProposalKind, origin: dict[str, Any]) -> Found | str:
        """Returns the sentence with all that was found out, or the constant name of what is wrong with it.

        Raises what the embedder raises.
        """
        text = " ".join(variant.text.split())
        reason = self._refused(text, kind)
        if reason is None and origin.get("source") == MODEL and _is_idle_talk(text):
            reason = "form"
        if reason is not None:
            return reason
        told = {**origin, "method": variant.method, "from": variant.source}
        found = (
            self._as_phrasing(text, told) if kind is ProposalKind.PHRASING else self._as_counter(text, variant, told)
        )
        if isinstance(found, Found):
            self._known.add((kind.value, fold(text)))
            (self._phrasings if kind is ProposalKind.PHRASING else self._counterexamples).add(text)
        return found

    def _refused(self, text: str, kind: ProposalKind) -> str | None:
        """Returns what is wrong with it as a sentence, whatever its meaning."""
        names = {slot.name for slot in self._prompt.content.slots}
        words = words_of(text)
        checks = (
            ("form", not _FEWEST_WORDS <= len(words) <= _MOST_WORDS or len(text) > MAX_LINE),
            ("form", bool(_ODD.search(SLOT_MARK.sub("", text))) or "{" in SLOT_MARK.sub("", text)),
            ("blank", bool(set(SLOT_MARK.findall(text)) - names)),
            ("blank", kind is ProposalKind.COUNTEREXAMPLE and bool(SLOT_MARK.search(text))),
            ("known", (kind.value, fold(text)) in self._known),
            ("personal_or_secret", redact(text) != text),
            ("toxic", toxicity.find(text, _TOXIC) is not None),
        )
        return next((reason for reason, is_so in checks if is_so), None)

    def _as_phrasing(self, text: str, told: dict[str, Any]) -> Found | str:
        content = self._prompt.content
        if fold(text) in map(fold, content.counterexamples):
            return "is_counterexample"
        if self._phrasings.most_alike(text) is not None:
            return "alike"
        if explain(text, str(told["from"]), content.phrasings) is not None:
            return "means_something_else"
        rival, own = self._nearest(text)
        if own < (LEAST_SIMILAR_OF_MODEL if told.get("source") == MODEL else LEAST_SIMILAR):
            return "off_subject"
        if rival is not None and own - rival.similarity < LEAST_APART:
            return "nearer_to_another_prompt"
        most = self._phrasings.most_alike(text, at_least=0.0)
        told = {**told, "rouge_l": round(most[0], 3) if most else 0.0, "similarity": round(own, 4)}
        return Found(ProposalKind.PHRASING, text, {**told, **_told(rival)})

    def _as_counter(self, text: str, variant: Variant, told: dict[str, Any]) -> Found | str:
        content = self._prompt.content
        if fold(text) in {fold(one) for one in (*content.phrasings, *content.follow_ups)}:
            return "is_phrasing"
        if fold(text) in self._of_others:
            return "phrasing_of_another_prompt"
        if self._counterexamples.most_alike(text) is not None:
            return "alike"
        rival, own = self._nearest(text)
        difference = explain(text, variant.source, content.phrasings)
        told = {**told, "similarity": round(own, 4), "difference": difference, **_told(rival)}
        return Found(ProposalKind.COUNTEREXAMPLE, text, told)

    def _nearest(self, text: str) -> tuple[Rival | None, float]:
        filled = fill_sample(Row(self._prompt, RowKind.PHRASING, text))
        return self._collisions.nearest_other(filled, self._prompt.key)


def _is_idle_talk(text: str) -> bool:
    words = words_of(text)
    repeats = any(one == other for one, other in pairwise(words))
    return repeats or len(words) > _MOST_WORDS_OF_MODEL or _ABOUT_THE_TASK.match(text) is not None


def _told(rival: Rival | None) -> dict[str, Any]:
    return {} if rival is None else {"nearest_other": rival.key, "nearest_other_similarity": rival.similarity}
