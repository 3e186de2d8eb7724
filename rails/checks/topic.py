"""Blocks texts about topics that a policy rules out, described by examples rather than by words.

Every sentence of a text is embedded, which costs about a millisecond for a short one; a policy that gives `words`
has only texts with one of them compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from rails.definition import Probes, RailDefinition, RailParams, RailServices, probes_of
from rails.disguises import plain
from rails.nearness import WINDOW, Examples, windows
from rails.nemo import RailOutcome, verdict
from rails.types import Stage

Example = Annotated[str, Meta(min_length=3, max_length=WINDOW)]
Word = Annotated[str, Meta(pattern=r"^[^\s*]{2,40}\*?\Z")]


class Topic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One topic that is out of bounds."""

    name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}\Z")]
    """Appears in decisions as the reason `topic.<name>`."""
    examples: Annotated[tuple[Example, ...], Meta(min_length=3, max_length=200)]
    """Sentences that belong to the topic; ten that differ much do more than fifty that do not."""
    counterexamples: Annotated[tuple[Example, ...], Meta(min_length=1, max_length=500)]
    """Sentences near the topic that are welcome."""
    limit: Annotated[float, Meta(ge=0.0, le=0.85)]
    """How near to an example a text must be at least (cosine); 0.45 is a good beginning, and above the most that is
    allowed only the examples themselves would be stopped."""
    words: tuple[Word, ...] = ()
    """Compares only texts in which one of these words occurs; a star at the end stands for any ending."""

    def __post_init__(self) -> None:
        if shared := {plain(text) for text in self.examples} & {plain(text) for text in self.counterexamples}:
            raise ValueError(f"topic {self.name!r} has an example that is a counterexample as well: {min(shared)!r}")

    def may_concern(self, folded: str) -> bool:
        """Says whether a folded text has one of the words, or none are given."""
        if not self.words:
            return True
        said = folded.split()
        words = [plain(word) for word in self.words]
        whole = {word for word in words if not word.endswith("*")}
        beginnings = tuple(word[:-1] for word in words if word.endswith("*"))
        bare = [word.strip(".,;:!?\"'()[]") for word in said]
        return any(word in whole or (beginnings and word.startswith(beginnings)) for word in bare)


class TopicParams(RailParams, frozen=True, kw_only=True, tag="topic"):
    """The topics that are out of bounds."""

    topics: Annotated[tuple[Topic, ...], Meta(min_length=1, max_length=50)]

    def __post_init__(self) -> None:
        names = [topic.name for topic in self.topics]
        if len(set(names)) != len(names):
            raise ValueError("two topics have the same name")


@dataclass(frozen=True, slots=True)
class _Compared:
    topic: Topic
    examples: Examples


async def check(text: str, params: TopicParams, prepared: Sequence[_Compared]) -> RailOutcome:  # noqa: ARG001 - every check takes its parameters
    """Returns the verdict on the topics of `text`."""
    parts = windows(text)
    folded = plain(text)
    for compared in prepared:
        topic = compared.topic
        if topic.may_concern(folded) and any(
            likeness.refused >= topic.limit and likeness.refused > likeness.allowed
            for likeness in await compared.examples.compare(parts)
        ):
            return verdict(f"topic.{topic.name}")
    return verdict(None)


def _prepare(params: TopicParams, services: RailServices) -> tuple[_Compared, ...]:
    return tuple(
        _Compared(topic, Examples(services, [(topic.name, text) for text in topic.examples], topic.counterexamples))
        for topic in params.topics
    )


def _probes(params: TopicParams) -> Probes:
    return probes_of(
        blocked=[_example_of(topic) for topic in params.topics],
        passed=[topic.counterexamples[0] for topic in params.topics],
    )


def _example_of(topic: Topic) -> str:
    return next((text for text in topic.examples if topic.may_concern(plain(text))), topic.examples[0])


RAIL = RailDefinition(
    name="topic",
    stages=frozenset({Stage.INPUT, Stage.OUTPUT}),
    params=TopicParams,
    check=check,
    probes=_probes,
    prepare=_prepare,
)
