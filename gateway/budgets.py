"""How many tokens a key or an assistant may use in a day (UTC), counted from the decisions that are stored."""

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from anyio import CapacityLimiter, to_thread

from gateway.errors import BudgetUsed, NotServing
from store.errors import StoreUnavailable
from store.types import Decision, TokenSubject

FRESH_S = 5.0
"""How long a sum is believed before it is read again: by then it has what other gateways answered."""
_MOST_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class TokenState:
    """What a budget has left, for the rate-limit headers."""

    limit: int
    remaining: int
    reset_s: float


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose tokens: a key's, by the id of its principal, or an assistant's."""

    kind: TokenSubject
    name: str


def start_of_day(now: dt.datetime) -> dt.datetime:
    """Returns the moment from which a budget counts."""
    return now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)


class UsageStore(Protocol):
    """Where it is known what was used."""

    def tokens_since(self, kind: TokenSubject, name: str, since: dt.datetime) -> int:
        """Returns the tokens, read and written, of a subject's decisions since then. Raises `StoreUnavailable`."""


@dataclass(slots=True)
class _Sum:
    day: dt.date
    read_s: float
    stored: int
    since: int = 0
    """Used by this process since the sum was read: part of it may be in the next sum too, for the safe side."""


class Budgets:
    """Knows what was used today; survives a restart, and counts what other gateways answered within `FRESH_S`.

    Questions that are in work when a budget ends are answered: it is exceeded by at most their tokens.
    """

    def __init__(
        self,
        usage: UsageStore,
        *,
        assistants: Mapping[str, int],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._usage = usage
        self._assistants = assistants
        self._clock = clock
        self._now = now
        self._sums: dict[Subject, _Sum] = {}
        self._refused = 0
        self._threads = CapacityLimiter(2)

    @property
    def refused(self) -> int:
        """How many requests were refused since the start."""
        return self._refused

    async def require(self, principal: str, tokens_per_day: int | None, assistant: str) -> TokenState | None:
        """Returns what the tightest budget has left, None when there is none.

        Raises `BudgetUsed`, and `NotServing` when it cannot be known.
        """
        limits = {
            Subject("principal", principal): tokens_per_day,
            Subject("assistant", assistant): self._assistants.get(assistant),
        }
        states = [await self._state(subject, limit) for subject, limit in limits.items() if limit is not None]
        return min(states, key=lambda state: state.remaining, default=None)

    def spent(self, decision: Decision) -> None:
        """Counts what a decision used, until the next sum has it."""
        used = decision.prompt_tokens + decision.completion_tokens
        for subject in (Subject("principal", decision.principal), Subject("assistant", decision.assistant)):
            if used and (found := self._sums.get(subject)):
                found.since += used

    async def _state(self, subject: Subject, limit: int) -> TokenState:
        now = self._now()
        used = await self._used(subject, now)
        reset_s = (start_of_day(now) + dt.timedelta(days=1) - now).total_seconds()
        if used >= limit:
            self._refused += 1
            whose = "API key" if subject.kind == "principal" else "assistant"
            raise BudgetUsed(
                f"The {limit} tokens that this {whose} may use in a day (UTC) are used up. Ask again tomorrow, or ask "
                "the operator for more.",
                retry_after_s=reset_s,
                limit=limit,
            )
        return TokenState(limit, limit - used, reset_s)

    async def _used(self, subject: Subject, now: dt.datetime) -> int:
        found = self._sums.get(subject)
        if found is None or found.day != now.date() or self._clock() - found.read_s >= FRESH_S:
            if found is not None and found.day == now.date():
                found.read_s = self._clock()  # one reads anew, and the others go on with what is known
            found = await self._read(subject, now)
        return found.stored + found.since

    async def _read(self, subject: Subject, now: dt.datetime) -> _Sum:
        begun_s = self._clock()
        fresh = _Sum(now.date(), begun_s, 0)
        before = self._sums.get(subject)
        held = before.since if before is not None and before.day == fresh.day else 0
        read = partial(self._usage.tokens_since, subject.kind, subject.name, start_of_day(now))
        try:
            fresh.stored = await to_thread.run_sync(read, limiter=self._threads)
        except StoreUnavailable as error:
            raise NotServing("store_unavailable", "The budget cannot be read, so nothing is answered.") from error
        if before is not None and before.day == fresh.day:
            fresh.since = before.since - held  # what came while we read: the sum may lack it
        if len(self._sums) >= _MOST_KEPT:
            self._sums.clear()
        self._sums[subject] = fresh
        return fresh


class NoUsage:
    """A usage store in which nothing was ever used."""

    def tokens_since(self, kind: TokenSubject, name: str, since: dt.datetime) -> int:
        """Returns 0."""
        del kind, name, since
        return 0
