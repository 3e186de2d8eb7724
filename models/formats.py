"""How a family of models wants its turns marked, as data: `templates/*.toml`, never the template inside a GGUF."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

from models.errors import ModelRefused
from models.ports import PartKind, PromptPart, RenderedPrompt

TEMPLATES = Path(__file__).parent / "templates"


class Turn(StrEnum):
    """The two texts that a format places."""

    INSTRUCTIONS = "instructions"
    QUESTION = "question"


class Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch of markup with control tokens, a stretch of plain text, or the place of a turn."""

    markup: str | None = None
    text: str | None = None
    """Markers that are no control tokens, and texts that a family was trained with, such as a default system text."""
    turn: Turn | None = None

    def __post_init__(self) -> None:
        if sum(part is not None for part in (self.markup, self.text, self.turn)) != 1:
            raise ValueError("a piece is either markup, text or a turn")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the prompt; only markup may be read as control tokens."""

    text: str
    is_markup: bool


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place in a laid-out prompt: so many whole segments, and so many characters of the next."""

    segments: int
    chars: int


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
    """For a prompt without instructions; carries the default system text where the family has one."""
    end_tokens: tuple[str, ...] = ()
    """Control markers that end an answer as tokens, also where the GGUF does not say so: as text they are empty."""
    text_markers: tuple[str, ...] = ()
    """Markers that are plain text to the vocabulary; `models/markers.py` refuses them in slots."""

    def __post_init__(self) -> None:
        turns = [[piece.turn for piece in layout if piece.turn] for layout in self._layouts]
        if turns != [[Turn.INSTRUCTIONS, Turn.QUESTION], [Turn.QUESTION]]:
            raise ValueError(f"format {self.name} must place instructions and question once each, in this order")
        if unknown := set(self.end_tokens) - set(self.control_markers):
            raise ValueError(f"format {self.name}: end token {min(unknown)} is not among its control markers")
        for piece in itertools.chain(*self._layouts):
            if piece.markup is not None and not self._has_control(piece.markup):
                raise ValueError(f"format {self.name}: {piece.markup!r} has no control marker; write it as text")
            if piece.text is not None and self._has_control(piece.text):
                raise ValueError(f"format {self.name}: {piece.text!r} has a control marker; write it as markup")

    def _has_control(self, text: str) -> bool:
        return any(marker in text for marker in self.control_markers)

    @property
    def _layouts(self) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        return self.with_instructions, self.without_instructions

    def layout(self, prompt: RenderedPrompt) -> list[Segment]:
        """Returns the prompt as markup and text by turns.

        Plain text, approved text and slot values that stand side by side share a segment: none of it is parsed for
        control tokens, and a word piece may span the seam ("USER: " and "Lisbon"), as in the texts that the model was
        trained on. A SentencePiece vocabulary adds its space once for each segment, as it was trained to.
        """
        texts = {
            Turn.INSTRUCTIONS: _joined(prompt.instructions),
            Turn.QUESTION: _joined(prompt.question),
        }
        has_instructions = bool(texts[Turn.INSTRUCTIONS].strip())
        pieces = self.with_instructions if has_instructions else self.without_instructions
        return list(_segments(pieces, texts))


def shared_places(form: PromptFormat, prompt: RenderedPrompt) -> tuple[Place, ...]:
    """Returns where a prompt stops being the same for others: at its question, and at its first slot value or its end.

    Found by laying it out with two other endings, so that it holds for every format.
    """
    approved = tuple(itertools.takewhile(lambda part: part.kind is PartKind.APPROVED, prompt.question))
    at_question = _place(form, prompt, ())
    if len(approved) == len(prompt.question):
        return at_question, Place(len(form.layout(prompt)), 0)
    return at_question, _place(form, prompt, approved)


def _place(form: PromptFormat, prompt: RenderedPrompt, question: tuple[PromptPart, ...]) -> Place:
    """Where the layout goes on after its instructions and these parts of its question."""
    one, other = (
        form.layout(RenderedPrompt(prompt.instructions, (*question, PromptPart(mark, PartKind.APPROVED))))
        for mark in ("\0", "\1")
    )
    number = next(at for at, (left, right) in enumerate(zip(one, other, strict=True)) if left != right)
    return Place(number, one[number].text.index("\0"))


def format_names() -> list[str]:
    """Returns the names of all formats, in order."""
    return sorted(path.stem for path in TEMPLATES.glob("*.toml"))


@cache
def prompt_format(name: str) -> PromptFormat:
    """Returns a format of `templates/` by name; raises `ModelRefused` for an unknown or broken one."""
    known = format_names()
    if name not in known:
        raise ModelRefused(f"prompt format {name!r} is not known; choose one of {', '.join(known)}")
    try:
        read = msgspec.toml.decode((TEMPLATES / f"{name}.toml").read_bytes(), type=PromptFormat)
    except msgspec.MsgspecError as error:
        raise ModelRefused(f"templates/{name}.toml is not a prompt format: {error}") from error
    if read.name != name:
        raise ModelRefused(f"templates/{name}.toml calls itself {read.name}; correct its name")
    return read


def _joined(parts: tuple[PromptPart, ...]) -> str:
    return "".join(part.text for part in parts)


def _segments(pieces: tuple[Piece, ...], texts: dict[Turn, str]) -> Iterator[Segment]:
    for is_markup, run in itertools.groupby(pieces, key=lambda piece: piece.markup is not None):
        text = "".join(texts[piece.turn] if piece.turn else piece.markup or piece.text or "" for piece in run)
        yield Segment(text, is_markup=is_markup)
