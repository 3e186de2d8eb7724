"""What the benchmark asks: one module for each question, with `measure`, `tell`, and `ASKED` where not all are.

`measure(rivals, options)` returns figures that JSON can hold; `tell(figures)` makes the chapter of the page of them and
measures nothing, so that a page can be written again from its JSON.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from benchmarks.rivals.chapters import Chapter
from benchmarks.rivals.venvs import Rival

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is made. `rivals` that a question gets are the installed ones alone."""

    is_quick: bool
    rounds: int
    """Of each contestant, which take turns."""
    data: Path
    """Where data sets lie that are not part of the repository."""
    say: Callable[[str], None]
    """Tells a person how far it is."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question, by the module that answers it; it is imported when it is asked, for some need much."""

    name: str
    title: str
    minutes: float
    """What it takes on two idle cores, and with `--quick`: for the estimate of what is left alone."""
    quick_minutes: float
    is_timed: bool = True
    """Whether it matters that others use the machine meanwhile."""

    def needs(self, rival: str) -> bool:
        """Whether it asks that rival, by its name."""
        asked = getattr(self._module(), "ASKED", None)
        return asked is None or rival in asked

    def measure(self, rivals: Sequence[Rival], options: Options) -> Figures:
        """Returns its figures."""
        return cast("Figures", self._module().measure(rivals, options))

    def tell(self, figures: Figures) -> Chapter:
        """Returns its chapter."""
        return cast("Chapter", self._module().tell(figures))

    def _module(self) -> Any:
        return importlib.import_module(f"benchmarks.rivals.{self.name}")


QUESTIONS = (
    Question("overhead", "What it adds to an instant upstream", 13, 4),
    Question("blocking", "Time to block an attack", 2, 1),
    Question("first_token", "Time to the first checked token", 5, 2),
    Question("answering", "Answers end to end with SmolLM2", 7, 3),
    Question("matching", "Which prompt a message means", 12, 3, is_timed=False),
    Question("matching_speed", "Time to match a message", 2, 1),
    Question("quality", "Attacks that got an answer", 7, 4, is_timed=False),
    Question("starting", "Start-up and memory", 6, 3),
    Question("guarded", "A guarded decision inside one process", 3, 1),
    Question("offline", "What runs without a network, and the checks of libraries", 1, 0.5),
    Question("size", "Installed size and lines of configuration", 0.3, 0.3, is_timed=False),
)


def chosen(names: Sequence[str]) -> list[Question]:
    """Returns the named questions in their order, or all. Raises `KeyError`."""
    known = {one.name: one for one in QUESTIONS}
    for name in names:
        if name not in known:
            raise KeyError(name)
    return [one for one in QUESTIONS if not names or one.name in names]
