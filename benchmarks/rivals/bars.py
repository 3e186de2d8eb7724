"""Plots as SVG: rows of bars that are parted into shares of a whole."""

from collections.abc import Sequence
from html import escape

from benchmarks.rivals.chapters import Plot, Value
from benchmarks.rivals.drawing import (
    FOOT,
    HEADING,
    LEFT,
    LEGEND,
    NAME,
    Axis,
    grid,
    head,
    legend_lines,
    legend_width,
    row_name,
    top_of,
)
from benchmarks.rivals.rounds import number

BAR = 16
"""How high a bar is, in pixels."""
WHOLE = 100.0
PATTERNS = ("", "3 3", "8 3", "1 4", "12 4")
"""Of the line through each part: for those who do not see the colours."""


def draw_bars(plot: Plot) -> str:
    """Returns the plot as an SVG file. Raises `ValueError` for one without values."""
    names = list(dict.fromkeys(name for series in plot.series for name in series.values))
    if not names:
        raise ValueError(f"nothing to draw of {plot.title!r}")
    row, top = NAME + BAR + 8, top_of(plot)
    height = top + row * len(names) + FOOT
    axis = Axis([Value(WHOLE, WHOLE, WHOLE)], is_logarithmic=False)
    parts = [head(plot, height), *grid(axis, plot.unit, top, height), *_legend(plot)]
    for place, name in enumerate(names):
        begin = top + row * place
        parts += [row_name(name, begin), *_bar(plot, axis, name, begin + NAME)]
    return "\n".join([*parts, "</svg>", ""])


def _bar(plot: Plot, axis: Axis, name: str, y: float) -> Sequence[str]:
    parts, reached = [], 0.0
    for kind, series in enumerate(plot.series):
        share = series.values[name].middle if name in series.values else 0.0
        if share > 0:
            x, end = axis.at(reached), axis.at(min(WHOLE, reached + share))
            told = escape(f"{name}, {series.title}: {number(share)} {plot.unit}")
            parts.append(_part(x, y, end - x, kind, told))
        reached += share
    return parts


def _part(x: float, y: float, width: float, kind: int, told: str) -> str:
    mark = (
        f'<line class="l" x1="{x:.1f}" y1="{y + BAR / 2:g}" x2="{x + width:.1f}" y2="{y + BAR / 2:g}" '
        f'stroke-dasharray="{PATTERNS[kind]}"/>'
        if PATTERNS[kind]
        else ""
    )
    return (
        f'<rect class="s{kind}" x="{x:.1f}" y="{y:g}" width="{width:.1f}" height="{BAR}" style="stroke:none">'
        f"<title>{told}</title></rect>{mark}"
    )


def _legend(plot: Plot) -> list[str]:
    parts = []
    for line_number, line in enumerate(legend_lines(plot)):
        x, y = LEFT + 0.0, HEADING + LEGEND * line_number
        for kind, title in line:
            parts.append(_part(x, y - 2, BAR, kind, escape(title)))
            parts.append(f'<text class="t" x="{x + 22:.1f}" y="{y + 11}">{escape(title)}</text>')
            x += legend_width(title) + 6
    return parts
