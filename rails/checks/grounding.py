"""Blocks answers that say something which the facts do not say, and nearly all answers that go against them.

Numbers, dates, links, codes and names must occur in the facts; each sentence must be made of their words for the
greater part, and must not deny, oppose or requantify the fact sentence that is nearest to it. What this cannot see: a
false sentence made of true words. Number words are read in English, German, French and Spanish; names are not checked
in German, which capitalises every noun.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Annotated

from msgspec import Meta

from rails.claims import Claims, claims_of
from rails.definition import Probe, Probes, RailDefinition, RailParams, RailServices, Vectors
from rails.errors import PolicyInvalid
from rails.nemo import RailOutcome, request_context, verdict
from rails.support import contradiction_of, supports_of
from rails.tokens import plain_text, sentences_of
from rails.types import RailContext, Stage
from rails.wordlists import word_set

# A whole answer ends in one of these.
_ENDINGS = tuple(".!?…:;)]}\"'”»。।؟\uff01\uff1f")
_DANGLING = word_set(
    "the a an and or but of to in on at for with from by your our their my this that these is are be will can "
    "must should within until before after if when as than der die das und oder zu mit von für bei im am"
)
_LONG_SENTENCE = 12
_MAX_CHARS, _MAX_FACT_CHARS = 20_000, 100_000
"""Read in time that grows with the text: some 80 ms for the most."""
_MAX_COMPARED = 200_000
"""Sentences and numbers of the answer times those of the facts, each pair of which may be compared: some 100 ms."""
_NAMELESS_LANGUAGES = frozenset(("de",))


class GroundingParams(RailParams, frozen=True, kw_only=True, tag="grounding"):
    """What is looked up, and how much of a sentence must be found."""

    names: bool = True
    """Whether capitalised words inside sentences must occur in the facts."""
    contradictions: bool = True
    """Whether a sentence is stopped that goes against the fact sentence nearest to it."""
    min_support: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.6
    """Share of each sentence's words that the facts must have; names and numbers count double."""
    min_similarity: Annotated[float, Meta(ge=0.0, le=1.0)] | None = None
    """Similarity to a fact sentence at which a sentence passes that falls short of `min_support`, for answers in words
    of their own; without it there is no such way, and no time is spent on embedding."""


Prepared = Callable[[Sequence[str]], Vectors] | None
"""Embeds texts, when the policy asks for similarity."""


def find(text: str, context: RailContext, params: GroundingParams, embed: Prepared = None) -> str | None:
    """Returns the reason to block `text`, or None."""
    if not context.facts.strip():
        return "grounding.no_facts"
    if context.is_whole and not any(char.isalnum() for char in text):
        return "grounding.empty"
    if context.is_whole and is_cut(text):
        return "grounding.cut"
    if len(text) > _MAX_CHARS or len(context.facts) > _MAX_FACT_CHARS:
        return "grounding.too_long"
    language = context.language.partition("-")[0]
    answer, facts = claims_of(text, language), claims_of(context.facts, language)
    if _statements(answer) * _statements(facts) > _MAX_COMPARED:
        return "grounding.too_long"
    sign = _missing(answer, facts, names=params.names and language not in _NAMELESS_LANGUAGES)
    if sign is None and params.contradictions:
        sign = contradiction_of(answer, facts)
    if sign is None and not _is_supported(answer, facts, claims_of(context.prompt, language), params, embed):
        sign = "support"
    return f"grounding.{sign}" if sign else None


def _statements(claims: Claims) -> int:
    return len(claims.sentences) + len(claims.numbers)


def score(text: str, context: RailContext) -> float:
    """Returns one figure for how far the facts bear `text` out, from 0 to 1, to order answers as the rail does.

    It is what `min_support` is compared with, halved for each reason that blocks whatever the limit.
    """
    language = context.language.partition("-")[0]
    answer, facts = claims_of(text, language), claims_of(context.facts, language)
    lowest = min(supports_of(answer, facts, claims_of(context.prompt, language)), default=1.0)
    has_missing = _missing(answer, facts, names=language not in _NAMELESS_LANGUAGES) is not None
    return float(lowest / 2 ** (has_missing + (contradiction_of(answer, facts) is not None)))


def _missing(answer: Claims, facts: Claims, *, names: bool) -> str | None:
    """Returns the kind of word that the answer has and the facts have not."""
    checks = (
        ("link", answer.links <= facts.links),
        ("date", answer.dates <= facts.dates),
        ("number", all(facts.has_number(number) for number in answer.numbers)),
        ("code", all(code in facts.codes or facts.has_word(code) for code in answer.codes)),
        ("name", not names or all(name in facts.codes or facts.has_word(name) for name in answer.names)),
    )
    return next((kind for kind, is_there in checks if not is_there), None)


def _is_supported(answer: Claims, facts: Claims, question: Claims, params: GroundingParams, embed: Prepared) -> bool:
    """Whether each sentence is made of the facts' words or, where similarity is asked for, means one of them."""
    scores = supports_of(answer, facts, question)
    weak = [sentence for sentence, score in zip(answer.sentences, scores, strict=True) if score < params.min_support]
    if not weak or params.min_similarity is None or embed is None or not facts.sentences:
        return not weak
    known = embed([fact.text for fact in facts.sentences])
    found = embed([sentence.text for sentence in weak])
    return bool(((found @ known.T).max(axis=1) >= params.min_similarity).all())


def is_cut(text: str) -> bool:
    """Says whether the answer breaks off before its end, as it does at a token limit."""
    stripped = text.rstrip().rstrip("*_`")
    if not stripped or stripped.endswith(_ENDINGS):
        return False
    if stripped[-1] in ",-([{/&+=\u2013":
        return True
    last_line = stripped.splitlines()[-1].strip()
    words = last_line.split()
    if words[-1].casefold() in _DANGLING:
        return True
    if last_line.startswith(("-", "*", "•")) or last_line[:1].isdigit():
        return False
    return len(words) > _LONG_SENTENCE or len(sentences_of(plain_text(last_line))) > 1


async def check(text: str, params: GroundingParams, prepared: Prepared) -> RailOutcome:
    """Returns the verdict on what `text` adds to the facts."""
    if prepared is None:
        return verdict(find(text, request_context(), params))
    return verdict(await asyncio.to_thread(find, text, request_context(), params, prepared))


def _prepare(params: GroundingParams, services: RailServices) -> Prepared:
    if params.min_similarity is None:
        return None
    embed = services.embed
    if embed is None:
        raise PolicyInvalid("grounding: `min_similarity` needs an embedder, and there is none. Take it away.")
    recent = lru_cache(maxsize=64)(embed)
    return lambda texts: recent(tuple(texts))


def _probes(_params: GroundingParams) -> Probes:
    context = RailContext(facts="Call the Facilities Team on extension 4400. A new badge takes one working day.")
    return Probes(
        must_block=(
            Probe("Call the Facilities Team on extension 4711.", context),
            Probe("A new badge takes two working days.", context),
            Probe("Call the Facilities Team on extension 4400.", RailContext(facts="")),
        ),
        must_pass=(Probe("Please call extension 4400; a new badge takes 1 working day.", context),),
    )


RAIL = RailDefinition(
    name="grounding",
    stages=frozenset({Stage.OUTPUT}),
    params=GroundingParams,
    check=check,
    probes=_probes,
    prepare=_prepare,
)
