"""Finds the turn markers of model families in texts: where a slot value carries one, the model is not asked.

A text marker such as `### Human:` is made of ordinary tokens, so no tokenizer setting takes its meaning away. The
markers of all families are looked for, not only those of the model in use: models were trained on each other's formats
and follow them, an upstream server's model need not be known here, and a prompt must not turn unsafe by a change of
model.
"""

import re
import unicodedata
from functools import cache

from models.errors import ModelRefused
from models.formats import PromptFormat, format_names, prompt_format
from models.ports import PartKind, PromptPart, RenderedPrompt

_SPACE = r"[^\S\n]*"
_LINE_START = r"^[ \t>|*_\"'-]*"
"""A marker at the start of a line counts behind the signs of a quotation, a list or an emphasis, too."""

_ANY_CONTROL = r"<\s*\|[^|<>\n]{1,40}\|\s*>"
"""The shape that most families give their control tokens; catches families that are not in the catalog."""

_LINE_BREAK = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_UNITS = re.compile(r"[^\W_]+(?:_[^\W_]+)*|[^\w\s]|_")


def foreign_markers(text: str, formats: tuple[PromptFormat, ...] | None = None) -> tuple[str, ...]:
    """Returns the markers in a text as they stand there, in order; empty for a text that may fill a slot.

    Width, letter case, spaces and invisible characters inside a marker make no difference. A marker that is only words,
    such as `USER:`, counts in any case at the start of a line, and elsewhere as the family writes it. Looks for the
    markers of all families when `formats` is None.
    """
    return tuple(found[0].strip() for found in _finder(formats).finditer(_folded(text)))


def require_unmarked(prompt: RenderedPrompt) -> None:
    """Raises `ModelRefused` when a slot value of the prompt carries a marker, or completes one of the approved text."""
    for turn in (prompt.instructions, prompt.question):
        _require_unmarked_turn(turn)


def _require_unmarked_turn(parts: tuple[PromptPart, ...]) -> None:
    if all(part.kind is PartKind.APPROVED for part in parts):
        return
    folded = [_folded(part.text) for part in parts]
    ends = [sum(map(len, folded[: place + 1])) for place in range(len(folded))]
    for found in _finder(None).finditer("".join(folded)):
        for part, start, end in zip(parts, [0, *ends], ends, strict=False):
            if part.kind is not PartKind.APPROVED and found.start() < end and start < found.end():
                raise ModelRefused(
                    f"a {part.kind.value} value of the prompt contains {found[0].strip()!r}, "
                    "which models read as the mark of another turn"
                )


def _folded(text: str) -> str:
    """Returns the text in plain width without invisible characters, and line breaks of every kind as one."""
    plain = unicodedata.normalize("NFKC", text)
    return _LINE_BREAK.sub("\n", "".join(char for char in plain if unicodedata.category(char) != "Cf"))


@cache
def _finder(formats: tuple[PromptFormat, ...] | None) -> re.Pattern[str]:
    if formats is None:
        return _finder(tuple(prompt_format(name) for name in format_names()))
    markers = {
        unicodedata.normalize("NFKC", marker).strip()
        for known in formats
        for marker in (*known.control_markers, *known.text_markers)
    }
    patterns = [_pattern(marker) for marker in sorted(markers) if not marker.isalnum()]
    return re.compile("|".join([_ANY_CONTROL, *patterns]), re.IGNORECASE | re.MULTILINE)


def _pattern(marker: str) -> str:
    """Returns a pattern that allows spaces between the words and signs of a marker, and any number for a number.

    Called for markers with a sign: one that is a mere word (`sop`) is only known to the vocabulary, which is not asked.
    """
    units = [r"\d+" if unit.isdigit() else re.escape(unit) for unit in _UNITS.findall(marker)]
    body = _SPACE.join(units)
    if marker[-1].isalnum():
        body += r"(?!\w)"
    if marker[0].isalnum():
        return rf"{_LINE_START}{body}|(?<!\w)(?-i:{body})"
    return rf"(?<!\w){body}" if marker[0] == "/" else body
