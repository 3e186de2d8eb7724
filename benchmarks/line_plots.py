"""Small plots of numbers over time, as SVG that reads in light and in dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, PANEL, GAP, LEFT, RIGHT, TOP = 720.0, 96.0, 30.0, 64.0, 16.0, 44.0
_STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #1f2933 }
.line { fill: none; stroke: #1d4ed8; stroke-width: 1.5 }
.grid { stroke: #9aa5b1; stroke-width: .5 }
@media (prefers-color-scheme: dark) { text { fill: #e4e7eb } .line { stroke: #93c5fd } }"""


@dataclass(frozen=True)
class Line:
    """One quantity over time, in a panel of its own."""

    title: str
    points: Sequence[tuple[float, float]]
    """Time and value, by time; at least one."""


def draw(title: str, time_unit: str, lines: Sequence[Line]) -> str:
    """Returns one panel for each line, above a common time; every panel begins at 0."""
    height = TOP + len(lines) * (PANEL + GAP) + 16
    until = max(time for line in lines for time, _ in line.points) or 1.0
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        f'<text x="{LEFT:g}" y="18">{escape(title)}</text>',
    ]
    for number, line in enumerate(lines):
        parts += _panel(line, TOP + number * (PANEL + GAP), until)
    foot = TOP + len(lines) * (PANEL + GAP) - GAP + 16
    parts.append(f'<text x="{LEFT:g}" y="{foot:g}">0</text>')
    parts.append(f'<text x="{WIDTH - RIGHT:g}" y="{foot:g}" text-anchor="end">{until:g} {escape(time_unit)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _panel(line: Line, top: float, until: float) -> list[str]:
    highest = max(value for _, value in line.points) or 1.0
    bottom = top + PANEL
    places = " ".join(
        f"{LEFT + time / until * (WIDTH - LEFT - RIGHT):.1f},{bottom - value / highest * (PANEL - 16):.1f}"
        for time, value in line.points
    )
    return [
        f'<text x="{LEFT:g}" y="{top + 4:g}">{escape(line.title)}</text>',
        f'<line class="grid" x1="{LEFT:g}" y1="{bottom:g}" x2="{WIDTH - RIGHT:g}" y2="{bottom:g}"/>',
        f'<text x="{LEFT - 6:g}" y="{top + 20:g}" text-anchor="end">{highest:g}</text>',
        f'<text x="{LEFT - 6:g}" y="{bottom:g}" text-anchor="end">0</text>',
        f'<polyline class="line" points="{places}"/>',
    ]
