"""A QR code as the path of an inline drawing: a secret needs no address of its own to be shown."""

from dataclasses import dataclass

import segno

_QUIET = 4
"""Modules of white around it (ISO/IEC 18004)."""


@dataclass(frozen=True, slots=True)
class QrPath:
    """The dark modules, as an SVG path in a square of `size` units."""

    path: str
    size: int


def qr_path(text: str) -> QrPath:
    """Returns the code of the text, which survives the loss of 15 % of it (level M)."""
    matrix = segno.make(text, error="m", micro=False, boost_error=False).matrix
    moves = []
    for row, modules in enumerate(matrix):
        column = 0
        while column < len(modules):
            length = 1
            while column + length < len(modules) and modules[column + length] == modules[column]:
                length += 1
            if modules[column]:
                moves.append(f"M{column + _QUIET} {row + _QUIET}h{length}v1h-{length}z")
            column += length
    return QrPath("".join(moves), len(matrix) + 2 * _QUIET)
