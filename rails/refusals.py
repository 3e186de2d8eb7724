"""Which of a policy's refusal texts a person reads: in the language of the message, or else of the assistant."""

from collections.abc import Iterable


def refusal_language(language: str, default: str, written: Iterable[str]) -> str | None:
    """Returns which of the languages that texts are `written` in serves a person of `language`.

    The language itself, another form of it (`pt` for `pt-BR`, and the other way round), or the same of `default`, the
    first language of the assistant; None when there is no text in either.
    """
    tags = tuple(written)
    for wanted in (language.casefold(), default.casefold()):
        base = wanted.partition("-")[0]
        forms = {tag: tag.casefold() for tag in tags}
        choices = (
            *(tag for tag, form in forms.items() if form == wanted),
            *(tag for tag, form in forms.items() if form == base),
            *(tag for tag, form in forms.items() if form.partition("-")[0] == base),
        )
        if choices:
            return choices[0]
    return None
