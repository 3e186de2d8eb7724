"""Analytics: what became of questions over time, how long stages take, what is asked, stopped, and near a limit."""

from dataclasses import dataclass

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from gateway.analysing import Analysis, Period
from gateway.figures import STAGES, STEPS, Figures, WhatIf
from gateway.http.pages.charts import Columns, Plane, nice_top
from gateway.http.pages.choices import assistants_of, chosen, typed
from gateway.http.pages.visit import Visit
from store.repositories.feedback import FeedbackFilter
from store.scoring import Limits
from store.types import Outcome

_Asked = NamedDependency[SkipValidation[Visit]]
_MOST = 10
"""Rows of a table of the most frequent."""
SERIES = ("answered", "clarify", "degraded", "no_match", "blocked")
_AROUND = (-20, -10, -5, 0, 5, 10, 20)
"""Hundredths around the limit that is live, for which it is told what they would come to."""
_BAR = 2
"""Steps of a score in one column of the histogram."""
_SCORE_SERIES = ("answered", "clarify", "no_match")


@dataclass(frozen=True, slots=True)
class Timed:
    """How long a stage takes."""

    name: str
    count: int
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class Lines:
    """How long the whole way took, hour by hour or day by day."""

    p50: str
    p95: str
    """Paths on a plane of 100 by 100."""
    top: float
    values: tuple[tuple[float | None, float | None], ...]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores of the messages that were matched by one, and what other limits would come to."""

    limits: Limits
    columns: Columns
    rows: tuple[tuple[float, ...], ...]
    """Score from which a column is, and its messages: answered, offered a choice, neither."""
    lines: tuple[tuple[str, float], ...]
    """Limits by name, and where they are drawn."""
    now: WhatIf
    others: tuple[WhatIf, ...]
    chosen: int | None


@get("/admin/analytics", operation_id="analytics_page")
async def analytics_page(visit: _Asked) -> Response[str]:
    """Shows the figures of a period."""
    period, assistant = chosen(visit, "period", Period) or Period.WEEK, typed(visit, "assistant") or None
    report = await visit.call(visit.administration.analysing.report, visit.actor, period, assistant)
    plane = Plane(is_mirrored=visit.texts.direction == "rtl")
    return visit.show(
        "analytics.html",
        report=report,
        whole=report.whole,
        total=report.whole.total,
        counts=counts_of(report.whole),
        series=SERIES,
        bins=[(one.since, counts_of(one.figures)) for one in report.bins],
        columns=plane.columns([list(counts_of(one.figures).items()) for one in report.bins]),
        stages=_stages(report.whole),
        lines=_lines(report, plane),
        prompts=report.whole.prompts.most_common(_MOST),
        answered=report.whole.prompts.total(),
        stopped=report.whole.stopped.most_common(_MOST),
        thresholds=_thresholds(visit, report, plane),
        helpful=await _helpful(visit, report, assistant),
        assistants=assistants_of(visit),
        assistant=assistant or "",
        periods=list(Period),
        since=report.bins[0].since,
    )


def counts_of(figures: Figures) -> dict[str, int]:
    """Returns the outcomes as they are drawn: whatever a check stopped is one."""
    outcomes = figures.outcomes
    blocked = outcomes[Outcome.BLOCKED_INPUT] + outcomes[Outcome.BLOCKED_OUTPUT]
    return {name: blocked if name == "blocked" else outcomes[Outcome(name)] for name in SERIES}


def _stages(whole: Figures) -> list[Timed]:
    found = []
    for name in STAGES:
        p50, p95 = whole.percentile_ms(name, 0.5), whole.percentile_ms(name, 0.95)
        if p50 is not None and p95 is not None:
            found.append(Timed(name, whole.timed(name), p50, p95))
    return found


def _lines(report: Analysis, plane: Plane) -> Lines:
    p50 = [one.figures.percentile_ms("total", 0.5) for one in report.bins]
    p95 = [one.figures.percentile_ms("total", 0.95) for one in report.bins]
    top = nice_top(max((one for one in p95 if one is not None), default=0.0))
    return Lines(plane.line(p50, top), plane.line(p95, top), top, tuple(zip(p50, p95, strict=True)))


def _thresholds(visit: Visit, report: Analysis, plane: Plane) -> Thresholds | None:
    """Returns what scores say; None for several assistants, whose scores do not compare."""
    limits, whole = report.limits, report.whole
    if limits is None:
        return None
    starts = range(0, STEPS, _BAR)
    counts = [[int(kind[step : step + _BAR].sum()) for kind in whole.scores] for step in starts]
    columns = plane.columns([list(zip(_SCORE_SERIES, row, strict=True)) for row in counts])
    drawn = [("limit", limits.answer), ("suggest", limits.suggest)]
    at = min(STEPS, max(0, round(limits.answer * STEPS)))

    def what_if(step: int) -> WhatIf:
        return whole.what_if(step, suggest=limits.suggest, margin=limits.margin)

    wish = _wish(visit)
    steps = {at + one for one in _AROUND if 0 <= at + one <= STEPS} | ({wish} if wish is not None else set())
    return Thresholds(
        limits=limits,
        columns=columns,
        rows=tuple((step / STEPS, *row) for step, row in zip(starts, counts, strict=True)),
        lines=tuple((name, plane.x(value * 100)) for name, value in drawn if value <= 1),
        now=what_if(at),
        others=tuple(what_if(step) for step in sorted(steps)),
        chosen=wish,
    )


def _wish(visit: Visit) -> int | None:
    """Returns the hundredths of the limit that somebody asks about."""
    text = typed(visit, "limit")
    try:
        step = round(float(text) * STEPS)
    except (ValueError, OverflowError):
        return None
    return step if 0 <= step <= STEPS else None


async def _helpful(visit: Visit, report: Analysis, assistant: str | None) -> tuple[int, int]:
    """Returns how many answers helped, and how many were judged."""
    wanted = FeedbackFilter(assistant=assistant, since=report.bins[0].since)
    rates = await visit.call(visit.administration.feedback.rates, visit.actor, wanted)
    return sum(one.up for one in rates), sum(one.up + one.down for one in rates)
