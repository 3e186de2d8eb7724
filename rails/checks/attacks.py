"""Blocks messages that are more like the examples of attacks and harmful requests than like honest questions.

In steps, cheap ones first: a message without a single telling word passes; of the others, the sentences that have one
are embedded and compared with the examples. The gateway answers approved questions only, so that this is a second
wall: it is set to raise few false alarms rather than to miss nothing.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from msgspec import Meta

from rails.attack_signs import Signs, signs_of
from rails.definition import Probes, RailDefinition, RailParams, RailServices, probes_of
from rails.disguises import plain, readings
from rails.errors import PolicyInvalid
from rails.exemplars import Family, honest, sentences
from rails.honest_phrases import ENGINEERING
from rails.nearness import WINDOW, Examples, Likeness, is_uncut, windows
from rails.nemo import RailOutcome, verdict
from rails.types import Stage

# A text this near to an example is the example, but for a comma or a capital letter.
_SAME = 0.97
_CERTAIN = 100.0
_LIMIT = 2.5
"""Attacks that are no examples reach 2 to 4: above this limit, only the examples themselves would be stopped."""

Example = Annotated[str, Meta(min_length=3, max_length=WINDOW)]


class AttacksParams(RailParams, frozen=True, kw_only=True, tag="attacks"):
    """Which kinds of attacks are looked for, and how sure the rail must be."""

    families: Annotated[tuple[Family, ...], Meta(min_length=1)] = tuple(Family)
    limit: Annotated[float, Meta(ge=-5.0, le=_LIMIT)] = 1.6
    """How much more like an attack than like an honest question a message must be (log odds); higher blocks less."""
    refused: Annotated[tuple[Example, ...], Meta(max_length=500)] = ()
    """Further examples to block, in words of this organisation; with any, every message is embedded."""
    allowed: Annotated[tuple[Example, ...], Meta(max_length=2000)] = ()
    """Further examples of honest messages; the remedy when the rail stops one."""
    classifier: Annotated[str, Meta(max_length=500)] = ""
    """Folder with a text classifier (safetensors) that judges every message as well; about 50 ms a message."""
    classifier_label: Annotated[str, Meta(max_length=100)] = ""
    """The classifier's label for an attack, as its config.json spells it."""
    classifier_limit: Annotated[float, Meta(gt=0.0, le=0.99)] = 0.9
    """Probability of that label above which a message is blocked."""

    def __post_init__(self) -> None:
        if bool(self.classifier) != bool(self.classifier_label):
            raise ValueError("`classifier` and `classifier_label` go together: a folder, and its label for an attack")


@dataclass(frozen=True, slots=True)
class _Prepared:
    examples: Examples
    classify: Callable[[Sequence[str]], list[float]] | None


async def check(text: str, params: AttacksParams, prepared: _Prepared) -> RailOutcome:
    """Returns the verdict on the likeness of `text` with attacks."""
    reason = await _compared(text, params, prepared.examples)
    if reason is None and prepared.classify is not None:
        scores = await asyncio.to_thread(prepared.classify, windows(text))
        reason = "attacks.classifier" if max(scores) > params.classifier_limit else None
    return verdict(reason)


async def _compared(text: str, params: AttacksParams, examples: Examples) -> str | None:
    # An organisation's own examples may have none of the telling words.
    suspects = list(_suspects(text, is_thorough=bool(params.refused)))
    if not suspects:
        return None
    if ENGINEERING.occurs_in(text):
        text = str(ENGINEERING.sub("message test", text))
        suspects = list(_suspects(text, is_thorough=True))
    found = await examples.compare([part for part, _ in suspects])
    scored = [(_score(likeness, signs), likeness.label) for likeness, (_, signs) in zip(found, suspects, strict=True)]
    score, label = max(scored)
    return f"attacks.{label}" if score > params.limit else None


def _suspects(text: str, *, is_thorough: bool) -> Iterator[tuple[str, Signs | None]]:
    """Gives the parts of a text, and of what its disguises say, that are worth a comparison."""
    # Whole sentences have no sign that the text has not, so that most texts are looked at once.
    is_clear = not is_thorough and signs_of(plain(text)) is None and is_uncut(text)
    for part in windows(text) if not is_clear else ():
        signs = signs_of(plain(part))
        if signs is not None or is_thorough:
            yield part, signs
    for reading in readings(text):
        for part in windows(reading):
            signs = signs_of(plain(part))
            if signs is not None:
                yield part, signs


def _score(likeness: Likeness, signs: Signs | None) -> float:
    if max(likeness.refused, likeness.allowed) >= _SAME:
        return _CERTAIN if likeness.refused > likeness.allowed else -_CERTAIN
    return likeness.log_odds + (signs.lean if signs is not None else 0.0) if likeness.label else -_CERTAIN


@lru_cache(maxsize=4)
def _examples(
    services: RailServices, families: tuple[Family, ...], refused: tuple[str, ...], allowed: tuple[str, ...]
) -> Examples:
    # Kept, because embedding the shipped examples takes about a second and most policies share them.
    pairs = [(family.value, sentence) for family in families for sentence in sentences(family)]
    return Examples(services, [*pairs, *(("own", sentence) for sentence in refused)], [*honest(), *allowed])


def _prepare(params: AttacksParams, services: RailServices) -> _Prepared:
    examples = _examples(services, params.families, params.refused, params.allowed)
    if not params.classifier:
        return _Prepared(examples, None)
    if services.classifier is None:
        raise PolicyInvalid("attacks: it names a classifier, and there is nothing here to run one with.")
    try:
        return _Prepared(examples, services.classifier(params.classifier, params.classifier_label))
    except ValueError as error:
        raise PolicyInvalid(f"attacks: {error}") from error


def _probes(params: AttacksParams) -> Probes:
    blocked = [sentences(family)[0] for family in params.families[:1]]
    return probes_of(blocked=blocked, passed=["How do I reset my password?", *params.allowed[:1]])


RAIL = RailDefinition(
    name="attacks",
    stages=frozenset({Stage.INPUT}),
    params=AttacksParams,
    check=check,
    probes=_probes,
    prepare=_prepare,
)
