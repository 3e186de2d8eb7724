"""Plots as SVG: rows of dots with their spread, readable on light and on dark pages."""

import math
from collections.abc import Sequence
from html import escape

from benchmarks.rivals.chapters import Plot, Value
from benchmarks.rivals.rounds import number

WIDTH, RIGHT, TOP, FOOT = 900, 40, 66, 40
ROW, SHIFT = 30, 6
"""Of a row with up to four series, and between two of them."""
LEFT, LETTER = 120, 7.0
"""At least so much is for the names, and so much for each letter, in pixels."""
DOT, TICKS = 5.0, 6
LIGHT = ("#1d5d90", "#b3541e", "#2d7a46", "#7a3e93", "#806000")
DARK = ("#8bc2ee", "#f0a875", "#86d3a0", "#d0a5e4", "#e0c060")
SHAPES = 5


class Axis:
    """Where a value lies between the two ends of a plot, in pixels."""

    def __init__(self, values: Sequence[Value], left: float, *, is_logarithmic: bool) -> None:
        self.left = left
        self._is_logarithmic = is_logarithmic
        highest = max(one.high for one in values)
        if is_logarithmic:
            self._from = float(math.floor(math.log10(min(one.low for one in values))))
            self._to = max(self._from + 1, float(math.ceil(math.log10(highest))))
        else:
            self._from, self._to = 0.0, _step(highest) * math.ceil(highest / _step(highest)) if highest else 1.0

    def at(self, value: float) -> float:
        """Returns the place of a value."""
        placed = math.log10(value) if self._is_logarithmic else value
        return self.left + (WIDTH - self.left - RIGHT) * (placed - self._from) / (self._to - self._from)

    def ticks(self) -> list[float]:
        """Returns the values that the axis names."""
        if self._is_logarithmic:
            return [10.0**power for power in range(int(self._from), int(self._to) + 1)]
        step = _step(self._to)
        return [step * one for one in range(round(self._to / step) + 1)]


def draw(plot: Plot) -> str:
    """Returns the plot as an SVG file. Raises `ValueError` for one without values, or with zero on a logarithm."""
    values = [one for series in plot.series for one in series.values.values()]
    if not values:
        raise ValueError(f"nothing to draw of {plot.title!r}")
    if plot.is_logarithmic and min(one.low for one in values) <= 0:
        raise ValueError(f"a logarithmic axis has no place for 0 in {plot.title!r}")
    names = list(dict.fromkeys(name for series in plot.series for name in series.values))
    axis = Axis(values, LEFT + LETTER * max(0, max(map(len, names)) - 14), is_logarithmic=plot.is_logarithmic)
    row = max(ROW, SHIFT * (len(plot.series) + 1))
    height = TOP + row * len(names) + FOOT
    parts = [_head(plot, height), *_grid(axis, plot.unit, height), *_legend(plot)]
    for place, name in enumerate(names):
        middle = TOP + row * (place + 0.5)
        parts += _name(axis, name, middle)
        present = [(kind, series) for kind, series in enumerate(plot.series) if name in series.values]
        for kind, series in present:
            shift = (kind - (len(plot.series) - 1) / 2) * SHIFT
            one = series.values[name]
            said = f"{number(one.middle)} {plot.unit} ({number(one.low)} to {number(one.high)})"
            parts += _dot(axis, one, middle + shift, kind, f"{name}, {series.title}: {said}")
    return "\n".join([*parts, "</svg>", ""])


