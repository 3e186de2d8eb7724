"""One request in the worker's hands, from its place in line to its last token."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from models.ports import Completion, FinishReason
from models.worker.answer import AnswerText
from models.worker.backend import Chooser, PromptTokens
from models.worker.guesses import Guesses
from models.worker.messages import Done, FailureKind, Generate, Text, Warm
from models.worker.prefixes import Prefix, PrefixKey


@dataclass(slots=True, eq=False)
class Run:
    """A request, or the warming of a prompt's beginning, which ends without a word."""

    job: Generate | Warm
    prompt: PromptTokens
    deadline_s: float = float("inf")
    chooser: Chooser | None = None
    """None for a warming."""
    sequence: int = -1
    """Its place in the cache; -1 while it waits for one."""
    held: Prefix | None = None
    """The kept prefix that it begins with."""
    done: int = 0
    """How many of its tokens are in the cache."""
    reused: int = 0
    next_token: int | None = None
    """The token that was chosen and is not in the cache yet; None while the prompt is read."""
    count: int = 0
    started_s: float = 0.0
    first_token_s: float = 0.0
    answer: AnswerText = field(default_factory=lambda: AnswerText(()))
    guesses: Guesses | None = None
    """What it may say next; None for a warming."""

    @property
    def job_id(self) -> int:
        """The job's number; 0 for a warming."""
        return self.job.job_id if isinstance(self.job, Generate) else 0

    @property
    def assistant(self) -> str:
        """Whose it is."""
        return self.job.prompt.assistant

    @property
    def most_tokens(self) -> int:
        """Tokens that it may come to have."""
        return len(self.prompt.tokens) + (self.job.sampling.max_tokens if isinstance(self.job, Generate) else 0)

    @property
    def tokens_left(self) -> int:
        """Tokens that its answer may still get."""
        return self.most_tokens - len(self.prompt.tokens) - self.count

    @property
    def reserved(self) -> int:
        """Cells that it may come to take, beside those of the prefix that it holds."""
        return self.most_tokens - (self.held.length if self.held else 0)

    @property
    def stop_at(self) -> int:
        """Where the next batch of its prompt ends: at a beginning that can be shared, or at its end.

        Also when that beginning is kept already: so every token is computed in the same shape of batch whether it
        was or not, and the answer of a request that runs alone never depends on those before it.
        """
        return next((length for length in self.prompt.shared if length > self.done), len(self.prompt.tokens))

    def key(self, length: int) -> PrefixKey:
        """Returns the name of its beginning of this length."""
        return self.assistant, self.prompt.tokens[:length]

    def beginnings(self) -> Iterator[PrefixKey]:
        """Yields the beginnings that it could still take from others, longest first."""
        return (self.key(length) for length in reversed(self.prompt.shared) if length > self.done)

    def failure(self, *, is_cancelled: bool) -> FailureKind | None:
        """Returns why nobody waits for it any more, None while somebody does."""
        if is_cancelled:
            return FailureKind.CANCELLED
        # "not <" instead of ">=": a deadline that is not a number has passed.
        return None if time.monotonic() < self.deadline_s else FailureKind.TIMEOUT

    def begin(self) -> None:
        """Notes that its wait is over."""
        self.started_s = time.monotonic()

    def take(self, token: int, piece: bytes, *, is_end: bool) -> FinishReason | None:
        """Takes the token that was chosen; returns why the answer ends with it, None when it goes on."""
        if self.first_token_s == 0.0:
            self.first_token_s = time.monotonic()
        if is_end:
            return FinishReason.STOP
        self.count += 1
        self.next_token = token
        if self.guesses is not None:
            self.guesses.add(token)
        if self.answer.add(piece):
            return FinishReason.STOP
        if isinstance(self.job, Generate) and self.count == self.job.sampling.max_tokens:
            return FinishReason.LENGTH
        return None

    def news(self, *, is_whole: bool) -> Text | None:
        """Returns what a streamed answer has that was not told yet."""
        if not isinstance(self.job, Generate) or not self.job.is_streamed:
            return None
        text = self.answer.rest() if is_whole else self.answer.news()
        return Text(self.job_id, text) if text else None

    def completion(self, reason: FinishReason) -> Done:
        """Returns the whole answer."""
        return Done(
            self.job_id,
            Completion(
                text=self.answer.text,
                finish_reason=reason,
                prompt_tokens=self.prompt.tokens,
                completion_tokens=self.count,
                first_token_ms=(self.first_token_s - self.started_s) * 1000,
                duration_ms=(time.monotonic() - self.started_s) * 1000,
                reused_tokens=self.reused,
            ),
        )


def cells_for(runs: Sequence[Run]) -> int:
    """Returns how many cells these may come to take together; a beginning that several hold counts once."""
    held = {prefix for run in runs if run.held is not None for prefix in run.held.line}
    return sum(run.reserved for run in runs) + sum(prefix.cells for prefix in held)
