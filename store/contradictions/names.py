"""Names that only their capital letter shows: the same sentence about another town or brand is another request."""

import re
from typing import NamedTuple

from store.contradictions import kinds
from store.wordlists import word_set

_NAMED = re.compile(r"\b([a-z]+)\s+([A-Z][\w&-]+)(?=\s+([\w&-]+)|)")
_PLACING = word_set("to from in into with via for through by at of on use using near have")
"""Words after which two names stand at the same place, whatever follows; elsewhere the word after must agree too."""
_ENGLISH = re.compile(
    r"\b(?:the|is|are|do|does|can|how|my|your|you|when|where|which|what|there|please)\b", re.IGNORECASE
)
_LISTED = frozenset(
    form for sides in kinds.KINDS.values() for names in sides for name in names for form in (name, f"{name}s")
)
"""Names of which the lists know what they are names of: told apart by kind."""


_ALIKE = tuple(
    frozenset(line.split())
    for line in (
        "pc pcs computer laptop laptops notebook notebooks",
        "phone phones mobile mobiles smartphone smartphones cellphone cellphones",
        "tv telly television",
        "wifi wi-fi wlan",
        "email e-mail mail",
    )
)
"""Things that are written large like names, and the other words for them."""


class Named(NamedTuple):
    """A name in lower case, and the words on either side of it."""

    before: str
    name: str
    after: str
    """As it stands; empty at the end of a clause."""


def read_names(text: str) -> frozenset[Named]:
    """Returns the names in the middle of an English sentence; other languages write capitals by other rules."""
    found = _NAMED.findall(text)
    if not found or not _ENGLISH.search(text):
        return frozenset()
    return frozenset(Named(before, name.lower(), after) for before, name, after in found)


def conflicts(
    mine: frozenset[Named], my_words: tuple[str, ...], theirs: frozenset[Named], their_words: tuple[str, ...]
) -> set[str]:
    """Returns my names in whose place the other sentence has another one."""
    common = {named.name for named in mine} & {named.name for named in theirs}
    here = [named for named in mine if named.name not in common and named.name not in their_words]
    there = [named for named in theirs if named.name not in common and named.name not in my_words]
    return {
        one.name
        for one in here
        for other in there
        if _is_same_place(one, other)
        and not (one.name in _LISTED and other.name in _LISTED)
        and not any(one.name in alike and other.name in alike for alike in _ALIKE)
    }


def _is_same_place(one: Named, other: Named) -> bool:
    return one.before == other.before and (one.before in _PLACING or one.after == other.after)
