"""Says in plain words what is wrong with a pattern (RE2) that somebody wrote."""

from collections.abc import Mapping
from types import MappingProxyType

_LOOKS = (
    "Looking ahead or back (`(?=`, `(?<=`, `(?!`) is not possible here.",
    "Write what must stand there itself, without the bracket that begins with `(?`.",
)
_RANGE = (
    "In square brackets, `a-z` means from a to z. Here the first comes after the second, or the name is not known.",
    "Turn the two around, such as `[0-9]` and not `[9-0]`.",
)
_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "no argument for repetition operator": (
            "`*`, `+`, `?` and `{...}` repeat what stands before them, and here nothing stands before one of them.",
            "Write what is to be repeated before it; a sign that is meant itself takes a backslash, such as `\\*`.",
        ),
        "bad repetition operator": (
            "Two signs that repeat what stands before them (`*`, `+`, `?`) follow each other.",
            "Keep one; a sign that is meant itself takes a backslash, such as `\\*`.",
        ),
        "invalid repetition size": (
            "The numbers in `{...}` say how often a part is repeated, and these are too large or the wrong way round.",
            "Write at most 1000, all repetitions together, with the smaller number first.",
        ),
        "missing )": (
            "A round bracket is opened and not closed; brackets must be closed.",
            "Add `)`; a bracket that is meant itself takes a backslash, `\\(`.",
        ),
        "unexpected )": (
            "A round bracket is closed that was never opened.",
            "Take `)` away; a bracket that is meant itself takes a backslash, `\\)`.",
        ),
        "missing ]": (
            "A square bracket is opened and not closed; brackets must be closed.",
            "Add `]`; a bracket that is meant itself takes a backslash, `\\[`.",
        ),
        "invalid character class range": _RANGE,
        "invalid escape sequence": (
            "A backslash means nothing before this letter or digit; `\\1` cannot stand for what was found before.",
            "Take the backslash away, or write the sign that was meant.",
        ),
        "invalid perl operator": _LOOKS,
        "invalid named capture": (
            "A bracket that begins with `(?P<` is not finished.",
            "Write a plain bracket, `(` and `)`: names have no use here.",
        ),
        "trailing \\": (
            "The pattern ends with a backslash, which needs a sign behind it.",
            "Take it away, or write two for a backslash that is meant itself.",
        ),
        "pattern too large": (
            "The pattern stands for so many texts that it would take too much memory.",
            "Shorten it, or make two patterns of it.",
        ),
    }
)
_OTHER = ("The pattern cannot be read.", "Correct it, or begin with the words that must be found, as plain text.")


def pattern_words(problem: str) -> tuple[str, str, str]:
    """Returns the field that is wrong, what is wrong with it and what to do, for a message about a pattern of ours."""
    if "own example" in problem:
        return (
            "example",
            "The pattern does not find its own example, so it would not stop what it is there for.",
            "Correct the pattern, or write as `example` a text that it must stop.",
        )
    if problem.endswith("under `passes`"):
        name = problem.split("'")[1]
        return (
            "passes",
            f"The pattern `{name}` stops this text, which is here because it must pass.",
            "Correct the pattern, or write as `passes` a text that people may send.",
        )
    if "every text" in problem:
        return (
            "pattern",
            "The pattern is found in every text, even in an empty one, so it would stop everything.",
            "Make it say more: `*` and `?` allow that nothing is there, `+` asks for one at least.",
        )
    told = problem.rpartition("RE2 pattern (")[2]  # behind the pattern itself, which may say anything
    message, remedy = next((words for sign, words in _WORDS.items() if told.startswith(sign)), _OTHER)
    return "pattern", message, remedy
