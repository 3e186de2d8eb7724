"""What keys, tokens and passwords look like: the patterns of the secrets rail.

Each shape comes with a piece of text without which it cannot occur. Looking for that piece costs a hundredth of
looking for the pattern. Sources: the makers' own documentation of their prefixes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rails.matching import compile_linear, escape


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of secret."""

    name: str
    """Appears in decisions as the reason `secrets.<name>`."""
    hints: tuple[str, ...]
    """In lower case; one of them is in every text that has the shape."""
    pattern: Any
    accepts: Callable[[str], bool] | None = None
    """Decides about what the pattern's first group holds."""


def _shape(name: str, hints: str, pattern: str, accepts: Callable[[str], bool] | None = None) -> Shape:
    return Shape(name, tuple(hints.split()), compile_linear(pattern, case_sensitive=True), accepts)


def _is_password(value: str) -> bool:
    """Says whether the word after "password:" is one: long enough, and of more than letters and common signs."""
    bare = value.strip("\"'`<>()[]{}.,;:")
    if len(bare) < _MIN_PASSWORD_CHARS or bare.casefold().startswith(("http", "www.")) or _ADDRESS.search(bare):
        return False
    has_digit, has_letter = any(map(str.isdigit, bare)), any(map(str.isalpha, bare))
    has_sign = any(char in "!#$%&*+=?@^_~|" for char in bare.strip("!?*_"))
    return (has_digit and has_letter and not _MEASURE.search(bare)) or (has_letter and has_sign)


def _is_plain_password(value: str) -> bool:
    """Says the same of the word after "password is", where most words are no password."""
    return "-" not in value and any(map(str.isdigit, value)) and _is_password(value)


_NAMES = (
    r"(?:api|secret|access|auth|private|signing|encryption|account|shared ?access|client|master|licen[cs]e|session)"
    r"[_ -]?(?:key|token|secret|code)"
)
_PASSWORDS = (
    r"(?:pass(?:word|wd|phrase|code)|pwd|pw|passwort|kennwort|mot de passe|contrase[ñn]a|senha|wachtwoord|has[łl]o)"
)
_MIN_PASSWORD_CHARS = 6
_ADDRESS = compile_linear(r"@[a-z0-9-]+\.")
_MEASURE = compile_linear(r"^[0-9]+[ -]?(?:characters?|chars?|digits?|letters?|days?|hours?|minutes?|zeichen|stellig)")

_BESIDE = "pass pwd pw kennwort contrase senha wachtwoord haslo hasło"

