"""How texts are searched: without regard to case, in every script."""

from unicodedata import normalize


def folded(text: str) -> str:
    """Returns `text` without case and without the difference between ways to encode a letter."""
    # Twice, as Unicode's caseless matching has it: composing some letters makes ones that fold once more.
    once = normalize("NFKC", normalize("NFD", text).casefold())
    return normalize("NFKC", once.casefold())
