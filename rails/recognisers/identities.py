"""Finds numbers that states give to people, by their published forms and check digits."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from stdnum.ar import cuit
from stdnum.at import vnr
from stdnum.au import tfn
from stdnum.be import nn
from stdnum.bg import egn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.ch import ssn as ahv
from stdnum.cl import rut
from stdnum.cn import ric
from stdnum.cz import rc
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.gr import amka
from stdnum.hr import oib
from stdnum.ie import pps
from stdnum.il import idnr as israeli
from stdnum.in_ import aadhaar, pan
from stdnum.it import codicefiscale
from stdnum.kr import rrn
from stdnum.mx import curp
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.pt import nif
from stdnum.ro import cnp
from stdnum.se import personnummer
from stdnum.tr import tckimlik
from stdnum.us import ein, itin
from stdnum.za import idnr as south_african

from rails.matching import compile_linear
from rails.recognisers.finding import Entity, Finding, Reading, matches

_ANY_STATE = (
    r"social security|national insurance|national id|identity (?:card|number)|identification number|id (?:card|number)"
    r"|personal (?:id|number|code)|tax (?:id|number|file|payer)|taxpayer|tin|ssn|insurance number"
)
_ANY_STATE_UNSPACED = (
    "身份证|身分證|公民身份|주민(?:등록)?번호|マイナンバー|個人番号|رقم الهوية|الرقم القومي|आधार|पहचान"
)


@dataclass(frozen=True, slots=True)
class _Number:
    """One kind of number."""

    entity: Entity
    form: Any
    is_valid: Callable[[str], bool]
    words: Any = None
    """None for a form and check digits so particular that no word is needed."""
    least_digits: int = 0
    """How many a text must have at least for the form to occur in it."""


def _alone(entity: Entity, form: str, is_valid: Callable[[str], bool], least_digits: int = 6) -> _Number:
    return _Number(entity, compile_linear(form), is_valid, least_digits=least_digits)


def _beside(entity: Entity, form: str, is_valid: Callable[[str], bool], words: str, more: str = "") -> _Number:
    """Returns a number with `words`, or `more` that do not begin and end where RE2 sees a boundary."""
    either = rf"\b(?:{words}|{_ANY_STATE})\b|{_ANY_STATE_UNSPACED}" + (f"|{more}" if more else "")
    return _Number(entity, compile_linear(form), is_valid, compile_linear(either))


def _is_ssn(written: str) -> bool:
    """Areas 000, 666 and 900 to 999, group 00 and serial 0000 are never given out (SSA, 2011)."""
    digits = "".join(filter(str.isdigit, written))
    return digits[:3] not in ("000", "666") and digits[0] != "9" and digits[3:5] != "00" and digits[5:] != "0000"


def _is_nino(written: str) -> bool:
    """Prefixes that are never given out (HMRC, NIM39110)."""
    return written[:2].upper() not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def _is_passport(written: str) -> bool:
    """States choose freely among letters and digits; most of a number is digits."""
    return sum(map(str.isdigit, written)) >= _MIN_PASSPORT_DIGITS


_SSN, _ID, _TAX = Entity.SSN, Entity.NATIONAL_ID, Entity.TAX_NUMBER
_MIN_PASSPORT_DIGITS = 5
# The one form without check digits that needs no word: what the word before calls a ticket is none.
_TICKETS = compile_linear(
    r"\b(?:ticket|incident|request|case|order|invoice|serial|asset|tracking|parcel|part|model|sku|batch)"
    r"(?: (?:no|num|number|id|is))*[ .:=#]{0,3}\z"
)
_BEFORE_TICKET = 28
_NINO = r"[abceghj-prstw-z][abceghj-nprstw-z]"

# Single check digits let a tenth of all numbers pass: such a number needs a word, unless its writing is its own.
_NUMBERS = (
    _alone(_SSN, r"[0-9]{3}-[0-9]{2}-[0-9]{4}", _is_ssn),
    _alone(_SSN, r"[0-9]{3}\.[0-9]{2}\.[0-9]{4}", _is_ssn),
    _beside(
        _SSN,
        r"[0-9]{3}[ .-]?[0-9]{2}[ .-]?[0-9]{4}",
        _is_ssn,
        "social sec|ss ?(?:no|number)|(?:my|his|her|their|your) social (?:is|was|number|num|no)",
        r"\b(?:my|his|her|their|your) social ?[:=#]",
    ),
    _beside(_TAX, r"9[0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{4}", itin.is_valid, "itin"),
    _beside(_TAX, r"[0-9]{2}-[0-9]{7}", ein.is_valid, "ein|employer identification|federal tax"),
    _alone(_ID, rf"{_NINO} [0-9]{{2}} [0-9]{{2}} [0-9]{{2}} [a-d]", _is_nino),
    _beside(_ID, rf"{_NINO} ?[0-9]{{2}} ?[0-9]{{2}} ?[0-9]{{2}} ?[a-d]?", _is_nino, "nino|ni (?:number|no)|insurance"),
    _beside(_ID, r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}", nhs.is_valid, "nhs|health (?:number|service)|patient"),
    _beside(
        _TAX,
        r"[1-9][0-9](?: ?[0-9]{3}){3}",
        idnr.is_valid,
        "steuer[ -]?(?:id|identifikationsnummer|nummer)|id-?nr|idnr",
    ),
    _alone(_ID, r"[12] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[ab]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}", nir.is_valid),
    _alone(_ID, r"[0-9]{8}[ -]?[a-hj-np-tv-z]", dni.is_valid),
    _alone(_ID, r"[xyz]-?[0-9]{7}-?[a-hj-np-tv-z]", nie.is_valid),
    _alone(
        _TAX, r"[a-z]{6}[0-9lmnp-v]{2}[a-ehlmprst][0-9lmnp-v]{2}[a-z][0-9lmnp-v]{3}[a-z]", codicefiscale.is_valid, 0
    ),
    _beside(_ID, r"[0-9]{4}[. ]?[0-9]{2}[. ]?[0-9]{3}", bsn.is_valid, "bsn|burgerservicenummer|sofi-?nummer"),
    _beside(_ID, r"[0-9]{11}", pesel.is_valid, "pesel"),
    _beside(_ID, r"[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}", aadhaar.is_valid, "aadhaa?r|uidai|uid"),
    _alone(_TAX, r"[a-z]{3}[abcfghjlpt][a-z][0-9]{4}[a-z]", pan.is_valid, 4),
    _alone(_TAX, r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", cpf.is_valid),
    _beside(_TAX, r"[0-9]{11}", cpf.is_valid, "cpf"),
    _beside(_ID, r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}", sin.is_valid, "sin|social insurance|assurance sociale|nas"),
    _beside(_TAX, r"[0-9]{3} ?[0-9]{3} ?[0-9]{2,3}", tfn.is_valid, "tfn"),
    _beside(
        _ID, r"(?:[0-9]{2})?[0-9]{6}[+-]?[0-9]{4}", personnummer.is_valid, "personnummer|personnr|pnr|samordningsnummer"
    ),
    _beside(_ID, r"[0-9]{6} ?[0-9]{5}", fodselsnummer.is_valid, "f[øo]dselsnummer|personnummer|fnr"),
    _beside(_ID, r"[0-9]{6}-?[0-9]{4}", cpr.is_valid, "cpr(?:-?nummer)?|personnummer"),
    _alone(_ID, r"[0-3][0-9][01][0-9]{3}[a-f+-][0-9]{3}[0-9a-y]", hetu.is_valid),
    _alone(_ID, r"756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}", ahv.is_valid),
    _beside(_ID, r"756[0-9]{10}", ahv.is_valid, "ahv|avs|sozialversicherung"),
    _beside(_ID, r"[0-9]{4} ?[0-9]{6}", vnr.is_valid, "svnr|sozialversicherungsnummer|versicherungsnummer"),
    _beside(
        _ID,
        r"[0-9]{2}\.?[0-9]{2}\.?[0-9]{2}[ -]?[0-9]{3}[ .]?[0-9]{2}",
        nn.is_valid,
        "rijksregister|registre national|niss",
    ),
    _beside(_TAX, r"[1-35-9][0-9]{8}", nif.is_valid, "nif|contribuinte"),
    _beside(_TAX, r"[0-9]{7}[a-w][abhwtx]?", pps.is_valid, "pps(?:n| number)?"),
    _alone(_ID, r"[0-9]{6}-[1-8][0-9]{6}", rrn.is_valid),
    _beside(_ID, r"[0-9]{6}-?[1-8][0-9]{6}", bool, "rrn|resident registration"),
    _alone(_ID, r"[1-9][0-9]{5}(?:18|19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9x]", ric.is_valid, 17),
    _beside(_ID, r"[1-9][0-9]{5}(?:18|19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}[0-9x]", bool, "resident id"),
    _alone(_ID, r"[a-z]{4}[0-9]{6}[hmx][a-z]{5}[0-9a-z][0-9]", curp.is_valid),
    _alone(_TAX, r"(?:20|2[347]|30)-[0-9]{8}-[0-9]", cuit.is_valid),
    _alone(_TAX, r"[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9k]", rut.is_valid),
    _beside(_ID, r"[0-9]{13}", south_african.is_valid, "rsa id|south african id|id no"),
    _beside(_ID, r"[1-9][0-9]{10}", tckimlik.is_valid, "tc kimlik|kimlik|tckn|t\\.?c\\.?"),
    _beside(_ID, r"[0-9]{9}", israeli.is_valid, "teudat zehut|mispar zehut|israeli id"),
    _beside(_ID, r"[1-9][0-9]{12}", cnp.is_valid, "cnp|cod numeric personal"),
    _beside(_ID, r"[0-9]{6}/?[0-9]{3,4}", rc.is_valid, "rodn[ée] [čc][íi]slo"),
    _beside(_ID, r"[0-9]{11}", amka.is_valid, "amka"),
    _beside(_ID, r"[0-9]{10}", egn.is_valid, "egn"),
    _beside(_TAX, r"[0-9]{11}", oib.is_valid, "oib"),
    _beside(
        Entity.PASSPORT,
        r"[a-z]{0,3} ?[0-9][0-9a-z]{5,8}",
        _is_passport,
        "passports?|passport (?:no|number)|reisepass(?:nummer)?|passnummer|passeport|pasaporte|passaporto|paspoort"
        "|passaporte|pass nr|paszport(?:u)?",
        "护照|護照|パスポート|旅券|여권|جواز|पासपोर्ट",
    ),
)

# The second line of the machine-readable zone (ICAO 9303, part 4): number, state, birth, sex, expiry.
_ZONE = compile_linear(r"[a-z0-9<]{9}[0-9<][a-z]{1,3}<{0,2}[0-9]{6}[0-9<][mfx<][0-9]{7}[a-z0-9<]{10,16}")
_ALONE = tuple(number for number in _NUMBERS if number.words is None)
_ANY_WORD = compile_linear("|".join(number.words.pattern for number in _NUMBERS if number.words is not None))
_LEAD = compile_linear(rf"(?:{_ANY_WORD.pattern})[ .:]{{0,2}}\z")
_MIN_DIGITS = 4


def find_identities(reading: Reading) -> Iterator[Finding]:
    """Yields numbers of people that their form, check digits and words tell; pieces may overlap."""
    if reading.digits < _MIN_DIGITS:
        return
    if "<<" in reading.plain:
        for start, end in matches(_ZONE, reading):
            yield Finding(Entity.PASSPORT, start, end)
    numbers = _NUMBERS if _ANY_WORD.occurs_in(reading.plain) else _ALONE
    for number in numbers:
        if reading.digits < number.least_digits:
            continue
        for start, end in matches(number.form, reading, _LEAD):
            if reading.is_one_of_many(start, end) or not number.is_valid(reading.plain[start:end]):
                continue
            if number.entity is _SSN and _is_ticket(reading, start, end):
                continue
            if number.words is None or reading.has_near(number.words, start, end):
                yield Finding(number.entity, start, end)


def _is_ticket(reading: Reading, start: int, end: int) -> bool:
    """Whether the word before says so; with full stops, it may be a version or the like as well."""
    is_ticket = _TICKETS.occurs_in(reading.plain[max(start - _BEFORE_TICKET, 0) : start])
    return is_ticket or ("." in reading.plain[start:end] and reading.is_other_number(start))
