"""The chooser of answers without chance."""

from collections.abc import Callable

from models.worker.constraint import Logits


class Greedy:
    """Takes the likeliest token each time."""

    def __init__(self, logits: Callable[[int], Logits]) -> None:
        self._logits = logits

    def choose(self, place: int) -> int:
        """Returns the likeliest token after the batch's entry number `place`."""
        return int(self._logits(place).argmax())

    def close(self) -> None:
        """Holds nothing."""
