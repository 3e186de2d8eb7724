"""Turns texts into vectors with the gateway's own embedder: nothing is matched, answered or kept."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import anyio
import numpy as np
import structlog
from anyio import CapacityLimiter, to_thread

from gateway.credentials import Principal
from gateway.errors import InvalidRequest, NotServing
from gateway.limits import Admission, Charged, Deadline
from gateway.lines import away
from models.errors import ModelBusy, ModelError, ModelRefused
from models.ports import Embedder, Vectors

_T = TypeVar("_T")
_MOST_TEXTS = 8
_MOST_PIECES = 256
"""Of one run, each text counted as its longest is, to which an embedder fills up the others: then a message that waits
to be matched comes in between."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """The vectors of texts, in their order."""

    vectors: Vectors
    """(texts, dimension), float32, each row of length 1."""
    tokens: int
    """Word pieces that were read, special ones included."""
    rate: Charged


class Embeddings:
    """Embeds for keys, under the same admission as questions."""

    def __init__(self, embedder: Embedder, admission: Admission) -> None:
        self._embedder = embedder
        self._admission = admission
        self._threads = CapacityLimiter(1)  # a bulk of texts must not take every core from the messages
        self._log = structlog.get_logger("canongate.embeddings")

    @property
    def fingerprint(self) -> str:
        """Hash of everything that decides the vectors: those of another one cannot be compared with these."""
        return self._embedder.fingerprint

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._embedder.dimension

    @property
    def max_tokens(self) -> int:
        """Word pieces of the longest text that is read."""
        return self._embedder.max_tokens

    async def embed(self, principal: Principal, texts: Sequence[str], deadline: Deadline) -> Embedded:
        """Returns the vectors; whoever leaves stops the work within one run.

        Raises `InvalidRequest` that names a text which cannot be read, `RateLimited`, and `NotServing` when the
        embedder is busy, broken or late.
        """
        rate = await self._admission.charge(principal, "")
        async with away(), self._admission.lines.bulk.place(within_s=deadline.remaining_s):
            try:
                with anyio.fail_after(deadline.remaining_s):
                    counts = await self._in_thread(partial(self._counted, texts))
                    works = [partial(self._embedder.embed, texts[run]) for run in _runs(counts)]
                    vectors = [await self._in_thread(work) for work in works]
            except ModelBusy as error:
                raise _unavailable(error.retry_after_s) from error
            except (ModelError, TimeoutError) as error:
                if isinstance(error, TimeoutError):
                    deadline.require()
                raise _unavailable(None) from error
        tokens = sum(counts)
        self._log.info("embeddings", principal=principal.id, texts=len(texts), tokens=tokens)
        return Embedded(np.concatenate(vectors), tokens, rate)

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        return await to_thread.run_sync(work, abandon_on_cancel=True, limiter=self._threads)

    def _counted(self, texts: Sequence[str]) -> list[int]:
        return [self._count(text, number) for number, text in enumerate(texts)]

    def _count(self, text: str, number: int) -> int:
        param = f"input[{number}]"
        try:
            count = self._embedder.count_tokens(text)
        except ModelRefused as error:
            raise InvalidRequest("invalid_value", "The text is not valid Unicode.", param=param) from error
        if count > self.max_tokens:
            words = (
                f"The text has {count} word pieces; the embedder reads at most {self.max_tokens}. Cut it into parts."
            )
            raise InvalidRequest("context_length_exceeded", words, param=param)
        return count


def _runs(counts: Sequence[int]) -> Iterator[slice]:
    """Cuts texts, by their word pieces, into runs: each has one text at least, and all together are all texts."""
    first, longest = 0, 0
    for number, count in enumerate(counts):
        many = number - first + 1
        if many > 1 and (many > _MOST_TEXTS or many * max(longest, count) > _MOST_PIECES):
            yield slice(first, number)
            first, longest = number, 0
        longest = max(longest, count)
    yield slice(first, len(counts))


def _unavailable(retry_after_s: float | None) -> NotServing:
    words = "The texts could not be embedded in time. Send fewer at once, or try again shortly."
    return NotServing("embedder_unavailable", words, retry_after_s=retry_after_s)