SHAPES = (
    _shape(
        "private_key",
        "-----begin",
        r"-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----(?s:.*?-----END [A-Z0-9 ]{1,60}-----|.*)"
        r"|-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY",
    ),
    _shape("private_key", "putty-user-key-file", r"PuTTY-User-Key-File-[0-9](?s:.*)"),
    _shape("canongate_key", "cg_", r"\bcg_[A-Za-z0-9]{8}_[A-Za-z0-9_-]{43}"),
    _shape("aws_key", "akia asia aroa aida abia acca", r"\b(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    _shape(
        "github_token",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})",
    ),
    _shape(
        "gitlab_token",
        "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- glimt- glagent- gloas-",
        r"\bgl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|oas)-[A-Za-z0-9_.-]{20,}",
    ),
    _shape(
        "slack_token",
        "xoxa- xoxb- xoxe xoxo- xoxp- xoxr- xoxs- xoxc- xoxd- xapp-",
        r"\b(?:xox[abcdeoprs](?:\.xox[bp])?-[A-Za-z0-9%-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{10,})",
    ),
    _shape(
        "slack_hook",
        "hooks.slack.com",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/[TE][A-Z0-9]{6,}/[A-Z0-9]{6,}/[A-Za-z0-9]{16,}",
    ),
    _shape("google_key", "aiza", r"\bAIza[A-Za-z0-9_-]{35}"),
    _shape("google_token", "ya29. gocspx-", r"\b(?:ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,})"),
    _shape(
        "stripe_key",
        "_live_ _test_ whsec_",
        r"\b(?:[prs]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{24,})",
    ),
    _shape("api_key", "sk-", r"\bsk-(?:[a-z]+[0-9]{0,2}-){0,3}[A-Za-z0-9_-]{20,}"),
    _shape(
        "package_token",
        "pypi- npm_ dckr_ rubygems_ cio oy2",
        r"\b(?:pypi-[A-Za-z0-9_-]{40,}|npm_[A-Za-z0-9]{36}|dckr_[po]at_[A-Za-z0-9_-]{20,}|rubygems_[0-9a-f]{40,}"
        r"|cio[A-Za-z0-9]{32}\b|oy2[a-z0-9]{43})",
    ),
    _shape("model_hub_token", "hf_", r"\bhf_[A-Za-z0-9]{30,}"),
    _shape(
        "azure_key",
        "accountkey= sharedaccesskey= sig= 8q~",
        r"\b(?:(?:Account|SharedAccess)Key=[A-Za-z0-9+/]{40,}={0,2}|sig=[A-Za-z0-9%+/]{40,}(?:%3[Dd]|=)"
        r"|[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34})",
    ),
    _shape(
        "service_token",
        "dop_v1_ doo_v1_ sg. shpat_ shpss_ shpca_ dapi hvs. hvb. glsa_ lin_api_ ntn_ nrak- pat- atatt figd_ sntrys_ "
        "eyjrijoi xkeysib- ops_ tskey- pul- r8_ gsk_ pplx- key- :aa",
        r"\b(?:do[op]_v1_[0-9a-f]{40,}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|shp(?:at|ss|ca|pa)_[0-9a-fA-F]{32}"
        r"|dapi[0-9a-f]{32}|hv[bs]\.[A-Za-z0-9_-]{24,}|glsa_[A-Za-z0-9_]{32,}|lin_api_[A-Za-z0-9]{32,}"
        r"|ntn_[A-Za-z0-9]{40,}|NRAK-[A-Z0-9]{27}|ATATT3[A-Za-z0-9_=-]{40,}|figd_[A-Za-z0-9_-]{36,}"
        r"|sntrys_[A-Za-z0-9_=+/-]{40,}|xkeysib-[0-9a-f]{60,}|ops_[A-Za-z0-9_-]{60,}|tskey-[a-z]{3,8}-[A-Za-z0-9-]{20,}"
        r"|pul-[0-9a-f]{40}|r8_[A-Za-z0-9]{36,}|gsk_[A-Za-z0-9]{40,}|pplx-[A-Za-z0-9]{40,}|key-[0-9a-f]{32}\b"
        r"|[0-9]{8,10}:AA[A-Za-z0-9_-]{32,34})",
    ),
    _shape("jwt", "eyj", r"\beyJ[A-Za-z0-9_-]{8,}\.(?:eyJ[A-Za-z0-9_-]{8,}|\.)[A-Za-z0-9_.-]*"),
    _shape("bearer", "bearer", r"\b(?i:bearer) +[A-Za-z0-9._~+/-]{20,}=*"),
    _shape("basic_auth", "basic", r"\b[Bb]asic +[A-Za-z0-9+/]{16,}={0,2}(?:[^A-Za-z0-9+/=]|$)"),
    _shape("url_password", "://", r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@]{0,100}:[^\s/@]{1,200}@"),
    _shape(
        "assigned",
        "key token secret code",
        rf"(?i)\b{_NAMES}\b[\"']?\s*(?:[:=]|\bis\b)\s*[\"'`]?[A-Za-z0-9._~+/-]{{16,}}=*",
    ),
    _shape(
        "password",
        _BESIDE,
        rf"(?i)\b{_PASSWORDS}\b[\"'*]?\s*(?:[:=]+|=>)\s*(\S+)",
        _is_password,
    ),
    _shape(
        "password",
        _BESIDE,
        rf"(?i)\b{_PASSWORDS}\s+(?:is|was|ist|lautet|est|es|é)\s*:?\s+(\S+)",
        _is_plain_password,
    ),
)
ANY_HINT = compile_linear("|".join(escape(hint) for shape in SHAPES for hint in shape.hints), case_sensitive=True)
"""Finds whether a text in lower case has any hint of any shape, in one pass."""
