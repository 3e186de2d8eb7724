"""Takes personal data and secrets out of a message before the review queue keeps it; what is not sure is not kept."""

from rails.checks import personal, secrets
from rails.errors import RailsError
from rails.recognisers.finding import Reading

_PARAMS = secrets.SecretsParams()


def redact(text: str) -> str | None:
    """Returns the text with `[email]`, `[secret]` and so on in place of what it holds, or None when that is not sure.

    The same recognisers as those of the rails `personal` and `secrets`, whatever a policy says of them. They know
    forms and not people: a name in running text stays.
    """
    try:
        masked = _masked(text)
        # What is masked can join what stood around it into something new.
        return masked if _masked(masked) == masked else None
    except (RailsError, ValueError):
        return None


def _masked(text: str) -> str:
    reading = Reading.of(text)
    found = list(secrets.find(reading.text, _PARAMS))
    if found:
        reading = Reading.of(secrets.masked(reading.text, found))
    return personal.masked(reading.text, personal.find(reading))
