"""How an exception is told: its class and places in the code, never its text, which may quote what a person typed."""

import traceback
from types import TracebackType

_MOST_PLACES = 12
"""Of one exception, the innermost ones."""
_MOST_ERRORS = 20


def names_of(error: BaseException) -> list[str]:
    """Returns the exception's class and those of what it came from, outermost first."""
    return [f"{type(one).__module__}.{type(one).__qualname__}" for one in _chain(error)]


def places_of(error: BaseException) -> list[str]:
    """Returns where it went through, as `file:line function`, innermost last."""
    return _places(error.__traceback__)


def told(error: BaseException) -> str:
    """Returns both for the exception and whatever it came from, a line for each class and place."""
    lines: list[str] = []
    for one, name in zip(_chain(error), names_of(error), strict=True):
        places = _places(one.__traceback__)
        lines += [name if not lines else f"from {name}", *(f"  {place}" for place in places[-_MOST_PLACES:])]
    return "\n".join(lines)


def _chain(error: BaseException) -> list[BaseException]:
    """The error, what it gathers if it is a group, and what it came from."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting and len(found) < _MOST_ERRORS:
        one = waiting.pop(0)
        if one is None or one in found:
            continue
        found.append(one)
        waiting += one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        waiting.append(one.__cause__ or (None if one.__suppress_context__ else one.__context__))
    return found


def _places(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
