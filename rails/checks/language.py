"""Blocks messages in a language that the assistant does not serve."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from rails.definition import Probe, Probes, RailDefinition, RailParams
from rails.languages import MAX_FOREIGN_SHARE, unserved
from rails.nemo import RailOutcome, request_context, verdict
from rails.types import RailContext, Stage


class LanguageParams(RailParams, frozen=True, kw_only=True, tag="language"):
    """How much of a message may be in a script that no served language uses."""

    max_foreign_share: Annotated[float, Meta(ge=0.0, le=0.6)] = MAX_FOREIGN_SHARE
    """Latin letters, in which every language writes names of products, may always be 0.7 of it."""


def find(text: str, languages: Sequence[str], params: LanguageParams) -> str | None:
    """Returns the reason to block `text` where `languages` are served, or None.

    Raises `ValueError` for a served language that is not known.
    """
    return None if unserved(text, languages, params.max_foreign_share) is None else "language.unsupported"


async def check(text: str, params: LanguageParams) -> RailOutcome:
    """Returns the verdict on the language of `text`."""
    return verdict(find(text, request_context().languages, params))


def _probes(_params: LanguageParams) -> Probes:
    english, russian = RailContext(language="en", languages=("en",)), RailContext(language="ru", languages=("ru",))
    return Probes(
        must_block=(
            Probe("Как мне сбросить пароль?", english),
            Probe("Ich habe mein Passwort vergessen und kann mich nicht anmelden", english),
        ),
        must_pass=(Probe("How do I reset my password?", english), Probe("Как мне сбросить пароль?", russian)),
    )


RAIL = RailDefinition(
    name="language", stages=frozenset({Stage.INPUT}), params=LanguageParams, check=check, probes=_probes
)
