"""Approved phrasings as exact texts: which message is word for word one of them, blanks included."""

import datetime as dt
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import re2

from store.content import (
    SLOT_MARK,
    AnySlot,
    DateSlot,
    EnumSlot,
    IntegerSlot,
    PatternSlot,
    PromptVersion,
    QuotedTextSlot,
    ShortTextSlot,
)
from store.slot_values import accept_value, compile_pattern

Normalize = Callable[[str], str]
"""Brings two spellings of the same message to the same string."""

_QUOTES = "\"'\u201c\u201d\u201e\u201f\u00ab\u00bb`"
_ALIKE = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'", "\u00b4": "'", "\ufe0e": None, "\ufe0f": None})
"""What is written in several ways: apostrophes, and emoji with a selector that says how they are drawn."""
_WORD = re.compile(r"\w+")
_ANY_DAY = dt.date(2026, 1, 1)
"""Stands for today where only the form of a date counts."""
_MAX_CHOICES = 8
"""Values of an enum that a template is embedded with; more would let one prompt crowd the index."""
_MIN_WORDS_BESIDE_FREE_TEXT = 3
"""A short_text blank with fewer fixed words beside it ("{software} licence") would claim almost any message."""


class RowKind(StrEnum):
    """What a sentence of a prompt is for."""

    PHRASING = "phrasing"
    FOLLOW_UP = "follow_up"
    COUNTEREXAMPLE = "counterexample"


@dataclass(frozen=True, slots=True)
class Row:
    """One sentence of a live prompt; its place in a list is its number in the index."""

    prompt: PromptVersion
    kind: RowKind
    text: str
    """As the author wrote it, blanks included."""
    choice: int = 0
    """Which of its enum values a blank stands for in the text that is embedded."""


@dataclass(frozen=True, slots=True)
class ExactHit:
    """A message that is word for word an approved phrasing."""

    row: Row
    captured: Mapping[str, str]
    """What its blanks stood for, not yet validated for use."""
    rank: int
    """Characters outside blanks; the higher, the more literal. A phrasing without blanks outranks all."""


def fold(text: str) -> str:
    """Returns `text` without what makes no difference: case, spacing, closing marks, quotes around it."""
    text = " ".join(unicodedata.normalize("NFKC", text).translate(_ALIKE).casefold().split())
    return text.rstrip("?.! ").strip(_QUOTES).rstrip("?.! ")


def rows_of(prompts: Iterable[PromptVersion]) -> tuple[Row, ...]:
    """Returns every sentence of the prompts, in a fixed order."""
    return tuple(
        Row(prompt, kind, text, choice)
        for prompt in sorted(prompts, key=lambda prompt: prompt.key)
        for kind, texts in (
            (RowKind.PHRASING, prompt.content.phrasings),
            (RowKind.FOLLOW_UP, prompt.content.follow_ups),
            (RowKind.COUNTEREXAMPLE, prompt.content.counterexamples),
        )
        for text in texts
        for choice in range(_choices(prompt, text))
    )


def _choices(prompt: PromptVersion, text: str) -> int:
    """How often a sentence is embedded: with each value of its enum blanks, since a name moves a vector far."""
    names = set(SLOT_MARK.findall(text))
    enums = (slot for slot in prompt.content.slots if isinstance(slot, EnumSlot) and slot.name in names)
    return min(_MAX_CHOICES, max((len(slot.values) for slot in enums), default=1))


def has_blank(text: str) -> bool:
    """Whether a phrasing is a template."""
    return SLOT_MARK.search(text) is not None


def fill_sample(row: Row) -> str:
    """Returns the row's text with an example in each blank, as it is embedded: a blank itself has no meaning."""
    slots = {slot.name: slot for slot in row.prompt.content.slots}
    return SLOT_MARK.sub(lambda hit: _sample(slots[hit[1]], row.choice) if hit[1] in slots else hit[0], row.text)


class PhraseTable:
    """Finds the phrasings that a message is word for word. Immutable."""

    def __init__(self, rows: Iterable[Row], normalize: Normalize) -> None:
        self._normalize = normalize
        self._literal: dict[str, list[Row]] = {}
        templates: list[_Template] = []
        for row in rows:
            if row.choice > 0:
                continue  # the same sentence once more, for its vector
            if row.kind is not RowKind.COUNTEREXAMPLE and has_blank(row.text):
                templates.append(_Template(row))
            else:
                self._literal.setdefault(normalize(row.text), []).append(row)
        self._templates = _Templates(templates)

    def find(self, message: str, keys: Collection[str]) -> tuple[ExactHit, ...]:
        """Returns the phrasings and follow-ups of the prompts `keys` that `message` is, the most literal first."""
        literal = [
            ExactHit(row, MappingProxyType({}), len(message) + 1)
            for row in self._literal.get(self._normalize(message), ())
            if row.kind is not RowKind.COUNTEREXAMPLE and row.prompt.key in keys
        ]
        templates = (
            ExactHit(template.row, MappingProxyType(captured), template.rank)
            for template in self._templates.that_may_fit(message)
            if template.is_specific and template.row.prompt.key in keys and (captured := template.match(message))
        )
        return (*literal, *templates)

    def refused_by(self, message: str) -> frozenset[str]:
        """Returns the keys of the prompts that have `message` as a counterexample."""
        rows = self._literal.get(self._normalize(message), ())
        return frozenset(row.prompt.key for row in rows if row.kind is RowKind.COUNTEREXAMPLE)

    def capture(self, prompt: PromptVersion, message: str) -> Mapping[str, str]:
        """Returns what the blanks of the prompt's most literal fitting template stand for; empty when none fits."""
        own = self._templates.of(prompt.key)
        return MappingProxyType(next((captured for template in own if (captured := template.match(message))), {}))


