"""Blocks answers in which the model declines, so that the person gets the approved fallback instead.

Read in English, German, French and Spanish; models often decline in English whatever the language of their prompt.
"""

from collections.abc import Mapping

from rails.definition import Probes, RailDefinition, RailParams, probes_of
from rails.matching import PatternSet
from rails.nemo import RailOutcome, request_context, verdict
from rails.refusal_patterns import ENGLISH, LECTURES, OTHERS
from rails.types import Stage

_OUTRIGHT = PatternSet(ENGLISH)
_LECTURES = PatternSet(LECTURES)
_FOREIGN: Mapping[str, PatternSet] = {language: PatternSet(patterns) for language, patterns in OTHERS.items()}
_LOOKED_AT = 1000
"""Characters: a model that declines says so early."""
_PLAIN = str.maketrans({"\u2019": "'", "\u2018": "'", "\u00a0": " ", "*": None, "_": None, "`": None})


class RefusalParams(RailParams, frozen=True, kw_only=True, tag="refusal"):
    """Which kinds of declining are looked for."""

    lectures: bool = True
    """Whether an answer counts that only tells the person why not to ask, without declining in so many words."""


def find(text: str, language: str, params: RefusalParams) -> str | None:
    """Returns the reason to block `text`, or None."""
    head = text[:_LOOKED_AT].translate(_PLAIN)
    found = _OUTRIGHT.find(head)
    if found is None and (foreign := _FOREIGN.get(language.partition("-")[0])) is not None:
        found = foreign.find(head)
    if found is None and params.lectures:
        found = _LECTURES.find(head)
    return None if found is None else f"refusal.{found}"


async def check(text: str, params: RefusalParams) -> RailOutcome:
    """Returns the verdict on whether `text` declines."""
    return verdict(find(text, request_context().language, params))


def _probes(params: RefusalParams) -> Probes:
    lectures = ["It is not appropriate to ask for such a thing."] if params.lectures else []
    return probes_of(
        blocked=["I'm sorry, but I can't help with that.", "As an AI language model, I have no opinion.", *lectures],
        passed=["Sorry to hear that. You cannot open a locked account yourself, so call extension 4100."],
    )


RAIL = RailDefinition(
    name="refusal", stages=frozenset({Stage.OUTPUT}), params=RefusalParams, check=check, probes=_probes
)
