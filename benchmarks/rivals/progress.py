"""How far a run is, and how long it may still take: by what each question took on two idle cores."""

import time
from collections.abc import Callable, Sequence

from benchmarks.rivals.questions import Options, Question


class Progress:
    """Tells each question as it begins and ends. A slower machine is noticed from the questions that are done."""

    def __init__(
        self, asked: Sequence[Question], options: Options, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._asked, self._options, self._clock = asked, options, clock
        self._began_s = clock()
        self._expected = 0.0
        """Minutes that the questions so far were to take."""

    def begin(self, question: Question) -> None:
        """Tells which question begins."""
        number = self._asked.index(question) + 1
        self._options.say(f"question {number} of {len(self._asked)}: {question.title}; {self._left(number - 1)}")

    def end(self, question: Question) -> None:
        """Tells that a question is done with."""
        self._expected += expected_minutes(question, self._options)
        self._options.say(f"{question.name} is done; {self._minutes():.1f} min so far")

    def _left(self, done: int) -> str:
        left = sum(expected_minutes(one, self._options) for one in self._asked[done:])
        pace = self._minutes() / self._expected if self._expected else 1.0
        return f"about {max(1, round(left * pace))} min are left"

    def _minutes(self) -> float:
        return (self._clock() - self._began_s) / 60


def expected_minutes(question: Question, options: Options) -> float:
    """Returns what a question takes on two idle cores, with as many rounds as there are if none says otherwise."""
    return question.quick_minutes if options.is_quick else question.minutes
