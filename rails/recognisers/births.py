"""Finds dates of birth: dates beside a word that says so."""

from collections.abc import Iterator

from rails.matching import compile_linear
from rails.recognisers.finding import Entity, Finding, Reading, matches

_DATE = compile_linear(
    r"[0-3]?[0-9][./-][01]?[0-9][./-](?:19|20)?[0-9]{2}|(?:19|20)[0-9]{2}[./-][01]?[0-9][./-][0-3]?[0-9]"
    r"|[0-3]?[0-9](?:st|nd|rd|th|\.)? (?:of |de )?\pL{3,12}\.?,? (?:de )?(?:19|20)[0-9]{2}"
    r"|(?:19|20)[0-9]{2} ?[年년] ?[01]?[0-9] ?[月월] ?[0-3]?[0-9] ?[日일]?"
    r"|\pL{3,12}\.? [0-3]?[0-9](?:st|nd|rd|th)?,? (?:19|20)[0-9]{2}"
)
_WORDS = compile_linear(
    r"\b(?:born(?: on)?|birth ?(?:date|day)?|date of birth|d\.?o\.?b|geb(?:oren|urtsdatum|urtstag|\.)?|n[ée]e? le"
    r"|date de naissance|nacid[oa]|fecha de nacimiento|nat[oa] (?:il|a)|data di nascita|geboortedatum|nascid[oa]"
    r"|data de nascimento|f[öo]dd|urodz(?:ony|ona|enia))\b|出生|生年月日"
    r"|생년월일|생일|تاريخ الميلاد|تاريخ ميلاد|مواليد|जन्म"
)
_MIN_DIGITS = 5


def find_births(reading: Reading) -> Iterator[Finding]:
    """Yields dates beside a word for being born."""
    if reading.digits < _MIN_DIGITS or not _WORDS.occurs_in(reading.plain):
        return
    for start, end in matches(_DATE, reading):
        if reading.has_near(_WORDS, start, end):
            yield Finding(Entity.BIRTH_DATE, start, end)
