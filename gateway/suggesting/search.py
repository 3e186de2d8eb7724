"""Searches for sentences of a prompt: asks the model, fills templates, and passes everything through the sieve."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

from gateway.live import LiveState
from gateway.suggesting.countering import counter
from gateway.suggesting.instruction import paraphrase_prompt, read_lines
from gateway.suggesting.sieve import MODEL, Sieve
from gateway.suggesting.templates import Variant, vary
from models.errors import ModelError, ModelRefused
from models.ports import Cancellation, FinishReason, LanguageModel, Sampling
from store.content import SLOT_MARK, PromptVersion
from store.review.suggested import Found, ProposalKind

ROUNDS = 6
"""Times that the model is asked."""
SHOWN = 4
"""Phrasings that it is shown each time."""
ASKED_FOR = 6
MOST_TRIED = 400
"""Sentences that go through the sieve at most, which embeds those that come to the end of it."""
MODEL_S = 60.0
_TOLD_EVERY = 20

Progress = Callable[[int, int, Mapping[str, int]], bool]
"""Is told how many of how many were tried and why some were dropped; returns False to stop."""


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """What is looked for."""

    prompt: PromptVersion
    assistant: str
    """Among whose prompts it is compared."""
    wanted: int
    """Sentences of each kind at most."""


@dataclass(frozen=True, slots=True)
class _Try:
    variant: Variant
    kind: ProposalKind
    origin: Mapping[str, Any]


class Search:
    """Blocks for as long as it takes: use a thread. A model that is away is told as a reason, and templates go on."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    def run(
        self,
        state: LiveState,
        plan: SearchPlan,
        known: frozenset[tuple[str, str]],
        progress: Progress,
        cancellation: Cancellation,
    ) -> tuple[list[Found], Counter[str]]:
        """Returns what passed, and how many were dropped for which reason. Raises what the embedder raises."""
        sieve = Sieve(state, plan.assistant, plan.prompt, known)
        dropped: Counter[str] = Counter()
        found: list[Found] = []
        # Templates leave room for the model's words, which come first and differ more.
        planned = list(_templates(plan.prompt))[:MOST_TRIED]
        total = len(planned) + ROUNDS * ASKED_FOR
        tries = chain(self._worded(plan.prompt, cancellation, dropped), planned)
        counts: Counter[ProposalKind] = Counter()
        for number, one in enumerate(tries, 1):
            if cancellation.is_cancelled or (
                number % _TOLD_EVERY == 0 and not progress(min(number, total), total, dropped)
            ):
                break
            if all(counts[kind] >= plan.wanted for kind in ProposalKind):
                break
            if counts[one.kind] >= plan.wanted:
                dropped["enough"] += 1
                continue
            checked = _checked(sieve, one)
            if isinstance(checked, Found):
                counts[one.kind] += 1
                found.append(checked)
            else:
                dropped[checked] += 1
        return found, dropped

    def _worded(self, prompt: PromptVersion, cancellation: Cancellation, dropped: Counter[str]) -> Iterator[_Try]:
        plain = [text for text in prompt.content.phrasings if not SLOT_MARK.search(text)]
        if not plain:
            return
        origin = {"source": MODEL, "model": self._model.name, "sha256": self._model.sha256}
        for number in range(ROUNDS):
            start = number * SHOWN % len(plain)
            shown = (plain + plain)[start : start + min(SHOWN, len(plain))]
            sampling = Sampling(max_tokens=160, temperature=0.8, top_p=0.95, seed=number + 1)
            try:
                completion = self._model.complete(
                    paraphrase_prompt(shown, ASKED_FOR),
                    sampling,
                    deadline_s=time.monotonic() + MODEL_S,
                    cancellation=cancellation,
                )
            except ModelError:
                dropped["model_unavailable"] += 1
                return
            is_whole = completion.finish_reason is FinishReason.STOP
            for text in read_lines(completion.text, is_whole=is_whole):
                yield _Try(Variant(text, "paraphrase", shown[0]), ProposalKind.PHRASING, origin)


def _checked(sieve: Sieve, one: _Try) -> Found | str:
    try:
        return sieve.check(one.variant, one.kind, dict(one.origin))
    except ModelRefused:  # longer than the embedder reads
        return "form"


def _templates(prompt: PromptVersion) -> Iterator[_Try]:
    """Yields variants of all phrasings by turns, so that a long list does not hide what comes later."""
    content = prompt.content
    origin = {"source": "template"}
    phrasings = [vary(text, content.language) for text in content.phrasings]
    counters = [counter(text, content.language) for text in content.phrasings]
    for variants in zip_longest(*phrasings, *counters):
        for place, variant in enumerate(variants):
            if variant is not None:
                kind = ProposalKind.PHRASING if place < len(phrasings) else ProposalKind.COUNTEREXAMPLE
                yield _Try(variant, kind, origin)
