"""Blocks answers that say something checkable which the facts do not say.

Numbers, dates, links, codes and names of the answer must occur in the facts. What this cannot see: a false sentence
made of true parts. Number words are read in English; names are not checked in German, which capitalises every noun.
"""

from rails.claims import Claims, claims_of
from rails.definition import Probe, Probes, RailDefinition, RailParams
from rails.nemo import RailOutcome, request_context, verdict
from rails.types import RailContext, Stage
from rails.wordlists import word_set

_PERIODS = ("second", "minute", "hour", "day", "week", "month", "year")
# A whole answer ends in one of these.
_ENDINGS = tuple(".!?…:;)]}\"'”»。।؟\uff01\uff1f")
_DANGLING = word_set(
    "the a an and or but of to in on at for with from by your our their my this that these is are be will can "
    "must should within until before after if when as than der die das und oder zu mit von für bei im am"
)
_LONG_SENTENCE = 12
_NAMELESS_LANGUAGES = frozenset(("de",))


class GroundingParams(RailParams, frozen=True, kw_only=True, tag="grounding"):
    """Which kinds of words are looked up."""

    names: bool = True
    """Whether capitalised words inside sentences must occur in the facts."""


def find(text: str, context: RailContext, params: GroundingParams) -> str | None:
    """Returns the reason to block `text`, or None."""
    if not context.facts.strip():
        return "grounding.no_facts"
    if not any(char.isalnum() for char in text):
        return "grounding.empty"
    if is_cut(text):
        return "grounding.cut"
    answer, facts = claims_of(text), claims_of(context.facts)
    reason = _unsupported(answer, facts)
    if reason is not None:
        return reason
    if params.names and context.language.partition("-")[0] not in _NAMELESS_LANGUAGES:
        unknown = (name for name in answer.names if name.removesuffix("'s") not in facts.words | facts.codes)
        return "grounding.name" if next(unknown, None) is not None else None
    return None


def _unsupported(answer: Claims, facts: Claims) -> str | None:
    if not answer.links <= facts.links:
        return "grounding.link"
    if not answer.dates <= facts.dates:
        return "grounding.date"
    if not all(_has_number(value, kind, facts) for value, kind in answer.numbers):
        return "grounding.number"
    if not answer.codes <= facts.codes | facts.words:
        return "grounding.code"
    return None


def _has_number(value: str, kind: str, facts: Claims) -> bool:
    """Says whether the facts have the number in its unit; a bare number may leave out a period's unit, no other."""
    if (value, kind) in facts.numbers:
        return True
    return not kind and any((value, period) in facts.numbers for period in _PERIODS)


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
    has_sentence = any(f"{mark} " in last_line for mark in ".!?")
    return has_sentence or len(words) > _LONG_SENTENCE


async def check(text: str, params: GroundingParams) -> RailOutcome:
    """Returns the verdict on what `text` adds to the facts."""
    return verdict(find(text, request_context(), params))


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
    name="grounding", stages=frozenset({Stage.OUTPUT}), params=GroundingParams, check=check, probes=_probes
)
