"""How a family of models wants its turns marked, as data: `templates/*.toml`, never the template inside a GGUF."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

from models.errors import ModelRefused
from models.ports import ApprovedPrompt, PromptPart

TEMPLATES = Path(__file__).parent / "templates"


class Turn(StrEnum):
    """The two texts that a format places."""

    INSTRUCTIONS = "instructions"
    QUESTION = "question"


class Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either a stretch of markup or the place of a turn."""

    markup: str | None = None
    turn: Turn | None = None

    def __post_init__(self) -> None:
        if (self.markup is None) == (self.turn is None):
            raise ValueError("a piece is either markup or a turn")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the prompt; only markup may be read as control tokens."""

    text: str
    is_markup: bool


class PromptFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A family's prompt format.

    Two layouts instead of a prefix and a suffix per turn: families such as Llama 2 put the instructions inside the
    user's turn, and others have another opening when there are none.
    """

    name: str
    begin_of_sequence: bool
    """Whether the beginning-of-sequence token stands in front; what the GGUF says about it is not asked."""
    stop: tuple[str, ...]
    """Texts that end an answer when the model spells them out instead of using its end token."""
    control_markers: tuple[str, ...]
    """Every marker that the family's vocabulary holds as one control token; a vocabulary without them is refused."""
    with_instructions: tuple[Piece, ...]
    without_instructions: tuple[Piece, ...]

    def __post_init__(self) -> None:
        turns = [[piece.turn for piece in layout if piece.turn] for layout in self._layouts]
        if turns != [[Turn.INSTRUCTIONS, Turn.QUESTION], [Turn.QUESTION]]:
            raise ValueError(f"format {self.name} must place instructions and question once each, in this order")

    @property
    def _layouts(self) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        return self.with_instructions, self.without_instructions

    def layout(self, prompt: ApprovedPrompt) -> list[Segment]:
        """Returns the prompt as markup and text by turns.

        Approved text and slot values of one turn share a segment: none of it is parsed for control tokens, and a
        word piece may span the seam ("for " and "Lisbon"), as in the texts that the model was trained on.
        """
        texts = {
            Turn.INSTRUCTIONS: _joined(prompt.instructions),
            Turn.QUESTION: _joined(prompt.question),
        }
        has_instructions = bool(texts[Turn.INSTRUCTIONS].strip())
        pieces = self.with_instructions if has_instructions else self.without_instructions
        return list(_segments(pieces, texts))


@cache
def prompt_format(name: str) -> PromptFormat:
    """Returns a format of `templates/` by name; raises `ModelRefused` for an unknown or broken one."""
    known = sorted(path.stem for path in TEMPLATES.glob("*.toml"))
    if name not in known:
        raise ModelRefused(f"prompt format {name!r} is not known; choose one of {', '.join(known)}")
    try:
        return msgspec.toml.decode((TEMPLATES / f"{name}.toml").read_bytes(), type=PromptFormat)
    except msgspec.MsgspecError as error:
        raise ModelRefused(f"templates/{name}.toml is not a prompt format: {error}") from error


def _joined(parts: tuple[PromptPart, ...]) -> str:
    return "".join(part.text for part in parts)


def _segments(pieces: tuple[Piece, ...], texts: dict[Turn, str]) -> Iterator[Segment]:
    for piece in pieces:
        if piece.turn is not None:
            yield Segment(texts[piece.turn], is_markup=False)
        elif piece.markup is not None:
            yield Segment(piece.markup, is_markup=True)
