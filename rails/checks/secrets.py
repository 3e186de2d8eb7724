"""Blocks credentials and payment details: key shapes, long random tokens, card numbers and bank accounts."""

import math
from collections import Counter
from typing import Annotated, Any

from msgspec import Meta

from rails.definition import Probes, RailDefinition, RailParams, probes_of
from rails.matching import PatternSet, compile_linear
from rails.nemo import RailOutcome, verdict
from rails.types import Stage

_SHAPES = PatternSet(
    {
        "private_key": r"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY",
        "canongate_key": r"\bcg_[A-Za-z0-9]{8}_[A-Za-z0-9_-]{43}",
        "aws_key": r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z2-7]{16}\b",
        "github_token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})",
        "gitlab_token": r"\bglpat-[A-Za-z0-9_-]{20,}",
        "slack_token": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
        "slack_hook": r"hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{16,}",
        "google_key": r"\bAIza[A-Za-z0-9_-]{35}",
        "google_token": r"\bya29\.[A-Za-z0-9_-]{20,}",
        "stripe_key": r"\b[prs]k_(?:live|test)_[A-Za-z0-9]{16,}",
        "api_key": r"\bsk-(?:[a-z]+-){0,3}[A-Za-z0-9_-]{20,}",
        "package_token": r"\b(?:pypi-[A-Za-z0-9_-]{40,}|npm_[A-Za-z0-9]{36})",
        "model_hub_token": r"\bhf_[A-Za-z0-9]{30,}",
        "jwt": r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        "bearer": r"\b[Bb]earer +[A-Za-z0-9._~+/-]{20,}=*",
        "basic_auth": r"\b[Bb]asic +[A-Za-z0-9+/]{16,}={0,2}(?:[^A-Za-z0-9+/=]|$)",
        "url_password": r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@]{1,100}:[^\s/@]{1,200}@",
        "assigned": r"(?i)\b(?:api[_ -]?key|secret[_ -]?key|access[_ -]?token|auth[_ -]?token|client[_ -]?secret)"
        r"\b[\"']?\s*(?:[:=]|\bis\b)\s*[\"']?[A-Za-z0-9._~+/-]{16,}",
    },
    case_sensitive=True,
)
_TOKEN = compile_linear(r"[A-Za-z0-9+/_=-]{24,}")
_CARD = compile_linear(r"\d(?:[ -]?\d){12,18}")
_IBAN = compile_linear(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}")
_MIN_KINDS = 2
_MIN_DIGITS = 3
_CARD_LENGTHS = range(13, 20)
# Lengths of the whole number in the countries' registers; ISO 13616 allows 15 to 34.
_IBAN_LENGTHS = range(15, 35)


class SecretsParams(RailParams, frozen=True, kw_only=True, tag="secrets"):
    """When a string without a known shape is too random to be a word."""

    min_token_chars: Annotated[int, Meta(ge=24, le=200)] = 28
    min_entropy_bits: Annotated[float, Meta(ge=3.0, le=6.0)] = 4.0
    """Shannon entropy per character; words and identifiers of one language stay near 3.5."""


def find(text: str, params: SecretsParams) -> str | None:
    """Returns the reason to block `text`, or None."""
    shape = _SHAPES.find(text)
    if shape is not None:
        return f"secrets.{shape}"
    if any(_is_card(found.group()) for found in _CARD.finditer(text)):
        return "secrets.card_number"
    if any(_has_iban(found.group()) for found in _IBAN.finditer(text.upper())):
        return "secrets.iban"
    if any(_is_random(found, params) for found in _TOKEN.finditer(text)):
        return "secrets.random_token"
    return None


def _is_card(candidate: str) -> bool:
    digits = [int(char) for char in candidate if char.isdigit()]
    if len(digits) not in _CARD_LENGTHS or len(set(digits)) == 1 or digits[0] not in (2, 3, 4, 5, 6):
        return False
    doubled = (digit if index % 2 == 0 else sum(divmod(digit * 2, 10)) for index, digit in enumerate(reversed(digits)))
    return sum(doubled) % 10 == 0


def _has_iban(candidate: str) -> bool:
    """Says whether the candidate, or its beginning up to a blank, is an account number with right check digits."""
    compact = candidate.replace(" ", "")
    ends, length = {len(compact)}, 0
    for part in candidate.split(" "):
        length += len(part)
        ends.add(length)
    return any(_is_iban(compact[:end]) for end in ends if end in _IBAN_LENGTHS)


def _is_iban(compact: str) -> bool:
    turned = compact[4:] + compact[:4]
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1


def _is_random(found: Any, params: SecretsParams) -> bool:
    token = found.group().strip("=-_/+")
    if len(token) < params.min_token_chars:
        return False
    kinds = (any(c.isdigit() for c in token), any(c.isupper() for c in token), any(c.islower() for c in token))
    digits = sum(char.isdigit() for char in token)
    # A path, a hyphenated name or a run of words has few digits; a key has them throughout.
    if sum(kinds) < _MIN_KINDS or digits < _MIN_DIGITS or max(map(len, _split(token))) < params.min_token_chars // 2:
        return False
    counts = Counter(token)
    entropy = -sum(count / len(token) * math.log2(count / len(token)) for count in counts.values())
    is_hex = set(token.casefold()) <= set("0123456789abcdef")
    return is_hex or entropy >= params.min_entropy_bits


def _split(token: str) -> list[str]:
    return token.replace("/", "-").replace("_", "-").split("-")


async def check(text: str, params: SecretsParams) -> RailOutcome:
    """Returns the verdict on credentials in `text`."""
    return verdict(find(text, params))


def _probes(_params: SecretsParams) -> Probes:
    return probes_of(
        # Put together at run time, so that scanners of this repository find no key.
        blocked=["my key is " + "ghp_" + "a1B2c3D4e5" * 4, "card 4111 1111 1111 1111", "GB82 WEST 1234 5698 7654 32"],
        passed=["INC-123456 for CC-1234 is at https://help.example/tickets/123456, ask it@help.example"],
    )


RAIL = RailDefinition(
    name="secrets", stages=frozenset({Stage.INPUT, Stage.OUTPUT}), params=SecretsParams, check=check, probes=_probes
)
