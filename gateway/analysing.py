"""Analytics from stored decisions: each hour and day is counted once and kept, as long as it has as many decisions.

Decisions never change; they come, and are deleted when they are old. So a span whose number of decisions is what it
was has the figures that it had, and a page costs the counts and the hour that goes on.
"""

import datetime as dt
import operator
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.access.sessions import utc_now
from gateway.figures import Figures, figures_of
from gateway.live import Live
from store.database import Database
from store.people import Actor
from store.repositories.decision_figures import DecisionFigures, Span
from store.scoring import Limits

_HOUR, _DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
_TRUSTED_S = 60.0
"""How long a span that is over is taken for what it was without counting it again."""
_MOST_KEPT = 200
"""Spans in memory; 30 days and 48 hours are 78. Each holds 40 kB for each assistant that was asked in it."""


_MOST_SUMMED = 20
"""Tenants of which sums are remembered."""


class Period(StrEnum):
    """How far back figures go: so many hours or days, the one that goes on among them."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"


@dataclass(frozen=True, slots=True)
class Bin:
    """An hour or a day of a period."""

    since: dt.datetime
    figures: Figures


@dataclass(frozen=True, slots=True)
class Analysis:
    """What became of the questions of a period."""

    period: Period
    bins: tuple[Bin, ...]
    """Oldest first."""
    whole: Figures
    limits: Limits | None
    """Of the one assistant that is asked about; None for several, whose scores do not compare, and for one not live."""
    title_of: dict[str, str]
    """Titles of the live prompts that are among the answers."""


@dataclass(frozen=True, slots=True)
class Answers:
    """How often each prompt answered, day by day, in the last 30 days."""

    days: tuple[tuple[Mapping[str, int], ...], ...]
    """Oldest first; of each day several counts, which add up."""
    before: Mapping[str, int]
    """The sums of all but `last`."""
    last: tuple[Mapping[str, int], ...]
    """Counts of the hour that goes on."""

    def of(self, key: str) -> tuple[int, ...]:
        """Returns the answers of a prompt, day by day."""
        return tuple(sum(counts.get(key, 0) for counts in day) for day in self.days)

    def totals(self) -> Counter[str]:
        """Returns how often each prompt answered in all these days."""
        found = Counter(self.before)
        for counts in self.last:
            found.update(counts)
        return found

    def keys(self) -> frozenset[str]:
        """Returns the prompts that answered at least once."""
        return frozenset(self.before).union(*self.last)


@dataclass(slots=True)
class _Unit:
    count: int
    figures: dict[str, Figures]
    counted_at: float


@dataclass(frozen=True, slots=True)
class _Summed:
    units: Sequence[dict[str, Figures]]
    counts: Mapping[str, int]


@dataclass(slots=True)
class _Shelf:
    units: dict[Span, _Unit] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)


class Analysing:
    """Makes figures for whoever may see the assistants. Blocks on the database: use a thread."""

    def __init__(self, database: Database, live: Live, now: Callable[[], dt.datetime] = utc_now) -> None:
        self._database = database
        self._figures = DecisionFigures(database)
        self._live = live
        self._now = now
        self._shelf = _Shelf()
        self._summed: dict[frozenset[str], _Summed] = {}

    def report(self, actor: Actor, period: Period, assistant: str | None = None) -> Analysis:
        """Returns the figures of the assistant, or of all that the actor may see."""
        now = self._now().astimezone(dt.UTC)
        bins = _bins(period, now)
        units = self._units([span for _, spans in bins for span in spans], now)

        def is_wanted(name: str) -> bool:
            return actor.may_see(name) and assistant in (None, name)

        made = []
        for since, spans in bins:
            figures = Figures()
            for span in spans:
                for name, some in units[span].items():
                    if is_wanted(name):
                        figures.add(some)
            made.append(Bin(since, figures))
        whole = Figures()
        for one in made:
            whole.add(one.figures)
        state = self._live.current
        names = [name for name in state.catalog.assistants if is_wanted(name)]
        limits = state.matcher.scopes[names[0]].limits if len(names) == 1 else None
        prompts = state.catalog.prompts
        titles = {key: prompts[key].content.title for key in whole.prompts if key in prompts}
        return Analysis(period, tuple(made), whole, limits, titles)

    def answers(self, actor: Actor) -> Answers:
        """Returns how often prompts answered questions to the actor's assistants in the last 30 days."""
        now = self._now().astimezone(dt.UTC)
        bins = _bins(Period.MONTH, now)
        units = self._units([span for _, spans in bins for span in spans], now)

        def counts_of(span: Span) -> list[Mapping[str, int]]:
            return [figures.prompts for name, figures in units[span].items() if actor.may_see(name)]

        all_spans = [span for _, spans in bins for span in spans]
        before = self._sums(actor, [(units[span], counts_of(span)) for span in all_spans[:-1]])
        days = tuple(tuple(counts for span in spans for counts in counts_of(span)) for _, spans in bins)
        return Answers(days, before, tuple(counts_of(all_spans[-1])))

    def _sums(
        self, actor: Actor, spans: Sequence[tuple[dict[str, Figures], list[Mapping[str, int]]]]
    ) -> Mapping[str, int]:
        """Returns the sums of counts, which are the same as long as the figures are: ten thousand take 15 ms to add."""
        units = [unit for unit, _ in spans]
        known = self._summed.get(actor.assistants)
        if known and len(known.units) == len(units) and all(map(operator.is_, known.units, units)):
            return known.counts
        counts: Counter[str] = Counter()
        for _, several in spans:
            for some in several:
                counts.update(some)
        if len(self._summed) >= _MOST_SUMMED:
            self._summed.clear()
        self._summed[actor.assistants] = _Summed(units, counts)
        return counts

    def _units(self, spans: Sequence[Span], now: dt.datetime) -> dict[Span, dict[str, Figures]]:
        """Returns the figures of spans by assistants; reads those that are new or have another count."""
        at = time.monotonic()
        with self._shelf.guard, self._database.reading() as session:
            kept = self._shelf.units
            doubted = [
                span
                for span in spans
                if (unit := kept.get(span)) is None or span.until > now or at - unit.counted_at > _TRUSTED_S
            ]
            for span, count in zip(doubted, self._figures.counts(doubted, session), strict=True):
                unit = kept.pop(span, None)
                if unit is None or unit.count != count:
                    figures = figures_of(self._figures.rows(span, session)) if count else {}
                    unit = _Unit(count, figures, at)
                unit.counted_at = at
                kept[span] = unit  # at the end: what was used last goes last
            found = {span: kept[span].figures for span in spans}
            for span in list(kept)[: max(0, len(kept) - _MOST_KEPT)]:
                del kept[span]
        return found


def _bins(period: Period, now: dt.datetime) -> list[tuple[dt.datetime, list[Span]]]:
    """Returns hours or days, each with the spans that are kept of it: a day that goes on is made of its hours."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    if period is Period.DAY:
        hours = [hour - number * _HOUR for number in reversed(range(24))]
        return [(one, [Span(one, one + _HOUR)]) for one in hours]
    today = hour.replace(hour=0)
    days = [today - number * _DAY for number in reversed(range(7 if period is Period.WEEK else 30))]
    found = [(day, [Span(day, day + _DAY)]) for day in days[:-1]]
    return [*found, (today, [Span(today + n * _HOUR, today + (n + 1) * _HOUR) for n in range(hour.hour + 1)])]
