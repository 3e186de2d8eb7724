"""Finds e-mail addresses and internet addresses."""

import ipaddress
from collections.abc import Iterator

from rails.matching import compile_linear
from rails.recognisers.finding import Entity, Finding, Reading, is_unspaced

# Without counts: RE2 unrolls them, and those of letters of all scripts do not fit its memory.
_EMAIL = compile_linear(r"[\pL\pN._%+'-]+@(?:[\pL\pN-]+\.)+\pL\pL+")
# In links and forms the sign is written as its code.
_ENCODED = compile_linear(r"[\pL\pN._+'-]+%40(?:[\pL\pN-]+\.)+\pL\pL+")
# The disguise that people use against harvesters; "name at host" without brackets is ordinary prose.
_AT = compile_linear(
    r"[a-z0-9._%+-]{1,64} ?[\[({<] ?at ?[\])}>] ?[a-z0-9-]{1,63}"
    r"(?: ?(?:\.|[\[({<] ?(?:dot|punkt|point|punto) ?[\])}>]) ?[a-z0-9-]{1,63}){1,6}"
)
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_V4 = compile_linear(rf"(?:{_OCTET}\.){{3}}{_OCTET}")
# Three groups at least. A colon of the sentence is none of the address: `ip:2a02::1:`.
_V6 = compile_linear(r"\b[0-9a-f]{1,4}(?:::?[0-9a-f]{1,4}\b){2,7}(?:::)?")
_MIN_ENDING = 2
"""A full stop and one letter less than a top-level domain has."""
_NOT_PEOPLE = frozenset(("git", "noreply", "no-reply", "donotreply", "do-not-reply"))


def find_emails(reading: Reading) -> Iterator[Finding]:
    """Yields e-mail addresses, also with `[at]` for the sign."""
    text = reading.plain
    for sign, pattern in (("@", _EMAIL), ("%40", _ENCODED)):
        for found in pattern.finditer(text) if sign in text else ():
            start, end = _without_neighbours(text, sign, found.start(), found.end())
            local = text[start:end].partition(sign)[0].strip("'.-")
            if local and local.casefold() not in _NOT_PEOPLE:
                yield Finding(Entity.EMAIL, start + text[start:end].index(local), end)
    if any(bracket in text for bracket in "[({<"):
        for found in _AT.finditer(text):
            yield Finding(Entity.EMAIL, *found.span())


def _without_neighbours(text: str, sign: str, start: int, end: int) -> tuple[int, int]:
    """Returns where an address in ASCII begins and ends among letters that are written without blanks."""
    at = text.index(sign, start, end)
    if text[at - 1].isascii():
        start = next((place + 1 for place in range(at - 1, start - 1, -1) if is_unspaced(text[place])), start)
    if not text[start:at].isascii():
        return start, end
    dot = text.rindex(".", at, end)
    cut = next((place for place in range(dot + 1, end) if is_unspaced(text[place])), end)
    return (start, cut) if cut - dot > _MIN_ENDING else (start, end)


def find_addresses(reading: Reading) -> Iterator[Finding]:
    """Yields addresses of version 4 and 6 that are routed on the internet and not part of a link."""
    text = reading.plain
    # Three dots and four digits at least make an address of four numbers.
    patterns = [_V4] if text.count(".") >= 3 and reading.digits > 3 else []  # noqa: PLR2004 - see above
    patterns += [_V6] if text.count(":") > 1 else []
    for pattern in patterns:
        for found in pattern.finditer(text):
            start, end = found.span()
            if reading.stands_alone(start, end) and _is_global(found.group()) and not reading.is_other_number(start):
                yield Finding(Entity.IP, start, end)


def _is_global(candidate: str) -> bool:
    try:
        return ipaddress.ip_address(candidate).is_global
    except ValueError:
        return False
