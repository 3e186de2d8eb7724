"""What has been learned, as arrays: all that ranking needs."""

from dataclasses import dataclass

from store.learning.features import Knowledge
from store.learning.stack import Stack


@dataclass(frozen=True, slots=True)
class LearnedModel:
    """A fitted matcher of one corpus. Prompts and rows are numbered as in that corpus."""

    keys: tuple[str, ...]
    phrasings: tuple[str, ...]
    """(N,) as their authors wrote them."""
    knowledge: Knowledge
    stack: Stack
