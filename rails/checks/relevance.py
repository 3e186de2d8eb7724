"""Blocks answers that speak of something else than what was asked.

Compares with what the approved prompt is asked for, in approved words: the person's own words play no part.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Annotated

from msgspec import Meta

from rails.claims import claims_of
from rails.content_words import keys_in
from rails.definition import Probe, Probes, RailDefinition, RailParams, RailServices, Vectors
from rails.errors import PolicyInvalid
from rails.nemo import RailOutcome, request_context, verdict
from rails.types import RailContext, Stage

Prepared = Callable[[Sequence[str]], Vectors] | None
"""Embeds texts, when the policy asks for similarity."""


class RelevanceParams(RailParams, frozen=True, kw_only=True, tag="relevance"):
    """How close an answer must come to one of the wordings in which its prompt is asked for."""

    min_overlap: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.2
    """Share of a wording's content words that the answer must have."""
    min_similarity: Annotated[float, Meta(ge=0.0, le=1.0)] | None = None
    """Similarity to a wording at which an answer passes that falls short of `min_overlap`; without it there is no such
    way, and no time is spent on embedding."""


def overlap(text: str, context: RailContext) -> float | None:
    """Returns the largest share of a wording's content words that `text` has; None when no wording has any."""
    language = context.language.partition("-")[0]
    said = claims_of(text, language).keys
    shares = [len(asked & said) / len(asked) for asked in _wordings(context.prompt, language)]
    return max(shares, default=None)


@lru_cache(maxsize=256)
def _wordings(prompt: str, language: str) -> tuple[frozenset[str], ...]:
    return tuple(keys for line in prompt.splitlines() if (keys := keys_in(line, language)))


def find(text: str, context: RailContext, params: RelevanceParams, embed: Prepared = None) -> str | None:
    """Returns the reason to block `text`, or None."""
    if not context.prompt.strip():
        return "relevance.no_prompt"
    share = overlap(text, context)
    # The beginning of an answer may come to the point later.
    if not context.is_whole or (share is not None and share >= params.min_overlap):
        return None
    if params.min_similarity is not None and embed is not None:
        wordings = embed([line for line in context.prompt.splitlines() if line.strip()])
        if float((wordings @ embed([text])[0]).max()) >= params.min_similarity:
            return None
    return "relevance.no_words" if share is None else "relevance.elsewhere"


async def check(text: str, params: RelevanceParams, prepared: Prepared) -> RailOutcome:
    """Returns the verdict on whether `text` speaks to what was asked."""
    if prepared is None:
        return verdict(find(text, request_context(), params))
    return verdict(await asyncio.to_thread(find, text, request_context(), params, prepared))


def _prepare(params: RelevanceParams, services: RailServices) -> Prepared:
    if params.min_similarity is None:
        return None
    embed = services.embed
    if embed is None:
        raise PolicyInvalid("relevance: `min_similarity` needs an embedder, and there is none. Take it away.")
    recent = lru_cache(maxsize=64)(embed)
    return lambda texts: recent(tuple(texts))


def _probes(_params: RelevanceParams) -> Probes:
    asked = RailContext(prompt="Replace a lost badge\nI have lost my access badge")
    return Probes(
        must_block=(
            Probe("Whales are the largest animals on this planet, and they sing.", asked),
            Probe("A lost badge is replaced at the front desk.", RailContext()),
        ),
        must_pass=(Probe("A lost badge is replaced at the front desk.", asked),),
    )


RAIL = RailDefinition(
    name="relevance",
    stages=frozenset({Stage.OUTPUT}),
    params=RelevanceParams,
    check=check,
    probes=_probes,
    prepare=_prepare,
)
