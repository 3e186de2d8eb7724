"""Masks personal data and secrets in a text that is to be kept, as the rails of those names find them."""

from rails.checks import personal, secrets
from rails.checks.secrets import SecretsParams
from rails.recognisers.finding import Reading

MOST_PASSES = 4
_PARAMS = SecretsParams()


def redact(text: str) -> str:
    """Returns the text with `[email]`, `[card]`, `[secret]` and so on in place of what was found.

    Both look again until they find nothing, since a mask may uncover something beside it. Raises `ValueError` when
    they still do after some passes: such a text must not be kept.
    """
    for _ in range(MOST_PASSES):
        reading = Reading.of(text)
        found = list(secrets.find(reading.text, _PARAMS))
        if found:
            reading = Reading.of(secrets.masked(reading.text, found))
        entities = personal.find(reading)
        if not found and not entities:
            return text
        text = personal.masked(reading.text, entities)
    raise ValueError("personal data or secrets remain")
