"""Admission: who may ask now, how many are in work at once, and until when each may take."""

import time
from dataclasses import dataclass, field

from gateway.budgets import Budgets, NoUsage, TokenState, UsageStore
from gateway.credentials import Principal
from gateway.errors import DeadlinePassed
from gateway.limit_settings import LimitSettings
from gateway.lines import Line
from gateway.pressure import PATIENCE, Stage
from gateway.rates import MemoryRates, Rate, RateKind, RateState
from gateway.shared_rates import SharedRates
from models.device import usable_cores
from store.types import Decision

BULK_WAITING = 8
"""Requests for vectors that wait for the one that is at work."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """One absolute point in time for a whole request, on the monotonic clock."""

    at: float
    own_at: float | None = None
    """What the gateway allows, where the caller allows less."""

    @classmethod
    def after(cls, seconds: float, *, callers_s: float | None = None, since: float | None = None) -> "Deadline":
        """Makes the deadline that is `seconds` away, from now or from `since`; a caller may have less time."""
        began = time.monotonic() if since is None else since
        if callers_s is None or callers_s >= seconds:
            return cls(began + seconds)
        return cls(began + callers_s, began + seconds)

    @property
    def latest(self) -> float:
        """The gateway's own: who gives up early does not make its checks late."""
        return self.at if self.own_at is None else self.own_at

    def require(self) -> None:
        """Raises `DeadlinePassed` when the caller's time is over, and not the gateway's."""
        if self.own_at is not None and self.remaining_s <= 0.0:
            raise DeadlinePassed

    @property
    def remaining_s(self) -> float:
        """Seconds left, at least 0."""
        return max(0.0, self.at - time.monotonic())


@dataclass(frozen=True, slots=True)
class Charged:
    """What the credential has left after this request was counted."""

    requests: RateState
    tokens: TokenState | None = None
    """None without a budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Every line that a request may stand in; each belongs to one event loop."""

    chat: Line
    """Questions, checks, trials: before the body is parsed."""
    admin: Line
    """The admin surface, pages and REST."""
    model: Line
    """Who waits for the model."""
    bulk: Line
    """Who waits for vectors."""

    def named(self) -> dict[str, Line]:
        """Returns them by their names, for metrics."""
        return {"chat": self.chat, "admin": self.admin, "model": self.model, "embeddings": self.bulk}


@dataclass(slots=True)
class Skipped:
    """How often the model was skipped since the start."""

    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Grants places and counts requests; lives as long as the gateway."""

    lines: Lines
    rates: MemoryRates | SharedRates
    budgets: Budgets
    limits: LimitSettings
    skipped: Skipped = field(default_factory=Skipped)

    async def charge(self, principal: Principal, assistant: str) -> Charged:
        """Counts one request against the rates of its credential and of the assistant, which may be empty.

        Raises `RateLimited`, `BudgetUsed` when today's tokens are used up, and `NotServing` when nobody can count.
        """
        rates = [_rate_of(principal)]
        if assistant and self.limits.assistant_requests_per_minute:
            rates.append(Rate(RateKind.ASSISTANT, assistant, self.limits.assistant_requests_per_minute))
        requests, *_ = await self.rates.take(rates)
        return Charged(requests, await self.budgets.require(principal.id, principal.tokens_per_day, assistant))

    async def charge_rate(self, principal: Principal) -> Charged:
        """Counts one request that uses no tokens. Raises `RateLimited`, and `NotServing` when nobody can count."""
        (requests,) = await self.rates.take([_rate_of(principal)])
        return Charged(requests)

    async def look_up(self, network: str) -> None:
        """Counts a request from an address of which nothing is known yet. Raises `RateLimited`."""
        await self.rates.take([Rate(RateKind.ADDRESS, network, self.limits.address_requests_per_minute)])

    @property
    def skips_model(self) -> bool:
        """Whether approved fallbacks are given because questions wait longer than they should."""
        return self.lines.chat.pressure.stage >= Stage.SKIP_MODEL

    def spent(self, decision: Decision) -> None:
        """Counts the tokens of a decision that was recorded."""
        self.budgets.spent(decision)


def _rate_of(principal: Principal) -> Rate:
    return Rate(RateKind.KEY, principal.id, principal.requests_per_minute)


def make_admission(
    limits: LimitSettings,
    *,
    model_places: int,
    model_waiting: int,
    usage: UsageStore | None = None,
    rates: MemoryRates | SharedRates | None = None,
) -> Admission:
    """Makes the admission of one gateway; `model_places` is how many answers the model words at once."""
    target_s = limits.queue_target_s
    places = limits.concurrent or usable_cores()
    return Admission(
        lines=Lines(
            chat=Line(places=places, waiting=limits.waiting, target_s=target_s, patience=PATIENCE),
            admin=Line(places=limits.admin_concurrent, waiting=limits.admin_waiting, target_s=limits.queue_s),
            model=Line(
                places=model_places,
                waiting=model_waiting,
                target_s=limits.model_target_s,
                sheds_at=Stage.SKIP_MODEL,
            ),
            bulk=Line(places=1, waiting=BULK_WAITING, target_s=limits.queue_s),
        ),
        rates=rates or MemoryRates(),
        budgets=Budgets(usage or NoUsage(), assistants=limits.assistant_tokens_per_day),
        limits=limits,
    )
