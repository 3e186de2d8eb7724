"""Finds telephone numbers: by a form that only they have, or by a word beside a number that could be one."""

from collections.abc import Iterator

from rails.matching import compile_linear
from rails.recognisers.finding import Entity, Finding, Reading, matches

_GAP = r"[ ./-]{0,2}"
_EXTENSION = r"(?:,? ?(?:x|ext\.?|extension|durchwahl|poste) ?[0-9]{1,6})?"
# E.164: the sign or 00, a country code of one to three digits, fifteen digits in all.
_INTERNATIONAL = compile_linear(
    rf"(?:\+ ?|\(\+|00 ?)[1-9][0-9]{{0,2}}\)?{_GAP}(?:\(0?[0-9]{{0,5}}\){_GAP})?[0-9]{{1,14}}"
    rf"(?:{_GAP}\(?[0-9]{{1,8}}\)?){{0,6}}{_EXTENSION}"
)
# North America: area code, exchange and number, 3-3-4.
_THREE_THREE_FOUR = compile_linear(
    rf"(?:\+?1[ .-])?(?:\([0-9]{{3}}\) ?-?|[0-9]{{3}}[ .-])[0-9]{{3}}[ .-][0-9]{{4}}{_EXTENSION}"
)
# Countries that dial a zero first, written in groups.
_TRUNK = compile_linear(
    rf"(?:\(0[0-9]{{1,5}}\)[ ./-]{{0,2}}|0[1-9][0-9]{{0,4}}[ ./-]{{1,2}})[0-9]{{1,8}}"
    rf"(?:[ ./-][0-9]{{2,8}}){{0,4}}{_EXTENSION}"
)
_ANY = compile_linear(rf"\(?[0-9](?:[ ()./-]{{0,3}}[0-9]){{6,14}}{_EXTENSION}")
_DATE = compile_linear(
    r"(?:\b[0-3]?[0-9]([./-])[01]?[0-9][./-](?:19|20)?[0-9]{2}\b|\b(?:19|20)[0-9]{2}[./-][01]?[0-9][./-][0-3]?[0-9]\b)"
)
_ROUND_RANGE = compile_linear(r"\A[1-9][0-9]{0,5}00 ?- ?[1-9][0-9]{0,5}00\z")
_WORDS = compile_linear(
    r"\b(?:call(?:ed|ing|s)?|ring|dial|phones?|telephones?|tel|mobile|cell(?: ?phone)?|fax"
    r"|sms|text(?:s|ing|ed)?|whats ?app|signal|messages?|voicemail|hotline|landline"
    r"|reach(?:ed|able)?|contact|desk|office|home|work|(?:my|his|her|their|our|your|new|old|private)"
    r" (?:number|no\.?|nr\.?)|number is"
    r"|telefon(?:nummer|isch)?|rufnummer|handy(?:nummer)?|anrufen|anruf|ruf(?:e|en)?|mobil(?:nummer|telefon)?"
    r"|t[ée]l[ée]phone(?:r|z)?|portable|appel(?:er|ez|le)|num[ée]ro|fixe|m[óo]vil|celular|tel[ée]fono|ll[aá]ma(?:r|me)?"
    r"|cellulare|chiama(?:re|mi)?|telefoon(?:nummer)?|mobiel|bel(?:len)?|telem[óo]vel|ligar|telefone|kom[óo]rk[ai]"
    r"|zadzwo[ńn]|telefonnr|ring(?:a)?|puhelin|numero|cep|telefonu)\b"
    r"|тел(?:ефон)?|звон|моб|τηλ|هاتف|جوال|اتصل|تليفون|تلفون|موبايل|محمول|نقال|واتس|كلمني|رقمي|फ़?ोन"
    r"|मोबाइल|नंबर|कॉल|संपर्क|व्हाट्स|电话|手机|電話|手機|致电|拨打|打给|联系|聯絡|微信|携帯|連絡|번호|전화|연락|휴대폰|핸드폰|โทร"
)
_MIN_DIGITS, _MAX_DIGITS = 7, 15
_TRUNK_DIGITS = range(9, 13)
_SIGNED_DIGITS = range(8, 16)
_PREFIXED_DIGITS = range(10, 16)


def find_phones(reading: Reading) -> Iterator[Finding]:
    """Yields numbers that people can be called at; pieces may overlap."""
    if reading.digits < _MIN_DIGITS:
        return
    has_prefix = "+" in reading.plain or "00" in reading.plain
    for start, end in matches(_INTERNATIONAL, reading) if has_prefix else ():
        written = reading.plain[start:end]
        digits = _digits(_bare(written))
        # Without the sign, 00 also begins serial numbers: only in groups, as numbers are dialled.
        is_prefixed = written[:2] == "00"
        if is_prefixed and (not _is_grouped(written) or reading.is_one_of_many(start, end)):
            continue
        if digits in (_PREFIXED_DIGITS if is_prefixed else _SIGNED_DIGITS):
            yield Finding(Entity.PHONE, start, end)
    for pattern, lengths in ((_THREE_THREE_FOUR, range(10, 18)), (_TRUNK, _TRUNK_DIGITS)):
        for start, end in matches(pattern, reading):
            written = reading.plain[start:end]
            if reading.is_one_of_many(start, end) or _is_something_else(reading, start, written):
                continue
            if _digits(_bare(written)) in lengths:
                yield Finding(Entity.PHONE, start, end)
    yield from _with_a_word(reading)


def _with_a_word(reading: Reading) -> Iterator[Finding]:
    if not _WORDS.occurs_in(reading.plain):
        return
    for start, end in matches(_ANY, reading):
        written = reading.plain[start:end]
        if (
            _MIN_DIGITS <= _digits(_bare(written)) <= _MAX_DIGITS
            and not _is_something_else(reading, start, written)
            and reading.has_near(_WORDS, start, end)
        ):
            yield Finding(Entity.PHONE, start, end)


def _is_something_else(reading: Reading, start: int, written: str) -> bool:
    if _ROUND_RANGE.occurs_in(written):
        return True
    return _DATE.occurs_in(written) or reading.is_other_number(start)


def _bare(written: str) -> str:
    """Returns the number without its extension."""
    cut = next((at for at, char in enumerate(written) if char.isalpha()), len(written))
    return written[:cut]


def _digits(written: str) -> int:
    return sum(map(str.isdigit, written))


def _is_grouped(written: str) -> bool:
    return any(char in " ./-()" for char in written)
