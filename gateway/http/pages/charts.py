"""Geometry of charts that the server draws: shares of a plane of 100 by 100, mirrored where people read leftwards."""

from collections.abc import Sequence
from dataclasses import dataclass

_GAP = 0.2
"""Of a column's width, between two columns."""
_DASH, _LONGEST_DASH = 0.6, 6.0
"""Of a value that stands alone: a share of its column, and hundredths of the plane."""
_NICE = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True, slots=True)
class Part:
    """A rectangle of a column."""

    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of stacked parts under one top."""

    parts: tuple[Part, ...]
    top: float
    """What the whole height stands for: a round number, at least the highest column."""


@dataclass(frozen=True, slots=True)
class Plane:
    """Where things are drawn."""

    is_mirrored: bool = False

    def x(self, at: float, width: float = 0.0) -> float:
        """Returns where something begins that is `at` from the side from which people read."""
        return 100.0 - at - width if self.is_mirrored else at

    def columns(self, rows: Sequence[Sequence[tuple[str, float]]]) -> Columns:
        """Draws a column for each row, its parts from the ground up; nothing is drawn of zero."""
        top = nice_top(max((sum(value for _, value in row) for row in rows), default=0.0))
        step = 100.0 / max(1, len(rows))
        parts = []
        for number, row in enumerate(rows):
            ground = 100.0
            for name, value in row:
                height = value / top * 100.0
                ground -= height
                if value:
                    width = step * (1 - _GAP)
                    parts.append(Part(name, self.x(number * step + step * _GAP / 2, width), ground, width, height))
        return Columns(tuple(parts), top)

    def spark(self, values: Sequence[float]) -> str:
        """Draws a bar for each value as an SVG path of strokes from the ground up; nothing is drawn of zero."""
        top, step = max([*values, 1.0]), 100.0 / max(1, len(values))
        return "".join(
            f"M{self.x((number + 0.5) * step):.1f} 100V{100.0 - value / top * 100.0:.0f}"
            for number, value in enumerate(values)
            if value
        )

    def line(self, values: Sequence[float | None], top: float) -> str:
        """Draws a line through the middles of columns as an SVG path; what is None leaves a gap.

        A value between two gaps is a dash: as a point of a line it could not be seen.
        """
        step, path, is_on = 100.0 / max(1, len(values)), [], False
        dash = min(step * _DASH, _LONGEST_DASH)
        for number, value in enumerate(values):
            if value is None:
                is_on = False
                continue
            x, y = self.x((number + 0.5) * step), 100.0 - min(value / top, 1.0) * 100.0
            if is_on or _at(values, number + 1) is not None:
                path.append(f"{'L' if is_on else 'M'}{x:.2f} {y:.2f}")
            else:
                path.append(f"M{x - dash / 2:.2f} {y:.2f}h{dash:.2f}")
            is_on = True
        return "".join(path)


def _at(values: Sequence[float | None], number: int) -> float | None:
    return values[number] if number < len(values) else None


def nice_top(most: float) -> float:
    """Returns a round whole number that is at least that, and not much more."""
    size = 10.0 ** (len(str(int(most))) - 1)
    rounded = (size * one for one in _NICE)
    return next(one for one in rounded if one >= max(most, 1.0) and one.is_integer())
