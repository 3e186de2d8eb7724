"""Cuts a model's words into whole sentences, at the same places however the words arrive.

An end that is found in the beginning of a text is an end in the whole of it: whether a full stop ends a sentence is
decided by what stands before it and by the first character after the blank, and before that is there, nothing is said.
Where it cannot be told (`p.m. The`), there is no cut: a longer stretch is held back, and nothing is lost.
"""

import re

from rails.wordlists import word_set

_SPACED = ".!?…"
"""End a sentence when a blank follows; inside addresses, numbers and names they do not."""
_ALONE = "。\uff01\uff1f｡؟\u06d4।॥\u0589።។။"
"""Marks of scripts in which nothing else is written with them; no blank need follow."""
_CLOSERS = "\"'”\u2019»\u203a」』\uff09)\\]}*_`"
_END = re.compile(rf"(?P<run>[{_SPACED}{_ALONE}]+)[{_CLOSERS}]*|\n")
_ITEM = re.compile(r"[ \t]*(?:[-*•\u2013+]|[0-9]{1,2}[.)])[ \t]+\S")
_WRITTEN = re.compile(r"\S")
_OPENERS = "([{\"'“\u2018«\u2039「『*_`¿¡"
_GOES_ON = (",", ";", ":", "-", "\u2013", "/", "&", "(", " and", " or", " und", " oder", " et", " ou", " y", " o", " e")
"""How a list item ends that is half of a sentence."""
_ORDINAL_DIGITS = 2
"""`3. Mai`, `2.` of a list: up to so many digits, a full stop may belong to the number."""
_INITIALS = 2
_SHORT = 3
_WORD_CHARS = 40

_ABBREVIATIONS = word_set(
    # English
    "approx etc vs no nos ext tel fax dept est min max incl excl fig figs vol ed eds pp al cf resp mr mrs ms dr prof "
    "sr jr st ave rd blvd inc ltd co corp bros jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu "
    "thur thurs fri sat sun hrs hr mins sec secs "
    # German
    "bzw ca evtl ggf inkl exkl nr abs art bd usw usf vgl zzgl str hr fr dipl ing std mio mrd okt dez ehem gem hrsg "
    # French, Spanish, Italian, Portuguese, Dutch
    "mme mlle env janv févr avr juil déc p.ex núm sra srta ud uds aprox pág págs avda ej ecc sig dott pag pagg exmo "
    "exma bijv blz enz mevr dhr"
)
_ALSO_WORDS = word_set("no nos fax est min max fig sec mon sat sun mar art str ed al co bros std gem ing sig env")
"""Abbreviations that are words as well: they end a sentence, unless a number or a small letter follows."""


def next_end(text: str, start: int) -> int | None:
    """Returns where the first sentence, or item of a list, that begins at `start` ends; None while that is not sure.

    Blanks behind a sentence belong to the next one. `text` may go on after what is there.
    """
    for found in _END.finditer(text, start):
        if found["run"] is None:
            end = _item_end(text, found.start())
            if end is not None and end > start:
                return end
            continue
        end = found.end()
        following = _WRITTEN.search(text, end)
        if end == len(text) or (following is None and not _stands_alone(found)):
            return None
        if _stands_alone(found):
            return end
        if following is not None and following.start() > end and not _is_inside(text, found, following[0]):
            return end
    return None


def whole_sentences(text: str) -> str:
    """Returns the beginning of a text that broke off, up to the end of its last whole sentence."""
    last = 0
    while (end := next_end(text, last)) is not None:
        last = end
    closed = text.rstrip()
    for found in _END.finditer(closed, last):
        if found.end() == len(closed) and found["run"] and not _may_go_on(closed, found):
            last = len(closed)
    return text[:last]


def shown_beginning(text: str) -> str:
    """Returns what is to be shown of the beginning of an answer; empty as long as its first mark may not be.

    Quotation marks around the whole answer are not shown, and whether they are around it shows at the second one.
    """
    text = text.lstrip()
    return "" if is_quoted(text.rstrip()) else text


def is_quoted(text: str) -> bool:
    """Whether a quotation mark opens the text and no other stands inside it."""
    return text[:1] == '"' and '"' not in text[1:-1]


def _stands_alone(found: re.Match[str]) -> bool:
    return any(mark in _ALONE for mark in found["run"])


def _item_end(text: str, line_end: int) -> int | None:
    """Returns the end of a list item at the end of its line; a line of another kind goes on until its full stop."""
    line = text[text.rfind("\n", 0, line_end) + 1 : line_end].rstrip()
    if not _ITEM.match(line) or line.endswith(_GOES_ON):
        return None
    return len(text[:line_end].rstrip())


def _is_inside(text: str, found: re.Match[str], following: str) -> bool:
    """Whether the mark stands inside a sentence, as far as what follows the blank can tell."""
    if found["run"] != ".":
        return following.islower()
    word = _word_before(text, found)
    if word.isdigit():
        return len(word) <= _ORDINAL_DIGITS
    parts = word.split(".")
    folded = word.casefold()
    return (
        (folded in _ABBREVIATIONS and not (folded in _ALSO_WORDS and following.isupper()))
        or (len(word) == 1 and word.isalpha())
        or (len(parts) > 1 and all(part.isalpha() and len(part) <= _INITIALS for part in parts))
        or (following.islower() and len(word) <= _SHORT)
    )


def _may_go_on(text: str, found: re.Match[str]) -> bool:
    """Whether a mark at the very end may belong to a number, an address or an abbreviation that was cut there."""
    word = _word_before(text, found)
    is_whole = not word[-1:].isdigit() and not any(mark in word for mark in "/@")
    return not _stands_alone(found) and (not is_whole or _is_inside(text, found, "A"))


def _word_before(text: str, found: re.Match[str]) -> str:
    before = text[max(0, found.start() - _WORD_CHARS) : found.start()]
    words = before.split()
    return words[-1].lstrip(_OPENERS) if words and not before[-1:].isspace() else ""
