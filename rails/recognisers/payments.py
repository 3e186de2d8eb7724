"""Finds payment cards (ISO/IEC 7812) and bank accounts (ISO 13616)."""

from collections.abc import Iterator

from stdnum import iban, luhn

from rails.matching import compile_linear
from rails.recognisers.finding import Entity, Finding, Reading, is_attached
from rails.wordlists import word_set

# Slashes and low lines stand in dates and file names too: only where the groups are those of a card.
_DIGITS = compile_linear(
    r"[0-9](?:[ .-]?[0-9]){11,}|[0-9]{4}(?:[/_][0-9]{4}){2}[/_][0-9]{4,7}|[0-9]{4}[/_][0-9]{6}[/_][0-9]{4,5}"
)
_GROUP = compile_linear(r"[0-9]+")
_MIN_DIGITS = 12
_MAX_DIGITS = 19
# First and last prefix of the networks' issuer ranges, and the lengths of their numbers.
_ISSUERS = (
    ("4", "4", (16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("300", "305", (14,)),  # Diners Club
    ("3095", "3095", (14,)),
    ("36", "36", (14,)),
    ("38", "39", (14, 16)),
    ("6011", "6011", (16, 19)),  # Discover
    ("644", "659", (16, 19)),
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("81", "81", (16,)),
    ("3528", "3589", (16, 19)),  # JCB
    ("2131", "2131", (15,)),
    ("1800", "1800", (15,)),
    ("2200", "2204", (16, 19)),  # Mir
    ("9792", "9792", (16,)),  # Troy
    ("508", "508", (16,)),  # RuPay
)
_LENGTHS: dict[str, tuple[int, ...]] = {
    f"{prefix:04}": lengths
    for first, last, lengths in _ISSUERS
    for prefix in range(int(first.ljust(4, "0")), int(last.ljust(4, "9")) + 1)
}
"""Lengths by the first four digits."""
_CARD_WORDS = compile_linear(
    r"\b(?:cards?|creditcards?|visa|master ?card|amex|american express|maestro|discover|diners|jcb|unionpay"
    r"|(?:kredit|bank|giro|ec-?|debit)karten?(?:nummer)?|kartennummer|carte (?:bancaire|bleue|de cr[ée]dit)"
    r"|tarjeta(?: de (?:cr[ée]dito|d[ée]bito))?|carta di credito|cart[ãa]o(?: de cr[ée]dito)?|karta|kort)\b"
    r"|卡号|卡號|信用卡|银行卡|我的卡|カード|카드|بطاقت?|बैंक कार्ड|कार्ड"
)
# Issuer, length and check digit are proof enough behind a sign that stands alone (`#4111 ...`), though not in a path.
_LEAD = compile_linear(rf"(?:\A|[^\pL\pN/.\\_-]|(?:{_CARD_WORDS.pattern})[ .:]{{0,2}})\z")
_OTHER_CARDS = compile_linear(
    r"\b(?:sim|id|sd|graphics|video|network|sound|memory|access|key|badge|smart|time)[ -]?cards?\b"
)

_IBAN_START = compile_linear(r"[a-z]{2}[0-9]{2}(?:[ .-]?[a-z0-9]){11,40}")
_IBAN_WORDS = compile_linear(
    r"\b(?:iban|bban|(?:bank|account|konto)\s?(?:account|number|nummer|verbindung)|kontonummer)\b|账号|帳號|口座|계좌"
    r"|آيبان|رقم الحساب|खाता"
)
_IBAN_COUNTRIES = word_set(
    "ad ae al at az ba be bg bh bi br by ch cr cy cz de dj dk do ee eg es fi fk fo fr gb ge gi gl gr gt hn hr hu ie il "
    "iq is it jo kw kz lb lc li lt lu lv ly mc md me mk mn mr mt mu ni nl no om pk pl ps pt qa ro rs ru sa sc sd se si "
    "sk sm so st sv tl tn tr ua va vg xk ye"
)
_IBAN_LENGTHS = range(15, 35)
_IBAN_CHECK_DIGITS = 2


def find_cards(reading: Reading) -> Iterator[Finding]:
    """Yields card numbers: issuer, length and check digit are right, or two of the three beside a word for a card."""
    if reading.digits < _MIN_DIGITS:
        return
    has_words = _CARD_WORDS.occurs_in(reading.plain)
    for found in _DIGITS.finditer(reading.plain):
        start = found.start()
        groups = [(start + group.start(), start + group.end()) for group in _GROUP.finditer(found.group())]
        taken = -1
        for first, (begins, _) in enumerate(groups):
            if begins <= taken:
                continue
            card_end = _card_end(reading, groups[first : first + _MAX_DIGITS], has_words=has_words)
            if card_end is not None and reading.stands_alone(begins, card_end, _LEAD):
                yield Finding(Entity.CARD, begins, card_end)
                taken = card_end


def _card_end(reading: Reading, groups: list[tuple[int, int]], *, has_words: bool) -> int | None:
    """Returns where a card number that begins with the first group ends."""
    start = groups[0][0]
    digits, ends = "", []
    for begins, end in groups:
        digits += reading.plain[begins:end]
        ends.append((len(digits), end))
    lengths = _LENGTHS.get(digits[:4], ())
    if not (lengths or has_words) or len(set(digits)) == 1:
        return None
    for length, end in ends:
        if not _MIN_DIGITS <= length <= _MAX_DIGITS:
            continue
        has_issuer = length in lengths
        if not (has_issuer or has_words):
            continue
        is_right = bool(luhn.is_valid(digits[:length]))
        if (has_issuer and is_right) or ((has_issuer or is_right) and _has_card_word(reading, start, end)):
            return end
    return None


def _has_card_word(reading: Reading, start: int, end: int) -> bool:
    return (
        reading.has_near(_CARD_WORDS, start, end)
        and not reading.has_near(_OTHER_CARDS, start, end)
        and not reading.is_other_number(start)
    )


def find_ibans(reading: Reading) -> Iterator[Finding]:
    """Yields account numbers: with right check digits and the country's form, or beside the word."""
    position = 0 if reading.digits >= _IBAN_CHECK_DIGITS else len(reading.plain)
    while (found := _IBAN_START.search(reading.plain, position)) is not None:
        start, end = found.span()
        position = start + 1
        if is_attached(reading.plain[start - 1 : start]) or found.group()[:2].casefold() not in _IBAN_COUNTRIES:
            continue
        iban_end = _iban_end(reading, start, end)
        if iban_end is not None:
            yield Finding(Entity.IBAN, start, iban_end)
            position = iban_end


def _iban_end(reading: Reading, start: int, end: int) -> int | None:
    """Returns where the longest account number ends that stops where a group does."""
    text = reading.plain[start:end]
    ends = [at for at in range(len(text), 0, -1) if not text[at : at + 1].isalnum() and text[at - 1].isalnum()]
    for at in ends:
        compact = "".join(char for char in text[:at] if char.isalnum())
        if (
            len(compact) in _IBAN_LENGTHS
            and _is_iban(compact)
            and not is_attached(reading.plain[start + at : start + at + 1])
        ):
            return start + at
    if reading.has_near(_IBAN_WORDS, start, start):
        return start + ends[0] if ends else None
    return None


def _is_iban(compact: str) -> bool:
    # National check digits inside the account part are left out: banks' own systems are lax about them.
    return bool(iban.is_valid(compact, check_country=False))
