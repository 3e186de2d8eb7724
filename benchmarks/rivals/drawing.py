"""Plots as SVG: rows of dots with their spread, readable on light and on dark pages, and on a phone.

Each row has its name above its marks, so that a plot is as narrow as a page beside a menu and keeps its letters.
"""

import math
from collections.abc import Sequence
from html import escape

from benchmarks.rivals.chapters import Plot, Value
from benchmarks.rivals.rounds import number

WIDTH, LEFT, RIGHT, FOOT = 560, 16, 26, 48
"""Of a picture in pixels, and its edges."""
HEADING, LEGEND = 44, 24
"""The room for the title, and for each line of the legend."""
NAME, SHIFT = 24, 11
"""The room for a row's name, and between two of its marks."""
LETTER = 7.6
DOT, TICKS = 5.0, 5
LIGHT = ("#1d5d90", "#b3541e", "#2d7a46", "#7a3e93", "#806000")
DARK = ("#8bc2ee", "#f0a875", "#86d3a0", "#d0a5e4", "#e0c060")
SHAPES = 5


class Axis:
    """Where a value lies between the two ends of a plot, in pixels."""

    def __init__(self, values: Sequence[Value], *, is_logarithmic: bool) -> None:
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
        return LEFT + 8 + (WIDTH - LEFT - 8 - RIGHT) * (placed - self._from) / (self._to - self._from)

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
    axis = Axis(values, is_logarithmic=plot.is_logarithmic)
    legend = _legend(plot)
    top = top_of(plot)
    row = NAME + SHIFT * len(plot.series) + 5
    height = top + row * len(names) + FOOT
    parts = [head(plot, height), *_bands(top, row, len(names)), *grid(axis, plot.unit, top, height), *legend]
    for place, name in enumerate(names):
        begin = top + row * place
        parts.append(row_name(name, begin))
        for kind, series in enumerate(plot.series):
            if name not in series.values:
                continue
            one = series.values[name]
            said = f"{number(one.middle)} {plot.unit} ({number(one.low)} to {number(one.high)})"
            parts += _dot(axis, one, begin + NAME + SHIFT * (kind + 0.5), kind, f"{name}, {series.title}: {said}")
    return "\n".join([*parts, "</svg>", ""])


def _bands(top: float, row: float, count: int) -> list[str]:
    """Returns a band behind every second row, which keeps marks with their name."""
    return [
        f'<rect class="z" x="0" y="{top + row * place:g}" width="{WIDTH}" height="{row:g}"/>'
        for place in range(0, count, 2)
    ]


def top_of(plot: Plot) -> float:
    """Returns where the rows of a plot begin, below its title and its legend."""
    return HEADING + LEGEND * len(legend_lines(plot))


def head(plot: Plot, height: float) -> str:
    """Returns the beginning of a picture: its colours, its ground and its title."""
    light = "".join(f".s{kind}{{fill:{colour};stroke:{colour}}}" for kind, colour in enumerate(LIGHT))
    dark = "".join(f".s{kind}{{fill:{colour};stroke:{colour}}}" for kind, colour in enumerate(DARK))
    style = (
        "text{font:14px system-ui,sans-serif}.b{fill:#ffffff}.z{fill:#f4f6f8}"
        ".t{fill:#1f2328}.m{fill:#59636e}.g{stroke:#d1d9e0}.l{stroke:#ffffff;stroke-width:2}"
        f"{light}@media(prefers-color-scheme:dark){{.b{{fill:#14181d}}.z{{fill:#1b2027}}.t{{fill:#e6edf3}}.m{{fill:#9aa5b1}}"
        f".g{{stroke:#39424d}}.l{{stroke:#14181d}}{dark}}}"
    )
    words = f"{plot.title} ({plot.unit})"
    title = escape(words)
    fitted = fitting(words, bold=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}" '
        f'role="img" aria-label="{title}">\n<style>{style}</style>\n'
        f'<rect class="b" width="{WIDTH}" height="{height:g}" rx="6"/>\n'
        f'<text class="t" x="16" y="27" font-weight="600"{fitted}>{title}</text>'
    )


def grid(axis: Axis, unit: str, top: float, height: float) -> list[str]:
    """Returns the lines of an axis with what they stand for."""
    bottom = height - FOOT
    lines = []
    for tick in axis.ticks():
        x = axis.at(tick)
        lines.append(f'<line class="g" x1="{x:.1f}" y1="{top:g}" x2="{x:.1f}" y2="{bottom:g}"/>')
        lines.append(f'<text class="m" x="{x:.1f}" y="{bottom + 18:g}" text-anchor="middle">{_tick(tick)}</text>')
    return [*lines, f'<text class="m" x="{WIDTH - 16}" y="{bottom + 34:g}" text-anchor="end">{escape(unit)}</text>']


def row_name(name: str, begin: float) -> str:
    """Returns a row's name above its marks."""
    return f'<text class="t" x="{LEFT}" y="{begin + 17:g}"{fitting(name)}>{escape(name)}</text>'


def fitting(words: str, *, bold: bool = False) -> str:
    """Returns the attribute that keeps long words inside the picture, where they need it."""
    room = WIDTH - 2 * LEFT
    is_long = len(words) * LETTER * (1.07 if bold else 1) > room
    return f' textLength="{room}" lengthAdjust="spacingAndGlyphs"' if is_long else ""


def legend_lines(plot: Plot) -> list[list[tuple[int, str]]]:
    """Returns the series of each line of the legend, with their numbers; one series needs none."""
    lines: list[list[tuple[int, str]]] = []
    x = 0.0
    for kind, series in enumerate(plot.series if len(plot.series) > 1 else []):
        wide = legend_width(series.title)
        if not lines or x + wide > WIDTH - LEFT:
            lines.append([])
            x = LEFT
        lines[-1].append((kind, series.title))
        x += wide
    return lines


def legend_width(title: str) -> float:
    """Returns what an entry of the legend takes, its mark included."""
    return 34 + LETTER * len(title)


def _legend(plot: Plot) -> list[str]:
    parts = []
    for number_of, line in enumerate(legend_lines(plot)):
        x, y = LEFT + 6.0, HEADING + LEGEND * number_of + 6
        for kind, title in line:
            parts.append(_shape(x, y, kind, ""))
            parts.append(f'<text class="t" x="{x + 12:.1f}" y="{y + 5}">{escape(title)}</text>')
            x += legend_width(title)
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