class _Templates:
    """Templates, the most literal first, by a word that a message must have to be one: most need not be tried."""

    def __init__(self, templates: Iterable["_Template"]) -> None:
        self._ordered = sorted(templates, key=lambda template: -template.rank)
        self._of_prompt: dict[str, list[_Template]] = {}
        self._with_word: dict[str, list[int]] = {}
        self._with_any: list[int] = []
        common = Counter(word for template in self._ordered for word in template.words)
        for place, template in enumerate(self._ordered):
            self._of_prompt.setdefault(template.row.prompt.key, []).append(template)
            rarest = min(template.words, key=lambda word: (common[word], word), default=None)
            (self._with_any if rarest is None else self._with_word.setdefault(rarest, [])).append(place)

    def that_may_fit(self, message: str) -> list["_Template"]:
        """Returns all templates that `message` may be, and some that it is not."""
        # What a pattern takes for the same letter has the same casefold.
        words = set(_WORD.findall(message.translate(_ALIKE).casefold()))
        places = (place for word in words for place in self._with_word.get(word, ()))
        return [self._ordered[place] for place in sorted((*places, *self._with_any))]

    def of(self, key: str) -> Sequence["_Template"]:
        """Returns the templates of a prompt."""
        return self._of_prompt.get(key, ())


class _Template:
    """A phrasing with blanks as an anchored pattern; matched on the message as written: values keep their case."""

    def __init__(self, row: Row) -> None:
        slots = {slot.name: slot for slot in row.prompt.content.slots}
        text = unicodedata.normalize("NFKC", row.text).translate(_ALIKE).strip().rstrip("?.! ")
        pieces = SLOT_MARK.split(text)
        self.row = row
        self._slots = [slots[name] for name in pieces[1::2]]
        literal = "".join(pieces[::2])
        self.rank = len("".join(literal.split()))
        self.words = frozenset(_whole_words(pieces[::2]))
        """Words that every message has which is this phrasing."""
        words = len(_WORD.findall(literal))
        has_free_text = any(isinstance(slot, ShortTextSlot) for slot in self._slots)
        self.is_specific = words >= _MIN_WORDS_BESIDE_FREE_TEXT if has_free_text else words >= 1
        self._pattern = compile_pattern(_template_pattern(pieces, slots))

    def match(self, message: str) -> dict[str, str] | None:
        """Returns the texts in the blanks when the message is this phrasing and each text could be of its type."""
        hit = self._pattern.fullmatch(message.translate(_ALIKE).strip())
        if hit is None:
            return None
        captured: dict[str, str] = {}
        for slot, text in zip(self._slots, map(str.strip, hit.groups()), strict=True):
            # A blank that comes twice stands for one thing.
            if not _fits(slot, text) or captured.setdefault(slot.name, text) != text:
                return None
        return captured


def _fits(slot: AnySlot, text: str) -> bool:
    # A pasted text that is too long still belongs to this prompt, which then asks for a shorter one.
    return isinstance(slot, QuotedTextSlot) or accept_value(slot, text, _ANY_DAY) is not None


def _whole_words(pieces: Sequence[str]) -> Iterator[str]:
    """Yields the words between blanks, but for those that touch a blank: its value may go on where they end."""
    for place, piece in enumerate(pieces):
        folded = piece.casefold()
        start, end = (0 if place == 0 else 1), len(folded) - (0 if place == len(pieces) - 1 else 1)
        yield from (hit[0] for hit in _WORD.finditer(folded) if start <= hit.start() and hit.end() <= end)


def _template_pattern(pieces: list[str], slots: Mapping[str, AnySlot]) -> str:
    parts = []
    for place, piece in enumerate(pieces):
        if place % 2 == 0:
            parts.append(r"\s+".join(re2.escape(word) for word in re.split(r"\s+", piece)))
        else:
            parts.append(r"((?s:.+))" if isinstance(slots[piece], QuotedTextSlot) else r"([^\n]{1,64}?)")
    return rf"(?i)[\"'\s]*{''.join(parts)}[\s?.!\"']*"


def _sample(slot: AnySlot, choice: int) -> str:
    match slot:
        case EnumSlot(values=values):
            return values[choice % len(values)].value
        case IntegerSlot(minimum=minimum):
            return str(minimum)
        case DateSlot():
            return "24 December"
        case PatternSlot(ask=ask, name=name):
            # The question usually shows an example: "It looks like INC-123456."
            tokens = (token.strip("\"'.,;:!?()") for token in ask.split())
            shown = next((token for token in tokens if token and accept_value(slot, token, _ANY_DAY)), None)
            return shown or name.replace("_", " ")
        case ShortTextSlot(name=name) | QuotedTextSlot(name=name):
            return name.replace("_", " ")
