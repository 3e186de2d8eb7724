"""What feedback is, and what its figures are worth: the helpful rate of a prompt version with Wilson's interval."""

import datetime as dt
import math
from dataclasses import dataclass
from enum import StrEnum

from store.content import KeepsText

COMMENT_CHARS, BETTER_CHARS = 1000, 4000
_Z = 1.959964
"""Two-sided 95 % of the normal distribution."""


class Verdict(StrEnum):
    """Whether an answer helped."""

    UP = "up"
    DOWN = "down"


class FeedbackReason(StrEnum):
    """Why, from a list that can be counted."""

    CORRECT = "correct"
    CLEAR = "clear"
    WRONG = "wrong"
    INCOMPLETE = "incomplete"
    OUT_OF_DATE = "out_of_date"
    NOT_MY_QUESTION = "not_my_question"
    UNCLEAR = "unclear"
    RUDE = "rude"
    UNSAFE = "unsafe"
    SHOULD_HAVE_ANSWERED = "should_have_answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackTexts:
    """What was said beside a verdict, as the assistant keeps it."""

    kept: KeepsText
    comment: str = ""
    better: str = ""
    """The answer as it should have been."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """A verdict on a decision."""

    decision: str
    given_at: dt.datetime
    changed_at: dt.datetime
    principal: str
    """Id of the key that asked, and that gave it."""
    assistant: str
    prompt_key: str | None
    prompt_version: int | None
    verdict: Verdict
    reasons: tuple[FeedbackReason, ...] = ()
    texts: FeedbackTexts | None = None


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What was said of the version of a prompt that is live."""

    up: int
    down: int

    @property
    def count(self) -> int:
        """How many there are; never 0."""
        return self.up + self.down

    @property
    def rate(self) -> float:
        """Share of verdicts that are up."""
        return self.up / self.count


@dataclass(frozen=True, slots=True)
class HelpfulRate:
    """How often a prompt version helped."""

    assistant: str
    prompt_key: str
    prompt_version: int
    up: int
    down: int

    @property
    def rate(self) -> float:
        """Share of verdicts that are up."""
        return self.up / (self.up + self.down)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval of 95 % (JASA 22, 1927): sound for few verdicts, where the rate alone is not."""
        count = self.up + self.down
        middle = (self.rate + _Z * _Z / (2 * count)) / (1 + _Z * _Z / count)
        spread = self.rate * (1 - self.rate) / count + _Z * _Z / (4 * count * count)
        half = _Z / (1 + _Z * _Z / count) * math.sqrt(spread)
        return max(0.0, middle - half), min(1.0, middle + half)