def _head(plot: Plot, height: float) -> str:
    light = "".join(f".s{kind}{{fill:{colour};stroke:{colour}}}" for kind, colour in enumerate(LIGHT))
    dark = "".join(f".s{kind}{{fill:{colour};stroke:{colour}}}" for kind, colour in enumerate(DARK))
    style = (
        "text{font:13px system-ui,sans-serif}.b{fill:#ffffff}.t{fill:#1f2328}.m{fill:#59636e}.g{stroke:#d1d9e0}"
        f"{light}@media(prefers-color-scheme:dark){{.b{{fill:#14181d}}.t{{fill:#e6edf3}}.m{{fill:#9aa5b1}}"
        f".g{{stroke:#39424d}}{dark}}}"
    )
    title = escape(f"{plot.title} ({plot.unit})")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}" '
        f'role="img" aria-label="{title}">\n<style>{style}</style>\n'
        f'<rect class="b" width="{WIDTH}" height="{height:g}" rx="6"/>\n'
        f'<text class="t" x="16" y="24" font-weight="600">{title}</text>'
    )


def _grid(axis: Axis, unit: str, height: float) -> list[str]:
    bottom = height - FOOT
    lines = []
    for tick in axis.ticks():
        x = axis.at(tick)
        lines.append(f'<line class="g" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom:g}"/>')
        lines.append(f'<text class="m" x="{x:.1f}" y="{bottom + 18:g}" text-anchor="middle">{_tick(tick)}</text>')
    return [*lines, f'<text class="m" x="{WIDTH - 16}" y="{bottom + 34:g}" text-anchor="end">{escape(unit)}</text>']


def _name(axis: Axis, name: str, middle: float) -> list[str]:
    """Returns a row's name, and a line that leads the eye from it to the marks."""
    y = f"{middle:.1f}"
    return [
        f'<line class="g" x1="{axis.left:.1f}" y1="{y}" x2="{WIDTH - RIGHT}" y2="{y}" stroke-dasharray="1 4"/>',
        f'<text class="t" x="{axis.left - 12:.1f}" y="{middle + 4:.1f}" text-anchor="end">{escape(name)}</text>',
    ]


def _legend(plot: Plot) -> list[str]:
    if len(plot.series) < 2:
        return []
    parts, x = [], 20.0
    for kind, series in enumerate(plot.series):
        parts.append(_shape(x, 44, kind, ""))
        parts.append(f'<text class="t" x="{x + 12:.1f}" y="48">{escape(series.title)}</text>')
        x += 40 + 7.5 * len(series.title)
    return parts


def _dot(axis: Axis, value: Value, y: float, kind: int, told: str) -> list[str]:
    low, high = axis.at(value.low), axis.at(value.high)
    line = f'<line class="s{kind % SHAPES}" x1="{low:.1f}" y1="{y:.1f}" x2="{high:.1f}" y2="{y:.1f}" stroke-width="2"/>'
    return [line, _shape(axis.at(value.middle), y, kind, told)]


def _shape(x: float, y: float, kind: int, told: str) -> str:
    """Returns a mark; each series has a form of its own too, for those who do not see the colours."""
    title = f"<title>{escape(told)}</title>" if told else ""
    marked = f'class="s{kind % SHAPES}"'
    if kind % SHAPES == 0:
        return f'<circle {marked} cx="{x:.1f}" cy="{y:.1f}" r="{DOT:g}">{title}</circle>'
    if kind % SHAPES == 1:
        return f'<rect {marked} x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9">{title}</rect>'
    corners = {
        2: [(x, y - 6), (x + 6, y + 5), (x - 6, y + 5)],
        3: [(x, y - 6), (x + 6, y), (x, y + 6), (x - 6, y)],
        4: [(x, y + 6), (x - 6, y - 5), (x + 6, y - 5)],
    }
    ends = corners[kind % SHAPES]
    points = " ".join(f"{across:.1f},{down:.1f}" for across, down in ends)
    return f'<polygon {marked} points="{points}">{title}</polygon>'


def _tick(value: float) -> str:
    return f"{value:g}" if value < 1000 else f"{value:,.0f}"


def _step(highest: float) -> float:
    """Returns the round step that parts an axis into at most `TICKS`."""
    if highest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(highest))
    return next(power * share for share in (0.1, 0.2, 0.5, 1, 2, 5, 10) if highest / (power * share) <= TICKS)
