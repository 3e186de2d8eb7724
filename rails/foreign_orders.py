"""Finds orders to an assistant in languages that the other patterns do not read, by lists of words for each.

A list (attack_languages/) has groups of words; an order has one of each of two or three groups near each other, in
whatever order the language puts them. For text that `disguises.plain` has folded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rails.disguises import plain
from rails.matching import compile_linear, escape

_FOLDER = Path(__file__).parent / "attack_languages"
_NEAR = 60
"""Characters before and after the verb in which the rest of an order is looked for, up to the end of the clause."""
_ENDS = compile_linear(r"[.!?;\n\x{3002}\x{ff01}\x{ff1f}\x{61f}\x{964}]")
# Written without blanks, or with prefixes: a word may begin anywhere.
_UNSPACED = frozenset({"ar", "ja", "ko", "zh"})
_BEGINS_CLAUSE, _ENDS_WORD, _NOT_BEFORE = "^", ".", "!"
_OUTSIDE = r"(?:^|[^\pL\pM])"
_POLITE = r"(?:^|[,:\"'(] ?|(?:hay|vui long|tolong|mohon|silakan|harap|sekarang|tafadhali) )"
_SPELLINGS = {0x131: "i"}
_KINDS = {"override": ("drop", "whose", "orders"), "extraction": ("tell", "hidden"), "persona": ("become", "free")}
"""What an order is made of, by the name that becomes its reason code; the first group is looked for first."""


@dataclass(frozen=True, slots=True)
class _Order:
    name: str
    begins: Any
    needs: tuple[Any, ...]

    def is_in(self, folded: str) -> bool:
        return any(
            all(needed.occurs_in(around) for needed in self.needs)
            for found in self.begins.finditer(folded)
            for around in [_clause(folded, found.start(), found.end())]
        )


def foreign_order(folded: str) -> str | None:
    """Returns which kind of order a folded text has in one of the languages, or None."""
    plainly, anyhow, orders = _KNOWN
    if folded.isascii():
        if not plainly.occurs_in(folded):
            return None
        text = folded
    else:
        text = folded.translate(_SPELLINGS)
        if not anyhow.occurs_in(text):
            return None
    return next((order.name for order in orders if order.is_in(text)), None)


def _clause(text: str, start: int, end: int) -> str:
    before, after = text[max(0, start - _NEAR) : start], text[end : end + _NEAR]
    begins = max((found.end() for found in _ENDS.finditer(before)), default=0)
    ends = _ENDS.search(after)
    # The verb's own last sign may be a blank that the next word begins with.
    return before[begins:] + text[start:end] + (after if ends is None else after[: ends.start()])


def _known() -> tuple[Any, Any, tuple[_Order, ...]]:
    """Returns what every order has one of, in ASCII and in all letters, and the orders of all languages."""
    begins: list[str] = []
    orders: list[_Order] = []
    for path in sorted(_FOLDER.glob("*.txt")):
        groups = dict(_groups(path))
        outside = "" if path.stem in _UNSPACED else _OUTSIDE
        for name, (first, *rest) in _KINDS.items():
            begins += map(_bare, groups[first])
            needs = tuple(_any_of(groups[group], outside) for group in rest)
            orders.append(_Order(name, _any_of(groups[first], outside), needs))
    # Without what must stand around them, for speed: with it, the automaton would not fit into its memory.
    plainly = compile_linear("|".join(escape(word) for word in begins if word.isascii()), case_sensitive=True)
    return plainly, compile_linear("|".join(map(escape, begins)), case_sensitive=True), tuple(orders)


def _groups(path: Path) -> Iterator[tuple[str, list[str]]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        name, colon, words = line.partition(":")
        if colon and not line.startswith("#"):
            yield name, [word.strip() for word in words.split(";")]


def _any_of(entries: list[str], outside: str) -> Any:
    return compile_linear("|".join(_pattern(entry, outside) for entry in entries), case_sensitive=True)


def _pattern(entry: str, outside: str) -> str:
    """Returns the pattern of one entry: `^` begins a clause, a full stop ends the word, `!` is not followed by."""
    core, _, never = entry.partition(_NOT_BEFORE)
    before = _POLITE if core.startswith(_BEGINS_CLAUSE) else outside
    after = r"(?:[^\pL\pM]|$)" if core.endswith(_ENDS_WORD) else f"(?:[^{plain(never)}]|$)" if never else ""
    return f"{before}{escape(_bare(entry))}{after}"


def _bare(entry: str) -> str:
    core = entry.partition(_NOT_BEFORE)[0]
    return plain(core.removeprefix(_BEGINS_CLAUSE).removesuffix(_ENDS_WORD)).translate(_SPELLINGS)


_KNOWN = _known()
"""Made when the module is loaded: the first message must not wait for it."""
