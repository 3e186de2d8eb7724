"""One request's part of a batch: a stretch of its prompt, or its answer's next token and those guessed after it."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.worker.backend import Backend, Entry
from models.worker.guesses import MOST_GUESSED
from models.worker.run import Run


@dataclass(frozen=True, slots=True)
class Part:
    """Which of a request's tokens are computed."""

    run: Run
    end: int
    """How many of its tokens are certain to be in the cache after it."""
    guessed: tuple[int, ...] = ()
    """What its answer may go on with. Their cells go again where it does not."""

    @property
    def entries(self) -> Sequence[Entry]:
        """Its tokens, in their order."""
        run = self.run
        if run.next_token is not None:
            tokens = (run.next_token, *self.guessed)
            return [Entry(token, run.done + at, run.sequence, is_last=True) for at, token in enumerate(tokens)]
        last = len(run.prompt.tokens) - 1 if run.chooser is not None else -1
        return [Entry(run.prompt.tokens[at], at, run.sequence, is_last=at == last) for at in range(run.done, self.end)]


def answering(together: Sequence[Run], backend: Backend, *, may_guess: bool) -> list[Part]:
    """Returns the parts of answers that are being written.

    Whether one runs alone decides by itself what is guessed for it, so that a lone answer's batches have the same
    shapes whatever came before. All guesses take half of a step at most: prompts need the rest.
    """
    runs = [run for run in together if run.next_token is not None]
    room = backend.step // 2 if may_guess and backend.can_guess else 0
    fewest = backend.fewest_guesses if len(together) == 1 else 1
    parts = []
    for run in runs:
        guessed = run.guesses.next(min(room, MOST_GUESSED, run.tokens_left - 1)) if room and run.guesses else ()
        if len(guessed) < fewest:
            guessed = ()
        room -= len(guessed)
        parts.append(Part(run, run.done + 1, guessed))
    return parts


def reading(together: Sequence[Run]) -> list[Run]:
    """Returns the requests whose prompts are read, oldest first, and then a warming that none of them waits for."""
    runs = [run for run in together if run.next_token is None]
    wanted = {run.key(run.stop_at) for run in runs if run.chooser is not None}
    return sorted(runs, key=lambda run: run.chooser is None and run.key(run.stop_at) not in wanted)
