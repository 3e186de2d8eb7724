"""Turns prompts into tokens, each part on its own: no text becomes a control token, and beginnings stay alike."""

import itertools
from collections.abc import Sequence
from typing import Protocol

from models.errors import ModelRefused
from models.formats import Place, Segment
from models.worker.backend import PromptTokens
from models.worker.messages import Prompt


class Tokenise(Protocol):
    """Gives the tokens of a text; in markup the model's markers are tokens of their own."""

    def __call__(self, text: str, *, is_markup: bool) -> list[int]:
        """Raises `ModelRefused` for a text that has none."""


class PromptTokeniser:
    """The tokens of prompts, for one vocabulary."""

    def __init__(self, tokenise: Tokenise, control: frozenset[int], begin: tuple[int, ...]) -> None:
        """`begin` stands before every prompt."""
        self._tokenise = tokenise
        self._control = control
        self._begin = begin

    def require_markers(self, markers: Sequence[str]) -> None:
        """Raises `ModelRefused` unless each is one control token."""
        for marker in markers:
            tokens = self._tokenise(marker, is_markup=True)
            if len(tokens) != 1 or tokens[0] not in self._control:
                raise ModelRefused(f"the prompt format does not fit this model: {marker} is no control token of it")

    def tokens(self, prompt: Prompt) -> PromptTokens:
        """Returns the tokens of a prompt; raises `ModelRefused` when text would become a control token."""
        parts = [self._tokenise(segment.text, is_markup=segment.is_markup) for segment in prompt.segments]
        for segment, part in zip(prompt.segments, parts, strict=True):
            if not segment.is_markup and not self._control.isdisjoint(part):
                raise ModelRefused("a text of the prompt became a control token")
        tokens = (*self._begin, *itertools.chain(*parts))
        lengths = {self._shared_length(prompt.segments, parts, place) for place in prompt.shared}
        # The last token is computed each time, for what follows it.
        return PromptTokens(tokens, tuple(sorted({min(length, len(tokens) - 1) for length in lengths} - {0})))

    def _shared_length(self, segments: Sequence[Segment], parts: Sequence[Sequence[int]], place: Place) -> int:
        length = len(self._begin) + sum(len(part) for part in parts[: place.segments])
        if place.chars == 0:
            return length
        segment, whole = segments[place.segments], parts[place.segments]
        begun = self._tokenise(segment.text[: place.chars], is_markup=segment.is_markup)
        # The last piece before a slot may join the slot's first letters.
        return length + max(0, _agreeing(begun, whole) - 1)


def _agreeing(left: Sequence[int], right: Sequence[int]) -> int:
    """How many tokens both begin with."""
    return next((at for at, (one, other) in enumerate(zip(left, right, strict=False)) if one != other), len(left))
