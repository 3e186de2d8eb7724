"""Patterns that run in linear time on any text (RE2)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import re2

_MAX_MEMORY = 8 << 20
_ANYWHERE = re2._Anchor.UNANCHORED  # noqa: SLF001 - see `LinearPattern`
_NOWHERE = (-1, -1)
_ALWAYS = "canongate always"
_BEHIND = f"\n{_ALWAYS}".encode()


class LinearPattern:
    """A compiled RE2 pattern: `search` and the like are those of `re2`, told at once where nothing is found.

    Rails look for some hundred patterns in a text, and an honest one has hardly any of them. Of such a look in some
    300 characters RE2 itself takes half a microsecond and the loop of its Python module, which keeps count of
    characters for the matches to come, three more; here RE2 is asked first, and the loop is left for what is found.
    """

    __slots__ = ("_compiled", "_spans")

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled
        self._spans = compiled._regexp.Match  # noqa: SLF001 - re2 has no other way around its loop

    @property
    def pattern(self) -> str:
        """What was compiled."""
        return str(self._compiled.pattern)

    def occurs_in(self, text: str | bytes) -> bool:
        """Says whether the pattern is anywhere in `text`; bytes are UTF-8."""
        data = text.encode() if isinstance(text, str) else text
        return bool(self._spans(_ANYWHERE, data, 0, len(data))[0] != _NOWHERE)

    def search(self, text: str, position: int = 0) -> Any:
        """Returns the first match that begins at `position` or later, or None."""
        if position:
            return self._compiled.search(text, position)
        return self._compiled.search(text) if self.occurs_in(text) else None

    def fullmatch(self, text: str) -> Any:
        """Returns the match with the whole text, or None."""
        return self._compiled.fullmatch(text)

    def finditer(self, text: str) -> Iterator[Any]:
        """Yields the matches, which do not overlap."""
        return self._compiled.finditer(text) if self.occurs_in(text) else iter(())

    def sub(self, replacement: str | Callable[[Any], str], text: str) -> str:
        """Returns `text` with each match replaced."""
        return str(self._compiled.sub(replacement, text)) if self.occurs_in(text) else text


def compile_linear(pattern: str, *, case_sensitive: bool = False) -> LinearPattern:
    """Returns the compiled RE2 pattern; raises `ValueError` when it is not one."""
    try:
        return LinearPattern(re2.compile(pattern, _options(case_sensitive=case_sensitive)))
    except re2.error as error:
        raise ValueError(f"{pattern!r} is not an RE2 pattern ({_message(error)})") from error


def escape(text: str) -> str:
    """Returns a pattern that matches just `text`."""
    return str(re2.escape(text))


class PatternSet:
    """Named patterns, of which only those are searched whose words a text has.

    RE2 knows which words each pattern cannot do without, and finds them all in one pass; of the patterns of a rail an
    honest text then needs a look for a third. Not one alternation, nor pairs: together the patterns of the injection
    rail ran out of their automata's memory, and took 10 to 100 times as long as one by one.
    """

    def __init__(self, patterns: Mapping[str, str], *, case_sensitive: bool = False) -> None:
        if not patterns:
            raise ValueError("a set without patterns finds nothing. This is a bug.")
        self._named = [
            (name, compile_linear(pattern, case_sensitive=case_sensitive)) for name, pattern in patterns.items()
        ]
        self._filter = re2.Filter()
        options = _options(case_sensitive=case_sensitive)
        for pattern in (*patterns.values(), _ALWAYS):
            self._filter.Add(pattern, options)
        self._filter.Compile()

    def find(self, text: str) -> str | None:
        """Returns the name of the first pattern, in the given order, that occurs in `text`."""
        data = text.encode()
        suspects = self._suspects(data) if text.isascii() else self._named
        return next((name for name, pattern in suspects if pattern.occurs_in(data)), None)

    def _suspects(self, data: bytes) -> Iterable[tuple[str, LinearPattern]]:
        """Returns the patterns that may occur in a text of ASCII, in their order.

        RE2 looks for the words in small letters, which are certain for ASCII only. Should its automaton run out of
        memory it finds nothing at all, and says no more than that: a word that stands behind every text tells.
        """
        possible = self._filter.Match(data.lower() + _BEHIND, potential=True)
        if not possible or possible[-1] != len(self._named):
            return self._named
        return (self._named[place] for place in possible[:-1])


def _options(*, case_sensitive: bool) -> Any:
    options = re2.Options()
    options.case_sensitive = case_sensitive
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    return options


def _message(error: Exception) -> str:
    detail = error.args[0] if error.args else error
    return detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
