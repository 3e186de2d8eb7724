"""What recognisers read and what they find."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from rails.matching import LinearPattern, compile_linear

_BEFORE = 48
_AFTER = 16
_CLOSE = 28
# Ticket, order and serial numbers, versions and places: what stands right after such a word is nobody's number.
_OTHER_NUMBERS = compile_linear(
    r"(?:\b(?:ticket|incident|inc|request|case|order|bestellung|auftrag|commande|pedido|ordine|invoice|rechnung|facture"
    r"|factura|fattura|ref(?:erence)?|serial|asset|inventory|room|raum|floor|building|version|release|build|driver"
    r"|firmware|bios|kernel|model|v|ver|part|article|artikel|sku|imei|iccid|tracking|parcel|shipment|delivery"
    r"|cost cent(?:re|er)|vendor|supplier|rma|kb|error|fehler|port|box|zip|postcode|plz|page|line|row|batch|job"
    r"|employee|staff|personnel|badge|mitarbeiter|matricule|process|pid|device|printer|laptop|quantity|amount|total|price|id"
    r"|eur|euros?|usd|dollars?|gbp|chf|inr|rs|jpy|sek|nok|dkk|pln|czk|brl|cad|aud)\b|[#$€£¥])"
    r"(?:[ ._:=-]{1,3}(?:nr|no|num|number|numbers|nummer|numéro|número|numero|code|id|is|ist|was))*[ .:=#]{0,3}\z"
    r"|(?:订单|訂單|工单|单号|單號|编号|編號|版本|价格|房间|发票|注文|伝票|チケット|バージョン|部屋|값|가격|주문|티켓|송장|버전|호실"
    r"|التذكرة|تذكرة|الطلب|طلب|الفاتورة|الإصدار|الغرفة|टिकट|ऑर्डर|बिल|संस्करण|कमरा)"
    r"[ _]?(?:号码|号|號|番号|번호|नंबर|संख्या|رقم)?[ :=#是为はは은는]{0,3}\z"
)
# Scripts without blanks between words, or whose small words hang on the next: no letter of theirs is part of a number.
_UNSPACED = compile_linear(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\x{30fc}\p{Arabic}"
    r"\p{Hebrew}\p{Devanagari}]"
)
# Invisible characters, and the stroke that stretches an Arabic word.
_UNREAD = dict.fromkeys((0xAD, 0x0640, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))
_DASHES = dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2212, 0xFE63, 0xFF0D), "-")
_BLANKS = dict.fromkeys((0xA0, 0x2007, 0x2009, 0x202F, 0x3000), " ")
_SIGNS = {**_DASHES, **_BLANKS, 0xFF20: "@", 0xFF0E: ".", 0xFF1A: ":", 0xFF0B: "+", 0xFF0F: "/"}


class Entity(StrEnum):
    """A kind of personal data."""

    EMAIL = "email"
    PHONE = "phone"
    CARD = "card"
    IBAN = "iban"
    SSN = "ssn"
    """The number of the social security of the United States."""
    NATIONAL_ID = "national_id"
    """A number that a state gives to each person: insurance, health, register and identity card numbers."""
    TAX_NUMBER = "tax_number"
    PASSPORT = "passport"
    BIRTH_DATE = "birth_date"
    IP = "ip"
    """An address that is routed on the internet; private and reserved ones belong to nobody."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One piece of personal data: positions in the text of its reading."""

    entity: Entity
    start: int
    end: int


@dataclass(frozen=True)
class Reading:
    """A text without what nobody reads in it, and the same with plain digits, blanks and dashes, letter for letter."""

    text: str

    @classmethod
    def of(cls, text: str) -> "Reading":
        """Reads `text`; costs next to nothing when it is ASCII."""
        return cls(text if text.isascii() else text.translate(_UNREAD))

    @cached_property
    def plain(self) -> str:
        """The text with plain signs."""
        return self.text if self.text.isascii() else "".join(map(_plain, self.text))

    @cached_property
    def digits(self) -> int:
        """How many digits there are."""
        return sum(map(self.plain.count, "0123456789"))

    def stands_alone(self, start: int, end: int, lead: LinearPattern | None = None) -> bool:
        """Whether nothing is attached that would make it part of a longer name, number or path.

        Behind what ends like `lead`, a number sign, a dash or a slash attaches nothing: `SSN#219-09-8765`.
        """
        before, after = self.plain[start - 1 : start], self.plain[end : end + 2]
        if is_attached(before) or before in ("_", "\\"):
            return False
        if before == "." and self.plain[start - 2 : start - 1].isdigit():
            return False
        if before in ("-", "/", "#") and (lead is None or not lead.occurs_in(self._shortly_before(start - 1))):
            return False
        return not (
            is_attached(after[:1]) or after[:1] == "_" or (after[:1] in ("-", ".", "/") and after[1:].isdigit())
        )

    def is_one_of_many(self, start: int, end: int) -> bool:
        """Whether more groups of digits stand before or behind, so that these are a part of something longer."""
        before, after = self.plain[max(start - 2, 0) : start], self.plain[end : end + 2]
        return (before[-1:] == " " and before[:1].isdigit()) or (after[:1] == " " and after[1:].isdigit())

    def has_near(self, words: LinearPattern, start: int, end: int) -> bool:
        """Whether one of the `words` stands shortly before or right behind."""
        before = self.plain[max(start - _BEFORE, 0) : start]
        if words.occurs_in(before):
            return True
        return words.occurs_in(self.plain[end : end + _AFTER].partition("\n")[0])

    def is_other_number(self, start: int) -> bool:
        """Whether the word before says that it is a ticket, an order, a version or the like."""
        return _OTHER_NUMBERS.occurs_in(self._shortly_before(start))

    def _shortly_before(self, start: int) -> str:
        return self.plain[max(start - _CLOSE, 0) : start]


def is_attached(char: str) -> bool:
    """Whether a character beside a number is part of a longer name with it: digits, letters of scripts with blanks."""
    return char.isalnum() and (char.isascii() or not is_unspaced(char))


def is_unspaced(char: str) -> bool:
    """Whether a letter belongs to a script whose words are not set apart by blanks."""
    return _UNSPACED.occurs_in(char)


def matches(pattern: Any, reading: Reading, lead: LinearPattern | None = None) -> Iterator[tuple[int, int]]:
    """Yields where `pattern` occurs with nothing attached to it; `lead` as in `Reading.stands_alone`."""
    for found in pattern.finditer(reading.plain):
        start, end = found.span()
        if reading.stands_alone(start, end, lead):
            yield start, end


def _plain(char: str) -> str:
    if char.isascii():
        return char
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    return _SIGNS.get(ord(char), char)
