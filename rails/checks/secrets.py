"""Blocks credentials, or masks them: key shapes, passwords and codes beside the word, and long random tokens.

Card and account numbers are the business of the rail `personal`.
"""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from rails.definition import OnFail, Probes, RailDefinition, RailParams, probes_of
from rails.key_shapes import ANY_HINT, SHAPES
from rails.matching import compile_linear
from rails.nemo import RailOutcome, rewritten, verdict
from rails.recognisers.finding import Reading
from rails.told_secrets import ANY_TOLD_HINT, TOLD_SHAPES
from rails.types import Stage

_TOKEN = compile_linear(r"[A-Za-z0-9+/_=-]{24,}")
_MIN_KINDS = 2
_MIN_DIGITS = 3
_MASK = "[secret]"
# Names of revisions and files by their checksum: SHA-1 and SHA-256, beside a word that says so.
_CHECKSUM = compile_linear(r"\A(?:[0-9a-f]{40}|[0-9a-f]{64})\z", case_sensitive=True)
_CHECKSUM_WORD = compile_linear(
    r"\b(?:commits?|revision|rev|sha-?(?:1|256)?|git|checksum|digest|cherry-?pick(?:ed)?|branch)\b"
)
_NEAR = 40


class SecretsParams(RailParams, frozen=True, kw_only=True, tag="secrets"):
    """When a string without a known shape is too random to be a word."""

    min_token_chars: Annotated[int, Meta(ge=24, le=200)] = 28
    min_entropy_bits: Annotated[float, Meta(ge=3.0, le=6.0)] = 4.0
    """Shannon entropy per character; words and identifiers of one language stay near 3.5."""


def find(text: str, params: SecretsParams) -> Iterator[tuple[str, int, int]]:
    """Yields what each secret is and where it stands; pieces may overlap. `text` is that of a `Reading`."""
    folded = text.casefold() if text.isascii() else text.lower()
    shapes = SHAPES if ANY_HINT.occurs_in(folded) else ()
    told = TOLD_SHAPES if ANY_TOLD_HINT.occurs_in(folded) else ()
    for shape in (*shapes, *told):
        if any(hint in folded for hint in shape.hints):
            for found in shape.pattern.finditer(text):
                if shape.accepts is None:
                    yield shape.name, *found.span()
                elif shape.accepts(found.group(1)):
                    yield shape.name, found.start(), found.end(1)
    for found in _TOKEN.finditer(text):
        if _is_random(found.group(), params) and not _is_checksum(text, *found.span()):
            yield "random_token", *found.span()


def masked(text: str, secrets: list[tuple[str, int, int]]) -> str:
    """Returns `text` without its secrets."""
    parts, at = [], 0
    for _, start, end in sorted(secrets, key=lambda secret: secret[1:]):
        if end <= at:
            continue
        if start >= at:
            parts += [text[at:start], _MASK]
        at = end
    return "".join([*parts, text[at:]])


def _is_random(written: str, params: SecretsParams) -> bool:
    token = written.strip("=-_/+")
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


def _is_checksum(text: str, start: int, end: int) -> bool:
    is_one = _CHECKSUM.occurs_in(text[start:end])
    return is_one and _CHECKSUM_WORD.occurs_in(text[max(start - _NEAR, 0) : end + _NEAR])


def _split(token: str) -> list[str]:
    return token.replace("/", "-").replace("_", "-").split("-")


async def check(text: str, params: SecretsParams) -> RailOutcome:
    """Returns the verdict on credentials in `text`, or the text with them masked."""
    text = Reading.of(text).text
    found = find(text, params)
    first = next(found, None)
    if first is None:
        return verdict(None)
    reason = f"secrets.{first[0]}"
    if params.on_fail is OnFail.TRANSFORM:
        return rewritten(masked(text, [first, *found]), reason)
    return verdict(reason)


def _probes(_params: SecretsParams) -> Probes:
    return probes_of(
        # Put together at run time, so that scanners of this repository find no key.
        blocked=[
            "my key is " + "ghp_" + "a1B2c3D4e5" * 4,
            "the password is " + "hunter2",
            "The door code is " + "4471",
        ],
        passed=[
            "How do I change my password? The PIN is not accepted.",
            "INC-123456 for CC-1234 is at https://help.example/tickets/123456, ask it@help.example",
        ],
    )


RAIL = RailDefinition(
    name="secrets",
    stages=frozenset({Stage.INPUT, Stage.OUTPUT}),
    params=SecretsParams,
    check=check,
    probes=_probes,
    may_rewrite=True,
)
