"""The common form between all row formats: instruction, conversation, preference; n formats need 2n converters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Record: TypeAlias = dict[str, Json]

EMPTY: Mapping[str, Json] = MappingProxyType({})


class BadRow(Exception):
    """A row that cannot be read, or cannot be said in a format; the message names field and reason, never content."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a record said in its own format and the common form has no place for; written back to the same format."""

    format: str = ""
    names: tuple[str, ...] = ()
    """All names of the record, in its order."""
    values: Mapping[str, Json] = field(default_factory=lambda: EMPTY)


NOTHING = Kept()


class Speaker(StrEnum):
    """Whose words a turn has."""

    PERSON = "person"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Case:
    """A piece of material that an instruction is applied to, and the right answer."""

    output: str
    input: str = ""
    kept: Kept = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """A request with its right answer, or several answers for several inputs."""

    instruction: str
    cases: tuple[Case, ...]
    context: str = ""
    """A text that the answer rests on, as distinct from an input that a person would have to give."""
    id: str = ""
    title: str = ""
    category: str = ""
    source: str = ""
    language: str = ""
    kept: Kept = NOTHING


@dataclass(frozen=True, slots=True)
class Turn:
    """One message."""

    speaker: Speaker
    text: str
    id: str = ""
    language: str = ""
    kept: Kept = NOTHING
    rank: int | None = None
    """Among the answers to one message, 0 the best; None where nobody compared them."""
    helpful: bool | None = None
    """What a person said of an answer; None where nobody did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Messages that answer one another: a line of them, or a tree."""

    turns: tuple[Turn, ...]
    parents: tuple[int | None, ...]
    """For each turn the number of the turn that it answers, which comes before it."""
    id: str = ""
    kept: Kept = NOTHING

    def __post_init__(self) -> None:
        if len(self.turns) != len(self.parents) or not self.turns:
            raise ValueError("a conversation has turns, and a parent for each. This is a bug.")
        if any(parent is not None and parent >= number for number, parent in enumerate(self.parents)):
            raise ValueError("a turn comes after the one that it answers. This is a bug.")

    @property
    def is_line(self) -> bool:
        """Whether each turn answers the one before it."""
        return self.parents == (None, *range(len(self.turns) - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """Two ways for one conversation to go on, and which was preferred."""

    chosen: tuple[Turn, ...]
    """The whole of it, the preferred answer last."""
    rejected: tuple[Turn, ...]
    id: str = ""
    kept: Kept = NOTHING


Row: TypeAlias = Instruction | Conversation | Preference


def line_of(turns: tuple[Turn, ...], *, conversation_id: str = "", kept: Kept = NOTHING) -> Conversation:
    """Returns the turns as a conversation in which each answers the one before it."""
    parents = (None, *range(len(turns) - 1))
    return Conversation(turns=turns, parents=parents, id=conversation_id, kept=kept)
