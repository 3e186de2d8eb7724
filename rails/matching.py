"""Patterns that run in linear time on any text (RE2)."""

from collections.abc import Mapping, Sequence
from typing import Any

import re2

_MAX_MEMORY = 8 << 20


def compile_linear(pattern: str, *, case_sensitive: bool = False) -> Any:
    """Returns the compiled RE2 pattern; raises `ValueError` when it is not one."""
    try:
        return re2.compile(pattern, _options(case_sensitive=case_sensitive))
    except re2.error as error:
        raise ValueError(f"{pattern!r} is not an RE2 pattern ({_message(error)})") from error


def escape(text: str) -> str:
    """Returns a pattern that matches just `text`."""
    return str(re2.escape(text))


class PatternSet:
    """Named patterns, searched two at a time.

    Neither one `re2.Set` nor one alternation: a set whose automaton runs out of memory reports "nothing found", which
    would let a text pass, and an alternation of the injection patterns did run out of memory and took 10 to 100 times
    as long as the patterns one by one. Pairs take half the time of single patterns on an honest text.
    """

    def __init__(self, patterns: Mapping[str, str], *, case_sensitive: bool = False) -> None:
        if not patterns:
            raise ValueError("a set without patterns finds nothing. This is a bug.")
        named = [(name, compile_linear(pattern, case_sensitive=case_sensitive)) for name, pattern in patterns.items()]
        self._groups = tuple(
            group
            for start in range(0, len(named), 2)
            for group in _grouped(named[start : start + 2], case_sensitive=case_sensitive)
        )

    def find(self, text: str) -> str | None:
        """Returns the name of the first pattern, in the given order, that occurs in `text`."""
        data = text.encode()  # once, and not by each pattern again
        for either, patterns in self._groups:
            if either.search(data) is not None:
                return next(name for name, pattern in patterns if pattern.search(data) is not None)
        return None


_Named = Sequence[tuple[str, Any]]


def _grouped(named: _Named, *, case_sensitive: bool) -> list[tuple[Any, _Named]]:
    """Returns one pattern for all of them, or each for itself when they are too large together or share a name."""
    try:
        either = compile_linear("|".join(f"(?:{one.pattern})" for _, one in named), case_sensitive=case_sensitive)
    except ValueError:
        return [(one, [(name, one)]) for name, one in named]
    return [(either, named)]


def _options(*, case_sensitive: bool) -> Any:
    options = re2.Options()
    options.case_sensitive = case_sensitive
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    return options


def _message(error: Exception) -> str:
    detail = error.args[0] if error.args else error
    return detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
