"""Reads letters that are drawn with other signs: flags, boxes, small capitals, letters upside down and look-alikes.

For text that `disguises.plain` has folded, which already makes letters of full-width, circled and mathematical ones.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_FIRST_SIGNS = (0x1F1E6, 0x1F150, 0x1F170)
"""Flags, white letters on a disc, and white letters in a box: by the code point that stands for A."""
_DRAWN: Mapping[str, str] = MappingProxyType(
    {
        "a": "\u1d00\u0430\u03b1",
        "b": "\u0299\u0432\u03b2",
        "c": "\u1d04\u0441",
        "d": "\u1d05\u0501",
        "e": "\u1d07\u0435\u03b5",
        "f": "\ua730",
        "g": "\u0262",
        "h": "\u029c\u04bb",
        "i": "\u026a\u0456\u03b9",
        "j": "\u1d0a\u0458",
        "k": "\u1d0b\u043a\u03ba",
        "l": "\u029f\u04cf",
        "m": "\u1d0d\u043c",
        "n": "\u0274\u0578\u03b7",
        "o": "\u1d0f\u043e\u03bf",
        "p": "\u1d18\u0440\u03c1",
        "q": "\u051b",
        "r": "\u0280\u0433",
        "s": "\ua731\u0455",
        "t": "\u1d1b\u0442\u03c4",
        "u": "\u1d1c\u057d\u03c5",
        "v": "\u1d20\u0475\u03bd",
        "w": "\u1d21\u051d\u03c9",
        "x": "\u0445\u03c7",
        "y": "\u028f\u0443\u03b3",
        "z": "\u1d22",
    }
)
"""By letter: its small capital, and the Cyrillic, Greek and Armenian letters that pass for it."""
_UPSIDE_DOWN = str.maketrans("ɐqɔpǝɟƃɓᵷɥᴉıɾſʞןʅꞁɯuodbɹsʇnʌʍʎ¿˙", "abcdefggghiijjklllmnopqrstuvwy?.")  # noqa: RUF001 - look-alikes are what this table is about
_TURNED = frozenset("ɐɔǝɟƃɓᵷɥᴉɾʞןʅꞁɯɹʇʌʍʎ")
_FEWEST_TURNED = 3
"""Words in the alphabet of phonetics stand alone; a sentence upside down has more of these than that."""
_FEWEST_DRAWN = 4
"""Flags come in twos, and a pair of them is a greeting."""
_LETTERS = {ord(sign): letter for letter, signs in _DRAWN.items() for sign in signs} | {
    first + place: letter for first in _FIRST_SIGNS for place, letter in enumerate(_ALPHABET)
}
_SIGNS = frozenset(map(chr, _LETTERS))


def redrawn(folded: str) -> Iterator[str]:
    """Yields what a folded text says when drawn signs are read as letters, and nothing for one without them."""
    if folded.isascii():
        return
    if sum(map(_SIGNS.__contains__, folded)) >= _FEWEST_DRAWN:
        yield folded.translate(_LETTERS)
    if sum(map(_TURNED.__contains__, folded)) >= _FEWEST_TURNED:
        upright = folded.translate(_UPSIDE_DOWN)
        yield upright[::-1]
        yield upright
