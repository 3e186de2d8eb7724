"""Names that only their capital letter shows: the same sentence about another town or brand is another request."""

import re

from store.contradictions import kinds

_NAMED = re.compile(r"\b(to|from|in|into|with|via|for|through|by|at|of|on|use|using|near|have)\s+([A-Z][\w&-]+)")
_ENGLISH = re.compile(
    r"\b(?:the|is|are|do|does|can|how|my|your|you|when|where|which|what|there|please)\b", re.IGNORECASE
)
_LISTED = frozenset(
    form for sides in kinds.KINDS.values() for names in sides for name in names for form in (name, f"{name}s")
)
"""Names of which the lists know what they are names of: told apart by kind."""

Named = frozenset[tuple[str, str]]
"""What stands before a name, and the name in lower case."""


def read_names(text: str) -> Named:
    """Returns the names in the middle of an English sentence; other languages write capitals by other rules."""
    found = _NAMED.findall(text)
    return frozenset((before, name.lower()) for before, name in found) if found and _ENGLISH.search(text) else Named()


def conflict(mine: Named, my_words: tuple[str, ...], theirs: Named, their_words: tuple[str, ...]) -> str | None:
    """Returns a name in whose place the other sentence has another one, or None."""
    here = [named for named in mine if named[1] not in their_words]
    there = [named for named in theirs if named[1] not in my_words]
    others = (
        min(name, other)
        for before, name in here
        for place, other in there
        if before == place and not (name in _LISTED and other in _LISTED)
    )
    return min(others, default=None)
